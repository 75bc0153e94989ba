"""The two stages: the paper's losses, and a network that learns an order and a scale."""

import keras
import numpy as np
import pytest

from napari_tiqa.errors import TrainingError
from napari_tiqa.learning.images.groups import distortion_group
from napari_tiqa.learning.measures.measures import evaluate, plcc, srocc
from napari_tiqa.learning.training.losses import LabelRegression, PairRanking, targets
from napari_tiqa.learning.training.stages import Draw, _some_images, rank, regress
from napari_tiqa.scoring.backbone import build_network, load_imagenet
from napari_tiqa.volumes.simulation.microstructures import KINDS, microstructure


@pytest.fixture(scope="module")
def groups():
    made = [
        distortion_group(kind, 0.1 + 0.8 * microstructure(kind, (224, 224), seed=5), seed)
        for seed, kind in enumerate(KINDS[:6])
    ]
    return [group.with_labels(5 - 0.8 * group.levels) for group in made]


@pytest.fixture
def network():
    keras.utils.set_random_seed(0)
    network = build_network(head_units=32)
    load_imagenet(network)
    return network


def test_ranking_loss_has_the_papers_value(groups):
    # six images with scores 5, 4, 3, 2, 1, 0 from best to worst: 15 pairs, margin 6
    six = groups[0].subset(np.arange(6))
    outputs = np.zeros((6, 7), np.float32)
    outputs[:, 0] = [5, 4, 3, 2, 1, 0]
    pairs, scores = targets([six]), outputs
    assert float(PairRanking(6.0)(pairs, scores)) == pytest.approx(3.6667, abs=1e-4)


def test_regression_counts_only_labelled_images(groups):
    known = targets([groups[0].with_labels([5.0, 1.0] + [np.nan] * 14)])
    outputs = np.tile(np.float32([4, 0, 4, 0, 0, 0, 0]), (16, 1))  # 4 points lost to blur
    # blur: none lost in the reference, 4 lost in the other
    assert float(LabelRegression(artefact_weight=1)(known, outputs)) == pytest.approx((1 + 9) / 2 + 16 / 2)


def test_pairs_are_never_made_across_groups(groups):
    two = targets(groups[:2])
    assert two[:16, :16].sum() == two[16:, 16:32].sum() == 45
    assert two[:16, 16:32].sum() == two[16:, :16].sum() == 0


def test_a_step_draws_the_reference_and_whole_families(groups):
    for seed in range(5):
        drawn = _some_images(groups[0], 8, np.random.default_rng(seed))
        assert drawn.families[0] == ""
        assert sorted(map(drawn.families.count, set(drawn.families))) == [1, 2, 5]


def test_a_training_that_goes_on_ends_as_one_that_was_never_interrupted(groups, network):
    first_weights, after = [weights.copy() for weights in network.get_weights()], {}

    def keep(epoch, loss, optimizer):
        after[epoch] = (
            network.get_weights(),
            [np.asarray(v) for v in optimizer.variables],
        )

    rank(network, groups, epochs=2, learning_rate=1e-4, draw=Draw(2, 4), after_epoch=keep)
    whole = network.get_weights()
    assert not np.allclose(whole[0], first_weights[0], atol=1e-6)
    weights, state = after[1]
    network.set_weights(weights)
    rank(network, groups, epochs=2, learning_rate=1e-4, draw=Draw(2, 4), start=1, optimizer_state=state)
    for again, once in zip(network.get_weights(), whole, strict=True):
        np.testing.assert_allclose(again, once, atol=1e-5)


def test_two_stages_learn_order_and_scale(network, groups):
    losses = {"ranking": [], "regression": []}

    def note(stage):
        return lambda epoch, loss, optimizer: losses[stage].append(loss)

    rank(network, groups, epochs=3, learning_rate=2e-4, after_epoch=note("ranking"))
    regress(network, groups, epochs=3, learning_rate=2e-4, after_epoch=note("regression"))
    assert losses["ranking"][-1] < 0.9 * losses["ranking"][0]
    assert losses["regression"][-1] < losses["regression"][0]
    scores = [network.predict_on_batch(group.images[..., None] / np.float32(255))[:, 0] for group in groups]
    table = evaluate(groups, scores).set_index("family")
    assert table.loc["noise", "within"] > 0.8
    assert table.loc["all distortions", "rmse"] < 1.3


def test_what_a_report_raises_ends_the_training(network, groups):
    def stop(epoch, loss, optimizer):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        rank(network, groups, epochs=50, after_epoch=stop)


def test_too_few_originals_are_refused(network, groups):
    with pytest.raises(TrainingError, match="4 originals are too few"):
        rank(network, groups[:4])


def test_regression_without_labels_is_refused(network, groups):
    with pytest.raises(TrainingError, match="label"):
        regress(network, [group.with_labels(np.full(16, np.nan)) for group in groups])


def test_a_diverging_training_says_so(network, groups):
    with pytest.raises(TrainingError, match="learning rate"):
        rank(network, groups, epochs=2, learning_rate=1e30)


def test_srocc_with_ties_and_plcc():
    assert srocc(np.array([1, 2, 3, 4]), np.array([1, 2, 5, 3])) == pytest.approx(0.8)
    assert plcc(np.array([1, 2, 3, 4]), np.array([1, 2, 3, 5])) == pytest.approx(0.982708, abs=1e-6)


def test_perfect_scores_are_judged_perfect_and_reversed_ones_not(groups):
    right = evaluate(groups, [group.labels for group in groups]).set_index("family")
    wrong = evaluate(groups, [-group.labels for group in groups]).set_index("family")
    assert right.loc["ring", ["within", "worst", "srocc", "plcc", "rmse"]].tolist() == [1, 1, 1, 1, 0]
    assert wrong.loc["blur", "within"] == -1
    assert np.isnan(right.loc["all distortions", "within"])


def test_groups_of_any_size_are_trained_together(groups, network):
    sizes = [group.subset(np.arange(size)) for group, size in zip(groups, (16, 6, 3, 16, 2, 1), strict=True)]
    rank(network, sizes, epochs=1, draw=Draw(2, 8))
    regress(network, sizes, epochs=1, draw=Draw(2, 8))
    assert np.isfinite(network.get_weights()[0]).all()
