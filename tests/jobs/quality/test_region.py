"""Score, map and figures of a region: nothing outside has a part in them, a whole slice is not a region."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_tiqa import measure_volume, score_image, score_map, score_volume
from napari_tiqa.cli import main
from napari_tiqa.errors import VolumeError
from napari_tiqa.jobs.quality.score import score_overview_first
from napari_tiqa.physics.figures import FIGURES
from napari_tiqa.scoring.table import read_scores
from napari_tiqa.volumes.simulation.microstructures import microstructure

COLUMNS = ["score", "uncertainty", "ring", "overview", "scale"]


@pytest.fixture(scope="module")
def foam() -> np.ndarray:
    """Return two slices of foam with noise, shape (2, 500, 520), uint16."""
    clean = microstructure("foam", (500, 520), 3)
    noise = np.random.default_rng(0).standard_normal((2, 500, 520))
    return (10_000 + 20_000 * clean + 2_000 * noise).clip(0, 65_535).astype(np.uint16)


@pytest.fixture(scope="module")
def blob() -> np.ndarray:
    y, x = np.mgrid[:500, :520]
    return ((y - 250) / 200) ** 2 + ((x - 230) / 160) ** 2 < 1


def elsewhere(foam: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return the volume with other pixels outside."""
    other = np.random.default_rng(9).integers(0, 65_535, foam.shape, np.uint16)
    return np.where(inside, foam, other)


@pytest.mark.parametrize("view", ["pyramid", "overview", "native"])
def test_nothing_outside_has_a_part_in_the_score(
    view: str, foam: np.ndarray, blob: np.ndarray, untrained_model: Path
) -> None:
    tables = [
        score_volume(volume, model=untrained_model, view=view, region=blob)
        for volume in (foam, elsewhere(foam, blob))
    ]
    np.testing.assert_array_equal(tables[0][COLUMNS], tables[1][COLUMNS])
    assert tables[0]["score"].between(1, 5).all()
    assert tables[0].attrs["window"] == tables[1].attrs["window"]
    assert tables[0].attrs["region"]["name"] == "mask"
    assert 0.3 < tables[0].attrs["region"]["share"] < 0.45
    whole = score_volume(foam, model=untrained_model, view=view)
    assert (whole["score"] != tables[0]["score"]).all()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_mask_of_the_volume_and_of_the_slices_are_the_same(axis: int, untrained_model: Path) -> None:
    rng = np.random.default_rng(0)
    block = np.sin(np.arange(60) / 3) + rng.normal(0, 0.3, (60, 60, 60))
    flat = np.zeros((60, 60), bool)
    flat[8:55, 10:50] = True
    full = np.broadcast_to(np.expand_dims(flat, axis), block.shape)
    asked = {"axis": axis, "slices": [5, 30], "model": untrained_model}
    first, second = (score_volume(block, region=mask, **asked) for mask in (flat, full.astype(np.uint8)))
    np.testing.assert_array_equal(first[COLUMNS], second[COLUMNS])
    # A rectangle is a slice of its own.
    cut = tuple(slice(None) if a == axis else s for a, s in enumerate(box_of(axis)))
    window = tuple(first.attrs["window"][end] for end in ("low", "high"))
    alone = score_volume(block[cut].astype(np.float64), window=window, **asked)
    np.testing.assert_allclose(first["score"], alone["score"], atol=1e-4)


def box_of(axis: int) -> list[slice]:
    box = [slice(8, 55), slice(10, 50)]
    box.insert(axis, slice(None))
    return box


@pytest.mark.parametrize("view", ["overview", "native"])
def test_an_image_has_regions_too(
    view: str, foam: np.ndarray, blob: np.ndarray, untrained_model: Path
) -> None:
    asked = {"model": untrained_model, "view": view, "region": blob}
    image = score_image(foam[0], **asked)
    assert image == score_image(elsewhere(foam, blob)[0], **asked)
    assert image == pytest.approx(score_volume(foam[:1].repeat(3, 0), **asked)["score"][1], abs=1e-4)
    assert 1 <= score_image(foam[0], **(asked | {"region": "circle"})) <= 5


def test_a_whole_slice_is_no_region(foam: np.ndarray, untrained_model: Path) -> None:
    asked = {"slices": [0], "model": untrained_model}
    whole, all_inside = (
        score_volume(foam, region=region, **asked) for region in (None, np.ones((500, 520), bool))
    )
    np.testing.assert_array_equal(whole[COLUMNS], all_inside[COLUMNS])
    assert "region" not in all_inside.attrs
    assert whole.attrs["window"] == all_inside.attrs["window"]


def test_the_circle_leaves_corners_and_padding_out(foam: np.ndarray, untrained_model: Path) -> None:
    y, x = np.mgrid[:500, :520]
    radius = np.hypot(y - 249.5, x - 259.5)
    padded = np.where(radius < 240, foam, 0)  # a little inside the inscribed circle
    corners = np.where(radius > 250, 40_000, padded)
    tables = [
        score_overview_first(volume, region="circle", model=untrained_model) for volume in (padded, corners)
    ]
    np.testing.assert_array_equal(tables[0][COLUMNS], tables[1][COLUMNS])
    assert tables[0].attrs["window"]["low"] > 0  # the padding has no part in it
    assert tables[0].attrs["region"]["name"] == "reconstruction circle"
    thicker = np.repeat(padded, 2, axis=0)
    across = score_volume(thicker, region="circle", axis=2, slices=[5, 12, 260], model=untrained_model)
    assert across["reason"].tolist()[:2] == ["outside the region", "only 280 pixels of it in the region"]
    assert across["score"].isna().tolist() == [True, True, False]


def test_a_map_is_empty_outside_and_knows_nothing_of_it(
    foam: np.ndarray, blob: np.ndarray, untrained_model: Path
) -> None:
    maps = [
        score_map(volume, 1, region=blob, model=untrained_model, stride=56)
        for volume in (foam, elsewhere(foam, blob))
    ]
    np.testing.assert_array_equal(maps[0].map, maps[1].map)
    assert maps[0].map.shape == blob.shape
    assert not np.isfinite(maps[0].map[~blob]).any()
    assert np.isfinite(maps[0].map[blob]).mean() > 0.9
    assert (maps[0].corners.min(0) >= (50, 70)).all()
    assert maps[0].sentence() == maps[1].sentence()


def test_figures_of_a_region_are_its_own(foam: np.ndarray, blob: np.ndarray) -> None:
    noisy = foam.astype(np.float32)
    noisy[:, ~blob] += 20_000 * np.random.default_rng(1).standard_normal((2, int((~blob).sum())))
    table, other = (measure_volume(volume, region=blob) for volume in (noisy, elsewhere(foam, blob) * 1.0))
    np.testing.assert_allclose(table[list(FIGURES)], other[list(FIGURES)], rtol=1e-6)
    np.testing.assert_allclose(table["noise_level"], 2000, rtol=0.1)
    clean = measure_volume(foam)
    np.testing.assert_allclose(table["resolution"], clean["resolution"], rtol=0.1)
    np.testing.assert_allclose(table["edge_width"], clean["edge_width"], rtol=0.1)
    assert table.attrs["region"]["name"] == "mask"


def test_a_region_that_says_nothing_is_refused_in_one_sentence(
    foam: np.ndarray, untrained_model: Path
) -> None:
    small = np.zeros((500, 520), bool)
    small[10:30, 10:30] = True
    with pytest.raises(VolumeError, match=r"'mask' has 400 pixels, too few .*at least 32 x 32 px"):
        score_image(foam[0], region=small, model=untrained_model)
    with pytest.raises(VolumeError, match=r"has the shape \(20, 20\), but 'array' has \(2, 500, 520\)"):
        measure_volume(foam, region=small[:20, :20])
    in_one = np.zeros(foam.shape, np.uint8)
    in_one[1, 100:400, 100:400] = 3
    table = score_volume(foam, region=in_one, model=untrained_model)
    assert table["reason"].tolist() == ["outside the region", ""]
    assert measure_volume(foam, region=in_one)["noise_level"].isna().tolist() == [True, False]
    with pytest.raises(VolumeError, match="holds nothing to map: outside the region"):
        score_map(foam, 0, region=in_one, model=untrained_model)


def test_the_shell_takes_the_circle_and_label_images(
    foam: np.ndarray, blob: np.ndarray, untrained_model: Path, tmp_path: Path
) -> None:
    scan, labels, scores = (tmp_path / name for name in ("scan.tif", "phases.tif", "scores.csv"))
    tifffile.imwrite(scan, foam)
    tifffile.imwrite(labels, 4 * blob.astype(np.uint8))
    words = ["score", str(scan), "--model", str(untrained_model), "-o", str(scores)]
    assert main([*words, "--region", str(labels)]) == 0
    table = read_scores(scores)
    assert table.attrs["region"]["name"] == "phases"
    expected = score_volume(foam, region=blob, model=untrained_model)
    np.testing.assert_allclose(table["score"], expected["score"], atol=1e-4)
    assert main([*words, "--region", "circle", "--overwrite"]) == 0
    assert read_scores(scores).attrs["region"]["name"] == "reconstruction circle"
