"""Slices in a row: in order, each stored piece read once, in bounded memory, and stopped when told."""

import threading
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_tiqa.errors import Cancelled, VolumeError
from napari_tiqa.volumes import slices
from napari_tiqa.volumes.open import as_volume, open_volume
from napari_tiqa.volumes.slices import map_slices, plan_slabs


class Stored:
    """An array in pieces that counts how often each of them is read."""

    def __init__(self, pixels: np.ndarray, chunks: tuple[int, ...]) -> None:
        self.pixels = pixels
        self.chunks = chunks
        self.shape = pixels.shape
        self.dtype = pixels.dtype
        self.ndim = pixels.ndim
        self.reads: Counter = Counter()
        self.gate: threading.Semaphore | None = None

    def __getitem__(self, key: tuple) -> np.ndarray:
        if self.gate is not None:
            self.gate.acquire()
        starts = [
            k.indices(n)[0] if isinstance(k, slice) else k for k, n in zip(key, self.shape, strict=True)
        ]
        self.reads[tuple(start // chunk for start, chunk in zip(starts, self.chunks, strict=True))] += 1
        return self.pixels[key]


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (40, 30, 20), dtype="uint8")


def copy(plane: np.ndarray) -> np.ndarray:
    return plane.copy()


@pytest.mark.parametrize("chunks", [(1, 30, 20), (16, 30, 20), (40, 7, 6)])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slices_come_in_the_order_asked(pixels: np.ndarray, axis: int, chunks: tuple[int, ...]) -> None:
    volume = as_volume(as_volume(pixels).data.rechunk(chunks))
    count = pixels.shape[axis]
    for indices in (range(count), range(3, count, 4), range(count - 1, -1, -1), [5, 2, 5, 19, 0], []):
        got = list(map_slices(volume, axis, indices, copy))
        assert [index for index, _ in got] == list(indices)
        for index, plane in got:
            np.testing.assert_array_equal(plane, pixels.take(index, axis=axis))


@pytest.mark.parametrize("gathered", [1, 2**25])
def test_each_stored_piece_is_read_once(
    pixels: np.ndarray, gathered: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "GATHERED_BYTES", gathered)
    for axis in range(3):
        stored = Stored(pixels, (16, 30, 20))
        assert (
            len(list(map_slices(as_volume(stored), axis, range(pixels.shape[axis]), copy)))
            == pixels.shape[axis]
        )
        assert dict(stored.reads) == {(0, 0, 0): 1, (1, 0, 0): 1, (2, 0, 0): 1}


def test_slabs_are_bounded_and_follow_the_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    plane = 600
    volume = as_volume(Stored(np.zeros((100, 30, 20), "uint8"), (16, 30, 20)))
    monkeypatch.setattr(slices, "GATHERED_BYTES", 0)
    assert [slab[0] for slab in plan_slabs(volume, 0, list(range(100)))] == [0, 16, 32, 48, 64, 80, 96]
    monkeypatch.setattr(slices, "MAX_BYTES", 5 * plane)
    slabs = plan_slabs(volume, 0, list(range(100)))
    assert max(map(len, slabs)) <= 5
    assert [index for slab in slabs for index in slab] == list(range(100))
    monkeypatch.setattr(slices, "GATHERED_BYTES", 3 * plane)
    thin = as_volume(np.zeros((100, 30, 20), "uint8"))
    assert {len(slab) for slab in plan_slabs(thin, 0, list(range(99)))} == {3}


@pytest.mark.parametrize("indices", [range(39, -1, -1), [1, 2, 4, 17, 18, 30], [9, 9, 3]])
def test_stored_piece_is_read_once_in_any_order(pixels: np.ndarray, indices: Iterable[int]) -> None:
    stored = Stored(pixels, (16, 30, 20))
    for index, plane in map_slices(as_volume(stored), 0, indices, copy):
        np.testing.assert_array_equal(plane, pixels[index])
    assert dict(stored.reads) == {(index // 16, 0, 0): 1 for index in indices}


@pytest.mark.parametrize("held", [2**30, 16 * 600])
def test_reads_one_slab_ahead_and_no_more(
    pixels: np.ndarray, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "GATHERED_BYTES", 1)
    monkeypatch.setattr(slices, "MAX_BYTES", held)
    tall = np.tile(pixels, (10, 1, 1))
    stored = Stored(tall, (16, 30, 20))
    results = map_slices(as_volume(stored), 0, range(400), np.sum)
    for index in range(40):
        assert next(results) == (index, tall[index].sum())
    results.close()
    assert sum(stored.reads.values()) in (3, 4)
    assert not [t for t in threading.enumerate() if t.name.startswith("napari-tiqa-slabs")]


def test_cancel_ends_a_wait(pixels: np.ndarray) -> None:
    stored = Stored(pixels, (1, 30, 20))
    stored.gate = threading.Semaphore(0)
    cancel = threading.Event()
    planes = map_slices(as_volume(stored), 0, range(40), copy, cancel=cancel)
    caught: list[BaseException] = []

    def wait() -> None:
        try:
            next(planes)
        except BaseException as error:
            caught.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    cancel.set()
    stored.gate.release(len(stored.pixels))
    waiting.join(20)
    assert isinstance(caught[0], Cancelled)
    assert sum(stored.reads.values()) < 40


def test_unreadable_slice_is_named_after_the_readable_ones(tmp_path: Path, pixels: np.ndarray) -> None:
    tifffile.imwrite(tmp_path / "a.tif", pixels, compression="zlib")
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        offset = tiff.pages[25].dataoffsets[0]
    with (tmp_path / "a.tif").open("r+b") as file:
        file.seek(offset)
        file.write(b"\0" * 20)
    volume = open_volume(tmp_path / "a.tif")
    planes = map_slices(volume, 0, range(40), copy)
    assert [next(planes)[0] for _ in range(25)] == list(range(25))
    with pytest.raises(VolumeError, match=r"slice 25 along axis 0 of '.*a\.tif'"):
        next(planes)


def test_wrong_axis_or_slice_is_refused_at_once(pixels: np.ndarray) -> None:
    for axis, indices in ((3, [0]), (0, [0, 40]), (0, [-1])):
        with pytest.raises(VolumeError):
            map_slices(as_volume(pixels), axis, indices, copy)


def test_2d_volume_has_one_slice(pixels: np.ndarray) -> None:
    (index, plane), *rest = map_slices(as_volume(pixels[0]), 0, [0], copy)
    assert (index, rest) == (0, [])
    np.testing.assert_array_equal(plane, pixels[0])
