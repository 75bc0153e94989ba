"""A training under way; it outlives the dock, and a dock opened again shows it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from threading import Event
from typing import Any

from qtpy.QtCore import Slot

from napari_tiqa.errors import TrainingError
from napari_tiqa.scoring.recent_models import remember_model
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState
from napari_tiqa.widgets.training.runs import StartedRuns, TrainingRun, has_epochs


@dataclass(frozen=True)
class Training:
    """What to train, frozen in the main thread: a job never sees a widget, a layer or the viewer.

    The verb lacks only progress and cancel; it returns the card of the bundle at ``run.output``. What it
    learns of layers it has from the start, so it goes on when they go; `layers` are their ``unique_id``.
    """

    run: TrainingRun
    verb: partial[dict[str, Any]]
    layers: tuple[str, ...] = ()

    def __call__(self, report: Callable[[Any], None], cancel: Event) -> dict[str, Any]:
        """Train, and return the card of the bundle."""
        return self.verb(progress=report, cancel=cancel)


class TrainingJob(BackgroundJob):
    """Trains in a process of its own; `ended` brings the card of the bundle at ``request.run.output``.

    Also a training that was cancelled has a card where an epoch had ended: that of the best network so far.
    `request` is the training under way, else the last one; `latest` its last report, None before the first;
    `warnings` what it said may spoil the result; `outcome` how it ended.
    """

    def __init__(self, runs: StartedRuns) -> None:
        super().__init__("training")
        self.runs = runs
        self.request: Training | None = None
        self.latest: Any = None
        self.warnings: tuple[str, ...] = ()
        self.outcome: JobOutcome | None = None
        self._to_go_on = False

    @property
    def question_of_closing(self) -> str:
        """What to ask before napari closes on the training; "" where there is none."""
        if not self.state.cancellable or self.request is None:
            return ""
        return (
            f"'{self.request.run.name}' is still being trained. Close napari and stop the training?\n\n"
            "It is kept up to its last full epoch, and the dock will offer to resume it."
        )

    def train(self, request: Training) -> None:
        """Start or resume a training and return at once; TrainingError if one is under way already."""
        if self.state.busy and self.request is not None:
            raise TrainingError(
                f"'{self.request.run.name}' is still being trained: wait for it or cancel it first."
            )
        self.request, self.latest, self.warnings, self.outcome = request, None, (), None
        self._to_go_on = False
        self.runs.remember(request.run)
        self.start(request)

    def note_removed(self, layer: Any) -> None:
        """Say among the warnings that a layer which the training learns from was removed."""
        if self.request is None or not self.state.busy or layer.unique_id not in self.request.layers:
            return
        sentence = f"'{layer.name}' was removed; the training goes on with what it has of it."
        if sentence not in self.warnings:
            self.warnings += (sentence,)

    def interrupt(self) -> None:
        """Cancel, and have the training offered again when a dock is opened: napari is closing."""
        self._to_go_on = True
        self.cancel()

    @Slot(object)
    def _on_progress(self, progress: Any) -> None:
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
            self.runs.forget(run)
        self.outcome = outcome
        super()._on_thread_ended(outcome)
