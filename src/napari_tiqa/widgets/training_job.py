"""The training under way, at most one in napari; it outlives the dock, and a dock opened again shows it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from threading import Event
from typing import Any

from qtpy.QtCore import Slot

from napari_tiqa.errors import TrainingError
from napari_tiqa.jobs.train import train
from napari_tiqa.learning.progress import TrainProgress
from napari_tiqa.learning.recipe import TrainingRecipe
from napari_tiqa.learning.run_folder import CHECKPOINT_FILE, MODEL_FILE, RECIPE_FILE
from napari_tiqa.scoring.recent_models import remember_model
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.widgets.background_job import BackgroundJob, JobOutcome, JobState
from napari_tiqa.widgets.layer_slices import write_layer_slices
from napari_tiqa.widgets.training_runs import TrainingRun, forget_run, remember_run


@dataclass(frozen=True)
class TrainingRequest:
    """What to train, frozen in the main thread: a job never sees a widget, a layer or the viewer.

    Attributes
    ----------
    recipe : TrainingRecipe
    run : TrainingRun
    volumes : tuple of Volume
        Layers to learn from, whose slices are written first and take the place of the recipe's originals.
    """

    recipe: TrainingRecipe
    run: TrainingRun
    volumes: tuple[Volume, ...] = ()


class TrainingJob(BackgroundJob):
    """Trains in a process of its own; `ended` brings the card of the bundle at ``request.run.output``.

    Also a training that was cancelled has a card where an epoch had ended: that of the best network so far.

    Attributes
    ----------
    request : TrainingRequest or None
        Of the training under way, else of the last one.
    latest : TrainProgress or None
        Its last report.
    warnings : tuple of str
        What it said may spoil the result.
    outcome : JobOutcome or None
        How the last training ended.
    """

    def __init__(self) -> None:
        super().__init__("training")
        self.request: TrainingRequest | None = None
        self.latest: TrainProgress | None = None
        self.warnings: tuple[str, ...] = ()
        self.outcome: JobOutcome | None = None
        self._to_go_on = False

    def train(self, request: TrainingRequest) -> None:
        """Start or resume a training and return at once.

        Raises
        ------
        TrainingError
            A training is under way already.
        """
        if self.state.busy and self.request is not None:
            raise TrainingError(
                f"'{self.request.run.name}' is still being trained: wait for it or cancel it first."
            )
        self.request, self.latest, self.warnings, self.outcome = request, None, (), None
        self._to_go_on = False
        remember_run(request.run)
        self.start(partial(_train, request))

    def interrupt(self) -> None:
        """Cancel, and have the training offered again when a dock is opened: napari is closing."""
        self._to_go_on = True
        self.cancel()

    @Slot(object)
    def _on_progress(self, progress: object) -> None:
        assert isinstance(progress, TrainProgress)
        self.latest = progress
        self.warnings += progress.warnings
        super()._on_progress(progress)

    @Slot(object)
    def _on_thread_ended(self, outcome: JobOutcome) -> None:
        assert self.request is not None
        run, card = self.request.run, outcome.result
        if card is not None:
            remember_model(run.output)
            if not card["training"]["finished"]:
                outcome = replace(outcome, state=JobState.CANCELLED)
        failed_later = outcome.state is JobState.FAILED and has_epochs(run)
        if not (self._to_go_on or failed_later):
            forget_run(run)
        self.outcome = outcome
        super()._on_thread_ended(outcome)


@cache
def shared_training_job() -> TrainingJob:
    """Return the one job of this napari."""
    return TrainingJob()


def has_epochs(run: TrainingRun) -> bool:
    """Return whether a run stopped between its first epoch and its finished model."""
    return (run.folder / CHECKPOINT_FILE).is_file()


def is_interrupted(run: TrainingRun) -> bool:
    """Return whether a run was begun and has no model, or not its finished one."""
    begun = (run.folder / RECIPE_FILE).is_file() and not (run.folder / MODEL_FILE).is_file()
    return begun or has_epochs(run)


def _train(request: TrainingRequest, report: Callable[[Any], None], cancel: Event) -> dict[str, Any]:
    recipe, run = request.recipe, request.run
    if request.volumes:
        folder = run.folder / "originals"
        recipe = replace(recipe, originals=write_layer_slices(request.volumes, recipe.slices, folder, cancel))
    return train(recipe, run.folder, run.output, report, cancel)
