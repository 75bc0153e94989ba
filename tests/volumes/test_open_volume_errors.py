"""What cannot be opened: one sentence each, that names the culprit and says what to do."""

import os
from pathlib import Path

import h5py
import mrcfile
import numpy as np
import pytest
import tifffile
import zarr

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.open import as_volume, open_volume
from napari_tiqa.volumes.volume import Volume


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 60000, (12, 50, 60), dtype="uint16")


def refusal(path: Path, dataset: str | None = None) -> str:
    with pytest.raises(VolumeError) as caught:
        open_volume(path, dataset)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


def test_missing_file(tmp_path: Path) -> None:
    assert "no file or folder" in refusal(tmp_path / "a.tif")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipe_is_not_waited_for(tmp_path: Path) -> None:
    for name in ("a.tif", "a.h5", "a.npy", "a.mrc"):
        os.mkfifo(tmp_path / name)
        assert "pipe" in refusal(tmp_path / name)
    assert "no TIFF" in refusal(tmp_path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_file_that_may_not_be_read(tmp_path: Path, pixels: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", pixels)
    (tmp_path / "a.npy").chmod(0)
    assert "may not be read" in refusal(tmp_path / "a.npy")


def test_unknown_extension_lists_the_known(tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(b"0" * 100)
    sentence = refusal(tmp_path / "a.raw")
    for known in (".tif", ".h5", ".nxs", ".npy", ".mrc", ".zarr"):
        assert known in sentence


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"bigtiff": True}, {"imagej": True}])
def test_truncated_tiff(tmp_path: Path, pixels: np.ndarray, kept: float, options: dict) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels, **options)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    assert "truncated" in refusal(path)


@pytest.mark.parametrize("name", ["a.npy", "a.mrc", "a.h5"])
@pytest.mark.parametrize("kept", [0.0, 0.005, 0.99])
def test_truncated_file(tmp_path: Path, pixels: np.ndarray, name: str, kept: float) -> None:
    path = tmp_path / name
    if name == "a.npy":
        np.save(path, pixels)
    elif name == "a.mrc":
        with mrcfile.new(path) as mrc:
            mrc.set_data(pixels)
    else:
        with h5py.File(path, "w") as file:
            file["recon"] = pixels
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    sentence = refusal(path)
    assert name in sentence
    assert "truncated" in sentence or "incomplete" in sentence


@pytest.mark.parametrize("name", ["a.tif", "a.npy", "a.mrc", "a.h5"])
def test_something_else_under_the_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"This is no image at all. " * 100)
    assert name in refusal(tmp_path / name)


def test_pages_of_different_size_or_type_are_named(tmp_path: Path, pixels: np.ndarray) -> None:
    for odd in (pixels[7][:40], pixels[7].astype("uint8")):
        for metadata in ({}, None):
            with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
                for number, page in enumerate(pixels):
                    tiff.write(odd if number == 7 else page, metadata=metadata)
            assert "Page 7" in refusal(tmp_path / "a.tif")


def test_slice_of_another_size_or_type_in_a_folder_is_named(tmp_path: Path, pixels: np.ndarray) -> None:
    for odd in (pixels[7][:40], pixels[7].astype("float32")):
        for number, page in enumerate(pixels):
            tifffile.imwrite(tmp_path / f"s_{number}.tif", odd if number == 7 else page)
        assert "'s_7.tif'" in refusal(tmp_path)


def test_stack_in_a_folder_of_slices_is_named(tmp_path: Path, pixels: np.ndarray) -> None:
    tifffile.imwrite(tmp_path / "s_0.tif", pixels[0])
    tifffile.imwrite(tmp_path / "s_1.tif", pixels)
    assert "'s_1.tif'" in refusal(tmp_path)


def test_folder_without_slices(tmp_path: Path) -> None:
    assert "no TIFF" in refusal(tmp_path)


@pytest.mark.parametrize("shape", [(50, 60, 3), (50, 60, 4), (5, 50, 60, 3)])
def test_colour_tiff(tmp_path: Path, shape: tuple[int, ...]) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros(shape, "uint8"), photometric="rgb")
    sentence = refusal(tmp_path / "a.tif")
    assert "colour" in sentence
    assert "grey" in sentence


def test_colour_array() -> None:
    with pytest.raises(VolumeError, match="colour"):
        as_volume(np.zeros((50, 60, 3), "uint8"))


@pytest.mark.parametrize("dtype", ["complex64", object, [("a", "f4")]])
def test_dtype_that_is_no_grey_value(tmp_path: Path, dtype: object) -> None:
    np.save(tmp_path / "a.npy", np.zeros((5, 9, 9), dtype))
    assert "convert" in refusal(tmp_path / "a.npy")
    with pytest.raises(VolumeError, match="convert"):
        as_volume(np.zeros((5, 9, 9), dtype))


@pytest.mark.parametrize("shape", [(9,), (), (0, 9, 9), (2, 9), (2, 2, 9), (1,) * 6])
def test_shape_that_is_no_tomogram(shape: tuple[int, ...]) -> None:
    with pytest.raises(VolumeError):
        as_volume(np.zeros(shape))


def test_hdf5_candidates_are_listed(tmp_path: Path, pixels: np.ndarray) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["first/recon"] = pixels
        file["second/recon"] = pixels
    sentence = refusal(tmp_path / "a.h5")
    assert "/first/recon" in sentence
    assert "/second/recon" in sentence
    assert "--dataset" in sentence
    assert "/first/recon" in refusal(tmp_path / "a.h5", dataset="third")


def test_hdf5_without_a_volume_lists_what_there_is(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["angles"] = np.arange(5.0)
    assert "/angles" in refusal(tmp_path / "a.h5")


def test_hdf5_filter_that_nobody_knows_is_named(tmp_path: Path, pixels: np.ndarray) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        coding = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        coding.set_chunk((1, 50, 60))
        coding.set_filter(60000, h5py.h5z.FLAG_OPTIONAL)
        space = h5py.h5s.create_simple(pixels.shape)
        h5py.h5d.create(file.id, b"recon", h5py.h5t.NATIVE_UINT16, space, coding)
    assert "filter 60000" in refusal(tmp_path / "a.h5")


def test_zarr_candidates_are_listed(tmp_path: Path, pixels: np.ndarray) -> None:
    group = zarr.open_group(tmp_path / "a.zarr", mode="w")
    group.create_array("first", data=pixels)
    group.create_array("second", data=pixels)
    sentence = refusal(tmp_path / "a.zarr")
    assert "first" in sentence
    assert "second" in sentence
    assert "first" in refusal(tmp_path / "a.zarr", dataset="third")


def test_zarr_without_metadata(tmp_path: Path, pixels: np.ndarray) -> None:
    zarr.create_array(tmp_path / "a.zarr", data=pixels)
    (tmp_path / "a.zarr" / "zarr.json").unlink()
    assert "zarr.json" in refusal(tmp_path / "a.zarr")


def test_damaged_zarr_chunk_names_the_slice(tmp_path: Path, pixels: np.ndarray) -> None:
    zarr.create_array(tmp_path / "a.zarr", data=pixels, chunks=(1, 50, 60))
    (tmp_path / "a.zarr" / "c" / "4" / "0" / "0").write_bytes(b"damaged")
    volume = open_volume(tmp_path / "a.zarr")
    volume.slice(0, 3)
    with pytest.raises(VolumeError, match=r"slice 4 along axis 0 of '.*a\.zarr'"):
        volume.slice(0, 4)


def test_ome_metadata_that_make_no_sense(tmp_path: Path, pixels: np.ndarray) -> None:
    group = zarr.open_group(tmp_path / "a.zarr", mode="w")
    group.create_array("0", data=pixels)
    group.attrs["ome"] = {"multiscales": [{"axes": [{"name": "z"}], "datasets": [{"path": "0"}]}]}
    assert "OME metadata" in refusal(tmp_path / "a.zarr")
    assert open_volume(tmp_path / "a.zarr", dataset="0").data.shape == pixels.shape


def test_dataset_of_a_file_that_has_none(tmp_path: Path, pixels: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", pixels)
    assert "dataset" in refusal(tmp_path / "a.npy", dataset="x")


@pytest.mark.parametrize(("axis", "index"), [(3, 0), (-1, 0), (0, 12), (0, -1), (1, 50)])
def test_axis_or_slice_out_of_range(pixels: np.ndarray, axis: int, index: int) -> None:
    with pytest.raises(VolumeError):
        as_volume(pixels).slice(axis, index)


def test_axis_with_thin_slices() -> None:
    volume = as_volume(np.zeros((2, 50, 60)))
    volume.slice(0, 1)
    with pytest.raises(VolumeError, match="choose an axis"):
        volume.slice(1, 0)


def test_open_time_axis_has_to_be_chosen() -> None:
    volume = as_volume(np.zeros((2, 5, 50, 60)))
    with pytest.raises(VolumeError, match="2 positions along 't'"):
        volume.slice(0, 0)
    with pytest.raises(VolumeError, match="t=2"):
        volume.tomogram(t=2)
    with pytest.raises(VolumeError, match="'c'"):
        volume.tomogram(c=0)
    assert volume.tomogram(t=1).slice(0, 4).shape == (50, 60)


def test_volume_with_axes_that_do_not_fit() -> None:
    data = as_volume(np.zeros((5, 50, 60))).data
    for axes, sizes in (
        (("y", "x"), (1.0, 1.0)),
        (("x", "y", "z"), (1.0,) * 3),
        (("z", "y", "x"), (1.0, 0.0, 1.0)),
    ):
        with pytest.raises(VolumeError):
            Volume(data, axes, sizes, "pixel", "v")
