"""Tables as the documents have them."""

from collections.abc import Iterable

import pandas as pd


def show(title: str, table: pd.DataFrame) -> None:
    """Print a table in Markdown under its title; the index comes first."""
    table = table.copy()
    table.columns = [" ".join(map(str, name)) if isinstance(name, tuple) else name for name in table.columns]
    names = [name or "" for name in table.index.names]
    table = table.reset_index(names=names if len(set(names)) == len(names) else None)
    print(f"\n**{title}**\n")
    print(_line(table.columns))
    print(_line("---" for _ in table.columns))
    for row in table.itertuples(index=False):
        print(_line(map(_text, row)))


def _line(cells: Iterable[object]) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _text(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return "-" if pd.isna(value) else f"{value:.3f}".rstrip("0").rstrip(".")
