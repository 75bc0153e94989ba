"""The slice that a dock works on: the layer, its volume, and where in it the viewer is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from napari.layers import Image

from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow


def data_key(layer: Image) -> tuple[Any, ...]:
    """Return what tells a layer's data from other data, and from those of other layers."""
    return (layer.unique_id, id(layer.data))


@dataclass(frozen=True, eq=False)
class SliceSource:
    """A slice of a layer, frozen in the main thread: a job may read `volume` from its own thread.

    `volume`, (z, y, x) or (y, x), is lazy; it lacks the layer's dimensions in `at` (time, channel), fixed at
    those indices. The viewer's slider goes along `axis` of it and shows slice `index`; both are 0 for a
    single slice. `window` is None until a job has estimated it. `volume_key` tells the volume from others: of
    another layer, of other data, at another index of a further axis. `layer` is only for the main thread.
    """

    layer: Image
    layer_name: str
    volume: Volume
    axis: int = 0
    index: int = 0
    at: Mapping[int, int] = field(default_factory=dict)
    window: IntensityWindow | None = None
    volume_key: tuple[Any, ...] = ()

    @property
    def is_current(self) -> bool:
        """Whether the layer still has the data that the volume is of."""
        return self.volume_key[:2] == data_key(self.layer)

    @property
    def across(self) -> dict[int, int]:
        """Layer dimensions that the slice shown lacks, and where it lies: ``at`` of ``derived_layer``."""
        if self.volume.data.ndim == 2:
            return dict(self.at)
        return {**self.at, self.dimension: self.index}

    @property
    def dimension(self) -> int:
        """The layer's dimension that the slices lie along."""
        return [dimension for dimension in range(self.layer.ndim) if dimension not in self.at][self.axis]

    @property
    def slice_name(self) -> str:
        """The slice for people: "slice 12", or "the image" where there is only one."""
        return "the image" if self.volume.data.ndim == 2 else f"slice {self.index}"
