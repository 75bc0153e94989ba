"""The study of quality against segmentation: on simulated electrodes, whose phases are known."""

import json
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_tiqa import score_image
from napari_tiqa.cli import main
from napari_tiqa.errors import BundleError, Cancelled, SegmentationError, TableError, VolumeError
from napari_tiqa.jobs.study.figures import spread
from napari_tiqa.jobs.study.result import Study
from napari_tiqa.jobs.study.study import FILES, StudyProgress, study_segmentation, write_study
from napari_tiqa.learning.measures.measures import srocc
from napari_tiqa.scoring.bundle import DEFAULT_MODEL
from napari_tiqa.segmentation.native_distortions import VERSIONS
from napari_tiqa.segmentation.two_point import two_point_correlation
from napari_tiqa.volumes.simulation.acquisition import Acquisition, acquire
from napari_tiqa.volumes.simulation.microstructures import electrode_phases, microstructure

SIDE = 224


@pytest.fixture(scope="module")
def scans():
    """Return scans of two electrodes and their phases, shape (2, 224, 224)."""
    materials = [microstructure("electrode", (SIDE, SIDE), seed) for seed in (6000, 6001)]
    images = [acquire(material, Acquisition(200, photons=1e5), 0) for material in materials]
    return np.stack(images), np.stack([electrode_phases(material) for material in materials])


@pytest.fixture(scope="module")
def made(scans) -> tuple[Study, list[StudyProgress]]:
    seen: list[StudyProgress] = []
    return study_segmentation(*scans, progress=seen.append), seen


def test_every_slice_is_seen_as_it_is_and_at_five_levels_of_each_distortion(made):
    found, seen = made
    assert found.complete
    rows = list(zip(found.table["distortion"], found.table["level"], strict=True))
    assert rows == [*VERSIONS, *VERSIONS]
    assert found.table["slice"].tolist() == [0] * 16 + [1] * 16
    assert [one.done for one in seen] == list(range(1, 33))
    assert seen[-1].seconds_left == 0
    assert pd.DataFrame([one.version for one in seen]).equals(found.table)


def test_score_and_agreement_fall_where_the_slice_is_blurred_away(made):
    levels = made[0].levels("blur")
    assert levels.index.tolist() == [0, 1, 2, 3, 4, 5]
    assert levels["score"].is_monotonic_decreasing
    assert levels["f1"][0] > levels["f1"][5] + 0.3
    assert levels["iou"][0] > levels["iou"][5] + 0.3


def test_the_original_has_the_score_that_scoring_gives_it(made, scans):
    window = made[0].record["window"]
    of_original = made[0].table.query("distortion == 'original'")["score"]
    for plane, score in zip(scans[0], of_original, strict=True):
        assert score_image(plane, window=(window["low"], window["high"])) == pytest.approx(score, abs=1e-4)


def test_correlations_count_the_originals_in_each_distortion(made):
    found = made[0]
    n = found.correlations.query("against == 'f1'").set_index("distortion")["n"]
    assert n.to_dict() == {"blur": 12, "noise": 12, "ring": 12, "all": 32}
    noise = found.table[found.table["distortion"].isin(["original", "noise"])]
    of_noise = found.correlations.query("distortion == 'noise' and against == 'iou'").iloc[0]
    assert of_noise["srocc"] == srocc(noise["score"].to_numpy(), noise["iou"].to_numpy())
    each = [srocc(one["score"].to_numpy(), one["iou"].to_numpy()) for _, one in noise.groupby("slice")]
    assert of_noise["within"] == pytest.approx(np.mean(each))


def test_the_sentence_says_that_pooled_and_per_type_differ(made):
    table = made[0].table.copy()
    # F1 falls with the score within each distortion, but noise costs the score less
    offset = table["distortion"].map({"noise": 0.8, "blur": 0.0, "ring": 0.4, "original": 0.4})
    table["score"] = 4 - 0.4 * table["level"] + offset
    table["f1"] = 1 - 0.1 * table["level"]
    sentence = Study(table).sentence()
    assert "blur 1.00, noise 0.99, ring 1.00; all pooled 0.90" in sentence
    assert "differ, since" in sentence
    table["score"] = 5 * table["f1"]
    assert "hardly differ" in Study(table).sentence()


def test_two_point_curves_of_the_truth_are_of_what_is_labelled(made, scans):
    found, truth = made[0], scans[1]
    assert found.axes == ["x", "y"]
    each = []
    for index in (0, 1):
        distances, values = found.curve("truth", 0, "x", index)
        expected = two_point_correlation(truth[index] == 2, 1, where=truth[index] > 0)
        np.testing.assert_array_equal(values, expected)
        assert distances.tolist() == list(range(SIDE // 2 + 1))
        each.append(values)
    np.testing.assert_allclose(found.curve("truth", 0, "x")[1], np.mean(each, 0))
    of_blur = found.two_point.query("distortion == 'blur' and level == 2 and axis == 'y' and slice == 1")
    np.testing.assert_array_equal(of_blur["correlation"], found.curve("blur", 2, "y", 1)[1])


def test_a_masked_two_point_correlation_counts_pairs_of_known_pixels_alone():
    rng = np.random.default_rng(0)
    phase, known = rng.random((20, 30)) < 0.4, rng.random((20, 30)) < 0.6
    curve = two_point_correlation(phase, 1, normalised=False, where=known)
    for lag in (0, 3, 15):
        pairs = known[:, : 30 - lag] & known[:, lag:]
        both = pairs & phase[:, : 30 - lag] & phase[:, lag:]
        assert curve[lag] == pytest.approx(both.sum() / pairs.sum(), abs=1e-12)


def test_only_labelled_pixels_with_a_value_are_judged(scans):
    image, truth = scans[0][0].copy(), scans[1][0].copy()
    image[:60] = np.nan
    truth[:60] = 0
    expected = study_segmentation(image, truth).table
    assert expected["uncertainty"].notna().all()
    truth[:60] = 2  # labels do not count where the image has no value
    np.testing.assert_array_equal(study_segmentation(image, truth).table["f1"], expected["f1"])


def test_the_same_seed_gives_the_same_study_and_another_phase_another_f1(made, scans):
    images, truth = scans
    window = made[0].record["window"]
    again = study_segmentation(images, truth, slices=[1], value=1, window=(window["low"], window["high"]))
    before = made[0].table.query("slice == 1").reset_index(drop=True)
    pd.testing.assert_frame_equal(again.table[["score", "uncertainty"]], before[["score", "uncertainty"]])
    assert again.record["phase"] == {"value": 1, "name": "pores, carbon and binder"}
    assert not np.allclose(again.table["f1"], before["f1"])


def test_a_cancel_keeps_the_versions_that_were_done(scans):
    cancel = threading.Event()

    def stop(progress: StudyProgress) -> None:
        if progress.done == 3:
            cancel.set()

    found = study_segmentation(*scans, progress=stop, cancel=cancel)
    assert not found.complete
    assert 3 <= len(found.table) <= 6  # those that were under way may come to their end
    cancel.set()
    with pytest.raises(Cancelled):
        study_segmentation(*scans, cancel=cancel)


def test_five_slices_stand_for_many(scans):
    image, truth = (np.repeat(one[:1], 12, axis=0) for one in scans)
    truth[:2] = 0
    cancel = threading.Event()
    found = study_segmentation(image, truth, progress=lambda progress: cancel.set(), cancel=cancel)
    assert found.record["slices"] == [3, 5, 7, 9, 11]


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        (lambda truth: truth[:1], {}, "shape"),
        (lambda truth: truth.astype(float), {}, "whole numbers"),
        (lambda truth: truth * 0, {}, "is labelled"),
        (lambda truth: truth + (truth > 1), {}, "Slice 0: The labels hold the value 3"),
        (
            lambda truth: truth * np.array([1, 0], np.uint8)[:, None, None],
            {"slices": [0, 1]},
            "Slice 1 has no",
        ),
        (lambda truth: truth, {"value": 7}, "no class 7"),
        (lambda truth: truth, {"unlabelled": None}, "not one of the classes"),
    ],
)
def test_labels_that_do_not_fit_are_refused_in_one_sentence(scans, change, options, words):
    with pytest.raises(SegmentationError, match=words) as caught:
        study_segmentation(scans[0], change(scans[1]), **options)
    assert str(caught.value).endswith(".")


def test_other_bad_input_is_refused(scans, tmp_path):
    with pytest.raises(BundleError, match="another purpose"):
        study_segmentation(*scans, model=DEFAULT_MODEL)
    with pytest.raises(BundleError, match="no model bundle"):
        study_segmentation(*scans, quality_model=tmp_path / "none.tiqa")
    with pytest.raises(VolumeError, match="no slice 5"):
        study_segmentation(*scans, slices=[5])


def test_a_study_is_written_as_tables_figures_and_record(made, tmp_path):
    paths = write_study(made[0], tmp_path / "new" / "study")
    assert [path.name for path in paths] == list(FILES)
    table = pd.read_csv(paths[0])
    np.testing.assert_allclose(table["f1"], made[0].table["f1"], rtol=1e-5)
    assert len(pd.read_csv(paths[2])) == len(made[0].two_point)
    record = json.loads(paths[3].read_text())
    assert record["sentence"] == made[0].sentence()
    assert record["slices"] == [0, 1]
    for path in paths[4:]:
        assert path.read_bytes().startswith(b"\x89PNG")
    (tmp_path / "file").write_text("")
    with pytest.raises(TableError, match="cannot be written"):
        write_study(made[0], tmp_path / "file" / "study")


def test_a_study_that_was_stopped_after_one_version_can_be_written(made, tmp_path):
    curves = tuple(one for one in made[0].curves if one.slice == 0 and one.level == 0)
    first = Study(made[0].table[:1], curves, complete=False)
    write_study(first, tmp_path)
    assert "Too few" in first.sentence()


def test_labels_at_the_ends_of_lines_lie_apart_and_in_order():
    places = [0.5, 0.1, 0.52, 0.51, 0.9]
    moved = spread(places, 0.1)
    assert np.all(np.diff(np.sort(moved)) >= 0.1 - 1e-9)
    np.testing.assert_array_equal(np.argsort(moved), np.argsort(places))
    assert moved[1] == 0.1
    assert moved[4] == 0.9
    assert moved[[0, 2, 3]].mean() == pytest.approx(0.51)
    assert not len(spread([], 1))


def test_the_shell_writes_what_python_gives(made, scans, tmp_path: Path, capsys):
    image, labels, output = tmp_path / "scan.tif", tmp_path / "labels.tif", tmp_path / "study"
    tifffile.imwrite(image, scans[0])
    tifffile.imwrite(labels, scans[1])
    window = made[0].record["window"]
    command = ["segment", "study", str(image), str(labels), "-o", str(output), "--slices", "1"]
    assert main([*command, "--window", str(window["low"]), str(window["high"])]) == 0
    expected = made[0].table.query("slice == 1")
    np.testing.assert_allclose(pd.read_csv(output / "table.csv")["f1"], expected["f1"], rtol=1e-5)
    printed = capsys.readouterr().out
    assert "SROCC f1" in printed
    assert json.loads((output / "record.json").read_text())["sentence"] in printed
    assert main(command) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main([*command, "--overwrite", "--value", "9"]) == 2
    assert "no class 9" in capsys.readouterr().err
