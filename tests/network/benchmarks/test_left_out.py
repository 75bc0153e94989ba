"""What the score is judged by: faults as visible at any size, scans that exist, a file read as written."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.left_out import concentric, generators, pairs, scanner, views
from benchmarks.left_out.cases import WINDOW, case
from benchmarks.left_out.content import Content
from models import left_out as files
from models.label_scale import label_scale
from models.specimens import SCANS
from napari_tiqa.learning.images.groups import FAMILIES
from napari_tiqa.scoring.network_input import prepare_slice
from napari_tiqa.scoring.scale import ARTEFACTS

EVERY = (*generators.PAPER, *generators.OTHERS, *generators.AT_NATIVE_SIZE)


@pytest.fixture(scope="module")
def slice_() -> np.ndarray:
    return concentric.concentric_slice("tubes", 512, 3)


def seen(plane: np.ndarray) -> np.ndarray:
    return prepare_slice(plane, WINDOW).tiles[0]


@pytest.mark.parametrize("generator", EVERY, ids=lambda one: one.name)
def test_each_level_is_further_from_the_slice(generator: generators.Generator, slice_: np.ndarray) -> None:
    versions = generator.versions(slice_, np.random.default_rng(0))
    far = [float(np.sqrt(np.mean((version - slice_) ** 2))) for version in versions]
    assert len(versions) == 5
    assert all(version.shape == slice_.shape for version in versions)
    assert np.all(np.diff([0, *far]) > 0)
    assert generator.family in FAMILIES


@pytest.mark.parametrize("generator", [*generators.PAPER, *generators.OTHERS], ids=lambda one: one.name)
def test_a_fault_is_as_visible_whatever_the_size_it_was_made_at(
    generator: generators.Generator, slice_: np.ndarray
) -> None:
    def damage(side: int) -> float:
        image = Content("", slice_, True).at(side)
        assert image is not None
        version = generator.versions(image, np.random.default_rng(1))[2]
        return float(np.sqrt(np.mean((seen(image) - seen(version)) ** 2)))

    assert damage(512) == pytest.approx(damage(256), rel=0.35)


def test_a_slice_is_not_enlarged_much(slice_: np.ndarray) -> None:
    assert Content("", slice_, True).at(640) is not None
    assert Content("", slice_, True).at(700) is None


@pytest.mark.slow
def test_a_scan_without_fault_shows_the_slice_and_faults_grow(slice_: np.ndarray) -> None:
    image = scanner.in_circle(slice_)
    made = {one.family: one for one in scanner.scans(image, np.random.default_rng(2), "hann", 250)}
    assert set(made) == set(scanner.LEVELS) <= set(FAMILIES)
    for family, scanned in made.items():
        if family not in ("metal", "truncation"):
            assert np.corrcoef(scanned.reference.ravel(), image.ravel())[0, 1] > 0.97
        far = [float(np.mean((version - scanned.reference) ** 2)) for version in scanned.versions]
        assert np.all(np.diff([0, *far]) > 0), family


def test_labels_fall_within_each_generator_and_finer_levels_are_tiles_too(slice_: np.ndarray) -> None:
    versions = generators.PAPER[1].versions(slice_, np.random.default_rng(4))
    made = case(
        "paper",
        "specimen",
        True,
        [slice_, *versions],
        ["", *["noise"] * 5],
        range(6),
        generators=["", *["paper noise"] * 5],
        scale=label_scale(),
        finer=True,
    )
    labels = made.rows["label"].to_numpy()
    assert labels[0] == 5
    assert np.all(np.diff(labels) < 0)
    assert sorted(set(made.factor)) == [0, 1]
    assert len(made.tiles) == len(made.version) == len(made.factor)
    assert [np.sum((made.version == i) & (made.factor == 0)) for i in range(6)] == [1] * 6


def test_scans_that_are_named_are_known() -> None:
    specimen = {scan.path: scan.specimen for scan in SCANS}
    for pair in pairs.PAIRS:
        assert specimen[pair.better] == specimen[pair.worse]
    clean = {scan.path for scan in SCANS if scan.clean}
    assert set(pairs.STRONG_FAULTS) <= set(specimen) - clean
    assert set(pairs.NOISE_AGAINST_BLUR) <= set(specimen)


def test_scores_are_read_as_they_were_written_and_combined(tmp_path) -> None:
    row = {"test": "paper", "clean": True, "generator": "", "size": 640, "novelty": 0.1}
    rng = np.random.default_rng(0)
    raw = rng.uniform(1, 5, 200)
    table = pd.DataFrame(
        [
            row
            | {
                "original": i // 2,
                "specimen": f"s{i % 4}",
                "family": "noise" if i % 2 else "",
                "level": i % 2,
                "label": value,
                "score": value,
                "levels": "" if i % 3 else "1:1.50 2:4.00",
            }
            | dict.fromkeys(ARTEFACTS, (5 - value) / len(ARTEFACTS))
            for i, value in enumerate(raw)
        ]
    )
    files.write(table, tmp_path / "scores.csv")
    read = files.read(tmp_path / "scores.csv")
    assert read["clean"].all()
    assert read["levels"].tolist() == table["levels"].tolist()
    np.testing.assert_allclose(read["score"], table["score"], atol=6e-4)
    shown = views.with_views(read)
    # The labels are the raw scores: the scale that the others teach leaves them.
    np.testing.assert_allclose(shown["score"], raw, atol=0.02)
    np.testing.assert_allclose(shown[list(ARTEFACTS)].sum(axis=1), 5 - shown["score"], atol=0.05)
    several = shown["levels"] != ""
    np.testing.assert_allclose(shown.loc[several, "native"], 1.5, atol=0.02)
    assert (shown.loc[several, "minimum"] <= 1.52).all()
    assert (shown.loc[several, "pyramid"] < shown.loc[several, "mean"]).all()
    np.testing.assert_allclose(shown.loc[~several, "pyramid"], shown.loc[~several, "score"])
