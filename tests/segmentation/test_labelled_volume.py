"""What a segmenter learns from: labelled slices gathered from an image, some of the labels left out."""

import threading
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest

from napari_tiqa.errors import Cancelled, SegmentationError, VolumeError
from napari_tiqa.segmentation import labelled_volume
from napari_tiqa.segmentation.classes import NOT_LABELLED
from napari_tiqa.segmentation.labelled_volume import gather
from napari_tiqa.segmentation.network_input import network_image
from napari_tiqa.segmentation.recipe import SegmentationRecipe
from napari_tiqa.segmentation.training_set import TrainingSet, load_training_set, save_training_set
from napari_tiqa.segmentation.validation import left_out, within
from napari_tiqa.volumes.digest import slice_digest
from napari_tiqa.volumes.window import IntensityWindow

RECIPE = SegmentationRecipe(encoder="ResNet34", crop=32)


def gathered(image: Any, labels: Any, **options: Any) -> TrainingSet:
    recipe = options.pop("recipe", RECIPE)
    return gather(image, labels, recipe, report=lambda done, total: None, cancel=threading.Event(), **options)


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).normal(100, 20, (6, 40, 50)).astype(np.float32)


@pytest.fixture
def labels(image: np.ndarray) -> np.ndarray:
    """Label two slices of six with strokes of two classes."""
    strokes = np.zeros(image.shape, np.uint8)
    strokes[1, 5:8, 4:44] = 3
    strokes[1, 20:23, 4:44] = 7
    strokes[4, 10:12, 4:44] = 3
    return strokes


def test_labelled_slices_are_gathered_as_the_network_sees_them(image, labels):
    image[1, 6, 10:20] = np.nan
    window = IntensityWindow(40, 160, "given")
    data = gathered(image, labels, names=["pore", "solid"], window=window)
    assert data.origin.slices == (1, 4)
    assert data.classes.values == (3, 7)
    assert data.classes.names == ("pore", "solid")
    assert data.origin.window == (40, 160)
    assert data.origin.image_digests == (slice_digest(image[1]), slice_digest(image[4]))
    assert data.origin.label_digests == (slice_digest(labels[1]), slice_digest(labels[4]))
    assert sum(data.pixels(held=False)) + sum(data.pixels(held=True)) == np.count_nonzero(labels) - 10
    learned = data.learned()[0]
    np.testing.assert_allclose(learned.image, network_image(image[1], window), atol=1e-5)
    assert (learned.indices[6, 10:20] == NOT_LABELLED).all()


def test_along_another_axis_and_of_a_single_image(image, labels):
    data = gathered(image, labels, axis=2)
    assert data.origin.slices == tuple(range(4, 44))
    assert data.images[0].shape == (6, 40)
    # A lazy image, and labels with or without the axis of length 1.
    data = gathered(da.from_array(image[1]), labels[1:2])
    assert data.origin.slices == (0,)


def test_a_training_set_comes_back_from_its_file(image, labels, tmp_path: Path):
    data = gathered(image, labels)
    save_training_set(tmp_path / "data.npz", data)
    again = load_training_set(tmp_path / "data.npz")
    assert again.same_as(data)
    assert (again.origin, again.warnings) == (data.origin, data.warnings)
    labels[1, 5, 4] = 7
    assert not gathered(image, labels).same_as(data)
    (tmp_path / "data.npz").write_bytes((tmp_path / "data.npz").read_bytes()[:1000])
    with pytest.raises(SegmentationError, match="is damaged"):
        load_training_set(tmp_path / "data.npz")


@pytest.mark.parametrize(
    ("spoil", "options", "said"),
    [
        (lambda labels: labels[:, 1:], {}, r"shape \(6, 39, 50\), the image \(6, 40, 50\)"),
        (lambda labels: labels[1], {}, r"shape \(40, 50\), the image"),
        (lambda labels: labels.astype(np.float32), {}, "these are of type float32"),
        (lambda labels: np.minimum(labels, 3), {}, "only one class"),
        (lambda labels: np.zeros_like(labels), {}, "no labelled pixel"),
        (lambda labels: labels.astype(np.int16) - 1, {}, "below 0"),
        (lambda labels: labels, {"names": ["pore"]}, "1 names were given for 2 classes"),
        (lambda labels: labels.astype(np.uint64) << np.uint64(60), {"names": ["pore"]}, "1 names were given"),
        (lambda labels: np.arange(labels.size).reshape(labels.shape), {}, "not single particles"),
    ],
)
def test_what_are_no_labels_is_said(image, labels, spoil, options, said):
    with pytest.raises(SegmentationError, match=said):
        gathered(image, spoil(labels), **options)


def test_classes_outside_the_image_are_left_out_and_said(image, labels):
    labels[1, 30:35] = 9
    image[1, 28:] = np.nan
    data = gathered(image, labels, names=["pore", "solid", "outside"])
    assert data.classes.names == ("pore", "solid")
    assert "'outside' lies where the image has no finite value" in data.warnings[0]
    image[1, 19:] = np.nan
    with pytest.raises(
        SegmentationError, match="Only one class has labelled pixels where the image has finite values"
    ):
        gathered(image, labels)


def test_every_pixel_may_be_labelled(image):
    data = gathered(image, image > 100, unlabelled=None)
    assert data.classes.values == (0, 1)
    assert sum(data.pixels(held=False)) + sum(data.pixels(held=True)) == image.size


def test_of_too_many_slices_some_with_every_class_are_taken(image, monkeypatch):
    monkeypatch.setattr(labelled_volume, "_MOST_PIXELS", 2 * image[0].size)
    labels = np.ones(image.shape, np.uint8)
    labels[3, :20] = 2
    data = gathered(image, labels)
    assert data.origin.slices == (0, 3, 5)
    assert any("6 slices are labelled" in warning for warning in data.warnings)


def test_validation_labels_are_judged_with_and_not_learned_from(image, labels):
    others = np.zeros_like(labels)
    others[1, 5:8, 30:44] = 3
    others[2, 5:8] = 7
    data = gathered(image, labels, validation_labels=others)
    assert data.origin.slices == (1, 2, 4)
    assert data.pixels(held=True) == [3 * 14, 3 * 50]
    assert (data.learned()[0].indices[5:8, 30:44] == NOT_LABELLED).all()
    assert not data.warnings
    with pytest.raises(SegmentationError, match="'class 3' are used for validation"):
        gathered(image, labels, validation_labels=labels)
    with pytest.raises(SegmentationError, match="value 5, which is not one of the classes 3, 7"):
        gathered(image, labels, validation_labels=np.full_like(labels, 5))


def test_what_validation_cannot_tell_is_said(image, labels):
    nothing = gathered(image, labels, recipe=SegmentationRecipe(encoder="ResNet34", validation_share=0))
    assert "Nothing is left out for validation" in nothing.warnings[0]
    labels[labels == 7] = 0
    labels[1, 20, 20] = 7  # a single pixel cannot be in both
    partly = gathered(image, labels)
    assert "No pixel of 'class 7' is left out" in partly.warnings[0]
    assert partly.pixels(held=False)[1] == 1


def test_gathering_ends_when_cancelled_and_damaged_files_are_named(image, labels, tmp_path: Path):
    cancel = threading.Event()
    seen = []

    def report(done: int, total: int) -> None:
        seen.append((done, total))
        cancel.set()

    with pytest.raises(Cancelled):
        gather(da.from_array(image), da.from_array(labels, (1, -1, -1)), RECIPE, report=report, cancel=cancel)
    assert seen[0] == (1, 6)
    with pytest.raises(VolumeError, match=r"no file or folder .*gone\.tif"):
        gathered(image, tmp_path / "gone.tif")


def share_held(indices: list[np.ndarray], held: list[np.ndarray], index: int) -> float:
    of_class = [one == index for one in indices]
    return sum((a & b).sum() for a, b in zip(of_class, held, strict=True)) / sum(map(np.sum, of_class))


def test_few_slices_leave_out_a_region_with_a_share_of_each_class():
    y, x = np.mgrid[:200, :300]
    dense = (np.hypot(y - 90, x - 150) % 40 < 15).astype(np.int8)
    strokes = np.full((200, 300), NOT_LABELLED, np.int8)
    strokes[20:23, 40:260] = 0
    strokes[100:103, 40:120] = 1
    strokes[110:180, 200:203] = 1
    for one in (dense, strokes):
        (held,) = left_out([one], 0.2, 0)
        assert [share_held([one], [held], index) for index in (0, 1)] == pytest.approx([0.2, 0.2], abs=0.08)
        rows, columns = np.nonzero(held)
        box = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        np.testing.assert_array_equal(held[box], one[box] != NOT_LABELLED)  # one rectangle


def test_many_slices_leave_out_whole_ones_but_no_class():
    slices = [np.zeros((8, 8), np.int8) for _ in range(10)]
    for number in (2, 5, 7):
        slices[number][:4] = 1
    slices[4][4:] = 2  # of which there is one slice only
    for seed in range(4):
        held = [bool(one.any()) for one in left_out(slices, 0.3, seed)]
        assert sum(held) == 3
        assert sum(held[number] for number in (2, 5, 7)) >= 1  # a class that is rare is judged too
        assert not held[4]
    assert not np.any(left_out(slices, 0, 0))


def test_an_epoch_judges_no_more_than_it_learns_from(image, labels):
    data = gathered(image, np.where(image > 100, 1, 2), recipe=SegmentationRecipe(validation_share=0.5))
    judged = data.judged()
    assert len(judged) == 3
    assert len(within(judged, judged[0].image.size)) == 1
    assert len(within(judged, 10**9)) == 3
    assert len(within(judged, 1)) == 1
    assert within([], 100) == []
