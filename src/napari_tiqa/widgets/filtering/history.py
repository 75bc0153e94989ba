"""The settings tried on a slice, ranked by what they bring, and their way in and out of layer metadata."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from napari_tiqa.errors import FilterError
from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.widgets.filtering.trial import Judged, SliceTrial
from napari_tiqa.widgets.shared.result_layers import METADATA_KEY
from napari_tiqa.widgets.shared.slice_source import SliceSource

_TRIED = "filters_tried"
_KEPT = 30  # settings of each slice: the best ones
_FIGURES = ("score", "fidelity", "objective", "detail_loss")
_NOTHING = "unfiltered"
_SETTINGS = 3  # column
_NUMBER = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class Tried:
    """One setting and what came of it.

    Attributes
    ----------
    pipeline : Pipeline
    score, fidelity, objective : float
        As people read them, and what settings are ranked by; NaN where the slice has none.
    detail_loss : float
        Per cent of edge steepness lost; NaN where it cannot be measured.
    """

    pipeline: Pipeline
    score: float
    fidelity: float
    objective: float
    detail_loss: float

    @property
    def effect(self) -> str:
        """The steps that are on: settings with the same ones are the same setting."""
        return json.dumps([step for step in self.pipeline.to_dict()["steps"] if step["on"]])

    def to_metadata(self) -> dict[str, Any]:
        """Return JSON-able values; NaN, which JSON lacks, becomes None."""
        figures = {name: getattr(self, name) for name in _FIGURES}
        return {
            "pipeline": self.pipeline.to_dict(),
            **{name: value if math.isfinite(value) else None for name, value in figures.items()},
        }

    @classmethod
    def from_metadata(cls, saved: Mapping[str, Any]) -> Self:
        """Read what ``to_metadata`` wrote.

        Raises
        ------
        FilterError, KeyError, TypeError, ValueError
            `saved` was not written by ``to_metadata``, or by a version with other filters.
        """
        figures = [saved[name] for name in _FIGURES]
        return cls(
            Pipeline.from_dict(saved["pipeline"]),
            *(math.nan if figure is None else float(figure) for figure in figures),
        )


class FilterHistory(QTreeWidget):
    """The settings tried on the slice that is shown, best first; a click goes back to one."""

    chosen = Signal(object)  # Pipeline

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: list[Tried] = []
        self._source: SliceSource | None = None
        self._model: Path | None = None
        self.setHeaderLabels(["Fidelity", "Score", "Detail lost", "Settings tried"])
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        header = self.header()
        header.setStretchLastSection(True)
        for column in range(_SETTINGS):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.setToolTip(
            "Settings tried on this slice, the best on top; click one to go back to it.\n"
            "They are kept with the layer, and saved with it."
        )
        self.itemClicked.connect(self._on_clicked)

    def sizeHint(self) -> QSize:
        """Return a height of about six rows."""
        return QSize(200, 140)

    @property
    def entries(self) -> list[Tried]:
        """The settings tried, best first."""
        return list(self._entries)

    def show_slice(self, source: SliceSource | None, model: Path | None) -> None:
        """Show what was tried on a slice with a model, also in an earlier session."""
        self._source, self._model = source, model
        self._entries = [] if source is None else _load(source.layer.metadata, self._place())
        self._list()

    def add(self, trial: SliceTrial) -> None:
        """Keep a trial, the unfiltered slice beside it to compare with."""
        if self._source is None:
            return
        off = Pipeline([replace(step, on=False) for step in trial.pipeline.steps])
        tried = [_tried(off, trial.before), _tried(trial.pipeline, trial.after)]
        by_effect = {entry.effect: entry for entry in [*self._entries, *tried]}
        ranked = sorted(by_effect.values(), key=_rank)
        nothing = by_effect[tried[0].effect]
        kept = ranked[:_KEPT]
        self._entries = kept if nothing in kept else [*kept[:-1], nothing]
        _save(self._source.layer.metadata, self._place(), self._entries)
        self._list(tried[1].effect)

    def _place(self) -> dict[str, Any]:
        """Return what tells this slice and model from the others of the layer."""
        source = self._source
        assert source is not None
        return {
            "axis": source.axis,
            "slice": source.index,
            "at": {str(dimension): index for dimension, index in source.at.items()},
            "model": None if self._model is None else str(self._model),
        }

    def _list(self, current: str = "") -> None:
        self.clear()
        for number, entry in enumerate(self._entries):
            settings = _in_short(entry.pipeline) or _NOTHING
            figures = (
                _figure(entry.fidelity, ".3f"),
                _figure(entry.score, ".2f"),
                _figure(entry.detail_loss, ".0f", " %"),
            )
            item = QTreeWidgetItem([*figures, settings])
            item.setData(0, _NUMBER, number)
            item.setToolTip(_SETTINGS, entry.pipeline.describe().replace("), ", "),\n"))
            for column in range(_SETTINGS):
                item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.addTopLevelItem(item)
            if entry.effect == current:
                self.setCurrentItem(item)

    def _on_clicked(self, item: QTreeWidgetItem) -> None:
        self.chosen.emit(self._entries[item.data(0, _NUMBER)].pipeline)


def _figure(value: float, form: str, unit: str = "") -> str:
    # "z": no minus before a zero.
    return f"{value:z{form}}{unit}" if math.isfinite(value) else "–"


def _tried(pipeline: Pipeline, judged: Judged) -> Tried:
    return Tried(pipeline, judged.row.score, judged.fidelity, judged.objective, judged.detail_loss)


def _in_short(pipeline: Pipeline) -> str:
    """Name the steps that are on, and of their parameters those that are not at their defaults."""
    return ", ".join(_step_in_short(step) for step in pipeline.steps if step.on)


def _step_in_short(step: Step) -> str:
    parameters = step.definition.parameters
    values = [
        f"{parameters[name].title.lower()} {format(value, '.4g') if isinstance(value, float) else value}"
        for name, value in step.parameters.items()
        if value != parameters[name].default
    ]
    return f"{step.definition.title} ({', '.join(values)})" if values else step.definition.title


def _rank(entry: Tried) -> float:
    return -entry.objective if math.isfinite(entry.objective) else math.inf


def _load(metadata: Mapping[str, Any], place: Mapping[str, Any]) -> list[Tried]:
    """Return what was kept of a slice; what another version wrote is left where it is."""
    entries = []
    for saved in _saved(metadata):
        if isinstance(saved, Mapping) and {name: saved.get(name) for name in place} == place:
            try:
                entries.append(Tried.from_metadata(saved))
            except (FilterError, KeyError, TypeError, ValueError):
                continue
    return sorted(entries, key=_rank)


def _save(metadata: dict[str, Any], place: Mapping[str, Any], entries: list[Tried]) -> None:
    """Write the entries of a slice in place of those that were there."""
    others = [
        saved
        for saved in _saved(metadata)
        if not isinstance(saved, Mapping) or {name: saved.get(name) for name in place} != place
    ]
    ours = metadata.get(METADATA_KEY)
    metadata[METADATA_KEY] = {
        **(ours if isinstance(ours, Mapping) else {}),
        _TRIED: [*others, *({**place, **entry.to_metadata()} for entry in entries)],
    }


def _saved(metadata: Mapping[str, Any]) -> list[Any]:
    ours = metadata.get(METADATA_KEY)
    saved = ours.get(_TRIED) if isinstance(ours, Mapping) else None
    return saved if isinstance(saved, list) else []
