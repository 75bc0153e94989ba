"""Zarr 2 and 3: arrays, groups, and OME-Zarr 0.4 and 0.5 with its pyramid."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import dask.array
import numpy as np
import zarr
from zarr.core.buffer import default_buffer_prototype

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.applied import applied_in, note_under, window_in
from napari_tiqa.volumes.readers.zarr_completeness import missing_rows
from napari_tiqa.volumes.source_file import SourceFile
from napari_tiqa.volumes.stored import Box, Stored, grouped_chunks, lazy
from napari_tiqa.volumes.units import Calibration, calibration
from napari_tiqa.volumes.volume import Volume, check_image, default_axes, listed, only_volume
from napari_tiqa.wording import cause

LABELS = "image-label"
"""The attribute that an image of labels has."""

_MAPS = ("uncertainty", "segmentation")  # the lowest layer first

METADATA = ("zarr.json", ".zarray", ".zgroup")


class ZarrStack(Stored):
    """A Zarr array that answers in native byte order."""

    def __init__(self, array: zarr.Array) -> None:
        self.array = array
        self.shape = array.shape
        self.dtype = np.dtype(array.dtype).newbyteorder("=")
        # A chunk that is gone is read as fill values: the metadata tell whether the array is still there.
        self.source = SourceFile(_metadata_file(array))

    def read_into(self, box: Box, out: np.ndarray) -> None:
        """Read a part; pieces that were never written have the fill value."""
        place = default_buffer_prototype().nd_buffer.from_ndarray_like(out)
        self.array.get_basic_selection(box, out=place)
        self.source.check()


@dataclass(frozen=True)
class Multiscale:
    """What OME-Zarr says of one image: axes, sizes in space, and the names of its levels."""

    axes: tuple[str, ...]
    sizes: tuple[float, ...]
    unit: str
    levels: tuple[str, ...]
    warnings: tuple[str, ...]


def _metadata_file(array: zarr.Array) -> Path:
    folder = Path(array.store.root) / array.path
    return folder / ("zarr.json" if array.metadata.zarr_format == 3 else ".zarray")


def is_zarr(folder: Path) -> bool:
    """Tell whether a folder is a Zarr array or group, whatever its name."""
    return any((folder / name).is_file() for name in METADATA)


def holds_labels(folder: Path) -> bool:
    """Tell whether a folder is an OME-Zarr image of labels."""
    return is_zarr(folder) and LABELS in zarr.open(folder, mode="r").attrs


def maps_in(folder: Path) -> list[Path]:
    """Return the images to look at in the folder of a segmented volume; none for any other path."""
    if not _is_segmented(folder):
        return []
    return [folder / name for name in _MAPS if is_zarr(folder / name)]


def _is_segmented(folder: Path) -> bool:
    """Tell whether a folder is that of a segmented volume, some of whose slices may not be done."""
    return is_zarr(folder) and "segmentation" in note_under(dict(zarr.open(folder, mode="r").attrs))


def open_zarr(folder: Path, dataset: str | None = None) -> Volume:
    """Open a Zarr array, the only 3-D array of a group, or an OME-Zarr image; `dataset` is its path there.

    Of an OME-Zarr image level 0 is the data and all levels are kept for display; its scale and units give the
    voxel size, its translations are left alone. Raises VolumeError for no Zarr metadata, no or several arrays
    to choose from (they are listed), an array that is not there or is not a grey tomogram.
    """
    if not is_zarr(folder):
        raise VolumeError(
            f"'{folder}' has no Zarr metadata ({', '.join(METADATA)}): "
            "the copy is incomplete, or the Zarr lies in a folder below."
        )
    root = zarr.open(folder, mode="r")
    node: Any = root
    if dataset:
        node = root.get(dataset.strip("/")) if isinstance(root, zarr.Group) else None
        if node is None:
            raise VolumeError(f"'{folder}' has no array '{dataset}': it holds {listed(_arrays(root))}.")
    if isinstance(node, zarr.Group) and _image_attributes(node) is None:
        if "0" in node and isinstance(node["0"], zarr.Group) and _image_attributes(node["0"]):
            node = node["0"]  # bioformats2raw wraps images in a group and numbers them
        else:
            node = only_volume(_arrays(node), folder)

    whole = not (_is_segmented(folder) or _is_segmented(folder.parent))
    source = f"{folder}/{node.path}" if node.path else str(folder)
    name = folder.stem.removesuffix(".ome")
    if isinstance(node, zarr.Array):
        data = _lazy(node, name)
        axes = _dimension_names(node) or default_axes(node.shape, name)
        order = _order(axes)
        return Volume(
            data if order == list(range(data.ndim)) else data.transpose(order),
            tuple(axes[i] for i in order),
            (1.0,) * node.ndim,
            "pixel",
            name,
            source=source,
            warnings=missing_rows(node, folder, name) if whole else (),
        )

    image = _multiscale(node, name)
    missing = [level for level in image.levels if not isinstance(node.get(level), zarr.Array)]
    if missing:
        raise VolumeError(
            f"'{folder}' lacks the level '{missing[0]}' that its OME metadata list: copy it again."
        )
    arrays = [node[level] for level in image.levels]
    warnings = [*image.warnings, *(missing_rows(arrays[0], folder, name) if whole else ())]
    fitting = [level for above, level in pairwise(arrays) if _is_level_below(above, level)]
    if len(fitting) < len(arrays) - 1:
        warnings.append(f"The smaller levels of '{name}' are not of its image: level 0 is displayed alone.")
        fitting = []
    pyramid = tuple(_lazy(level, name) for level in (arrays[0], *fitting))
    applied = applied_in(note_under(dict(node.attrs)))
    order = _order(image.axes)
    if order != list(range(len(order))):
        pyramid = tuple(level.transpose(order) for level in pyramid)
    return Volume(
        data=pyramid[0],
        axes=tuple(image.axes[i] for i in order),
        voxel_size=tuple(image.sizes[i] for i in order),
        unit=image.unit,
        name=name,
        pyramid=pyramid if len(pyramid) > 1 else (),
        source=source,
        window=window_in(applied),
        applied=applied,
        warnings=tuple(warnings),
    )


def _order(axes: tuple[str, ...]) -> list[int]:
    """Return the order of axes in which they are (t, c, z, y, x)."""
    return sorted(range(len(axes)), key=lambda i: "tczyx".index(axes[i]))


def _dimension_names(array: zarr.Array) -> tuple[str, ...] | None:
    """Return the axes that Zarr 3 or xarray stores with an array, where they are those of a tomogram."""
    names = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS")
    if not isinstance(names, list | tuple) or len(names) != array.ndim:
        return None
    axes = tuple(str(name).lower() for name in names)
    return axes if len(set(axes)) == len(axes) and {"y", "x"} <= set(axes) <= set("tczyx") else None


def _is_level_below(above: zarr.Array, level: zarr.Array) -> bool:
    """Tell whether an array can be the next smaller level of the same image."""
    if level.ndim != above.ndim or level.dtype != above.dtype:
        return False
    return all(small <= large for small, large in zip(level.shape, above.shape, strict=True))


def _check_codecs(array: zarr.Array, name: str) -> None:
    """Refuse the codec that would unpickle what is stored, and so run code."""
    about = array.metadata.to_dict()
    if "pickle" in repr([about.get(key) for key in ("filters", "compressor", "codecs")]).lower():
        raise VolumeError(
            f"'{name}' is coded with pickle, which can run code when it is read: write it again with another "
            "compression."
        )


def _lazy(array: zarr.Array, name: str) -> dask.array.Array:
    dtype = np.dtype(array.dtype)
    _check_codecs(array, name)
    check_image(array.shape, dtype, name)
    if 0 in array.chunks:
        raise VolumeError(f"The chunks of '{name}' have the shape {array.chunks}: write the array again.")
    return lazy(ZarrStack(array), grouped_chunks(array.shape, array.chunks, dtype.itemsize))


def _image_attributes(group: zarr.Group) -> dict[str, Any] | None:
    """Return the first image's metadata: under `ome` since version 0.5, at the top before."""
    attributes = dict(group.attrs)
    images = attributes.get("ome", attributes).get("multiscales")
    return images[0] if images else None


def _multiscale(group: zarr.Group, name: str) -> Multiscale:
    image = _image_attributes(group) or {}
    try:
        levels = image["datasets"]
        dimensions = group[levels[0]["path"]].ndim
        # Versions before 0.4 name the axes only, or not at all.
        axes = [a if isinstance(a, dict) else {"name": a} for a in image.get("axes", "tczyx"[-dimensions:])]
        names = tuple(str(axis["name"]).lower() for axis in axes)
        paths = tuple(str(level["path"]) for level in levels)
        spatial = [i for i in range(dimensions) if names[i] in "zyx"]
    except (KeyError, TypeError, IndexError, ValueError, AttributeError) as error:
        raise VolumeError(
            f"The OME metadata of '{name}' are not valid ({type(error).__name__}: {error}): "
            "write the file again, or give the array's path with --dataset (in Python: dataset=...)."
        ) from error
    unknown = [axis for axis in names if axis not in "tczyx"]
    if unknown:
        raise VolumeError(
            f"'{name}' has an axis '{unknown[0]}': only t, c, z, y and x can be opened as a tomogram."
        )
    if len(names) != dimensions:
        raise VolumeError(
            f"The OME metadata of '{name}' name {len(names)} axes of {dimensions}: "
            "write the file again, or give the array's path with --dataset (in Python: dataset=...)."
        )
    try:
        scale = np.ones(dimensions)
        for owner in (image, levels[0]):
            for step in owner.get("coordinateTransformations", []):
                if step["type"] == "scale":
                    scale = scale * np.asarray(step["scale"], float).reshape(dimensions)
    except (KeyError, TypeError, ValueError) as error:
        found = Calibration.unknown(len(spatial), f"its transformations are not valid, {cause(error)}")
    else:
        found = calibration([float(scale[i]) for i in spatial], [axes[i].get("unit") for i in spatial])
    sizes = [1.0] * dimensions
    for i, size in zip(spatial, found.sizes, strict=True):
        sizes[i] = size
    return Multiscale(names, tuple(sizes), found.unit, paths, found.warnings(name))


def _arrays(node: zarr.Group | zarr.Array) -> list[zarr.Array]:
    if isinstance(node, zarr.Array):
        return [node]
    return [member for _, member in node.members(max_depth=4) if isinstance(member, zarr.Array)]
