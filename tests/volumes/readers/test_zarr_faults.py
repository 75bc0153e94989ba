"""Zarr arrays and OME-Zarr images with parts missing or described wrongly: read right, or refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.slices import map_slices
from tests.volumes.readers.opening import opened, pixels_of, refusal

PIXELS = np.random.default_rng(0).integers(1, 60000, (12, 24, 32), dtype="uint16")


def write_bare(folder: Path, zarr_format: int, shape: list[int], chunks: list[int]) -> None:
    """Write metadata of an array and nothing else."""
    folder.mkdir()
    if zarr_format == 2:
        metadata = {"shape": shape, "chunks": chunks, "dtype": "<u2", "compressor": None, "filters": None}
        text = json.dumps({"zarr_format": 2, "fill_value": 0, "order": "C", **metadata})
        (folder / ".zarray").write_text(text)
        return
    metadata = {
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunks}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
    }
    header = {"zarr_format": 3, "node_type": "array", "shape": shape, "data_type": "uint16", "fill_value": 0}
    (folder / "zarr.json").write_text(json.dumps({**header, **metadata, "attributes": {}}))


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize(("shape", "chunks"), [([12, 24, 32], [0, 0, 0]), ([10**7] * 3, [1, 1, 1])])
def test_size_of_zero_or_pieces_without_end(
    zarr_format: int, shape: list[int], chunks: list[int], tmp_path: Path
) -> None:
    write_bare(tmp_path / "a.zarr", zarr_format, shape, chunks)
    assert "chunks" in refusal(tmp_path / "a.zarr")


def test_slice_larger_than_memory(tmp_path: Path) -> None:
    write_bare(tmp_path / "a.zarr", 3, [4, 10**7, 10**7], [1, 4096, 4096])
    volume, warned = opened(tmp_path / "a.zarr")
    assert "not stored" in warned
    with pytest.raises(VolumeError, match="slice 0 along axis 0"):
        volume.slice(0, 0)
    with pytest.raises(VolumeError, match="memory"):
        next(map_slices(volume, 0, [0], np.mean))


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("separator", [".", "/"])
def test_rows_of_chunks_are_missing(zarr_format: int, separator: str, tmp_path: Path) -> None:
    place = tmp_path / "a.zarr"
    encoding = {"name": "v2" if zarr_format == 2 else "default", "separator": separator}
    zarr.create_array(
        place, data=PIXELS[None], chunks=(1, 3, 16, 16), zarr_format=zarr_format, chunk_key_encoding=encoding
    )
    assert not opened(place)[1]
    start = f"c{separator}" * (zarr_format == 3) + f"0{separator}2"
    for chunk in [place / start] if separator == "/" else list(place.glob(f"{start}.*")):
        shutil.rmtree(chunk) if chunk.is_dir() else chunk.unlink()
    volume, warned = opened(place)
    assert "between places 6 and 8 along its axis 1: the pixels there are read as 0" in warned
    tomogram = volume.tomogram()
    assert not tomogram.slice(0, 7).any()
    np.testing.assert_array_equal(tomogram.slice(0, 9), PIXELS[9])


def test_shards_are_complete_files(tmp_path: Path) -> None:
    zarr.create_array(tmp_path / "a.zarr", data=PIXELS, chunks=(1, 8, 8), shards=(4, 24, 32))
    volume, warned = opened(tmp_path / "a.zarr")
    assert not warned
    np.testing.assert_array_equal(pixels_of(volume), PIXELS)
    shutil.rmtree(tmp_path / "a.zarr" / "c" / "1")
    assert "places 4 and 7" in opened(tmp_path / "a.zarr")[1]


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_axes_are_those_stored_with_the_array(zarr_format: int, tmp_path: Path) -> None:
    stored = np.ascontiguousarray(PIXELS.transpose(2, 0, 1))
    names = ["x", "z", "y"]
    named = {"dimension_names": names} if zarr_format == 3 else {"attributes": {"_ARRAY_DIMENSIONS": names}}
    zarr.create_array(tmp_path / "a.zarr", data=stored, zarr_format=zarr_format, **named)
    volume = opened(tmp_path / "a.zarr")[0]
    assert volume.axes == ("z", "y", "x")
    np.testing.assert_array_equal(pixels_of(volume), PIXELS)


def test_levels_that_are_not_of_the_image(tmp_path: Path) -> None:
    group = zarr.open_group(tmp_path / "a.zarr", mode="w")
    group.create_array("0", data=PIXELS)
    group.create_array("1", data=PIXELS[:, :12, :16].astype("float32"))
    levels = [{"path": name, "coordinateTransformations": []} for name in "01"]
    axes = [{"name": axis, "type": "space"} for axis in "zyx"]
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": levels}]}
    volume, warned = opened(tmp_path / "a.zarr")
    assert "level 0 is displayed alone" in warned
    assert not volume.pyramid


def test_level_that_is_missing_is_named(tmp_path: Path) -> None:
    group = zarr.open_group(tmp_path / "a.zarr", mode="w")
    group.create_array("0", data=PIXELS)
    axes = [{"name": axis, "type": "space"} for axis in "zyx"]
    levels = [{"path": name, "coordinateTransformations": []} for name in "01"]
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": levels}]}
    assert "'1'" in refusal(tmp_path / "a.zarr")
