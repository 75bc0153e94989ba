"""Which training runs were started from the dock, so that one that was interrupted is offered again."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from napari_tiqa.whole_file import whole_file

_KEPT = 12


@dataclass(frozen=True)
class TrainingRun:
    """Where a training keeps what it has, and where its model goes."""

    folder: Path
    output: Path

    @property
    def name(self) -> str:
        """What the model is called."""
        return self.output.stem


def started_runs() -> list[TrainingRun]:
    """Return the runs that were started and not forgotten, the latest first."""
    try:
        kept: Any = json.loads(_file().read_text(encoding="utf-8"))
        return [TrainingRun(Path(run["folder"]), Path(run["output"])) for run in kept["runs"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def remember_run(run: TrainingRun) -> None:
    """Put a run first in the list. A list that cannot be written is no reason not to train."""
    _write([run, *(other for other in started_runs() if other != run)][:_KEPT])


def forget_run(run: TrainingRun) -> None:
    """Offer a run no more; its files stay."""
    _write([other for other in started_runs() if other != run])


def _write(runs: list[TrainingRun]) -> None:
    kept = {"runs": [{"folder": str(run.folder), "output": str(run.output)} for run in runs]}
    file = _file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as out:
            out.write(json.dumps(kept, indent=1).encode())
    except OSError:
        return


def _file() -> Path:
    return Path(platformdirs.user_data_dir("napari-tiqa", appauthor=False)) / "training_runs.json"
