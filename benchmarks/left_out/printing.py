"""Tables as text."""

import pandas as pd


def show(title: str, table: pd.DataFrame) -> None:
    """Print a table under its title, as the docs have it."""
    print(f"\n{title}\n{table.to_string(na_rep='-')}", flush=True)
