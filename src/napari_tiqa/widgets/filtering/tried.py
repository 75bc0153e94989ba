"""Settings tried on a slice, and their way in and out of layer metadata."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from napari_tiqa.errors import FilterError
from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.widgets.filtering.trial import Judged
from napari_tiqa.widgets.shared.result_layers import METADATA_KEY
from napari_tiqa.widgets.shared.slice_source import SliceSource

_TRIED = "filters_tried"
_FIGURES = ("score", "objective", "detail_loss")


@dataclass(frozen=True)
class Tried:
    """One setting and what came of it: NaN where the slice has no such figure; loss of detail in %."""

    pipeline: Pipeline
    score: float
    objective: float
    detail_loss: float

    @classmethod
    def of(cls, pipeline: Pipeline, judged: Judged) -> Self:
        """Return a pipeline with what was found of its slice."""
        return cls(pipeline, judged.row.score, judged.objective, judged.detail_loss)

    @property
    def effect(self) -> str:
        """The steps that are on: settings with the same ones are the same setting."""
        return json.dumps([step for step in self.pipeline.to_dict()["steps"] if step["on"]])

    @property
    def rank(self) -> float:
        """The lower, the better."""
        return -self.objective if math.isfinite(self.objective) else math.inf

    def to_metadata(self) -> dict[str, Any]:
        """Return JSON-able values; NaN, which JSON lacks, becomes None."""
        figures = {name: getattr(self, name) for name in _FIGURES}
        return {
            "pipeline": self.pipeline.to_dict(),
            **{name: value if math.isfinite(value) else None for name, value in figures.items()},
        }

    @classmethod
    def from_metadata(cls, saved: Mapping[str, Any]) -> Self:
        """Read what ``to_metadata`` wrote; FilterError, KeyError, TypeError or ValueError for all else."""
        figures = [saved[name] for name in _FIGURES]
        return cls(
            Pipeline.from_dict(saved["pipeline"]),
            *(math.nan if figure is None else float(figure) for figure in figures),
        )


def load(source: SliceSource, model: Path | None) -> list[Tried]:
    """Return what was tried on a slice with a model, best first; what another version wrote is skipped."""
    place, found = _place(source, model), []
    for saved in _saved(source.layer.metadata):
        if _is_at(saved, place):
            try:
                found.append(Tried.from_metadata(saved))
            except (FilterError, KeyError, TypeError, ValueError):
                continue
    return sorted(found, key=lambda tried: tried.rank)


def save(source: SliceSource, model: Path | None, entries: list[Tried]) -> None:
    """Keep what was tried on a slice in its layer's metadata, in place of what was there."""
    metadata, place = source.layer.metadata, _place(source, model)
    others = [saved for saved in _saved(metadata) if not _is_at(saved, place)]
    ours = metadata.get(METADATA_KEY)
    metadata[METADATA_KEY] = {
        **(ours if isinstance(ours, Mapping) else {}),
        _TRIED: [*others, *({**place, **entry.to_metadata()} for entry in entries)],
    }


def _place(source: SliceSource, model: Path | None) -> dict[str, Any]:
    """Return what tells this slice and model from the others of the layer."""
    return {
        "axis": source.axis,
        "slice": source.index,
        "at": {str(dimension): index for dimension, index in source.at.items()},
        "model": None if model is None else str(model),
    }


def _is_at(saved: Any, place: Mapping[str, Any]) -> bool:
    return isinstance(saved, Mapping) and {name: saved.get(name) for name in place} == place


def _saved(metadata: Mapping[str, Any]) -> list[Any]:
    ours = metadata.get(METADATA_KEY)
    saved = ours.get(_TRIED) if isinstance(ours, Mapping) else None
    return saved if isinstance(saved, list) else []
