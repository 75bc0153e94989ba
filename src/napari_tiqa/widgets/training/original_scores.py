"""What the score says of originals that nobody has scored yet: a few slices, in the background, unasked."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from napari.layers import Image
from qtpy.QtCore import QObject, QTimer, Signal

from napari_tiqa.errors import TiqaError
from napari_tiqa.jobs.process.client import ProcessState, shared_model_process
from napari_tiqa.jobs.quality.score import score_volume
from napari_tiqa.volumes.slices import evenly
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState
from napari_tiqa.widgets.shared.read_layer import read_layer
from napari_tiqa.widgets.shared.slice_source import data_key
from napari_tiqa.widgets.shared.slider import layer_position
from napari_tiqa.widgets.training.layer_warnings import kept_runs, kept_score

SLICES = 3
"""Slices of a layer that tell whether it has faults."""

_ASK_AGAIN = 500  # ms, while the model process starts or has other work


class OriginalScores(QObject):
    """Knows a score of each layer: the one that the quality dock has kept, else that of a few slices.

    Nobody has asked for these, so they wait until the model process has nothing else to do, one layer at a
    time; a layer that cannot be scored, and a process that cannot start, have no score and no message. What
    is under way ends with its layer, once that is no longer wanted, and with the dock.
    """

    found = Signal()
    replaced = Signal()  # a wanted layer has other data

    def __init__(self, viewer: Any, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.job = BackgroundJob("judging originals")
        self._viewer = viewer
        self._wanted: list[Image] = []
        self._scores: dict[tuple[Any, ...], float | None] = {}  # by layer and data
        self._former: dict[Any, int] = {}  # runs kept with a layer that are of data it has no more
        self._key: tuple[Any, ...] = ()  # of what is under way
        self._ask_again = QTimer(self, singleShot=True, interval=_ASK_AGAIN)
        self._ask_again.timeout.connect(self._go_on)
        self.job.ended.connect(self._on_ended)

    def of(self, layer: Image) -> float | None:
        """Return a layer's mean score, 1..5; None while none is known."""
        kept = self._kept(layer)
        return self._scores.get(data_key(layer)) if kept is None else kept

    def want(self, layers: Sequence[Image]) -> None:
        """Find the scores of these layers, of those that have none; others are not wanted any more."""
        for layers_then, connects in ((self._wanted, False), (layers, True)):
            for layer in layers_then:
                (layer.events.data.connect if connects else layer.events.data.disconnect)(self._on_data)
        self._wanted = list(layers)
        if self.job.state.busy and self._key not in map(data_key, layers):
            self.job.cancel()
        self._go_on()

    def stop(self) -> None:
        """Look for no more."""
        self._ask_again.stop()
        self.want(())

    def _go_on(self) -> None:
        unknown = [
            layer
            for layer in self._wanted
            if self._kept(layer) is None and data_key(layer) not in self._scores
        ]
        if not unknown or self.job.state.busy:
            return
        process = shared_model_process()
        if process.state is ProcessState.STOPPED:
            process.start()  # at once: Keras is imported over there
        if process.state is not ProcessState.READY:
            self._ask_again.start()
            return
        layer = unknown[0]
        self._key = data_key(layer)
        try:
            volume = read_layer(layer, layer_position(self._viewer, layer))
            count = volume.slice_count(0)
        except TiqaError:
            self._scores[self._key] = None
            self._go_on()
            return
        slices = evenly(min(SLICES, count), count)
        self.job.run(partial(score_volume, volume, slices=slices), layer)

    def _kept(self, layer: Image) -> float | None:
        """Return the score kept with a layer, unless it is of data that were replaced since."""
        return None if self._former.get(layer.unique_id) == kept_runs(layer) else kept_score(layer)

    def _on_data(self, event: Any) -> None:
        self._former[event.source.unique_id] = kept_runs(event.source)
        self.replaced.emit()

    def _on_ended(self, outcome: JobOutcome) -> None:
        if outcome.layer_gone and not outcome.data_replaced:
            self.want([layer for layer in self._wanted if layer is not outcome.layer])
        if outcome.state is not JobState.CANCELLED:
            done = outcome.state is JobState.DONE
            score = float(outcome.result["score"].mean()) if done else float("nan")
            self._scores[self._key] = score if score == score else None
            self.found.emit()
        self._go_on()
