"""The napari reader: a layer with scale, units, axis names and a pyramid, made without reading it all."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr
from napari.layers import Layer

from napari_tiqa.errors import VolumeError, VolumeWarning
from napari_tiqa.volumes.napari_reader import get_reader


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).normal(1000, 50, (12, 50, 60)).astype("float32")


def read(path: Path) -> Layer:
    reader = get_reader(str(path))
    assert reader is not None
    (layer,) = [Layer.create(*data) for data in reader(str(path))]
    return layer


def test_imagej_tiff(tmp_path: Path, pixels: np.ndarray) -> None:
    metadata = {"unit": "um", "spacing": 0.7, "axes": "ZYX"}
    tifffile.imwrite(tmp_path / "cell.tif", pixels, imagej=True, resolution=(2, 2), metadata=metadata)
    layer = read(tmp_path / "cell.tif")
    assert layer.name == "cell"
    assert tuple(layer.scale) == (0.7, 0.5, 0.5)
    assert [str(unit) for unit in layer.units] == ["micrometer"] * 3
    assert layer.axis_labels == ("z", "y", "x")
    assert layer.metadata["napari_tiqa"]["path"] == str(tmp_path / "cell.tif")
    low, high = layer.contrast_limits
    assert 700 < low < 950 < 1050 < high < 1300
    np.testing.assert_array_equal(np.asarray(layer.data[4]), pixels[4])


def test_ome_zarr_keeps_its_pyramid(tmp_path: Path, pixels: np.ndarray) -> None:
    group = zarr.open_group(tmp_path / "cell.zarr", mode="w")
    levels = [pixels, pixels[::2, ::2, ::2]]
    datasets = []
    for level, data in enumerate(levels):
        group.create_array(str(level), data=data)
        scale = {"type": "scale", "scale": [0.5 * 2**level] * 3}
        datasets.append({"path": str(level), "coordinateTransformations": [scale]})
    axes = [{"name": axis, "type": "space", "unit": "nanometer"} for axis in "zyx"]
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": datasets}]}
    layer = read(tmp_path / "cell.zarr")
    assert layer.multiscale
    assert [level.shape for level in layer.data] == [(12, 50, 60), (6, 25, 30)]
    assert tuple(layer.scale) == (0.5, 0.5, 0.5)
    assert [str(unit) for unit in layer.units] == ["nanometer"] * 3


def test_time_series_of_tomograms(tmp_path: Path, pixels: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", pixels.reshape(3, 4, 50, 60))
    layer = read(tmp_path / "a.npy")
    assert layer.axis_labels == ("t", "z", "y", "x")
    assert layer.ndim == 4


def test_folder_of_slices(tmp_path: Path, pixels: np.ndarray) -> None:
    for number, page in enumerate(pixels):
        tifffile.imwrite(tmp_path / f"{number}.tif", page)
    assert read(tmp_path).data.shape == pixels.shape


def test_constant_volume_is_still_shown(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((5, 9, 9), "uint8"))
    assert read(tmp_path / "a.npy").contrast_limits == [0, 255]


def test_other_things_are_left_to_other_readers(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    assert get_reader(str(tmp_path / "a.png")) is None
    assert get_reader(str(tmp_path)) is None
    assert get_reader([str(tmp_path / "a.tif"), str(tmp_path / "b.tif")]) is None


def test_unreadable_file_is_told_in_one_sentence(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((50, 60, 3), "uint8"), photometric="rgb")
    reader = get_reader(str(tmp_path / "a.tif"))
    assert reader is not None
    with pytest.warns(UserWarning, match="colour"), pytest.raises(VolumeError, match="colour"):
        reader(str(tmp_path / "a.tif"))


def test_what_was_guessed_is_a_warning_which_napari_shows(tmp_path: Path, pixels: np.ndarray) -> None:
    metadata = {"unit": "parsec", "axes": "ZYX"}
    tifffile.imwrite(tmp_path / "cell.tif", pixels, imagej=True, metadata=metadata)
    with pytest.warns(VolumeWarning, match="'parsec'") as caught:
        layer = read(tmp_path / "cell.tif")
    assert len(caught) == 1
    assert tuple(layer.scale) == (1, 1, 1)
