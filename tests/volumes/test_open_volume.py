"""Opening a tomogram: every format, written by its own library, gives back pixels, axes and voxel size."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import mrcfile
import numpy as np
import pytest
import tifffile
import zarr
from hdf5plugin import Bitshuffle

from napari_tiqa.volumes.open import as_volume, open_volume
from napari_tiqa.volumes.units import Calibration, calibration
from tests.places import DATA

SHAPE = (12, 50, 60)


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 60000, SHAPE, dtype="uint16")


def write_pages(path: Path, pixels: np.ndarray, **options: object) -> None:
    with tifffile.TiffWriter(path) as tiff:
        for page in pixels:
            tiff.write(page, **options)


def write_folder(path: Path, pixels: np.ndarray) -> None:
    path.mkdir(exist_ok=True)
    for number, page in enumerate(pixels):
        tifffile.imwrite(path / f"slice{number}.tif", page)


def write_hdf5(path: Path, pixels: np.ndarray, name: str = "recon", **options: object) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset(name, data=pixels, **options)


def write_zarr(path: Path, pixels: np.ndarray, zarr_format: int) -> None:
    array = zarr.create_array(
        path,
        shape=pixels.shape,
        chunks=(5, 16, 16),
        dtype=pixels.dtype,
        zarr_format=zarr_format,
        overwrite=True,
    )
    array[:] = pixels


def write_mrc(path: Path, pixels: np.ndarray) -> None:
    with mrcfile.new(path, overwrite=True) as mrc:
        mrc.set_data(pixels)


WRITERS: dict[str, tuple[str, Callable[[Path, np.ndarray], None]]] = {
    "tiff": ("a.tif", tifffile.imwrite),
    "tiff, compressed": ("a.tif", lambda p, a: tifffile.imwrite(p, a, compression="zlib", predictor=True)),
    "tiff, LZW": ("a.tif", lambda p, a: tifffile.imwrite(p, a, compression="lzw", predictor=True)),
    "tiff, zstd": ("a.tif", lambda p, a: tifffile.imwrite(p, a, compression="zstd", rowsperstrip=9)),
    "tiff, JPEG 2000": ("a.tif", lambda p, a: tifffile.imwrite(p, a, compression="jpeg2000")),
    "tiff, tiled": ("a.tif", lambda p, a: tifffile.imwrite(p, a, tile=(16, 32), compression="zlib")),
    "tiff, big-endian": ("a.tif", lambda p, a: tifffile.imwrite(p, a, byteorder=">")),
    "tiff, volumetric": (
        "a.tif",
        lambda p, a: tifffile.imwrite(p, a, volumetric=True, tile=(4, 16, 16), compression="zlib"),
    ),
    "tiff, page by page": ("a.tif", write_pages),
    "tiff, pages apart": ("a.tif", lambda p, a: write_pages(p, a, metadata=None, rowsperstrip=7)),
    "BigTIFF": ("a.btf", lambda p, a: tifffile.imwrite(p, a, bigtiff=True)),
    "ImageJ": ("a.tif", lambda p, a: tifffile.imwrite(p, a, imagej=True)),
    "OME-TIFF": ("a.ome.tif", lambda p, a: tifffile.imwrite(p, a, metadata={"axes": "ZYX"})),
    "folder": ("slices", write_folder),
    "hdf5": ("a.h5", write_hdf5),
    "hdf5, chunked": ("a.hdf5", lambda p, a: write_hdf5(p, a, chunks=(4, 16, 16), compression="gzip")),
    "hdf5, bitshuffle": ("a.h5", lambda p, a: write_hdf5(p, a, chunks=(1, 50, 60), **Bitshuffle())),
    "hdf5, big-endian": ("a.nxs", lambda p, a: write_hdf5(p, a.astype(">u2"))),
    "zarr 2": ("a.zarr", lambda p, a: write_zarr(p, a, 2)),
    "zarr 3": ("a.zarr", lambda p, a: write_zarr(p, a, 3)),
    "zarr, big-endian": ("a.zarr", lambda p, a: write_zarr(p, a.astype(">u2"), 2)),
    "npy": ("a.npy", np.save),
    "npy, Fortran order": ("a.npy", lambda p, a: np.save(p, np.asfortranarray(a))),
    "npy, big-endian": ("a.npy", lambda p, a: np.save(p, a.astype(">u2"))),
    "mrc": ("a.mrc", write_mrc),
}


CODINGS = ("compressed", "LZW", "zstd", "JPEG 2000", "tiled", "volumetric")
COMPRESSED_TIFFS = [f"tiff, {coding}" for coding in CODINGS]


@pytest.mark.parametrize("case", WRITERS)
def test_pixels_come_back_along_every_axis(case: str, tmp_path: Path, pixels: np.ndarray) -> None:
    name, write = WRITERS[case]
    write(tmp_path / name, pixels)
    volume = open_volume(tmp_path / name)
    assert volume.axes == ("z", "y", "x")
    assert volume.data.shape == SHAPE
    for axis, index in ((0, 0), (0, 11), (1, 49), (2, 31)):
        plane = volume.slice(axis, index)
        assert plane.dtype == np.dtype("uint16")
        assert plane.dtype.isnative
        np.testing.assert_array_equal(plane, pixels.take(index, axis=axis))


_READ_BITSHUFFLE = """
import sys, numpy as np
from napari_tiqa.volumes.open import open_volume
folder = sys.argv[1]
plain = open_volume(f"{folder}/plain.h5").slice(1, 20)
assert "hdf5plugin" not in sys.modules
np.testing.assert_array_equal(open_volume(f"{folder}/shuffled.h5").slice(1, 20), plain)
"""


def test_hdf5_filters_are_loaded_where_a_file_needs_them(tmp_path: Path, pixels: np.ndarray) -> None:
    write_hdf5(tmp_path / "plain.h5", pixels)
    write_hdf5(tmp_path / "shuffled.h5", pixels, **Bitshuffle())
    # In a process of its own: here they are loaded.
    done = subprocess.run([sys.executable, "-c", _READ_BITSHUFFLE, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts file handles in /proc")
@pytest.mark.parametrize("case", WRITERS)
def test_no_file_stays_open(case: str, tmp_path: Path, pixels: np.ndarray) -> None:
    name, write = WRITERS[case]
    write(tmp_path / name, pixels)
    volume = open_volume(tmp_path / name)
    volume.slice(0, 3)
    handles = [os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]
    assert not [handle for handle in handles if handle.startswith(str(tmp_path))]


def test_folder_is_in_natural_order(tmp_path: Path, pixels: np.ndarray) -> None:
    write_folder(tmp_path / "scan", pixels)  # slice2 before slice10
    (tmp_path / "scan" / "notes.txt").write_text("not a slice")
    (tmp_path / "scan" / "._slice1.tif").write_bytes(b"what macOS leaves behind")
    volume = open_volume(tmp_path / "scan")
    assert volume.name == "scan"
    np.testing.assert_array_equal(volume.data.compute(), pixels)


def test_single_image_is_a_2d_volume(tmp_path: Path, pixels: np.ndarray) -> None:
    tifffile.imwrite(tmp_path / "a.tif", pixels[0])
    volume = open_volume(tmp_path / "a.tif")
    assert volume.axes == ("y", "x")
    np.testing.assert_array_equal(volume.slice(0, 0), pixels[0])


def test_bool_is_opened(tmp_path: Path, pixels: np.ndarray) -> None:
    tifffile.imwrite(tmp_path / "a.tif", pixels > 30000)
    np.testing.assert_array_equal(open_volume(tmp_path / "a.tif").slice(0, 5), pixels[5] > 30000)


@pytest.mark.parametrize("unit", ["um", "micron", "\\u00B5m"])
def test_imagej_voxel_size(tmp_path: Path, pixels: np.ndarray, unit: str) -> None:
    metadata = {"unit": unit, "spacing": 0.7, "axes": "ZYX"}
    tifffile.imwrite(tmp_path / "a.tif", pixels, imagej=True, resolution=(2, 4), metadata=metadata)
    volume = open_volume(tmp_path / "a.tif")
    assert volume.unit == "µm"
    assert volume.voxel_size == (0.7, 0.25, 0.5)


def test_imagej_without_unit_has_pixels(tmp_path: Path, pixels: np.ndarray) -> None:
    tifffile.imwrite(tmp_path / "a.tif", pixels, imagej=True, resolution=(72, 72))
    volume = open_volume(tmp_path / "a.tif")
    assert (volume.unit, volume.voxel_size) == ("pixel", (1.0, 1.0, 1.0))


def test_imagej_hyperstack_axes(tmp_path: Path, pixels: np.ndarray) -> None:
    stack = pixels.reshape(3, 2, 2, 50, 60)
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True, metadata={"axes": "TZCYX"})
    volume = open_volume(tmp_path / "a.tif")
    assert volume.axes == ("t", "c", "z", "y", "x")
    np.testing.assert_array_equal(volume.tomogram(t=2, c=1).slice(0, 0), stack[2, 0, 1])


def test_ome_tiff_axes_sizes_and_units(tmp_path: Path, pixels: np.ndarray) -> None:
    stack = pixels.reshape(2, 3, 2, 50, 60)
    metadata = {
        "axes": "TZCYX",
        "PhysicalSizeX": 0.5,
        "PhysicalSizeXUnit": "nm",
        "PhysicalSizeY": 0.5,
        "PhysicalSizeYUnit": "nm",
        "PhysicalSizeZ": 0.002,
        "PhysicalSizeZUnit": "µm",
    }
    tifffile.imwrite(tmp_path / "a.ome.tif", stack, metadata=metadata)
    volume = open_volume(tmp_path / "a.ome.tif")
    assert volume.name == "a"
    assert volume.axes == ("t", "c", "z", "y", "x")
    assert volume.unit == "nm"
    assert volume.voxel_size == pytest.approx((1, 1, 2, 0.5, 0.5))
    np.testing.assert_array_equal(volume.tomogram(t=1, c=1).slice(0, 2), stack[1, 2, 1])


def test_data_exchange_comes_first(tmp_path: Path, pixels: np.ndarray) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["/exchange/data"] = pixels
        file["/exchange/data_white"] = pixels[:3]
    volume = open_volume(tmp_path / "a.h5")
    assert volume.source.endswith("a.h5:/exchange/data")
    np.testing.assert_array_equal(volume.slice(0, 4), pixels[4])


def test_nexus_default_signal_with_its_axes(tmp_path: Path, pixels: np.ndarray) -> None:
    with h5py.File(tmp_path / "a.nxs", "w") as file:
        file.attrs["default"] = "entry"
        entry = file.create_group("entry")
        entry.attrs["default"] = np.bytes_(b"result")
        result = entry.create_group("result")
        result.attrs["signal"] = "recon"
        result.attrs["axes"] = ["z", "y", "x"]
        result["recon"] = pixels
        result["error"] = pixels
        for name, length in zip("zyx", SHAPE, strict=True):
            result[name] = np.arange(length) * 0.65
            result[name].attrs["units"] = "um"
    volume = open_volume(tmp_path / "a.nxs")
    assert volume.source.endswith("/entry/result/recon")
    assert volume.unit == "µm"
    assert volume.voxel_size == pytest.approx((0.65, 0.65, 0.65))


def test_only_3d_dataset_and_named_dataset(tmp_path: Path, pixels: np.ndarray) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["deep/down/volume"] = pixels
        file["angles"] = np.arange(5.0)
        file["series"] = pixels.reshape(2, 6, 50, 60)
    np.testing.assert_array_equal(open_volume(tmp_path / "a.h5").slice(0, 1), pixels[1])
    series = open_volume(tmp_path / "a.h5", dataset="series")
    assert series.axes == ("t", "z", "y", "x")


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_ome_zarr_scale_units_and_pyramid(tmp_path: Path, pixels: np.ndarray, zarr_format: int) -> None:
    group = zarr.open_group(tmp_path / "a.ome.zarr", mode="w", zarr_format=zarr_format)
    image = {
        "axes": [
            {"name": "t", "type": "time", "unit": "second"},
            {"name": "c", "type": "channel"},
            *({"name": axis, "type": "space", "unit": "micrometer"} for axis in "zyx"),
        ],
        "datasets": [
            {
                "path": f"level{level}",
                "coordinateTransformations": [
                    {"type": "scale", "scale": [1, 1, 2 * 2**level, 0.5 * 2**level, 0.5 * 2**level]},
                    {"type": "translation", "translation": [0, 0, 5, 5, 5]},
                ],
            }
            for level in range(2)
        ],
        "coordinateTransformations": [{"type": "scale", "scale": [0.1, 1, 1, 1, 1]}],
    }
    group.attrs.update(
        {"multiscales": [image]} if zarr_format == 2 else {"ome": {"version": "0.5", "multiscales": [image]}}
    )
    stack = pixels.reshape(2, 1, 6, 50, 60)
    group.create_array("level0", data=stack)
    group.create_array("level1", data=stack[..., ::2, ::2, ::2])
    volume = open_volume(tmp_path / "a.ome.zarr")
    assert volume.name == "a"
    assert volume.axes == ("t", "c", "z", "y", "x")
    assert volume.unit == "µm"
    assert volume.voxel_size[2:] == (2.0, 0.5, 0.5)
    assert [level.shape for level in volume.pyramid] == [stack.shape, (2, 1, 3, 25, 30)]
    tomogram = volume.tomogram(t=1)
    np.testing.assert_array_equal(tomogram.slice(0, 5), stack[1, 0, 5])
    assert [level.shape for level in tomogram.pyramid] == [(6, 50, 60), (3, 25, 30)]


def test_zarr_group_with_one_volume(tmp_path: Path, pixels: np.ndarray) -> None:
    group = zarr.open_group(tmp_path / "a.zarr", mode="w")
    group.create_array("sub/recon", data=pixels)
    np.testing.assert_array_equal(open_volume(tmp_path / "a.zarr").slice(0, 7), pixels[7])


def test_mrc_voxel_size_in_nm(tmp_path: Path, pixels: np.ndarray) -> None:
    with mrcfile.new(tmp_path / "a.mrc") as mrc:
        mrc.set_data(pixels)
        mrc.voxel_size = 13.1
    volume = open_volume(tmp_path / "a.mrc")
    assert volume.unit == "nm"
    assert volume.voxel_size == pytest.approx((1.31, 1.31, 1.31))


def test_units_are_brought_to_that_of_x() -> None:
    found = calibration((1, 2, 3), ("mm", "micrometer", "um"))
    assert (found.sizes, found.unit, found.problem) == (pytest.approx((1000, 2, 3)), "µm", "")
    found = calibration((1, 2, 3), ("parsec", "um", "um"))
    assert (found.sizes, found.unit) == ((1.0, 1.0, 1.0), "pixel")
    assert "parsec" in found.problem
    assert calibration((2, 1, 1), (None, None, None)) == Calibration((2.0, 1.0, 1.0), "pixel")


def test_as_volume_takes_arrays_paths_and_volumes(tmp_path: Path, pixels: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", pixels)
    volume = open_volume(tmp_path / "a.npy")
    assert as_volume(volume) is volume
    stored = zarr.create_array(tmp_path / "a.zarr", shape=SHAPE, chunks=(5, 16, 16), dtype="uint16")
    stored[:] = pixels
    for x in (pixels, pixels.astype(">u2"), volume.data, stored, str(tmp_path / "a.npy")):
        assert as_volume(x).axes == ("z", "y", "x")
        plane = as_volume(x).slice(1, 20)
        assert plane.dtype.isnative
        np.testing.assert_array_equal(plane, pixels[:, 20])


@pytest.mark.skipif(not DATA.is_dir(), reason=f"the real tomograms are not at {DATA}")
def test_real_tomograms() -> None:
    paths = sorted(DATA.glob("*/*.tif"))
    assert paths
    for path in paths:
        assert open_volume(path).slice(0, 0).ndim == 2
    cell = open_volume(DATA / "li_ion_cylindrical_cell" / "jellyroll_z060-099.tif")
    assert cell.data.shape == (40, 728, 728)
    assert cell.data.dtype == np.uint8
