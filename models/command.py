"""The shell's door to the trainings of this folder: their options, the bar and what is printed at the end."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from napari_tiqa.cli.exit_code import exit_code
from napari_tiqa.cli.output_options import add_output_option
from napari_tiqa.cli.progress_bar import ProgressBar
from napari_tiqa.scoring.keras_configuration import configure_keras


def run_command(
    module: str,
    description: str | None,
    train: Callable[[argparse.Namespace, ProgressBar], dict[str, Any]],
    arguments: Sequence[str] | None,
    *,
    needs_data: bool = True,
    work: Path | None = None,
) -> int:
    """Run ``python -m models.MODULE [DATA] -o MODEL``.

    Parameters
    ----------
    module, description : str
        For ``--help``.
    train : callable
        Given the options, with `data` and `output`, and the bar to show; writes the bundle, returns its card.
    arguments : sequence of str, optional
        Those of the shell where omitted.
    needs_data : bool
        Whether the training reads scans from a folder.
    work : pathlib.Path, optional
        Where it keeps what it makes on the way, unless the option ``--work`` says otherwise.

    Returns
    -------
    int
        The exit code.
    """
    parser = argparse.ArgumentParser(prog=f"python -m models.{module}", description=description)
    if needs_data:
        parser.add_argument(
            "data", type=Path, metavar="DATA", help="folder with the scans of models/specimens.py"
        )
    add_output_option(parser, "bundle to write (.tiqa)", metavar="MODEL", overwrite=None)
    if work:
        help_ = "folder to keep what is made on the way in, to go on from after an interruption"
        parser.add_argument("--work", type=Path, default=work, metavar="FOLDER", help=f"{help_} ({work})")
    options = parser.parse_args(arguments)

    def command() -> int:
        configure_keras()
        with ProgressBar() as bar:
            card = train(options, bar)
        note = card.get("domain") or f"{card['training']['originals']} originals."
        print(f"Wrote {options.output}: {note}", file=sys.stderr)
        evaluation = card["evaluation"]
        print(evaluation if isinstance(evaluation, str) else pd.DataFrame(evaluation).to_string(index=False))
        return 0

    return exit_code(command)
