"""Measures of a segmentation: uncertainty, agreement with a truth, the IoU map and its colours."""

import itertools
import math
import subprocess
import sys

import dask.array
import numpy as np
import pytest
from numpy.testing import assert_allclose
from skimage.color import deltaE_ciede2000, rgb2lab

from napari_tiqa.errors import SegmentationError
from napari_tiqa.segmentation.agreement import (
    FALSE_NEGATIVE,
    FALSE_POSITIVE,
    IOU_COLOURS,
    IOU_NAMES,
    NOT_JUDGED,
    TRUE_NEGATIVE,
    TRUE_POSITIVE,
    accuracy,
    agreement_of,
    agreement_table,
    confusion_matrix,
    f1_score,
    iou_map,
    iou_score,
)
from napari_tiqa.segmentation.classes import Classes
from napari_tiqa.segmentation.uncertainty import found_errors, uncertainty_map

PORE_OR_SOLID = Classes((1, 2), ("pore", "solid"))

# Of four solid pixels one is missed, of five pores one is taken for solid; the last row is not labelled.
TRUTH = np.array([[1, 2, 2], [1, 2, 2], [1, 1, 1], [0, 0, 0]], np.uint8)
SEGMENTATION = np.array([[2, 2, 2], [1, 1, 2], [1, 1, 1], [2, 2, 2]], np.uint8)


def test_uncertainty_is_the_entropy_in_nats():
    probabilities = np.array([[1, 0.5, 0.9], [0, 0.5, 0.1]])
    expected = [0, math.log(2), -0.9 * math.log(0.9) - 0.1 * math.log(0.1)]
    assert_allclose(uncertainty_map(probabilities), expected, rtol=1e-6)
    assert uncertainty_map(probabilities).dtype == np.float32
    assert_allclose(uncertainty_map(np.full((5, 1), 0.2)), math.log(5), rtol=1e-6)


def test_uncertainty_stays_in_its_range_however_its_half_floats_were_rounded():
    certain = np.random.default_rng(0).dirichlet((0.3, 0.3, 0.3), (64, 64))
    probabilities = np.moveaxis(certain, -1, 0).astype(np.float16)
    uncertainty = uncertainty_map(probabilities)
    assert uncertainty.min() >= 0
    assert uncertainty.max() <= np.float32(math.log(3))
    assert_allclose(uncertainty, uncertainty_map(probabilities.astype(np.float64)), atol=2e-6)
    thirds = np.full((3, 1), np.float16(0.3335))  # add up to more than 1
    assert uncertainty_map(thirds) <= np.float32(math.log(3))


def test_uncertainty_is_nan_only_where_a_probability_is():
    probabilities = np.full((2, 2, 3), 0.5, np.float16)
    probabilities[1, 0, 2] = np.nan
    assert np.argwhere(np.isnan(uncertainty_map(probabilities))).tolist() == [[0, 2]]


def test_uncertainty_works_block_by_block():
    first = np.random.default_rng(1).random((1, 5, 7, 6), np.float32)
    probabilities = np.concatenate([first, 1 - first])
    blocks = dask.array.from_array(probabilities, chunks=(2, 1, 4, 6))
    lazy = blocks.map_blocks(uncertainty_map, dtype=np.float32, drop_axis=0)
    assert_allclose(lazy.compute(), uncertainty_map(probabilities))


def test_errors_are_found_where_the_uncertainty_is_high():
    uncertainty = np.linspace(0, 1, 100).reshape(10, 10)
    wrong = np.zeros((10, 10), bool)
    wrong[9, :6] = wrong[0, :2] = True
    assert found_errors(uncertainty, wrong) == pytest.approx(6 / 8)
    assert found_errors(-uncertainty, wrong) == pytest.approx(2 / 8)
    assert found_errors(uncertainty, wrong, share=1) == 1
    assert math.isnan(found_errors(uncertainty, np.zeros((10, 10), bool)))


def test_pixels_that_are_equally_uncertain_find_no_more_than_chance():
    wrong = np.arange(1000) < 300
    assert found_errors(np.zeros(1000), wrong) == pytest.approx(0.2)
    assert found_errors(np.zeros(1000), wrong[::-1]) == pytest.approx(0.2)


def test_errors_without_uncertainty_are_left_out():
    uncertainty = np.array([np.nan, 0.1, 0.2, 0.3, 0.4, 0.5])
    wrong = np.array([True, False, False, False, False, True])
    assert found_errors(uncertainty, wrong) == 1


def test_scores_of_a_class_count_labelled_pixels_only():
    # solid: 3 hits, 1 missed, 1 too much; pore: 4 hits, 1 missed, 1 too much
    assert iou_score(SEGMENTATION, TRUTH, 2) == pytest.approx(3 / 5)
    assert f1_score(SEGMENTATION, TRUTH, 2) == pytest.approx(6 / 8)
    assert iou_score(SEGMENTATION, TRUTH) == pytest.approx((3 / 5 + 4 / 6) / 2)
    assert f1_score(SEGMENTATION, TRUTH) == pytest.approx((6 / 8 + 8 / 10) / 2)
    assert accuracy(SEGMENTATION, TRUTH) == pytest.approx(7 / 9)


def test_a_truth_without_unlabelled_pixels_may_hold_the_value_0():
    truth, segmentation = TRUTH % 2, SEGMENTATION % 2
    assert accuracy(segmentation, truth, unlabelled=None) == pytest.approx(10 / 12)
    assert f1_score(segmentation, truth, 0, unlabelled=None) == pytest.approx(12 / 14)


def test_pixels_that_are_not_segmented_are_not_judged():
    partly = SEGMENTATION.copy()
    partly[0, 0] = partly[1, 1] = 0  # the two that are wrong
    assert accuracy(partly, TRUTH) == f1_score(partly, TRUTH) == 1
    assert agreement_table(partly, TRUTH, PORE_OR_SOLID).pixels["mean"] == 7


def test_scores_are_nan_where_there_is_nothing_to_judge():
    nothing = np.zeros_like(TRUTH)
    for score in (iou_score, f1_score, accuracy):
        assert math.isnan(score(SEGMENTATION, nothing))
    assert math.isnan(iou_score(SEGMENTATION, TRUTH, 7))
    assert math.isnan(f1_score(SEGMENTATION, TRUTH, 7))


def test_confusion_matrix_names_both_sides():
    confusion = confusion_matrix(SEGMENTATION, TRUTH, PORE_OR_SOLID)
    assert confusion.index.name == "truth"
    assert confusion.columns.name == "segmentation"
    assert confusion.loc["solid", "pore"] == 1
    assert confusion.loc["pore", "solid"] == 1
    assert confusion.to_numpy().sum() == 9


def test_agreement_table_has_a_row_for_each_class_and_their_mean():
    table = agreement_table(SEGMENTATION, TRUTH, PORE_OR_SOLID)
    assert list(table.index) == ["pore", "solid", "mean"]
    assert table.pixels.tolist() == [5, 4, 9]
    solid = table.loc["solid"]
    assert_allclose([solid.iou, solid.f1, solid.precision, solid.recall], [3 / 5, 6 / 8, 3 / 4, 3 / 4])
    assert table.f1["mean"] == pytest.approx(f1_score(SEGMENTATION, TRUTH))


def test_the_mean_is_over_the_classes_that_the_truth_has_here():
    three = Classes((1, 2, 3), ("pore", "solid", "crack"))
    table = agreement_table(SEGMENTATION, TRUTH, three)
    assert math.isnan(table.f1["crack"])
    assert table.f1["mean"] == pytest.approx(f1_score(SEGMENTATION, TRUTH))
    invented = np.where(SEGMENTATION == 2, np.uint8(3), SEGMENTATION)
    assert agreement_table(invented, TRUTH, three).iou["crack"] == 0


def test_counted_pixels_of_slices_add_up():
    rng = np.random.default_rng(2)
    truth, segmentation = rng.integers(0, 3, (2, 4, 20, 20), np.uint8)
    counted = sum(
        confusion_matrix(said, known, PORE_OR_SOLID) for said, known in zip(segmentation, truth, strict=True)
    )
    whole = agreement_table(segmentation, truth, PORE_OR_SOLID)
    assert agreement_of(counted).equals(whole)


def test_iou_map_tells_the_four_outcomes():
    outcome = iou_map(SEGMENTATION, TRUTH, 2)
    assert outcome.dtype == np.uint8
    expected = [
        [FALSE_POSITIVE, TRUE_POSITIVE, TRUE_POSITIVE],
        [TRUE_NEGATIVE, FALSE_NEGATIVE, TRUE_POSITIVE],
        [TRUE_NEGATIVE] * 3,
        [NOT_JUDGED] * 3,
    ]
    assert outcome.tolist() == expected


def test_iou_map_agrees_with_the_iou():
    rng = np.random.default_rng(3)
    truth, segmentation = rng.integers(0, 4, (2, 50, 60), np.uint8)
    outcome = iou_map(segmentation, truth, 3)
    union = np.isin(outcome, (TRUE_POSITIVE, FALSE_NEGATIVE, FALSE_POSITIVE)).sum()
    assert (outcome == TRUE_POSITIVE).sum() / union == pytest.approx(iou_score(segmentation, truth, 3))


@pytest.mark.parametrize("measure", [iou_score, f1_score, accuracy, lambda *two: iou_map(*two, 2)])
def test_what_cannot_be_compared_is_said_in_one_sentence(measure):
    with pytest.raises(SegmentationError, match=r"shape \(4, 3\), the truth \(3, 3\).*same slices"):
        measure(SEGMENTATION, TRUTH[1:])
    with pytest.raises(SegmentationError, match="whole numbers, these are of type float64"):
        measure(SEGMENTATION, TRUTH / 2)


def test_a_truth_with_an_unknown_class_is_refused():
    with pytest.raises(SegmentationError, match="value 9, which is not one of the classes 1, 2"):
        agreement_table(SEGMENTATION, np.where(TRUTH == 2, 9, TRUTH), PORE_OR_SOLID)


# Linear RGB as people see it who lack one kind of cones: Machado, Oliveira, Fernandes, IEEE Transactions on
# Visualization and Computer Graphics 15 (2009), severity 1.
SIGHT = {
    "trichromat": np.eye(3),
    "protanope": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranope": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanope": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


@pytest.mark.parametrize("sight", SIGHT)
def test_colours_of_the_iou_map_are_told_apart(sight):
    assert IOU_COLOURS.keys() == IOU_NAMES.keys()
    seen = [lab_of(colour, np.array(SIGHT[sight])) for colour in IOU_COLOURS.values()]
    assert min(deltaE_ciede2000(*two) for two in itertools.combinations(seen, 2)) > 20


def lab_of(colour, sight):
    encoded = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    seen = np.clip(sight @ linear, 0, 1)
    return rgb2lab(np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055))


def test_the_package_exports_its_verbs_and_brings_no_keras():
    script = """
import sys
import napari_tiqa.segmentation as segmentation
assert callable(segmentation.iou_map)
verbs = [getattr(segmentation, name) for name in segmentation.__all__]
assert all(map(callable, verbs)), verbs
assert not {"keras", "tensorflow"} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
