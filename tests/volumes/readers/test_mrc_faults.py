"""MRC headers as other programs write them: sign, byte order, axes and sections."""

from pathlib import Path

import mrcfile
import numpy as np
import pytest

from tests.volumes.readers.opening import opened, pixels_of, refusal

PIXELS = np.random.default_rng(0).integers(0, 60000, (12, 24, 32), dtype="uint16")
BYTES = (PIXELS >> 8).astype("uint8")
WORDS = {"nz": 2, "mode": 3, "mx": 7, "mz": 9, "cella": 10, "mapc": 16, "mapr": 17, "maps": 18}
WORDS |= {"dmin": 19, "dmax": 20, "ispg": 22, "nsymbt": 23, "imodStamp": 38, "imodFlags": 39}
IMOD = 1146047817


def write(path: Path, pixels: np.ndarray, stamp: bytes | None = None, **words: float) -> Path:
    """Write a file by mrcfile, then words of its header (counted from 0, as MRC2014 lists them from 1)."""
    with mrcfile.new(path, overwrite=True) as mrc:
        mrc.set_data(pixels)
        mrc.voxel_size = (20.0, 30.0, 40.0)
    stored = bytearray(path.read_bytes())
    order = ">" if pixels.dtype.byteorder == ">" else "<"
    for name, value in words.items():
        kind = "f4" if name in ("cella", "dmin", "dmax") else "i4"
        place = 4 * WORDS[name]
        stored[place : place + 4] = np.array(value, order + kind).tobytes()
    if stamp is not None:
        stored[212:216] = stamp
    path.write_bytes(stored)
    return path


def test_vendor_flag_says_whether_bytes_have_a_sign(tmp_path: Path) -> None:
    signed = BYTES.view("int8")
    path = tmp_path / "a.mrc"
    for words, expected, guessed in (
        ({}, signed, False),
        ({"imodStamp": IMOD, "imodFlags": 1}, signed, False),
        ({"imodStamp": IMOD, "imodFlags": 0}, BYTES, False),
        ({"imodStamp": IMOD, "imodFlags": 2, "dmax": 90.0}, BYTES, False),
        ({"dmin": 0.0, "dmax": 234.0}, BYTES, True),
        ({"dmin": -120.0, "dmax": 127.0}, signed, False),
    ):
        volume, warned = opened(write(path, signed, **words))
        assert volume.data.dtype == expected.dtype
        np.testing.assert_array_equal(pixels_of(volume), expected)
        assert bool(warned) == guessed


@pytest.mark.parametrize("dtype", ["<u2", ">u2"])
@pytest.mark.parametrize("stamp", [b"DD\0\0", b"DA\0\0", b"\x11\x11\0\0", bytes(4), b"ABCD"])
def test_machine_stamp_is_not_the_machines(stamp: bytes, dtype: str, tmp_path: Path) -> None:
    volume, warned = opened(write(tmp_path / "a.mrc", PIXELS.astype(dtype), stamp))
    np.testing.assert_array_equal(pixels_of(volume), PIXELS)
    assert volume.voxel_size == pytest.approx((4, 3, 2))
    stamped = {b"D": "<u2", b"\x11": ">u2"}.get(stamp[:1], dtype)
    assert ("makes sense only" in warned) == (stamped != dtype)


def test_all_sections_of_stacks_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.mrc"
    volume, warned = opened(write(path, PIXELS[:6], ispg=401, mz=4))
    assert (volume.axes, volume.data.shape[0]) == (("z", "y", "x"), 6)
    assert "6 sections" in warned
    np.testing.assert_array_equal(pixels_of(volume), PIXELS[:6])
    volume, warned = opened(write(path, PIXELS[:6], ispg=401, mz=3))
    assert (volume.axes, warned) == (("t", "z", "y", "x"), "")
    np.testing.assert_array_equal(pixels_of(volume.tomogram(t=1)), PIXELS[3:6])
    for damaged in ({"mz": 0}, {"mz": -3}):
        assert opened(write(path, PIXELS[:6], ispg=401, **damaged))[0].data.shape[0] == 6


def test_header_tells_of_more_or_fewer_sections_than_there_are(tmp_path: Path) -> None:
    path = tmp_path / "a.mrc"
    assert "truncated" in refusal(write(path, PIXELS, nz=13))
    volume, warned = opened(write(path, PIXELS, nz=8))
    assert f"{4 * 24 * 32 * 2} bytes more" in warned
    np.testing.assert_array_equal(pixels_of(volume), PIXELS[:8])


def test_axes_are_stored_in_another_order(tmp_path: Path) -> None:
    path = tmp_path / "a.mrc"
    stored = np.ascontiguousarray(PIXELS.transpose(2, 0, 1))  # sections along x, rows z, columns y
    volume, warned = opened(write(path, stored, maps=1, mapr=3, mapc=2))
    assert not warned
    np.testing.assert_array_equal(pixels_of(volume), PIXELS)
    assert not opened(write(path, PIXELS, maps=0, mapr=0, mapc=0))[1]
    assert "numbers its axes" in opened(write(path, PIXELS, maps=7, mapr=1, mapc=1))[1]


@pytest.mark.parametrize(
    "words", [{"nsymbt": -50}, {"nz": 0}, {"nz": -4}, {"mode": 101}, {"mode": -7}, {"mode": 4}]
)
def test_header_that_makes_no_sense(words: dict[str, float], tmp_path: Path) -> None:
    assert "a.mrc" in refusal(write(tmp_path / "a.mrc", PIXELS, **words))


@pytest.mark.parametrize("content", [b"", b"x" * 5000])
def test_file_that_is_something_else(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.rec").write_bytes(content)
    assert "a.rec" in refusal(tmp_path / "a.rec")
