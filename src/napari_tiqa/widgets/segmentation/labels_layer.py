"""A napari Labels layer and its image: made, painted on, aligned, checked, and read as label values."""

from typing import Any

import dask.array as da
import numpy as np
from napari.layers import Image, Labels, Layer

from napari_tiqa.errors import SegmentationError
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.widgets.shared.derived_layer import derived_labels
from napari_tiqa.widgets.shared.result_layers import unwrapped
from napari_tiqa.widgets.shared.slice_source import SliceSource
from napari_tiqa.widgets.shared.slider import layer_shape

_COPIED = 64 * 2**20  # bytes; takes some 10 ms
_AWAY = 0.5  # voxels that a corner of the labels may lie away from the image's
_BRUSH = 1 / 50  # of the shorter side of a slice
_BRUSH_PX = (3, 30)


class LabelsElsewhere(SegmentationError):
    """Labels with the image's shape at another position, as those of a file without voxel size are."""


def add_labels(viewer: Any, image: Image) -> Labels:
    """Add an empty Labels layer of an image's shape, scale and units; it is selected, ready to paint on."""
    shape = layer_shape(image)
    # Untouched pages of zeros take no memory, however large the volume.
    layer = derived_labels(image, np.zeros(shape, np.uint8), f"labels of {image.name}")
    viewer.add_layer(layer)
    take_brush(viewer, layer, 1)
    layer.brush_size = int(np.clip(min(shape[-2:]) * _BRUSH, *_BRUSH_PX))
    return layer


def take_brush(viewer: Any, labels: Labels, value: int) -> None:
    """Select a Labels layer and paint on it with a label value from now on."""
    viewer.layers.selection.active = labels
    labels.selected_label = value
    if labels.editable:
        labels.mode = "paint"


def align_with(labels: Labels, image: Image) -> None:
    """Give labels the scale, position and units of an image of the same shape."""
    start = image.ndim - labels.ndim  # time and channels, which labels of a volume lack
    labels.units = image.units[start:]
    labels.axis_labels = image.axis_labels[start:]
    labels.scale = image.scale[start:]
    labels.rotate = image.rotate[start:, start:]
    labels.shear = image.shear if start == 0 else np.zeros(labels.ndim * (labels.ndim - 1) // 2)
    labels.affine = image.affine.affine_matrix[start:, start:]
    labels.translate = image.translate[start:]


def check_labels(labels: Layer, source: SliceSource) -> None:
    """Refuse labels that do not fit an image, with a SegmentationError; no voxel is read.

    They have the dimensions of the source's layer, or, where that has time or channels, those of its volume.
    """
    labels, image = unwrapped(labels), unwrapped(source.layer)
    if not isinstance(labels, Labels):
        raise SegmentationError(
            f"'{labels.name}' is a layer of type {type(labels).__name__}: choose a Labels layer, or convert "
            "it (right-click it in the layer list)."
        )
    shape = layer_shape(labels)
    if shape not in (source.volume.data.shape, layer_shape(image)):
        raise SegmentationError(
            f"'{labels.name}' has {_in_words(shape)} voxels, '{source.layer_name}' "
            f"{_in_words(source.volume.data.shape)}: choose the labels of this image, or make a new layer."
        )
    if not _lies_on(labels, image):
        raise LabelsElsewhere(
            f"'{labels.name}' has the shape of '{source.layer_name}', but lies elsewhere in the viewer: "
            "align it with the image."
        )


def read_labels(labels: Layer, source: SliceSource, *, frozen: bool = False) -> da.Array:
    """Read the labels, integers, of the volume that a source is a slice of; raises as `check_labels`.

    Lazy: the array follows what is painted. A frozen one is a copy where the labels are in memory and no more
    than 64 MB; larger ones, and those in files, are read when a job asks for them.
    """
    check_labels(labels, source)
    labels = unwrapped(labels)
    stored = labels.data[0] if labels.multiscale else labels.data
    if frozen and isinstance(stored, np.ndarray) and stored.nbytes <= _COPIED:
        stored = stored.copy()
    data = as_volume(stored, labels.name).data
    if data.ndim > source.volume.data.ndim:
        data = data[tuple(source.at.get(d, slice(None)) for d in range(data.ndim))]
    return data


def _lies_on(labels: Layer, image: Layer) -> bool:
    """Return whether a voxel of the labels is seen where the image's is, over all common dimensions."""
    common = min(labels.ndim, image.ndim)
    shape = np.asarray(layer_shape(image)[-common:])
    away = [
        np.abs(_in_unit_of_image(labels, image, corner) - _seen_at(image, corner))
        for corner in (np.zeros(common), shape - 1)
    ]
    voxel = np.abs(np.asarray(image.scale[-common:]))
    return bool(np.all(np.asarray(away) <= _AWAY * voxel))


def _seen_at(layer: Layer, index: np.ndarray) -> np.ndarray:
    whole = np.zeros(layer.ndim)
    whole[-len(index) :] = index
    return np.asarray(layer.data_to_world(whole))[-len(index) :]


def _in_unit_of_image(labels: Layer, image: Layer, index: np.ndarray) -> np.ndarray:
    pairs = zip(labels.units[-len(index) :], image.units[-len(index) :], strict=True)
    factors = [_factor(own, other) for own, other in pairs]
    return _seen_at(labels, index) * np.asarray(factors)


def _factor(own: Any, other: Any) -> float:
    """Return the length of a unit in another, 1 where they cannot be compared: napari then ignores both."""
    return float((1 * own).to(other).magnitude) if own.is_compatible_with(other) else 1.0


def _in_words(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
