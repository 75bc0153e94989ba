"""D-LinkNet, its loss, its patches, and what a trained one says of a slice."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow

from models.electrode import RECIPE, train_electrode_model
from napari_tiqa.errors import BundleError, SegmentationError
from napari_tiqa.scoring.bundle import load_card
from napari_tiqa.scoring.predict import load_model
from napari_tiqa.segmentation.agreement import f1_score
from napari_tiqa.segmentation.classes import NOT_LABELLED, Classes, LabelledSlice
from napari_tiqa.segmentation.dlinknet import LabelledPixels, build_dlinknet
from napari_tiqa.segmentation.fitting import fit, new_network
from napari_tiqa.segmentation.network_input import network_image
from napari_tiqa.segmentation.patches import Patches
from napari_tiqa.segmentation.recipe import SegmentationRecipe
from napari_tiqa.segmentation.segmenter import (
    ELECTRODE_MODEL,
    Segmenter,
    load_segmenter,
    save_segmenter,
    segmenter_card,
)
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.simulation.acquisition import Acquisition, acquire
from napari_tiqa.volumes.simulation.microstructures import electrode_phases, microstructure
from napari_tiqa.volumes.window_estimate import estimate_window

CLASSES = Classes((1, 2), ("dark", "bright"))
TINY = SegmentationRecipe(
    encoder="ResNet34", width=0.125, crop=64, batch=4, patches=8, epochs=2, validation_share=0
)
NARROW = SegmentationRecipe(encoder="ResNet34", width=0.125)


@pytest.fixture
def eagerly() -> Iterator[None]:
    """Run steps as they come: a graph of the training takes longer to build than a few steps save."""
    tensorflow.config.run_functions_eagerly(True)
    yield
    tensorflow.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def network() -> keras.Model:
    keras.utils.set_random_seed(1)
    return build_dlinknet(2, 0.125, fine_detail=True)


def disc(side: int = 96) -> LabelledSlice:
    y, x = np.mgrid[:side, :side] - side / 2
    inside = np.hypot(y, x) < side / 4
    noise = np.random.default_rng(0).normal(0, 0.1, (side, side))
    return LabelledSlice((0.3 + 0.4 * inside + noise).astype(np.float32), inside.astype(np.int8))


def test_the_papers_network_has_the_papers_size() -> None:
    network = build_dlinknet(2)
    # D-LinkNet34 of the authors: 31.1 million parameters with three input channels and one class.
    assert network.count_params() == pytest.approx(31.1e6, rel=0.01)
    assert network.output.shape == (None, None, None, 2)


@pytest.mark.parametrize("fine_detail", [False, True])
@pytest.mark.parametrize("encoder", ["ResNet34", "EfficientNet-Lite0"])
def test_each_pixel_of_any_size_gets_logits_of_each_class(encoder: str, fine_detail: bool) -> None:
    network = build_dlinknet(3, 0.125, encoder, fine_detail)  # type: ignore[arg-type]
    assert network(np.zeros((1, 64, 96, 1), np.float32)).shape == (1, 64, 96, 3)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [((1,), "two classes"), ((2, 0.0), "width"), ((2, 1.5), "width"), ((2, 1.0, "VGG"), "no encoder")],
)
def test_no_network_without_sense(arguments: tuple, said: str) -> None:
    with pytest.raises(SegmentationError, match=said):
        build_dlinknet(*arguments)


def test_unlabelled_pixels_cost_nothing() -> None:
    logits = np.random.default_rng(0).normal(size=(1, 8, 8, 2)).astype(np.float32)
    labelled = np.full((1, 8, 8), NOT_LABELLED, np.int8)
    labelled[0, 2, 3], labelled[0, 5, 1] = 0, 1
    other = logits.copy()
    other[labelled == NOT_LABELLED] += 7 * np.random.default_rng(1).normal(size=(62, 2))
    for loss in (LabelledPixels(), LabelledPixels(1.0)):
        assert float(loss(labelled, logits)) == pytest.approx(float(loss(labelled, other)), rel=1e-6)
    assert float(LabelledPixels()(np.full_like(labelled, NOT_LABELLED), logits)) == 0


def test_cross_entropy_and_dice_by_hand() -> None:
    probability = np.array([[[[0.8, 0.2], [0.4, 0.6]]]])
    truth = np.array([[[0, 1]]], np.int8)
    entropy = -(np.log(0.8) + np.log(0.6)) / 2
    dice = [(2 * 0.8 + 1) / (1 + 1.2 + 1), (2 * 0.6 + 1) / (1 + 0.8 + 1)]
    assert float(LabelledPixels()(truth, np.log(probability))) == pytest.approx(entropy, rel=1e-5)
    assert float(LabelledPixels(0.5)(truth, np.log(probability))) == pytest.approx(
        entropy + 0.5 * (1 - np.mean(dice)), rel=1e-5
    )


def test_patches_carry_their_labels_with_them() -> None:
    one = disc()
    exact = LabelledSlice(one.indices.astype(np.float32), one.indices)
    recipe = SegmentationRecipe(crop=64, batch=16, patches=16, contrast=0)
    images, indices = Patches([exact], recipe, np.random.default_rng(3))[0]
    known = indices != NOT_LABELLED
    # Interpolation blurs the border of an image, never that of its labels.
    assert ((images[..., 0] > 0.5) == (indices == 1))[known].mean() > 0.99
    assert (indices == 1).any((1, 2)).mean() > 0.5
    assert not known.all()  # a patch that reaches over the slice's end


def test_patches_follow_the_seed() -> None:
    one = disc()
    recipe = SegmentationRecipe(crop=64, distortions=1)
    first, second = (Patches([one], recipe, np.random.default_rng(5))[0] for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])


def test_half_of_the_patches_keep_the_slices_own_pixels() -> None:
    one = disc()
    recipe = SegmentationRecipe(crop=64, batch=32, patches=32, contrast=0)
    images, _ = Patches([one], recipe, np.random.default_rng(0))[0]
    own = [np.isin(image, one.image).all() for image in images]
    assert 8 <= sum(own) <= 24


def test_it_learns_to_tell_bright_from_dark() -> None:
    keras.utils.set_random_seed(0)
    recipe = SegmentationRecipe(
        crop=64, batch=4, patches=16, epochs=6, learning_rate=3e-3, contrast=0, validation_share=0
    )
    network = new_network(2, recipe)
    losses: list[float] = []
    one = disc()
    fit(network, [one], recipe, after_epoch=lambda epoch, loss, optimizer: losses.append(loss))
    found = Segmenter(network, CLASSES).probabilities(one.image).argmax(0)
    assert losses[-1] < losses[0] / 2
    assert (found == one.indices).mean() > 0.9


@pytest.mark.filterwarnings("ignore:Even though the")
def test_a_training_goes_on_as_if_it_had_not_stopped(eagerly: None) -> None:
    def trained(stop: int | None) -> list[np.ndarray]:
        keras.utils.set_random_seed(0)
        network = build_dlinknet(2, 0.125)
        kept: list[list[np.ndarray]] = []

        def after_epoch(epoch: int, loss: float, optimizer: keras.optimizers.Optimizer) -> None:
            kept.append([np.asarray(variable) for variable in optimizer.variables])
            if epoch == stop:
                raise InterruptedError

        try:
            fit(network, [disc()], TINY, after_epoch=after_epoch)
        except InterruptedError:
            weights = network.get_weights()
            network = build_dlinknet(2, 0.125)
            network.set_weights(weights)
            fit(network, [disc()], TINY, start=1, optimizer_state=kept[0])
        return network.get_weights()

    for whole, resumed in zip(trained(None), trained(1), strict=True):
        np.testing.assert_allclose(whole, resumed, rtol=1e-4, atol=1e-6)


def test_nothing_labelled_nothing_learned(network: keras.Model) -> None:
    empty = LabelledSlice(np.zeros((64, 64), np.float32), np.full((64, 64), NOT_LABELLED, np.int8))
    with pytest.raises(SegmentationError, match="paint some"):
        fit(network, [empty], TINY)


def test_large_slices_are_seen_in_tiles_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    # What one pixel sees is as large as the slice, so tiles can only be nearly like the whole: what must not
    # be is a step where one of them begins or ends.
    material = microstructure("electrode", (512, 704), 77)[:250]
    noise = np.random.default_rng(0).normal(0, 0.05, material.shape)
    image = np.clip(material + noise, 0, 1).astype(np.float32)
    segmenter = load_segmenter()
    whole = segmenter.probabilities(image)
    monkeypatch.setattr("napari_tiqa.segmentation.network_input.LARGEST", 320)
    tiled = segmenter.probabilities(image)
    np.testing.assert_allclose(tiled.sum(0), 1, atol=1e-5)
    difference = (tiled - whole)[0]
    assert np.abs(difference).mean() < 0.005
    steps = np.abs(np.diff(difference, axis=1)).mean(0)
    ends = np.array([192, 320, 384, 512]) - 1
    assert steps[ends].max() < 2 * np.quantile(steps, 0.98)


def test_probabilities_add_up_in_slices_of_any_size(network: keras.Model) -> None:
    segmenter = Segmenter(network, CLASSES)
    for shape in ((3, 3), (33, 64), (100, 41)):
        seen = segmenter.probabilities(np.random.default_rng(0).random(shape, np.float32))
        assert seen.shape == (2, *shape)
        np.testing.assert_allclose(seen.sum(0), 1, atol=1e-5)


def test_a_bundle_gives_the_segmenter_back(network: keras.Model, tmp_path: Path) -> None:
    path = tmp_path / "disc.tiqa"
    save_segmenter(path, Segmenter(network, CLASSES), {"name": "disc"}, NARROW)
    again = load_segmenter(path)
    image = disc().image
    assert again.classes == CLASSES
    assert segmenter_card(path)["name"] == "disc"
    np.testing.assert_allclose(
        again.probabilities(image), Segmenter(network, CLASSES).probabilities(image), atol=0.01
    )


def test_a_segmenter_does_not_score_and_a_score_model_does_not_segment(
    network: keras.Model, tmp_path
) -> None:
    path = tmp_path / "disc.tiqa"
    save_segmenter(path, Segmenter(network, CLASSES), {}, NARROW)
    with pytest.raises(BundleError, match="another purpose"):
        load_model(path)
    with pytest.raises(BundleError, match="another purpose"):
        load_card(path)
    from napari_tiqa.scoring.bundle import DEFAULT_MODEL

    with pytest.raises(BundleError, match="another purpose"):
        load_segmenter(DEFAULT_MODEL)


@pytest.mark.filterwarnings("ignore:Even though the")
def test_the_bundled_model_is_trained_by_one_command(tmp_path: Path, eagerly: None) -> None:
    told: list[tuple[str, float]] = []
    recipe = replace(RECIPE, epochs=1, patches=8, crop=64)
    path = tmp_path / "electrode.tiqa"
    card = train_electrode_model(
        path, lambda said, share: told.append((said, share)), recipe, range(3), range(1000, 1001)
    )
    assert [row["scan"] for row in card["evaluation"]][:2] == ["good", "photon noise"]
    assert told[0] == ("Simulating electrodes", 0)
    assert told[-1] == ("Done", 1)
    assert load_segmenter(path).classes.values == (1, 2)


def test_the_bundled_model_knows_its_phases_and_its_domain() -> None:
    card = segmenter_card()
    assert card["training"]["finished"]
    assert "simulated" in card["domain"]
    assert ELECTRODE_MODEL.stat().st_size < 25e6
    # A specimen and a scan that it never saw.
    material = microstructure("electrode", (256, 256), 9001)
    scan = acquire(material, Acquisition(projections=320, photons=15_000, gain_error=0.003, blur=0.6), 1)
    truth = electrode_phases(material)
    segmenter = load_segmenter()
    found = segmenter.probabilities(network_image(scan, estimate_window(as_volume(scan)))).argmax(0)
    assert f1_score(segmenter.classes.label_values(found), truth, 2) > 0.93
