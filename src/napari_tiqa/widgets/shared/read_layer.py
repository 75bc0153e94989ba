"""Turn a napari layer into a Volume: level, axes, voxel size and unit, without reading a pixel."""

from collections.abc import Sequence
from typing import Any

from napari.layers import Image, Layer

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.applied import applied_in, note_under, window_in
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.stored import fixed
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.widgets.shared.result_layers import unwrapped

# What a layer's dimensions are called where its author gave them no labels, last dimension last.
_AXES = ("t", "c", "z", "y", "x")


def read_layer(layer: Layer, at: Sequence[int] | None = None, along: int | None = None) -> Volume:
    """Read an image layer as a lazy Volume of at most three dimensions, `voxel_size` in the layer's unit.

    Of a multiscale layer the full resolution is taken. `at` is one data index per layer dimension; only those
    that a tomogram has no room for (time, channel) are fixed there, default the first of each. For a time or
    channel dimension in `along` the volume is the series (that dimension, y, x). Raises VolumeError where the
    layer holds no grey-value image (labels, points, RGB ...), or `at` lies outside it.
    """
    layer = unwrapped(layer)
    if not isinstance(layer, Image):
        raise VolumeError(
            f"'{layer.name}' is a {type(layer).__name__.lower()} layer and holds no grey values to judge; "
            "choose an image layer."
        )
    if layer.rgb:
        raise VolumeError(
            f"'{layer.name}' is a colour (RGB) image, and a tomogram has one grey value per voxel; "
            "split the channels (right-click the layer) and choose one of them."
        )
    pixels = layer.data[0] if layer.multiscale else layer.data
    data = as_volume(pixels, layer.name).data
    kept = kept_dimensions(data.ndim, along)
    position = _checked_position(layer, data.shape, at)
    voxel_size, unit = _voxel_size(layer, kept)
    applied = applied_in(note_under(layer.metadata))
    if kept != tuple(range(data.ndim - len(kept), data.ndim)):
        data = data[tuple(slice(None) if d in kept else position[d] for d in range(data.ndim))]
    elif kept[0] > 0:
        data = fixed(data, position[: kept[0]])  # still read straight from its file, unlike what dask slices
    return Volume(
        data=data,
        axes=_AXES[-len(kept) :],
        voxel_size=voxel_size,
        unit=unit,
        name=layer.name,
        source=_source(layer),
        window=window_in(applied),
        applied=applied,
    )


def kept_dimensions(ndim: int, along: int | None = None) -> tuple[int, ...]:
    """Return the layer dimensions that stay when a layer is scored along one of them."""
    if ndim <= 3:
        return tuple(range(ndim))
    if along is None or along >= ndim - 3:
        return tuple(range(ndim - 3, ndim))
    return (along, ndim - 2, ndim - 1)


def axis_names(layer: Layer) -> tuple[str, ...]:
    """Return the layer's axis labels, or t, c, z, y, x where it has napari's default ones."""
    # Up to 5 dimensions have a letter of their own; a 4-D layer is time, not channel.
    letters = ("t", "z", "y", "x") if layer.ndim == 4 else _AXES
    defaults = [f"d{d}" for d in range(layer.ndim - len(letters))] + list(letters[-layer.ndim :])
    labels = [str(label) for label in getattr(layer, "axis_labels", ())]
    given = [label and not label.lstrip("-").isdigit() for label in labels]
    if len(labels) == layer.ndim and all(given) and len(set(labels)) == layer.ndim:
        return tuple(labels)
    return tuple(defaults)


def _checked_position(layer: Layer, shape: tuple[int, ...], at: Sequence[int] | None) -> tuple[int, ...]:
    position = (0,) * len(shape) if at is None else tuple(int(index) for index in at)
    if len(position) != len(shape) or any(not 0 <= i < n for i, n in zip(position, shape, strict=False)):
        raise VolumeError(
            f"Position {position} lies outside '{layer.name}' of shape {shape}; "
            "move the slider into the layer."
        )
    return position


def _voxel_size(layer: Layer, kept: tuple[int, ...]) -> tuple[tuple[float, ...], str]:
    """Return the scale of the kept dimensions, spatial ones in the unit of the last dimension."""
    units: tuple[Any, ...] = tuple(getattr(layer, "units", ()))
    scale = [abs(float(s)) for s in layer.scale]
    if len(units) != layer.ndim:
        return tuple(scale[d] for d in kept), "pixel"
    last = units[-1]
    sizes = []
    for d in kept:
        # A time axis keeps its own number: seconds cannot be written in micrometres.
        same_kind = units[d].is_compatible_with(last)
        sizes.append(float((scale[d] * units[d]).to(last).magnitude) if same_kind else scale[d])
    return tuple(sizes), unit_symbol(last)


def _source(layer: Layer) -> str:
    """Return the file that the layer was opened from, for error messages and records."""
    ours = note_under(layer.metadata).get("source")
    return str(ours or layer.source.path or "")  # napari knows the path of what other readers opened


def unit_symbol(unit: Any) -> str:
    """Return a pint unit as people write it: "pixel", "µm", "nm"."""
    return f"{unit:~P}" or "pixel"  # dimensionless is written as ""
