"""HDF5 files: Data Exchange, NeXus, or the only 3-D dataset; opened for each read, then closed."""

import importlib
from pathlib import Path
from typing import Any

import dask.array
import h5py
import numpy as np

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.stored import Box, Stored, grouped_chunks, lazy
from napari_tiqa.volumes.units import common_unit
from napari_tiqa.volumes.volume import Volume, check_image, default_axes, listed, only_volume

DATA_EXCHANGE = "/exchange/data"


class Hdf5Stack(Stored):
    """A dataset that is opened for each read: no handle stays, and the file can be moved."""

    def __init__(self, path: Path, name: str, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.path = path
        self.name = name
        self.shape = shape
        self.dtype = dtype.newbyteorder("=")

    def read_into(self, box: Box, out: np.ndarray) -> None:
        """Read a part, in native byte order."""
        with h5py.File(self.path, "r") as file:
            out[...] = file[self.name][box]


def open_hdf5(path: Path, dataset: str | None = None) -> Volume:
    """Open one dataset of an HDF5 file, e.g. "/entry/data/data".

    Without `dataset` that is /exchange/data (Data Exchange), else the one that the NeXus `default` and
    `signal` attributes lead to, else the only 3-D dataset. The voxel size is that of the NeXus axes, where
    they are evenly spaced and have units. Raises VolumeError for no or several datasets to choose from (they
    are listed), a dataset that is not there or is not a grey tomogram, a compression that cannot be decoded
    here, or a truncated file.
    """
    with h5py.File(path, "r") as file:
        chosen = _named(file, dataset, path) if dataset else _choose(file, path)
        name = chosen.name
        label = f"{path.name}:{name}"
        check_image(chosen.shape, chosen.dtype, label)
        axes = default_axes(chosen.shape, label)
        _check_compression(chosen, label)
        stored = chosen.chunks or (1,) * (chosen.ndim - 2) + chosen.shape[-2:]
        chunks = grouped_chunks(chosen.shape, stored, chosen.dtype.itemsize)
        spatial = min(chosen.ndim, 3)
        sizes, unit = _nexus_voxel_size(chosen, spatial)
        data: dask.array.Array = lazy(Hdf5Stack(path, name, chosen.shape, chosen.dtype), chunks)
    return Volume(
        data=data,
        axes=axes,
        voxel_size=(1.0,) * (len(axes) - spatial) + sizes,
        unit=unit,
        name=path.stem,
        source=f"{path}:{name}",
    )


def _named(file: h5py.File, dataset: str, path: Path) -> h5py.Dataset:
    found = file.get(dataset)
    if not isinstance(found, h5py.Dataset):
        raise VolumeError(f"'{path}' has no dataset '{dataset}': it holds {listed(_datasets(file))}.")
    return found


def _choose(file: h5py.File, path: Path) -> h5py.Dataset:
    for found in (file.get(DATA_EXCHANGE), _nexus_default(file)):
        if isinstance(found, h5py.Dataset) and found.ndim >= 2:
            return found
    return only_volume(_datasets(file), path)


def _datasets(file: h5py.File) -> list[h5py.Dataset]:
    found: list[h5py.Dataset] = []
    # visititems stops at the first value that is not None, which append never returns.
    file.visititems(lambda _, node: found.append(node) if isinstance(node, h5py.Dataset) else None)
    return found


def _nexus_default(file: h5py.File) -> h5py.Dataset | None:
    """Follow the `default` attributes from the root to a group whose `signal` names a dataset."""
    node: Any = file
    for _ in range(8):  # root, entry, data; a circle of defaults must end
        signal = _text(node.attrs.get("signal"))
        if signal:
            return node.get(signal)
        node = node.get(_text(node.attrs.get("default")) or "no default")
        if not isinstance(node, h5py.Group):
            return None
    return None


def _nexus_voxel_size(dataset: h5py.Dataset, spatial: int) -> tuple[tuple[float, ...], str]:
    """Return the spacing of the NXdata axes beside the dataset, where every spatial axis has one."""
    names = np.ravel(dataset.parent.attrs.get("axes", []))
    sizes, units = [], []
    if len(names) == dataset.ndim:
        for name, length in zip(names[-spatial:], dataset.shape[-spatial:], strict=True):
            axis = dataset.parent.get(_text(name))
            if not isinstance(axis, h5py.Dataset) or axis.shape != (length,) or length < 2:
                break
            steps = np.diff(axis[()].astype(float))
            if not np.allclose(steps, steps[0], rtol=1e-3):
                break
            sizes.append(abs(float(steps.mean())))
            units.append(_text(axis.attrs.get("units")))
    if len(sizes) < spatial:
        return (1.0,) * spatial, "pixel"
    return common_unit(sizes, units)


def _check_compression(dataset: h5py.Dataset, label: str) -> None:
    filters = dataset.id.get_create_plist()
    for number in range(filters.get_nfilters()):
        code, _, _, description = filters.get_filter(number)
        if not h5py.h5z.filter_avail(code):
            # Registers what synchrotrons use: bitshuffle, LZ4, Blosc. Importing it takes half a second.
            importlib.import_module("hdf5plugin")
        if not h5py.h5z.filter_avail(code):
            raise VolumeError(
                f"'{label}' is compressed with {_text(description) or f'filter {code}'}, which cannot be "
                "decoded: save it with gzip, LZ4 or bitshuffle instead."
            )


def _text(value: Any) -> str:
    """Return an HDF5 attribute as text: writers store str, bytes or arrays of one of them."""
    if value is None:
        return ""
    value = np.ravel(value)[0]
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
