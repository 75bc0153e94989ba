"""The order of slices in a folder, and what the numbers of their names leave out."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_tiqa.volumes.readers.file_order import in_order
from tests.volumes.readers.opening import opened, pixels_of, refusal


@pytest.mark.parametrize(
    "names",
    [
        ["z-3", "z-2", "z-1", "z0", "z1", "z2"],
        ["z-1.8", "z-1.5", "z0.5", "z10.0"],
        ["-10", "-9", "0", "3"],
        ["scan-8", "scan-9", "scan-10"],  # not a sign
        ["scan-1-08", "scan-1-9", "scan-1-10"],
        ["5²3", "5²10"],
        ["x٢", "x١٠"],
        ["s9", "s09a", "S10"],
        ["a", "b", "b2"],
    ],
)
def test_natural_order_with_signs(names: list[str]) -> None:
    files = [f"{name}.tif" for name in names]
    assert in_order(files[::-1]) == files
    assert in_order(files[1:] + files[:1]) == files


def write(folder: Path, names: list[str]) -> None:
    for number, name in enumerate(names):
        tifffile.imwrite(folder / name, np.full((9, 9), number, "uint8"))


def order(folder: Path) -> tuple[list[int], str]:
    volume, warned = opened(folder)
    return [int(page[0, 0]) for page in pixels_of(volume)], warned


def test_sub_folders_and_hidden_files_are_not_slices(tmp_path: Path) -> None:
    write(tmp_path, ["s1.tif", "s2.tif"])
    (tmp_path / "old.tif").mkdir()
    write(tmp_path / "old.tif", ["s0.tif"])
    (tmp_path / ".s0.tif").write_bytes(b"")
    assert order(tmp_path) == ([0, 1], "")
    empty = tmp_path / "empty"
    (empty / "old.tif").mkdir(parents=True)
    assert "no TIFF files" in refusal(empty)


def test_missing_numbers_are_named(tmp_path: Path) -> None:
    write(tmp_path, [f"s{number}.tif" for number in range(0, 40, 2)])
    assert order(tmp_path)[1] == ""  # every other slice, on purpose
    for number in (8, 10, 30):
        (tmp_path / f"s{number}.tif").unlink()
    places, warned = order(tmp_path)
    assert places == [place for place in range(20) if place not in (4, 5, 15)]
    assert "3 slices are missing" in warned
    assert "'s6.tif' and 's12.tif'" in warned
    assert "'s28.tif' and 's32.tif'" in warned


def test_positions_and_times_are_not_counted(tmp_path: Path) -> None:
    write(tmp_path, ["20260101_120003.tif", "20260101_120004.tif", "20260101_130501.tif"])
    assert order(tmp_path) == ([0, 1, 2], "")


def test_number_that_occurs_twice_and_two_series(tmp_path: Path) -> None:
    write(tmp_path, ["s01.tif", "s1.tif", "s2.tif"])
    places, warned = order(tmp_path)
    assert places == [0, 1, 2]
    assert "'s1.tif'" in warned
    (tmp_path / "s01.tif").unlink()
    write(tmp_path, ["dark1.tif"])
    assert "dark#.tif, s#.tif" in order(tmp_path)[1]
