"""Validation of a segmenter: which labelled pixels are left out of its training, how well it does there."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from napari_tiqa.segmentation.agreement import agreement_of, confusion_matrix
from napari_tiqa.segmentation.classes import NOT_LABELLED, LabelledSlice
from napari_tiqa.segmentation.segmenter import Segmenter

_SLICES_TO_SPARE = 5  # from as many labelled slices on, whole ones are left out
_CELLS = 16  # a side; the edges that a region may have
_MOST = 0.5  # of the pixels of a class in a slice
_BORDER_WEIGHT = 0.5
_AROUND = 64  # px around what is judged that the network sees too


def left_out(labelled: Sequence[np.ndarray], share: float, seed: int) -> list[np.ndarray]:
    """Choose the labelled pixels that each epoch is judged with, and that nothing is learned from.

    Of five or more slices, whole ones: drawn at random, those first that bring a class which is not there
    yet. Of fewer, a rectangle of each that holds about that share of the slice's pixels of each class, with
    little border to what is learned from, since pixels beside each other are alike. No class is left out of
    the training by that.

    `labelled` are class indices, shape (rows, columns), -1 where not labelled; `share` is 0 to 0.5. Returns
    for each slice, bool, its shape: True where a pixel is left out.
    """
    held = [np.zeros(item.shape, bool) for item in labelled]
    some = [number for number, item in enumerate(labelled) if (item != NOT_LABELLED).any()]
    if len(some) >= _SLICES_TO_SPARE:
        places = _slices([labelled[number] for number in some], round(share * len(some)), seed)
        for number in [some[place] for place in places]:
            held[number] = labelled[number] != NOT_LABELLED
    elif share:
        for number in some:
            if region := _region(labelled[number], share):
                held[number][region] = labelled[number][region] != NOT_LABELLED
    return held


def around(image: np.ndarray, indices: np.ndarray) -> LabelledSlice:
    """Cut out what is labelled, with the surroundings that the network needs to judge it."""
    place = tuple(
        slice(max(0, int(line[0]) - _AROUND), int(line[-1]) + 1 + _AROUND) for line in _lines(indices)
    )
    return LabelledSlice(image[place], indices[place])


def within(judged: Sequence[LabelledSlice], pixels: int) -> list[LabelledSlice]:
    """Choose some of what was left out, evenly spread, at least one; all that have no more pixels in all."""
    count = sum(item.image.size for item in judged)
    step = max(1.0, count / max(1, pixels))
    return [judged[int(place)] for place in np.arange(0, len(judged), step)]


def judge(
    segmenter: Segmenter, judged: Sequence[LabelledSlice], after_slice: Callable[[int], object]
) -> pd.DataFrame:
    """Return the ``agreement_table`` of a segmenter on slices not learned from; there may be none.

    It is NaN in the rows of classes of which nothing is there. `after_slice` is called with the slices done
    after each; what it raises ends the work.
    """
    classes = segmenter.classes
    nothing = np.empty(0, np.int8)
    counts = confusion_matrix(nothing, nothing, classes)
    for done, item in enumerate(judged, start=1):
        present = item.indices != NOT_LABELLED
        predicted = segmenter.probabilities(item.image).argmax(0)[present]
        # Only the pixels that are judged, since with every value a class there is none for the others.
        counts += confusion_matrix(
            classes.label_values(predicted), classes.label_values(item.indices[present]), classes
        )
        after_slice(done)
    table = agreement_of(counts)
    table.loc[table["pixels"] == 0, table.columns != "pixels"] = np.nan
    return table


def _slices(labelled: Sequence[np.ndarray], wanted: int, seed: int) -> list[int]:
    classes = [set(np.unique(item).tolist()) - {NOT_LABELLED} for item in labelled]
    remaining = Counter(index for some in classes for index in some)
    order = np.random.default_rng(seed).permutation(len(labelled)).tolist()
    chosen: list[int] = []
    seen: set[int] = set()
    while len(chosen) < wanted:
        possible = [
            number
            for number in order
            if number not in chosen and all(remaining[index] > 1 for index in classes[number])
        ]
        if not possible:
            break
        best = max(possible, key=lambda number: len(classes[number] - seen))
        chosen.append(best)
        seen |= classes[best]
        remaining.subtract(classes[best])
    return chosen


def _region(indices: np.ndarray, share: float) -> tuple[slice, slice] | None:
    """Find the rectangle of a slice that is left out; None where there is none."""
    edges = [_edges(line) for line in _lines(indices)]
    pairs = [np.array(list(combinations(range(len(line)), 2))).T for line in edges]
    present = np.unique(indices)
    shares = np.stack([_shares(indices == index, edges, pairs) for index in present[present != NOT_LABELLED]])
    off = np.sqrt(((shares / share - 1) ** 2).mean(0))
    cost = off + _BORDER_WEIGHT * _border(edges, pairs)
    cost[(shares > _MOST).any(0) | ~(shares > 0).any(0)] = np.inf
    if not np.isfinite(cost).any():
        return None
    places = np.unravel_index(np.argmin(cost), cost.shape)
    rows, columns = (
        slice(*line[pair[:, place]].tolist()) for line, pair, place in zip(edges, pairs, places, strict=True)
    )
    return rows, columns


def _lines(indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows and the columns with a labelled pixel."""
    known = indices != NOT_LABELLED
    return np.flatnonzero(known.any(1)), np.flatnonzero(known.any(0))


def _edges(line: np.ndarray) -> np.ndarray:
    return np.unique(np.linspace(line[0], line[-1] + 1, _CELLS + 1).round().astype(int))


def _shares(present: np.ndarray, edges: list[np.ndarray], pairs: list[np.ndarray]) -> np.ndarray:
    """Return the share of the true pixels within each rectangle, shape (pairs of rows, of columns)."""
    cells = present[edges[0][0] : edges[0][-1], edges[1][0] : edges[1][-1]].astype(np.int64)
    for axis in (0, 1):
        cells = np.add.reduceat(cells, edges[axis][:-1] - edges[axis][0], axis)
    before = np.pad(cells.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    across = before[pairs[0][1]] - before[pairs[0][0]]
    counts = across[:, pairs[1][1]] - across[:, pairs[1][0]]
    return counts / counts.max()


def _border(edges: list[np.ndarray], pairs: list[np.ndarray]) -> np.ndarray:
    """Return how long each rectangle's sides inside the labelled area are, by that area's circumference."""
    lengths = [line[pair[1]] - line[pair[0]] for line, pair in zip(edges, pairs, strict=True)]
    inner = [
        (pair[0] > 0).astype(int) + (pair[1] < len(line) - 1) for line, pair in zip(edges, pairs, strict=True)
    ]
    border = inner[0][:, None] * lengths[1] + lengths[0][:, None] * inner[1]
    return border / (2 * sum(line[-1] - line[0] for line in edges))
