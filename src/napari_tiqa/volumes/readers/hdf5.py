"""HDF5 files: Data Exchange, NeXus, or the only 3-D dataset; opened for each read, then closed."""

import importlib
from pathlib import Path
from typing import Any

import dask.array
import h5py
import numpy as np

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.readers.hdf5_completeness import check_complete
from napari_tiqa.volumes.readers.hdf5_nodes import Entry, attribute_text, dataset_at, entries, opened, text_of
from napari_tiqa.volumes.source_file import SourceFile
from napari_tiqa.volumes.stored import Box, Stored, grouped_chunks, lazy
from napari_tiqa.volumes.units import Calibration, calibration
from napari_tiqa.volumes.volume import Volume, check_image, default_axes, listed, only_volume
from napari_tiqa.wording import cause, some

DATA_EXCHANGE = "/exchange/data"
_UNEVEN = 0.01  # of a step, by which an axis' places may be off


class Hdf5Stack(Stored):
    """A dataset that is opened for each read: no handle stays.

    Where it is `written` meanwhile, the file changes.
    """

    def __init__(
        self, path: Path, name: str, shape: tuple[int, ...], dtype: np.dtype, written: bool = False
    ) -> None:
        self.path = path
        self.source = None if written else SourceFile(path)
        self.name = name
        self.shape = shape
        self.dtype = dtype.newbyteorder("=")

    def read_into(self, box: Box, out: np.ndarray) -> None:
        """Read a part, in native byte order."""
        with opened(self.path) as file:
            out[...] = file[self.name][box]
        if self.source is not None:
            self.source.check()


def open_hdf5(path: Path, dataset: str | None = None) -> Volume:
    """Open one dataset of an HDF5 file, e.g. "/entry/data/data".

    Without `dataset` that is /exchange/data (Data Exchange), else the one that the NeXus `default` and
    `signal` attributes lead to, else the only 3-D dataset. The voxel size is that of the NeXus axes, where
    they are evenly spaced and have units. Raises VolumeError for no or several datasets to choose from (they
    are listed), a dataset that is not there or is not a grey tomogram, a compression that cannot be decoded
    here, or a truncated file.
    """
    with opened(path) as file:
        warnings: list[str] = []
        name = _named(file, dataset, path) if dataset else _choose(file, path, warnings)
        chosen = file[name]
        label = f"{path.name}:{name}"
        check_image(chosen.shape or (), chosen.dtype, label)
        axes = default_axes(chosen.shape, label)
        _check_compression(chosen, label)
        warnings += check_complete(chosen, label)
        if file.swmr_mode:
            warnings.append(f"'{label}' is being written, or was not closed: it is opened as it is now.")
        stored = chosen.chunks or (1,) * (chosen.ndim - 2) + chosen.shape[-2:]
        chunks = grouped_chunks(chosen.shape, stored, chosen.dtype.itemsize)
        spatial = min(chosen.ndim, 3)
        calibration = _nexus_voxel_size(file, name, spatial)
        warnings += calibration.warnings(label)
        data: dask.array.Array = lazy(
            Hdf5Stack(path, name, chosen.shape, chosen.dtype, written=bool(file.swmr_mode)), chunks
        )
    return Volume(
        data=data,
        axes=axes,
        voxel_size=(1.0,) * (len(axes) - spatial) + calibration.sizes,
        unit=calibration.unit,
        name=path.stem,
        source=f"{path}:{name}",
        warnings=tuple(warnings),
    )


def _named(file: h5py.File, dataset: str, path: Path) -> str:
    """Return the name asked for, not that of a link's target: this file may have another of that name."""
    name = "/" + dataset.strip("/")
    if dataset_at(file, name, path) is None:
        raise VolumeError(f"'{path}' has no dataset '{dataset}': it holds {listed(entries(file)[0])}.")
    return name


def _choose(file: h5py.File, path: Path, warnings: list[str]) -> str:
    for name in (DATA_EXCHANGE, _nexus_default(file)):
        found = dataset_at(file, name, path) if name else None
        if found is not None and found.ndim >= 2:
            return name
    found_entries, lost = entries(file)
    if lost and not any(entry.ndim == 3 for entry in found_entries):
        raise VolumeError(f"'{path}' holds no volume that can be read: {some(lost, 1)}.")
    warnings += [f"In '{path.name}' {phrase}." for phrase in lost[:1]]
    chosen: Entry = only_volume(found_entries, path)
    return chosen.name


def _nexus_default(file: h5py.File) -> str:
    """Follow the `default` attributes from the root to a group whose `signal` names a dataset, else ""."""
    name = ""
    for _ in range(8):  # root, entry, data; a circle of defaults must end
        node: Any = file.get(name or "/")
        if not isinstance(node, h5py.Group):
            return ""
        if signal := attribute_text(node, "signal"):
            return f"{name}/{signal}"
        default = attribute_text(node, "default")
        if not default:
            return ""
        name = f"{name}/{default}"
    return ""


def _nexus_voxel_size(file: h5py.File, name: str, spatial: int) -> Calibration:
    """Return the spacing of the NXdata axes beside the dataset, where every spatial axis has one.

    They stand in the group that the dataset was asked for in, or, where that is a link, in its own.
    """
    dataset = file[name]
    for group in (file[name.rpartition("/")[0] or "/"], dataset.parent):
        try:
            names = [text_of(axis) for axis in np.ravel(group.attrs.get("axes", []))]
        except Exception as error:  # of a type that h5py cannot read
            return Calibration.unknown(spatial, f"the names of its axes cannot be read, {cause(error)}")
        axes: list[Any] = [group.get(axis) if axis else None for axis in names[-spatial:]]
        if len(names) == dataset.ndim and all(isinstance(axis, h5py.Dataset) for axis in axes):
            break
    else:
        return Calibration.unknown(spatial)
    sizes, units = [], []
    for axis, length in zip(axes, dataset.shape[-spatial:], strict=True):
        if length < 2:
            return Calibration.unknown(spatial)
        if axis.dtype.kind not in "iuf" or axis.shape != (length,):
            return Calibration.unknown(spatial, f"its axis '{axis.name}' does not hold {length} numbers")
        places = axis[()].astype(float)
        even = np.linspace(places[0], places[-1], length)
        step = abs(float(even[1] - even[0]))
        # Places far from 0 in single precision are off by a small part of a step.
        if not np.all(np.abs(places - even) <= _UNEVEN * step):
            return Calibration.unknown(spatial, f"its axis '{axis.name}' is not evenly spaced")
        sizes.append(step)
        units.append(attribute_text(axis, "units"))
    return calibration(sizes, units)


def _check_compression(dataset: h5py.Dataset, label: str) -> None:
    filters = dataset.id.get_create_plist()
    for number in range(filters.get_nfilters()):
        code, _, _, description = filters.get_filter(number)
        if not h5py.h5z.filter_avail(code):
            # Registers what synchrotrons use: bitshuffle, LZ4, Blosc. Importing it takes half a second.
            importlib.import_module("hdf5plugin")
        if not h5py.h5z.filter_avail(code):
            raise VolumeError(
                f"'{label}' is compressed with {text_of(description) or f'filter {code}'}, which cannot be "
                "decoded: save it with gzip, LZ4 or bitshuffle instead."
            )
