"""The napari reader: a tomogram as one lazy layer, with its scale, units and axis names.

Named in napari.yaml; imports nothing of napari itself.
"""

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_tiqa.errors import TiqaError, VolumeError
from napari_tiqa.volumes.applied import KEY, note
from napari_tiqa.volumes.open import SINGLE, WITH_DATASETS, open_volume
from napari_tiqa.volumes.readers.ome_zarr import holds_labels, is_zarr, maps_in
from napari_tiqa.volumes.readers.tiff_folder import SUFFIXES
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window_estimate import estimate_window

LayerData = tuple[Any, dict[str, Any], str]
DISPLAY_SLICES = 3  # enough to see something; the window to score with is estimated from more


def get_reader(path: str | list[str]) -> Callable[..., list[LayerData]] | None:
    """Return the function that reads a path; None for several, and for one that this reader does not open."""
    if not isinstance(path, str):
        return None
    place = Path(path)
    if place.is_dir():
        if is_zarr(place) or place.suffix.lower() == ".zarr":
            return read_layer
        return read_layer if any(p.suffix.lower() in SUFFIXES for p in place.iterdir()) else None
    return read_layer if place.suffix.lower() in {*SINGLE, *WITH_DATASETS} else None


def read_layer(path: str) -> list[LayerData]:
    """Open a tomogram as an image or a Labels layer; only a few slices are read, for the contrast limits.

    `path` is what `open_volume` takes, or a folder of ``napari-tiqa segment predict``, which gives two
    layers: uncertainty and segmentation. The metadata hold, under "napari_tiqa", the source and what was
    applied to it. The sentence of a VolumeError is a warning too, since napari puts a message of its own
    before an error of a reader that it chose itself.
    """
    try:
        return layers_of(path)
    except TiqaError as error:
        warnings.warn(str(error), stacklevel=2)
        raise


def layers_of(path: str) -> list[LayerData]:
    """Open a tomogram as ``read_layer`` does; raises VolumeError without a warning beside it."""
    return [_layer(place) for place in maps_in(Path(path)) or [Path(path)]]


def _layer(path: Path) -> LayerData:
    volume, labels = open_volume(path), holds_labels(path)
    keywords: dict[str, Any] = {
        "name": volume.name,
        "scale": volume.voxel_size,
        "units": tuple(volume.unit if axis in "zyx" else "pixel" for axis in volume.axes),
        "axis_labels": volume.axes,
        "metadata": {KEY: note(volume.applied, path=str(path), source=volume.source)},
    }
    if not labels:
        keywords["contrast_limits"] = display_limits(volume)
    kind = "labels" if labels else "image"
    if volume.pyramid:
        return list(volume.pyramid), {**keywords, "multiscale": True}, kind
    return volume.data, keywords, kind


def display_limits(volume: Volume) -> tuple[float, float]:
    """Estimate contrast limits from three slices of the first tomogram, at the coarsest level."""
    if volume.pyramid:
        volume = replace(volume, data=volume.pyramid[-1], pyramid=())
    leading = volume.axes[: len(volume.axes) - len(volume.spatial_axes)]
    tomogram = volume.tomogram(**dict.fromkeys(leading, 0))
    try:
        window = estimate_window(tomogram, DISPLAY_SLICES)
    except VolumeError:  # nothing to see in these slices, or one is damaged: still show the others
        dtype = tomogram.data.dtype
        if dtype.kind in "ui":
            return float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)
        return 0.0, 1.0
    return window.low, window.high
