"""Turn a napari Labels layer into label values for each voxel of an image, without reading one."""

from typing import Any

import dask.array as da
import numpy as np
from napari.layers import Labels, Layer

from napari_tiqa.errors import SegmentationError
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.widgets.shared.slice_source import SliceSource

_COPIED = 64 * 2**20  # bytes; takes some 10 ms
_AWAY = 0.5  # voxels that a corner of the labels may lie away from the image's


class LabelsElsewhere(SegmentationError):
    """Labels with the image's shape that are seen elsewhere, as those of a file without voxel size are."""


def check_labels(labels: Layer, source: SliceSource) -> None:
    """Refuse labels that are not those of an image; takes no time, however large they are.

    Parameters
    ----------
    labels : napari.layers.Labels
        With the dimensions of the source's layer, or, where that has time or channels, with those of its
        volume.
    source : SliceSource
        The image.

    Raises
    ------
    SegmentationError
        It is no Labels layer, has another shape than the image, or lies elsewhere (`LabelsElsewhere`).
    """
    labels, image = _unwrapped(labels), _unwrapped(source.layer)
    if not isinstance(labels, Labels):
        raise SegmentationError(
            f"'{labels.name}' is a layer of type {type(labels).__name__}: choose a Labels layer, or turn it "
            "into one (right-click it)."
        )
    shape = full_shape(labels)
    if shape not in (source.volume.data.shape, full_shape(image)):
        raise SegmentationError(
            f"'{labels.name}' is {_in_words(shape)} voxels large, '{source.layer_name}' "
            f"{_in_words(source.volume.data.shape)}: choose the labels of this image, or make a new layer."
        )
    if not _lies_on(labels, image):
        raise LabelsElsewhere(
            f"'{labels.name}' fits '{source.layer_name}' voxel by voxel, but lies elsewhere in the viewer: "
            "lay it on the image."
        )


def read_labels(labels: Layer, source: SliceSource, *, frozen: bool = False) -> da.Array:
    """Read the labels of the volume that a source is a slice of.

    Parameters
    ----------
    labels, source
        As ``check_labels``.
    frozen : bool
        Take a copy, which what is painted later does not change; only of labels that are copied in no time
        (up to 64 MB in memory). Larger ones, and those in files, are read when a job asks for them.

    Returns
    -------
    dask.array.Array
        Shape of ``source.volume.data``, integers; lazy, no voxel is read but for the copy. Where nothing is
        copied it goes on showing what is painted.

    Raises
    ------
    SegmentationError
        As ``check_labels``.
    """
    check_labels(labels, source)
    labels = _unwrapped(labels)
    stored = labels.data[0] if labels.multiscale else labels.data
    if frozen and isinstance(stored, np.ndarray) and stored.nbytes <= _COPIED:
        stored = stored.copy()
    data = as_volume(stored).data
    if data.ndim > source.volume.data.ndim:
        data = data[tuple(source.at.get(d, slice(None)) for d in range(data.ndim))]
    return data


def _lies_on(labels: Layer, image: Layer) -> bool:
    """Return whether a voxel of the labels is seen where the image's is, over all common dimensions."""
    common = min(labels.ndim, image.ndim)
    shape = np.asarray(full_shape(image)[-common:])
    away = [
        np.abs(_in_unit_of_image(labels, image, corner) - _seen_at(image, corner))
        for corner in (np.zeros(common), shape - 1)
    ]
    voxel = np.abs(np.asarray(image.scale[-common:]))
    return bool(np.all(np.asarray(away) <= _AWAY * voxel))


def full_shape(layer: Layer) -> tuple[int, ...]:
    """Return the shape of a layer's full resolution."""
    return tuple((layer.data[0] if layer.multiscale else layer.data).shape)


def _unwrapped(layer: Layer) -> Layer:
    return getattr(layer, "__wrapped__", layer)  # napari hands plugins a proxy of a layer


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
