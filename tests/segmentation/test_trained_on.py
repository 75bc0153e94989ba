"""Slices that a segmenter was trained on are known again by their image, their labels, or their place."""

import numpy as np
import pytest

from napari_tiqa.segmentation.trained_on import TrainedSlices, trained_sentence
from napari_tiqa.volumes.digest import slice_digest
from napari_tiqa.volumes.volume import Volume
from tests.textures import grainy
from tests.volumes_in_memory import in_memory

IMAGE = grainy(4, 24, 32)
LABELS = np.random.default_rng(1).integers(1, 3, IMAGE.shape)
OTHER = grainy(4, 24, 32, seed=5)
CARD = {
    "training": {
        "scans": ["/data/scan.tif"],
        "axis": 0,
        "slices": [2],
        "digests": {"images": [slice_digest(IMAGE[2])], "labels": [slice_digest(LABELS[2].astype(np.uint8))]},
    }
}
OLD_CARD = {"training": {"scans": ["scan"], "axis": 0, "slices": [2]}}


def known(card: dict, volume: Volume, labels: np.ndarray, axis: int = 0) -> list[int]:
    trained = TrainedSlices(card, volume, axis)
    return [i for i in range(volume.slice_count(axis)) if trained.holds(i, np.take(labels, i, axis))]


@pytest.mark.parametrize(
    ("card", "volume", "labels", "expected"),
    [
        (CARD, in_memory(IMAGE, "renamed"), LABELS + 1, [2]),  # painted since
        (CARD, in_memory(IMAGE[2:], "cropped"), LABELS[2:] + 1, [0]),
        (CARD, in_memory(OTHER, "another scan of the same material"), LABELS, [2]),
        (CARD, in_memory(OTHER, "filtered", source="/data/scan.tif"), LABELS + 1, [2]),
        (CARD, in_memory(OTHER, "scan"), LABELS + 1, []),
        (OLD_CARD, in_memory(OTHER, "scan"), LABELS, [2]),
        (OLD_CARD, in_memory(OTHER, "other"), LABELS, []),
        ({"training": {"scans": "simulated electrodes"}}, in_memory(IMAGE, "scan"), LABELS, []),
        ({}, in_memory(IMAGE, "scan"), LABELS, []),
    ],
)
def test_slices_trained_on_are_known_again(card, volume, labels, expected):
    assert known(card, volume, labels) == expected


def test_across_another_axis_they_are_others():
    assert known(CARD, in_memory(IMAGE, "scan", source="/data/scan.tif"), LABELS, axis=1) == []


def test_digests_go_by_pixels_and_shape_whatever_the_type():
    plane = (IMAGE[0] * 200).astype(np.uint8)
    assert slice_digest(plane) == slice_digest(plane.astype(np.int64)) != slice_digest(plane.T)
    assert slice_digest(plane.astype("f4")) == slice_digest(plane.astype("f8")[::1])
    changed = plane.copy()
    changed[3, 4] ^= 1
    assert slice_digest(plane) != slice_digest(changed)


def test_the_sentence_names_the_slices():
    assert trained_sentence([], 3) == ""
    assert trained_sentence([7], 1).startswith("The model was trained on slice 7:")
    assert "2 of these 5 slices (3, 7)" in trained_sentence([7, 3], 5)
    assert "all of these slices (1, 2)" in trained_sentence([1, 2], 2)
