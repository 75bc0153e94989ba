"""The runs that a dock knows, the layer that each belongs to, and its colour."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from napari.layers import Layer

from napari_tiqa.figure_style import RUN_COLOURS
from napari_tiqa.volumes.region import Region
from napari_tiqa.widgets.quality.score_run import SINGLE_IMAGE, ScoreRun, load_runs, save_runs
from napari_tiqa.widgets.shared.read_layer import axis_names
from napari_tiqa.widgets.shared.result_layers import METADATA_KEY
from napari_tiqa.widgets.shared.slice_source import SliceSource, data_key
from napari_tiqa.wording import free_name


@dataclass(frozen=True)
class ShelvedRun:
    """A run with its layer (None for one that was loaded from a file), colour, and the data it is of."""

    run: ScoreRun
    layer: Layer | None
    colour: str
    data: tuple[Any, ...] = ()

    @property
    def is_current(self) -> bool:
        """Whether its layer still has the data that the run is of."""
        return self.layer is None or self.data == data_key(self.layer)


class RunShelf:
    """All runs of a dock, in the order they came."""

    def __init__(self) -> None:
        self._entries: dict[str, ShelvedRun] = {}

    def __iter__(self) -> Iterator[ShelvedRun]:
        """Go through the runs in the order they came."""
        return iter(self._entries.values())

    def __len__(self) -> int:
        """Return the number of runs."""
        return len(self._entries)

    def get(self, key: str | None) -> ShelvedRun | None:
        """Return a run by its key."""
        return None if key is None else self._entries.get(key)

    def add(self, run: ScoreRun, layer: Layer | None) -> ShelvedRun:
        """Keep a run, in the colour that the fewest others have."""
        used = [entry.colour for entry in self]
        data = () if layer is None else data_key(layer)
        entry = ShelvedRun(run, layer, min(RUN_COLOURS, key=used.count), data)
        self._entries[run.key] = entry
        return entry

    def new_run(self, source: SliceSource, notes: Iterable[str], region: Region | None) -> ShelvedRun:
        """Begin a run over the slices of a source; `notes` tell its name from those of others."""
        names, single = axis_names(source.layer), source.volume.data.ndim == 2
        axis = SINGLE_IMAGE if single else names[source.dimension]
        parts = [source.layer_name, *([] if single else [f"axis {axis}"])]
        parts += [*(f"{names[d]} {index}" for d, index in source.at.items()), *notes]
        run = ScoreRun(
            name=self.free_name(", ".join(parts)),
            axis=axis,
            unit=source.volume.unit,
            spacing=source.volume.voxel_size[source.axis],
            dimension=source.dimension,
            at=dict(source.at),
            asked=source.volume.slice_count(source.axis),
            region=region,
        )
        return self.add(run, source.layer)

    def remove(self, key: str) -> ShelvedRun | None:
        """Forget a run."""
        return self._entries.pop(key, None)

    def of_layer(self, layer: Layer) -> list[ShelvedRun]:
        """Return the runs of a layer."""
        return [entry for entry in self if entry.layer is layer]

    def load(self, layer: Layer) -> tuple[list[ShelvedRun], int]:
        """Take in the runs saved in a layer's metadata; also return how many could not be read."""
        runs, unreadable = load_runs(layer.metadata)
        return [self.add(run, layer) for run in runs if run.key not in self._entries], unreadable

    def save(self, layer: Layer) -> None:
        """Write a layer's ended runs into its metadata."""
        save_runs(layer.metadata, [entry.run for entry in self.of_layer(layer) if entry.run.ended])

    def free_name(self, name: str) -> str:
        """Return the name, numbered where another run has it: "electrode, axis z (2)"."""
        return free_name(name, {entry.run.name for entry in self})


class KeptScores:
    """The scores that the quality dock has kept with a layer, for other docks; each layer is read once."""

    def __init__(self) -> None:
        self._kept: Any = None  # the metadata that was read; the quality dock replaces it with each run
        self._asked: tuple[Any, ...] = ()
        self._scores: dict[int, float] = {}

    def of(self, source: SliceSource) -> dict[int, float]:
        """Return slice to score, 1 (worst) to 5 (best), of the last run along the source's axis."""
        kept = source.layer.metadata.get(METADATA_KEY)
        asked = (source.layer.unique_id, source.dimension, *source.at.items())
        if self._kept is not kept or self._asked != asked:
            self._kept, self._asked, self._scores = kept, asked, _last_scores(source)
        return self._scores


def _last_scores(source: SliceSource) -> dict[int, float]:
    runs, _ = load_runs(source.layer.metadata)
    for run in reversed(runs):
        of_source = run.dimension == source.dimension and run.at == dict(source.at)
        if of_source and run.valid_scores.size and "region" not in run.record:
            return dict(zip(run.slices.tolist(), run.scores.tolist(), strict=True))
    return {}
