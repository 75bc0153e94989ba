"""Zarr 2 and 3: arrays, groups, and OME-Zarr 0.4 and 0.5 with its pyramid."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask.array
import numpy as np
import zarr
from zarr.core.buffer import default_buffer_prototype

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.applied import applied_in, note_under, window_in
from napari_tiqa.volumes.stored import Box, Stored, grouped_chunks, lazy
from napari_tiqa.volumes.units import common_unit
from napari_tiqa.volumes.volume import Volume, check_image, default_axes, listed, only_volume

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

    def read_into(self, box: Box, out: np.ndarray) -> None:
        """Read a part; pieces that were never written have the fill value."""
        place = default_buffer_prototype().nd_buffer.from_ndarray_like(out)
        self.array.get_basic_selection(box, out=place)


@dataclass(frozen=True)
class Multiscale:
    """What OME-Zarr says of one image: axes, sizes in space, and the names of its levels."""

    axes: tuple[str, ...]
    sizes: tuple[float, ...]
    unit: str
    levels: tuple[str, ...]


def is_zarr(folder: Path) -> bool:
    """Tell whether a folder is a Zarr array or group, whatever its name."""
    return any((folder / name).is_file() for name in METADATA)


def holds_labels(folder: Path) -> bool:
    """Tell whether a folder is an OME-Zarr image of labels."""
    return is_zarr(folder) and LABELS in zarr.open(folder, mode="r").attrs


def maps_in(folder: Path) -> list[Path]:
    """Return the images to look at in the folder of a segmented volume; none for any other path."""
    if not is_zarr(folder) or "segmentation" not in note_under(dict(zarr.open(folder, mode="r").attrs)):
        return []
    return [folder / name for name in _MAPS if is_zarr(folder / name)]


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

    source = f"{folder}/{node.path}" if node.path else str(folder)
    name = folder.stem.removesuffix(".ome")
    if isinstance(node, zarr.Array):
        axes = default_axes(node.shape, name)
        return Volume(_lazy(node, name), axes, (1.0,) * node.ndim, "pixel", name, source=source)

    image = _multiscale(node, name)
    missing = [level for level in image.levels if not isinstance(node.get(level), zarr.Array)]
    if missing:
        raise VolumeError(
            f"'{folder}' lacks the level '{missing[0]}' that its OME metadata list: copy it again."
        )
    pyramid = tuple(_lazy(node[level], name) for level in image.levels)
    applied = applied_in(note_under(dict(node.attrs)))
    order = sorted(range(len(image.axes)), key=lambda i: "tczyx".index(image.axes[i]))
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
    )


def _lazy(array: zarr.Array, name: str) -> dask.array.Array:
    dtype = np.dtype(array.dtype)
    check_image(array.shape, dtype, name)
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
        scale = np.ones(dimensions)
        for owner in (image, levels[0]):
            for step in owner.get("coordinateTransformations", []):
                if step["type"] == "scale":
                    scale = scale * np.asarray(step["scale"], float)
        names = tuple(str(axis["name"]).lower() for axis in axes)
        spatial = [i for i in range(dimensions) if names[i] in "zyx"]
        common, unit = common_unit([scale[i] for i in spatial], [axes[i].get("unit") for i in spatial])
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise VolumeError(
            f"The OME metadata of '{name}' are not valid ({type(error).__name__}: {error}): "
            "write the file again, or give the array's path with --dataset (in Python: dataset=...)."
        ) from error
    unknown = [axis for axis in names if axis not in "tczyx"]
    if unknown:
        raise VolumeError(
            f"'{name}' has an axis '{unknown[0]}': only t, c, z, y and x can be opened as a tomogram."
        )
    sizes = [1.0] * dimensions
    for i, size in zip(spatial, common, strict=True):
        sizes[i] = size
    return Multiscale(names, tuple(sizes), unit, tuple(level["path"] for level in levels))


def _arrays(node: zarr.Group | zarr.Array) -> list[zarr.Array]:
    if isinstance(node, zarr.Array):
        return [node]
    return [member for _, member in node.members(max_depth=4) if isinstance(member, zarr.Array)]
