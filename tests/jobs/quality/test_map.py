"""The quality map of a slice: low where quality is lost, smooth, NaN outside, one sentence where it fails."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_tiqa import score_volume
from napari_tiqa.errors import Cancelled, VolumeError
from napari_tiqa.jobs.quality.map import MapProgress, score_map
from napari_tiqa.scoring.quality_map import blend, overlapping_starts
from napari_tiqa.scoring.sentence import score_sentence


@pytest.fixture(scope="module")
def half_noisy() -> np.ndarray:
    """Return two slices whose right half is noisier than the left, shape (2, 448, 600), float32."""
    noise = np.random.default_rng(0).random((2, 448, 600), np.float32) - 0.5
    shading = 0.5 + 0.03 * np.sin(np.arange(448, dtype="f4") / 8)[:, None]  # noise alone is not mapped
    return shading + noise * np.where(np.arange(600) < 300, 0.1, 1).astype("f4")


def test_tiles_cover_a_side_from_end_to_end() -> None:
    assert overlapping_starts(224, 112).tolist() == overlapping_starts(100, 112).tolist() == [0]
    for side, stride in ((225, 112), (448, 112), (1000, 224), (1000, 7)):
        starts = overlapping_starts(side, stride)
        assert (starts[0], starts[-1] + 224) == (0, side)
        assert np.diff(starts).max() <= stride


def test_a_blend_has_the_tiles_scores_and_no_seams() -> None:
    plane = np.random.default_rng(0).random((224, 672))
    columns = overlapping_starts(672, 112)
    scores = np.array([[2.0, 2, 2, 4, np.nan]])
    blended = blend(plane, scores, np.array([0]), columns)
    assert blended.dtype == np.float32
    np.testing.assert_allclose(blended[:, :224], 2, rtol=1e-6)
    assert blended[100, 400] > 3  # mostly the fourth tile's
    np.testing.assert_allclose(blended[:, 450:560], 4, rtol=1e-6)
    assert np.isnan(blended[:, 560:]).all()  # where only the tile lies that does not count
    assert np.nanmax(np.abs(np.diff(blended, axis=1))) < 0.05


def test_the_map_shows_where_quality_is_lost(half_noisy: np.ndarray, untrained_model: Path) -> None:
    steps: list[MapProgress] = []
    result = score_map(
        half_noisy, -1, axis=0, model=untrained_model, window=(0, 1), stride=56, progress=steps.append
    )
    assert result.map.shape == (448, 600)
    assert np.isfinite(result.map).all()
    left, right = result.map[:, :180].mean(), result.map[:, -180:].mean()
    assert abs(left - right) > 0.05
    in_table = [
        score_volume(half_noisy[1:, 100:324, side], model=untrained_model, window=(0, 1))["score"][0]
        for side in (slice(0, 224), slice(376, 600))
    ]
    assert (left < right) == (in_table[0] < in_table[1])
    assert result.mean == pytest.approx(result.values[:, 0].mean())
    assert result.record["slice"] == 1
    assert (steps[-1].done, steps[-1].seconds_left) == (len(result.values), 0)


def test_map_and_slice_score_agree(untrained_model: Path) -> None:
    noise = gaussian_filter(np.random.default_rng(1).random((672, 672), np.float32), 3)
    noise = np.clip(0.5 + 5 * (noise - 0.5), 0, 1)
    result = score_map(noise, model=untrained_model, window=(0, 1))
    row = score_volume(noise, model=untrained_model, window=(0, 1)).iloc[0]
    native = score_volume(noise, model=untrained_model, window=(0, 1), view="native")["score"][0]
    assert result.mean == pytest.approx(native, abs=0.1)  # of more tiles of the same noise
    assert np.nanmean(result.map) == pytest.approx(native, abs=0.1)
    assert abs(row["overview"] - native) > 0.3  # so that agreeing means something
    np.testing.assert_allclose(result.slice_row[:-1], row.tolist()[:-1], atol=2e-4)
    # They differ, and the sentence says why.
    said = f"; the slice's score is {score_sentence(result.slice_row)}. It counts every scale, the lowest"
    assert said in result.sentence()
    assert f"{result.levels[1][0]:.1f} at full size (in 3 tiles), " in result.sentence()
    even = replace(result, slice_row=result.slice_row._replace(score=result.mean))
    assert even.sentence().endswith(f", as the slice's score, {score_sentence(even.slice_row)}")
    # Where the tiles of the map are those of the slice, they agree to rounding.
    apart = score_map(noise, model=untrained_model, window=(0, 1), stride=224)
    assert apart.mean == pytest.approx(native, abs=2e-4)


def test_a_tile_has_the_score_of_its_pixels(half_noisy: np.ndarray, untrained_model: Path) -> None:
    result = score_map(half_noisy, model=untrained_model, window=(0, 1), stride=224)
    row, column = result.corners[-1]
    tile = half_noisy[0, row : row + 224, column : column + 224]
    alone = score_volume(tile, model=untrained_model, window=(0, 1))
    assert result.values[-1, 0] == pytest.approx(alone["score"][0], abs=2e-4)


def test_outside_the_reconstruction_there_is_no_quality(
    half_noisy: np.ndarray, untrained_model: Path
) -> None:
    y, x = np.mgrid[:448, :600]
    masked = np.where(np.hypot(y - 223.5, x - 299.5) < 220, half_noisy[0], np.nan)
    result = score_map(masked, model=untrained_model, window=(0, 1))
    outside = np.isnan(result.map)
    assert outside[0, 0]
    assert outside[:, :70].all()
    assert not outside[223, 299]


def test_a_slice_smaller_than_a_tile_has_one_score(half_noisy: np.ndarray, untrained_model: Path) -> None:
    small = half_noisy[0, :101, 250:400]
    result = score_map(small, model=untrained_model, window=(0, 1))
    assert result.map.shape == small.shape
    score = score_volume(small, model=untrained_model, window=(0, 1))["score"][0]
    np.testing.assert_allclose(result.map, score, atol=1e-3)
    assert result.corners.tolist() == [[-61, -37]]


def test_along_another_axis_the_map_has_that_planes_shape(
    half_noisy: np.ndarray, untrained_model: Path
) -> None:
    volume = np.tile(half_noisy, (2, 1, 1))
    assert score_map(volume, 7, axis=2, model=untrained_model, window=(0, 1)).map.shape == (4, 448)


@pytest.mark.parametrize(
    ("plane", "index", "stride", "sentence"),
    [
        (np.full((300, 300), 0.5), 0, 112, "constant"),
        (np.full((300, 300), np.nan), 0, 112, "no finite pixel"),
        (np.eye(300), 1, 112, "no slice 1"),
        (np.eye(300), -2, 112, "no slice -2"),
        (np.eye(300), 0, 0, "stride"),
        (np.eye(300), 0, 225, "stride"),
    ],
)
def test_what_cannot_be_mapped_is_one_sentence(
    plane: np.ndarray, index: int, stride: int, sentence: str, untrained_model: Path
) -> None:
    with pytest.raises(VolumeError, match=sentence):
        score_map(plane, index, model=untrained_model, window=(0, 1), stride=stride)


def test_a_map_can_be_cancelled_and_the_next_works(half_noisy: np.ndarray, untrained_model: Path) -> None:
    cancel = threading.Event()
    with pytest.raises(Cancelled):
        score_map(
            half_noisy,
            model=untrained_model,
            window=(0, 1),
            stride=8,
            progress=lambda _: cancel.set(),
            cancel=cancel,
        )
    assert np.isfinite(score_map(half_noisy, model=untrained_model, window=(0, 1)).mean)
