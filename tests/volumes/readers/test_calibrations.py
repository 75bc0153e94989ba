"""A voxel size that cannot be used never refuses the data: 1 pixel, and one warning that says why."""

import math
import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
import zarr

from tests.volumes.readers.opening import opened, pixels_of
from tests.volumes.readers.test_mrc_faults import write as write_mrc

PIXELS = np.random.default_rng(0).integers(0, 60000, (12, 24, 32), dtype="uint16")


def assert_pixel(path: Path, *, says: str = "is taken as 1 pixel") -> None:
    volume, warned = opened(path)
    assert len(volume.warnings) == 1
    assert says in warned
    assert (volume.voxel_size, volume.unit) == ((1.0, 1.0, 1.0), "pixel")
    np.testing.assert_array_equal(pixels_of(volume), PIXELS)


@pytest.mark.parametrize("spacing", ["2,5", "", "Infinity", "nan", "0", "abc"])
def test_optional_calibration_of_imagej(spacing: str, tmp_path: Path) -> None:
    text = f"ImageJ=1.53k\nimages=12\nslices=12\nunit=um\nspacing={spacing}\n"
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        for number, page in enumerate(PIXELS):
            description = text if number == 0 else None
            tiff.write(page, description=description, metadata=None, contiguous=False, resolution=(2, 2))
    assert_pixel(tmp_path / "a.tif")


@pytest.mark.parametrize("changes", [{"unit": "parsec"}, {"resolution": (0, 2)}])
def test_unit_and_resolution_of_imagej(changes: dict[str, Any], tmp_path: Path) -> None:
    metadata = {"unit": changes.get("unit", "um"), "axes": "ZYX"}
    resolution = changes.get("resolution", (2, 2))
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, imagej=True, resolution=resolution, metadata=metadata)
    assert_pixel(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('SizeX="0.5"', 'SizeX="0,5"'),
        ('SizeX="0.5"', 'SizeX="inf"'),
        ('SizeX="0.5"', 'SizeX=" -5"'),
        ('SizeZ="0.5"', 'SizeZ="   "'),
        ('XUnit="µm"', 'XUnit="yd"'),
        ("<Pixels", "<Pixel<"),
        ("</OME>", "</OM>"),
    ],
)
def test_optional_calibration_of_ome(before: str, after: str, tmp_path: Path) -> None:
    sizes = {f"PhysicalSize{axis}": 0.5 for axis in "XYZ"} | {"PhysicalSizeXUnit": "µm"}
    tifffile.imwrite(tmp_path / "a.ome.tif", PIXELS, metadata={"axes": "ZYX", **sizes})
    text = tifffile.tiffcomment(tmp_path / "a.ome.tif")
    assert before in text
    tifffile.tiffcomment(tmp_path / "a.ome.tif", text.replace(before, after).encode())
    assert_pixel(tmp_path / "a.ome.tif")


@pytest.mark.parametrize(
    ("axis", "units"),
    [
        (np.array([b"a"] * 12), "um"),
        (np.arange(11.0), "um"),
        (np.arange(12.0) ** 2, "um"),
        (np.full(12, np.nan), "um"),
        (np.zeros(12), "um"),
        (np.arange(12.0), ""),
        (np.arange(12.0), np.array([], "S3")),
        (np.arange(12.0), h5py.Empty("S3")),
        (np.arange(12.0), "parsec"),
        (np.arange(12.0), 5),
    ],
)
def test_optional_calibration_of_nexus(axis: np.ndarray, units: object, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.nxs", "w") as file:
        file.attrs.update({"signal": "recon", "axes": ["z", "y", "x"]})
        file["recon"] = PIXELS
        for name, length in zip("zyx", PIXELS.shape, strict=True):
            file[name] = axis if name == "z" else np.arange(length) * 0.5
            file[name].attrs["units"] = units if name == "z" else "um"
    assert_pixel(tmp_path / "a.nxs")


SCALE = [{"type": "scale", "scale": [0.5, 0.5, 0.5]}]


@pytest.mark.parametrize(
    ("steps", "unit"),
    [
        (SCALE, 5),
        (SCALE, "parsec"),
        ([{"type": "scale", "scale": [1, 1, math.inf]}], "micrometer"),
        ([{"type": "scale", "scale": [1, 0, 1]}], "micrometer"),
        ([{"type": "scale", "scale": [1, 1]}], "micrometer"),
        ([{"type": "scale", "scale": ["a", 1, 1]}], "micrometer"),
        ([{"type": "scale"}], "micrometer"),
        ([None], "micrometer"),
        (None, "micrometer"),
    ],
)
def test_optional_calibration_of_ome_zarr(steps: object, unit: object, tmp_path: Path) -> None:
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    group.create_array("0", data=PIXELS)
    axes = [{"name": axis, "type": "space", "unit": unit} for axis in "zyx"]
    levels = [{"path": "0", "coordinateTransformations": steps}]
    group.attrs["multiscales"] = [{"axes": axes, "datasets": levels}]
    assert_pixel(tmp_path / "a.zarr")


@pytest.mark.parametrize("words", [{"cella": math.nan}, {"cella": -5.0}, {"cella": math.inf}, {"mx": 0}])
def test_optional_calibration_of_mrc(words: dict[str, float], tmp_path: Path) -> None:
    assert_pixel(write_mrc(tmp_path / "a.mrc", PIXELS, **words))


def test_sizes_left_out_are_no_reason_to_warn(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", PIXELS)
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, imagej=True, resolution=(72, 72))
    tifffile.imwrite(tmp_path / "a.ome.tif", PIXELS, metadata={"axes": "ZYX"})
    for name in ("a.npy", "a.tif", "a.ome.tif"):
        assert opened(tmp_path / name)[1] == ""


def test_warning_names_file_and_value(tmp_path: Path) -> None:
    _, warned = opened(write_mrc(tmp_path / "scan.mrc", PIXELS, cella=-32.0))
    assert re.fullmatch(r"The voxel size of 'scan.mrc' .* 1 pixel: it is given as '-0.1', .*\.", warned)
