"""What the tabs of the filter dock share: the pipeline, the layer and slice it is tried on, the model."""

import time
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.filtering.ring_centre import CENTRE_PARAMETERS
from napari_tiqa.widgets.shared.source_state import SourceState

_KEPT = 200  # changes that can be undone
_ONE_MOVE = 1.0  # s: changes of one parameter that follow sooner are one move of its slider


class FilterState(SourceState):
    """The pipeline, the source and the model; the panel sets the last two, every tab may set the pipeline.

    Changes of the pipeline can be undone. Those that belong together count as one: a slider that is dragged,
    and those that are set with the same `move`.
    """

    pipeline_changed = Signal(object)  # Pipeline

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pipeline = Pipeline()
        self._undone: list[Pipeline] = []
        self._done: list[Pipeline] = []
        self._move: object = None  # what the last change belongs to
        self._moved_at = 0.0

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline that is being built."""
        return self._pipeline

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to take back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether a change was taken back."""
        return bool(self._undone)

    def set_pipeline(self, pipeline: Pipeline, move: object = None) -> None:
        """Try another pipeline; the Steps tab and the preview follow."""
        if pipeline == self._pipeline:
            return
        now = time.monotonic()
        changed = _parameter_changed(self._pipeline, pipeline) if move is None else None
        goes_on = move is not None and move == self._move
        goes_on |= changed is not None and changed == self._move and now - self._moved_at < _ONE_MOVE
        if not goes_on:
            self._done = [*self._done, self._pipeline][-_KEPT:]
        self._undone = []
        self._move, self._moved_at = (changed if move is None else move), now
        self._set(pipeline)

    @property
    def changed(self) -> Any:
        """Tells that there is another choice to be remembered."""
        return self.pipeline_changed

    def kept(self) -> dict[str, Any]:
        """Return the pipeline as it is remembered: without ring centres, which belong to a layer."""
        pipeline = self._pipeline
        for number, step in enumerate(pipeline.steps):
            for name in CENTRE_PARAMETERS:
                if name in step.parameters:
                    pipeline = pipeline.with_parameter(number, name, None)
        return pipeline.to_dict()

    def keep(self, pipeline: dict[str, Any]) -> None:
        """Build on the pipeline that was remembered; raises FilterError where it is none."""
        self.set_pipeline(Pipeline.from_dict(pipeline))

    def undo(self) -> None:
        """Take the last change back."""
        self._go(self._done, self._undone)

    def redo(self) -> None:
        """Make the change again that was taken back last."""
        self._go(self._undone, self._done)

    def _go(self, back: list[Pipeline], forth: list[Pipeline]) -> None:
        if back:
            forth.append(self._pipeline)
            self._move = None
            self._set(back.pop())

    def _set(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self.pipeline_changed.emit(pipeline)


def _parameter_changed(before: Pipeline, after: Pipeline) -> tuple[int, str] | None:
    """Return step and name of the one parameter that two pipelines differ in; None where that is not all."""
    if [(step.filter, step.on) for step in before.steps] != [(step.filter, step.on) for step in after.steps]:
        return None
    pairs = enumerate(zip(before.steps, after.steps, strict=True))
    found = [
        (number, name)
        for number, (old, new) in pairs
        for name, value in new.parameters.items()
        if value != old.parameters[name]
    ]
    return found[0] if len(found) == 1 else None
