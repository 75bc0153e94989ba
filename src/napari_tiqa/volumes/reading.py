"""Read parts of a lazy array into memory."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise, product

import dask.array
import numpy as np

from napari_tiqa.volumes.stored import Box, Stored, behind, box_shape
from napari_tiqa.volumes.threads import pool, share


def read(
    array: dask.array.Array,
    box: Box,
    out: np.ndarray | None = None,
    before_each_piece: Callable[[], None] = lambda: None,
) -> np.ndarray:
    """Read a part of a lazy array into `out`, in native byte order; new memory where omitted.

    What one of our readers has opened is read straight from its file, piece by piece as stored; any other
    dask array is left to dask. `before_each_piece` is called before each stored piece is read; what it raises
    ends the reading.
    """
    if out is None:
        out = np.empty(box_shape(box), array.dtype.newbyteorder("="))
    stored = behind(array)
    if stored is None:
        _compute(array[box], out, before_each_piece)
    else:

        def read_piece(stored: Stored, source: Box, target: np.ndarray) -> None:
            before_each_piece()
            stored.read_into(source, target)

        share([partial(read_piece, stored, s, out[t]) for s, t in _pieces(array.chunks, box)])
    return out


def read_boxes(array: dask.array.Array, boxes: Sequence[Box]) -> list[np.ndarray]:
    """Read several small parts of a lazy array, in native byte order; a piece that they share is read once.

    Boxes are tuples of slices with steps of 1.
    """
    ends = [np.cumsum(sizes) for sizes in array.chunks]
    sharing = defaultdict(list)
    for number, box in enumerate(boxes):
        starts = zip(ends, (side.start for side in box), strict=True)
        sharing[tuple(int(np.searchsorted(end, start, "right")) for end, start in starts)].append(number)
    parts: list[np.ndarray] = [np.empty(0)] * len(boxes)

    def read_around(numbers: list[int]) -> None:
        sides = list(zip(*(boxes[number] for number in numbers), strict=True))
        around = tuple(slice(min(s.start for s in side), max(s.stop for s in side), 1) for side in sides)
        pixels = read(array, around)
        for number in numbers:
            within = zip(boxes[number], around, strict=True)
            part = pixels[tuple(slice(s.start - a.start, s.stop - a.start) for s, a in within)]
            parts[number] = part.copy()  # so that what lies around it is let go

    share([partial(read_around, numbers) for numbers in sharing.values()])
    return parts


def _pieces(chunks: tuple[tuple[int, ...], ...], box: Box) -> Iterator[tuple[Box, Box]]:
    """Part a box where the stored pieces meet: each part in the array, and in the box."""
    sides = []
    for lengths, side in zip(chunks, box, strict=True):
        wanted = range(side.start, side.stop, side.step)
        # The first of the wanted places at or beyond each border between pieces.
        borders = np.cumsum((0, *lengths))
        firsts = np.clip(-((wanted.start - borders) // wanted.step), 0, len(wanted)).tolist()
        sides.append(
            [
                (slice(wanted[a], wanted[b - 1] + 1, wanted.step), slice(a, b))
                for a, b in pairwise(firsts)
                if a < b
            ]
        )
    for parts in product(*sides):
        yield tuple(source for source, _ in parts), tuple(target for _, target in parts)


def _compute(array: dask.array.Array, out: np.ndarray, before_each_piece: Callable[[], None]) -> None:
    """Have dask put each piece straight to its place, apart from what else it does in this process."""

    def pretask(key: object, graph: object, state: object) -> None:
        before_each_piece()

    dask.array.store(
        array,
        out,
        lock=False,
        # Named here, so that a cluster set as dask's default does not get local files to read.
        scheduler="threads",
        # Left to itself, dask starts a pool per calling thread and keeps it. It may not be that of `share`,
        # whose threads wait for dask's.
        pool=pool("napari-tiqa-dask"),
        # Callbacks given here keep dask off its global ones: napari registers its chunk cache there
        # from the GUI thread, and swapping that set from another thread corrupts it.
        callbacks=[(None, None, pretask, None, None)],
    )


def computed(array: dask.array.Array) -> np.ndarray:
    """Compute a small dask array in a background thread, apart from what else dask does in this process.

    ``array.compute()`` there would take the callbacks that napari registers in the GUI thread, and sometimes
    end in a KeyError.
    """
    return np.asarray(array.compute(scheduler="synchronous", callbacks=[]))
