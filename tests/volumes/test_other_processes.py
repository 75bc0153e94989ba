"""A volume in another process: sent there, or inherited by it."""

import multiprocessing
import os
import pickle
import signal
import warnings
from collections.abc import Callable
from pathlib import Path

import dask.array
import h5py
import mrcfile
import numpy as np
import pytest
import tifffile
import zarr

from napari_tiqa.volumes.open import as_volume, open_volume
from napari_tiqa.volumes.stored import behind
from napari_tiqa.volumes.volume import Volume

PIXELS = np.random.default_rng(0).integers(0, 60000, (12, 24, 32), dtype="uint16")


def _tiff(path: Path) -> Volume:
    tifffile.imwrite(path / "a.tif", PIXELS, compression="zlib", predictor=True)
    return open_volume(path / "a.tif")


def _folder(path: Path) -> Volume:
    for number, page in enumerate(PIXELS):
        tifffile.imwrite(path / f"s{number}.tif", page, compression="lzw")
    return open_volume(path)


def _npy(path: Path) -> Volume:
    np.save(path / "a.npy", PIXELS)
    return open_volume(path / "a.npy")


def _hdf5(path: Path) -> Volume:
    with h5py.File(path / "a.h5", "w") as file:
        file.create_dataset("recon", data=PIXELS, chunks=(1, 24, 32), compression="gzip")
    return open_volume(path / "a.h5")


def _zarr(path: Path) -> Volume:
    zarr.create_array(path / "a.zarr", data=PIXELS, chunks=(4, 8, 8))
    return open_volume(path / "a.zarr")


def _mrc(path: Path) -> Volume:
    with mrcfile.new(path / "a.mrc") as mrc:
        mrc.set_data(PIXELS)
    return open_volume(path / "a.mrc")


READ = {"TIFF": _tiff, "folder": _folder, "npy": _npy, "HDF5": _hdf5, "Zarr": _zarr, "MRC": _mrc}
IN_MEMORY = {
    "array": lambda path: as_volume(PIXELS),
    "dask": lambda path: as_volume(dask.array.from_array(PIXELS, chunks=(1, 24, 32))),
}


@pytest.fixture(scope="module")
def spawned() -> multiprocessing.pool.Pool:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        yield pool


@pytest.mark.parametrize("make", [*READ.values(), *IN_MEMORY.values()], ids=[*READ, *IN_MEMORY])
def test_volume_can_be_pickled(
    make: Callable[[Path], Volume], tmp_path: Path, spawned: multiprocessing.pool.Pool
) -> None:
    volume = make(tmp_path)
    sent = pickle.dumps(volume)
    received = pickle.loads(sent)
    assert (received.axes, received.voxel_size, received.source) == (
        volume.axes,
        volume.voxel_size,
        volume.source,
    )
    np.testing.assert_array_equal(received.slice(1, 5), PIXELS[:, 5])
    np.testing.assert_array_equal(spawned.apply(Volume.slice, (volume, 0, 3)), PIXELS[3])
    if make in READ.values():
        assert behind(received.data) is not None  # read past dask there too
        assert len(sent) < 4096  # where the pixels lie, not the pixels


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("make", [*READ.values(), *IN_MEMORY.values()], ids=[*READ, *IN_MEMORY])
def test_pool_inherited_over_fork(make: Callable[[Path], Volume], tmp_path: Path) -> None:
    volume = make(tmp_path)
    volume.slice(1, 5)  # both pools have threads now, which the child will lack
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that a process with threads forks
        child = os.fork()
    if child == 0:
        signal.alarm(20)
        os._exit(0 if np.array_equal(volume.slice(1, 5), PIXELS[:, 5]) else 3)
    assert os.waitpid(child, 0)[1] == 0
