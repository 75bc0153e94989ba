"""The runs that a dock knows, the layer that each belongs to, and its colour."""

from collections.abc import Iterator
from dataclasses import dataclass

from napari.layers import Layer

from napari_tiqa.figure_style import RUN_COLOURS
from napari_tiqa.widgets.quality.score_run import ScoreRun, load_runs, save_runs
from napari_tiqa.wording import free_name


@dataclass(frozen=True)
class ShelvedRun:
    """A run with its layer (None for one that was loaded from a file) and colour."""

    run: ScoreRun
    layer: Layer | None
    colour: str


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
        entry = ShelvedRun(run, layer, min(RUN_COLOURS, key=used.count))
        self._entries[run.key] = entry
        return entry

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
