"""Metrics of an evaluation: published check values, ties, what is pooled with what, intervals."""

from dataclasses import replace

import numpy as np
import pytest

from napari_tiqa.learning.images.groups import Group
from napari_tiqa.learning.measures.krasula import Krasula, RatedPairs
from napari_tiqa.learning.measures.measures import evaluate, krocc, order_within_specimens, plcc, rmse, srocc

PAPER = [("", 0), *((family, level) for family in ("blur", "noise", "ring") for level in range(1, 6))]


def group(specimen: str, labels: np.ndarray, names: list[tuple[str, int]] = PAPER) -> Group:
    families, levels = zip(*names, strict=True)
    return Group(specimen, np.zeros((len(names), 1, 1), np.uint8), families, np.array(levels), labels)


@pytest.fixture
def judged() -> tuple[list[Group], list[np.ndarray]]:
    """Eight originals of four specimens, labels falling with the level, and scores that are half noise."""
    rng = np.random.default_rng(0)
    groups, scores = [], []
    for number in range(8):
        labels = np.array([5 - 0.7 * level for _, level in PAPER]) + rng.normal(0, 0.2, len(PAPER))
        groups.append(group(f"specimen {number % 4}", labels))
        scores.append(labels + rng.normal(0, 1, len(PAPER)))
    return groups, scores


def test_correlations_have_their_published_values() -> None:
    assert srocc(np.array([1, 2, 3, 4]), np.array([1, 2, 5, 3])) == pytest.approx(0.8)
    assert plcc(np.array([1, 2, 3, 4]), np.array([1, 2, 3, 5])) == pytest.approx(0.982708, abs=1e-6)
    assert rmse(np.array([1.0, 2]), np.array([4.0, 6])) == pytest.approx(np.sqrt(12.5))
    # 4 concordant pairs, 1 discordant, 1 tied in x: (4 - 1) / sqrt(5 * 6)
    assert krocc(np.array([1, 1, 2, 3]), np.array([1, 2, 4, 3])) == pytest.approx(3 / np.sqrt(30))


def test_ties_get_mid_ranks() -> None:
    x, y = np.array([1, 1, 2, 3]), np.array([1, 2, 3, 4])
    assert srocc(x, y) == pytest.approx(plcc(np.array([1.5, 1.5, 3, 4]), y))


def test_a_constant_score_has_found_no_order() -> None:
    constant, y = np.full(4, 3.0), np.arange(4.0)
    assert srocc(constant, y) == plcc(constant, y) == krocc(constant, y) == 0


def test_krasula_check_case() -> None:
    ratings = np.random.RandomState(0).normal(0, 1, (4, 10)) + np.array([[1], [2], [3], [4]])
    pairs = RatedPairs.from_ratings(ratings)
    assert (np.abs(pairs.z) > 2).sum() == 3
    found = Krasula(pairs, np.array([1.5, 1.2, 3.4, 3.1])).statistics()
    assert found == {"auc_ds": pytest.approx(2 / 3), "auc_bw": 1, "cc_0": 1}


def test_krasula_counts_an_image_drawn_twice_as_two() -> None:
    rng = np.random.default_rng(0)
    ratings = rng.normal(0, 1, (5, 10)) + np.arange(5)[:, None]
    scores = rng.random(5)
    twice = [0, 1, 1, 2, 3, 4]
    found = Krasula(RatedPairs.from_ratings(ratings), scores).statistics(np.array([1, 2, 1, 1, 1]))
    pairs = RatedPairs.from_ratings(ratings[twice])
    apart = (pairs.first != 1) | (pairs.second != 2)  # an image is never compared with itself
    written_out = RatedPairs(pairs.first[apart], pairs.second[apart], pairs.z[apart])
    assert found == pytest.approx(Krasula(written_out, scores[twice]).statistics())


def test_krasula_needs_raters() -> None:
    one_rater = RatedPairs.from_ratings(np.array([[1.0], [5], [3]]))
    assert np.isnan(list(Krasula(one_rater, np.arange(3.0)).statistics().values())).all()
    agreed = RatedPairs.from_ratings(np.array([[1.0, 1], [5, 5], [5, 5]]))
    assert Krasula(agreed, np.array([1.0, 2, 2])).statistics() == {"auc_ds": 1, "auc_bw": 1, "cc_0": 1}


def test_order_within_leaves_out_blur_that_is_a_grey_cloud() -> None:
    wrong_clouds = np.array([5 - 0.1 * level for _, level in PAPER])
    wrong_clouds[[4, 5]] = 4.95, 4.99
    order = order_within_specimens([group("a", np.full(16, np.nan))], [wrong_clouds])
    assert order.loc["a"].to_dict() == {"blur": 1, "noise": 1, "ring": 1}


def test_families_are_judged_with_their_reference_and_pooled_once(
    judged: tuple[list[Group], list[np.ndarray]],
) -> None:
    groups, scores = judged
    faults = [("", 0), ("gain rings", 1), ("gain rings", 2)]
    groups, scores = (
        [*groups, group("scanned", np.array([5.0, 4, 3]), faults)],
        [*scores, np.array([5.0, 3, 4])],
    )
    table = evaluate(groups, scores).set_index("family")
    assert table["images"].to_dict() == {
        "blur": 48,
        "noise": 48,
        "ring": 48,
        "gain rings": 3,
        "all distortions": 128,
    }
    assert table.loc["gain rings", "srocc"] == pytest.approx(0.5)
    assert table.loc["gain rings", "originals"] == table.loc["gain rings", "specimens"] == 1
    labels = np.concatenate([one.labels for one in groups[:8]])
    assert table.loc["all distortions", "srocc"] == pytest.approx(srocc(np.concatenate(scores[:8]), labels))
    worst = order_within_specimens(groups, scores)["ring"].min()
    assert table.loc["ring", "worst"] == worst < table.loc["ring", "within"]


def test_rated_images_without_any_distortion_are_judged_as_one_pool() -> None:
    groups = [group(f"slice {n}", np.array([float(n)]), [("", 0)]) for n in range(1, 6)]
    table = evaluate(groups, [np.array([float(n)]) for n in (1, 2, 3, 5, 4)], resamples=50)
    assert table["family"].tolist() == ["all images"]
    assert table["srocc"].item() == pytest.approx(0.9)
    assert np.isnan(table["within"].item())
    assert table["srocc_low"].item() < 0.9 <= table["srocc_high"].item()


def test_images_without_a_label_count_only_for_the_order() -> None:
    labels = np.array([5 - 0.7 * level for _, level in PAPER])
    groups = [group("rated", labels), group("not rated", np.full(16, np.nan))]
    table = evaluate(groups, [labels, labels[::-1]], resamples=20).set_index("family")
    assert table["srocc"].to_numpy() == pytest.approx(1)
    assert (table["rmse"] == 0).all()
    assert table.loc["noise", "within"] < 1


def test_intervals_are_over_originals_and_repeat(judged: tuple[list[Group], list[np.ndarray]]) -> None:
    groups, scores = judged
    table = evaluate(groups, scores, resamples=200, seed=3).set_index("family")
    again = evaluate(groups, scores, resamples=200, seed=3).set_index("family")
    assert table.equals(again)
    for metric in ("within", "srocc", "plcc", "krocc", "rmse"):
        family = table.drop("all distortions") if metric == "within" else table
        assert (family[f"{metric}_low"] < family[metric]).all()
        assert (family[metric] < family[f"{metric}_high"]).all()
    # The same images once more are no new originals, so the interval must not shrink.
    copies = [
        replace(
            one,
            images=np.tile(one.images, (2, 1, 1)),
            families=one.families * 2,
            levels=np.tile(one.levels, 2),
            labels=np.tile(one.labels, 2),
        )
        for one in groups
    ]
    copied = evaluate(copies, [np.tile(s, 2) for s in scores], resamples=200, seed=3).set_index("family")
    width = table["plcc_high"] - table["plcc_low"]
    assert (copied["plcc_high"] - copied["plcc_low"]).to_numpy() == pytest.approx(width.to_numpy())


def test_one_original_has_no_interval() -> None:
    labels = np.array([5 - 0.7 * level for _, level in PAPER])
    table = evaluate([group("only", labels)], [labels], resamples=20)
    assert table.filter(regex="_(low|high)$").isna().all(axis=None)
