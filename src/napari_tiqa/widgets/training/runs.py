"""Which training runs were started from the dock, so that one that was interrupted is offered again."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from napari_tiqa.json_text import read_json
from napari_tiqa.learning.training.run_folder import CHECKPOINT_FILE, MODEL_FILE, RECIPE_FILE
from napari_tiqa.whole_file import whole_file
from napari_tiqa.wording import free_path

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


class StartedRuns:
    """The trainings of one kind that docks have started, kept in a file of the user's."""

    def __init__(self, file: str) -> None:
        self._name = file

    def all(self) -> list[TrainingRun]:
        """Return the runs that were started and not forgotten, the latest first."""
        try:
            kept: Any = read_json(self._file())
            return [TrainingRun(Path(run["folder"]), Path(run["output"])) for run in kept["runs"]]
        except (OSError, ValueError, KeyError, TypeError):
            return []

    def remember(self, run: TrainingRun) -> None:
        """Put a run first in the list; one that cannot be written does not keep a training from starting."""
        self._write([run, *(other for other in self.all() if other != run)][:_KEPT])

    def forget(self, run: TrainingRun) -> None:
        """Offer a run no more; its files stay."""
        self._write([other for other in self.all() if other != run])

    def _write(self, runs: list[TrainingRun]) -> None:
        kept = {"runs": [{"folder": str(run.folder), "output": str(run.output)} for run in runs]}
        file = self._file()
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(file) as out:
                out.write(json.dumps(kept, indent=1).encode())
        except OSError:
            return

    def _file(self) -> Path:
        return Path(platformdirs.user_data_dir("napari-tiqa", appauthor=False)) / self._name


def has_epochs(run: TrainingRun) -> bool:
    """Return whether a run stopped between its first epoch and its finished model."""
    return (run.folder / CHECKPOINT_FILE).is_file()


def is_interrupted(run: TrainingRun) -> bool:
    """Return whether a run was begun and has no model, or not its finished one."""
    begun = (run.folder / RECIPE_FILE).is_file() and not (run.folder / MODEL_FILE).is_file()
    return begun or has_epochs(run)


def free_folder(output: Path) -> Path:
    """Return a run folder beside a model that no other training has used."""
    return free_path(output.with_suffix(".training"))
