"""Files that are cut, replaced or removed while they are read: a sentence, never other pixels."""

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import mrcfile
import numpy as np
import pytest
import tifffile
import zarr

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.open import open_volume
from napari_tiqa.volumes.slices import map_slices

SHAPE = (6, 40, 50)


def pixels(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 65535, SHAPE, np.uint16)


def write_hdf5(path: Path, values: np.ndarray) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=values, chunks=(1, 40, 50), compression="gzip")


def write_folder(path: Path, values: np.ndarray) -> None:
    path.mkdir()
    for number, plane in enumerate(values):
        tifffile.imwrite(path / f"{number}.tif", plane)


def write_mrc(path: Path, values: np.ndarray) -> None:
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(values)


WRITERS: dict[str, Callable[[Path, np.ndarray], object]] = {
    "a.npy": np.save,
    "a.mrc": write_mrc,
    "plain.tif": tifffile.imwrite,
    "packed.tif": lambda path, values: tifffile.imwrite(path, values, compression="zlib"),
    "a.h5": write_hdf5,
    "a.zarr": lambda path, values: zarr.create_array(path, data=values, chunks=(1, 40, 50)),
    "folder": write_folder,
}


@pytest.fixture(params=WRITERS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def files_with_pixels(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return [file for file in path.rglob("*") if file.is_file() and file.name != "zarr.json"]


def remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_undisturbed_it_is_read_as_it_is_also_in_another_process(
    tmp_path: Path, name: str, axis: int
) -> None:
    WRITERS[name](tmp_path / name, pixels())
    volume = open_volume(tmp_path / name)
    sent = pickle.loads(pickle.dumps(volume))
    for each in (volume, sent, sent):
        assert np.array_equal(each.slice(axis, 3), pixels().take(3, axis))
        some = dict(map_slices(each, axis, range(1, 6, 2), np.copy))
        assert all(np.array_equal(plane, pixels().take(index, axis)) for index, plane in some.items())


def test_cut_short_it_says_so(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name, pixels())
    volume = open_volume(tmp_path / name)
    volume.slice(0, 0)
    for file in files_with_pixels(tmp_path / name):
        os.truncate(file, file.stat().st_size // 3)
    with pytest.raises(VolumeError, match=r"Cannot read slice 5|was changed or replaced"):
        volume.slice(0, 5)


def test_replaced_by_another_of_its_size_it_says_so(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name, pixels())
    volume = open_volume(tmp_path / name)
    first = volume.slice(0, 0)
    remove(tmp_path / name)
    WRITERS[name](tmp_path / name, pixels(seed=1))
    with pytest.raises(VolumeError, match=r"was changed or replaced after it was opened: open it again\.$"):
        volume.slice(0, 5)
    again = open_volume(tmp_path / name)
    assert np.array_equal(again.slice(0, 5), pixels(seed=1)[5])
    assert not np.array_equal(again.slice(0, 0), first)


def test_removed_with_its_folder_it_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "disk").mkdir()
    WRITERS[name](tmp_path / "disk" / name, pixels())
    volume = open_volume(tmp_path / "disk" / name)
    volume.slice(0, 0)
    shutil.rmtree(tmp_path / "disk")
    with pytest.raises(VolumeError, match=r"[Nn]o such file|was removed|unable to open"):
        volume.slice(0, 5)
    with pytest.raises(VolumeError):
        list(map_slices(volume, 0, range(6), np.copy))
