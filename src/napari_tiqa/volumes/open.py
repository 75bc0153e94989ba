"""Open a tomogram: from a path by what is stored there, or from an array in memory."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.array
import numpy as np

from napari_tiqa.errors import TiqaError, VolumeError, VolumeWarning
from napari_tiqa.volumes.readers.hdf5 import open_hdf5
from napari_tiqa.volumes.readers.mrc import open_mrc
from napari_tiqa.volumes.readers.ome_zarr import is_zarr, open_zarr
from napari_tiqa.volumes.readers.raw import open_npy
from napari_tiqa.volumes.readers.tiff import open_tiff
from napari_tiqa.volumes.readers.tiff_folder import open_tiff_folder
from napari_tiqa.volumes.stored import ArrayStack, grouped_chunks, lazy
from napari_tiqa.volumes.volume import Volume, check_image, default_axes
from napari_tiqa.wording import cause, expanded

SINGLE: dict[str, Callable[[Path], Volume]] = {
    ".tif": open_tiff,
    ".tiff": open_tiff,
    ".btf": open_tiff,
    ".tf8": open_tiff,
    ".npy": open_npy,
    ".mrc": open_mrc,
    ".rec": open_mrc,
    ".map": open_mrc,
}
WITH_DATASETS: dict[str, Callable[[Path, str | None], Volume]] = {
    ".h5": open_hdf5,
    ".hdf5": open_hdf5,
    ".hdf": open_hdf5,
    ".nxs": open_hdf5,
}


def open_volume(path: str | os.PathLike[str], dataset: str | None = None) -> Volume:
    """Open a tomogram; nothing of it is read until a slice is asked for.

    Parameters
    ----------
    path : str or path
        A TIFF (multi-page, BigTIFF, ImageJ, OME), HDF5, .npy or .mrc file, a Zarr folder, or a
        folder of TIFF slices.
    dataset : str, optional
        Which dataset of an HDF5 or Zarr file, where it holds several.

    Returns
    -------
    Volume

    Raises
    ------
    VolumeError
        In one sentence: what is wrong with the file and what to do.

    Warns
    -----
    VolumeWarning
        For each thing that had to be guessed, such as a voxel size that cannot be read (`Volume.warnings`).
    """
    volume = opened(path, dataset)
    for sentence in volume.warnings:
        warnings.warn(sentence, VolumeWarning, stacklevel=2)
    return volume


def opened(path: str | os.PathLike[str], dataset: str | None = None) -> Volume:
    """Open a tomogram as ``open_volume`` does, and leave its warnings to the caller (`Volume.warnings`)."""
    if not isinstance(path, str | os.PathLike) or not os.fspath(path):
        raise VolumeError(f"{path!r:.60} is not a path: give that of a file or a folder.")
    if not isinstance(dataset, str | None):
        raise VolumeError(f"dataset={dataset!r:.60} is not a name: give that of a dataset in the file.")
    path = expanded(os.fsdecode(path))
    try:
        if not path.exists():
            raise VolumeError(f"There is no file or folder '{path}': check the path.")
        suffix = path.suffix.lower()
        if not path.is_dir() and not path.is_file():  # a pipe would be waited for without end
            raise VolumeError(f"'{path}' is a pipe or a device: give a file or a folder.")
        if path.is_dir():
            if is_zarr(path) or suffix == ".zarr":
                return open_zarr(path, dataset)
            _refuse_dataset(path, dataset)
            return open_tiff_folder(path)
        if suffix in WITH_DATASETS:
            return WITH_DATASETS[suffix](path, dataset)
        if suffix in SINGLE:
            _refuse_dataset(path, dataset)
            return SINGLE[suffix](path)
    except TiqaError:
        raise
    except PermissionError as error:
        raise VolumeError(f"'{path}' may not be read: ask for the right to read it.") from error
    except Exception as error:  # whatever a format's library raises on a damaged file
        raise VolumeError(
            f"Cannot open '{path}', which may be damaged or incomplete ({cause(error)}): copy it again."
        ) from error
    raise VolumeError(
        f"'{path}' has an unsupported type: give one of {', '.join([*SINGLE, *WITH_DATASETS])}, "
        "a .zarr folder or a folder of TIFF slices."
    )


def as_volume(x: Any, name: str = "array") -> Volume:
    """Turn what a caller has into a Volume.

    Parameters
    ----------
    x : Volume, str, path or array-like
        A volume is returned as it is and a path opened. An array (numpy, dask, zarr, h5py) has the
        axes (y, x), (z, y, x), (t, z, y, x) or (t, c, z, y, x) and voxels of 1 pixel.
    name : str
        What an array is called, also in errors.

    Returns
    -------
    Volume

    Raises
    ------
    VolumeError
        The file cannot be opened, or the array is not a grey tomogram.
    """
    if isinstance(x, Volume):
        return x
    if isinstance(x, str | os.PathLike):
        return open_volume(x)
    if not hasattr(x, "shape") or not hasattr(x, "dtype"):
        x = np.asarray(x)
    check_image(x.shape, x.dtype, name)
    axes = default_axes(x.shape, name)
    if not isinstance(x, dask.array.Array):
        stored = getattr(x, "chunks", None) or (1,) * (x.ndim - 2) + tuple(x.shape[-2:])
        x = lazy(ArrayStack(x), grouped_chunks(tuple(x.shape), tuple(stored), x.dtype.itemsize))
    return Volume(x, axes, (1.0,) * x.ndim, "pixel", name)


def _refuse_dataset(path: Path, dataset: str | None) -> None:
    if dataset:
        raise VolumeError(f"'{path}' has no named datasets: leave out --dataset (dataset=...).")
