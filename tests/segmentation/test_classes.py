"""Label values to class indices and back; recipes; tiles; what the network sees of a slice."""

import numpy as np
import pytest

from napari_tiqa.errors import SegmentationError
from napari_tiqa.segmentation.classes import Classes
from napari_tiqa.segmentation.network_input import in_tiles, network_image
from napari_tiqa.segmentation.recipe import PAPER, SegmentationRecipe
from napari_tiqa.volumes.window import IntensityWindow


def test_scribbles() -> None:
    labels = np.array([[0, 3, 3], [0, 7, 0]], np.uint8)
    classes = Classes.of(labels)
    assert classes.values == (3, 7)
    assert classes.names == ("class 3", "class 7")
    np.testing.assert_array_equal(classes.indices(labels), [[-1, 0, 0], [-1, 1, -1]])
    np.testing.assert_array_equal(classes.label_values(classes.indices(labels)), labels)


def test_dense_masks_have_no_unlabelled_pixel() -> None:
    mask = np.array([[0, 255], [255, 0]], np.uint8)
    classes = Classes.of(mask, unlabelled=None)
    assert classes.values == (0, 255)
    np.testing.assert_array_equal(classes.indices(mask), [[0, 1], [1, 0]])
    assert classes.label_values(np.array([1, 0])).dtype == np.uint8


@pytest.mark.parametrize(
    ("labels", "unlabelled", "said"),
    [
        (np.ones((4, 4), int), 0, "only one class"),
        (np.zeros((4, 4), int), 0, "no labelled pixel"),
        (np.ones((4, 4), int), None, "two values"),
        (np.random.default_rng(0).random((4, 4)), 0, "whole numbers"),
        (np.arange(100).reshape(10, 10), 0, "not single particles"),
        (np.array([[1, 2, -1]]), 0, "below 0"),
    ],
)
def test_labels_that_nothing_can_be_learned_from(
    labels: np.ndarray, unlabelled: int | None, said: str
) -> None:
    with pytest.raises(SegmentationError, match=said):
        Classes.of(labels, unlabelled)


def test_a_value_that_is_no_class_is_named() -> None:
    with pytest.raises(SegmentationError, match="the value 3, which is not one of the classes 1, 2"):
        Classes((1, 2), ("a", "b")).indices(np.array([1, 3, 0]))


def test_a_recipe_is_read_back() -> None:
    assert SegmentationRecipe.from_json(PAPER.to_json()) == PAPER
    assert PAPER.differs_from(SegmentationRecipe()) == [
        *(
            "encoder",
            "width",
            "fine_detail",
            "crop",
            "batch",
            "patches",
            "epochs",
            "learning_rate",
            "drops",
            "scale",
        )
    ]
    with pytest.raises(SegmentationError, match="not a segmentation recipe"):
        SegmentationRecipe.from_json("[]")


@pytest.mark.parametrize(
    "setting", [{"crop": 100}, {"width": 0}, {"epochs": 0}, {"drops": (1.5,)}, {"encoder": "VGG"}]
)
def test_a_recipe_refuses_what_cannot_work(setting: dict) -> None:
    with pytest.raises(SegmentationError, match=next(iter(setting))):
        SegmentationRecipe(**setting)


def test_weights_for_another_encoder_are_refused() -> None:
    with pytest.raises(SegmentationError, match="fits a ResNet34 encoder of width 1"):
        SegmentationRecipe(encoder_weights="resnet34.safetensors")


@pytest.mark.parametrize("shape", [(40, 40), (1024, 1024), (1352, 2464), (1025, 3001)])
def test_tiles_cover_a_slice_once(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).random(shape, np.float32)
    sides, tiles = set(), 0

    def see(tile: np.ndarray) -> np.ndarray:
        nonlocal tiles
        tiles += 1
        sides.add(tile.shape)
        return np.stack([tile, 1 - tile])

    seen = in_tiles(image, see)
    np.testing.assert_allclose(seen[0], image, atol=1e-6)
    assert len(sides) == 1  # the network is compiled once
    assert all(side % 32 == 0 and side <= 1024 for side in next(iter(sides)))
    looked_at = tiles * np.prod(next(iter(sides)))
    assert looked_at < 1.5 * np.prod([max(side, 64) for side in shape])


def test_the_window_maps_to_0_and_1_and_nan_to_0() -> None:
    plane = np.array([[np.nan, 100, 200], [300, 400, np.inf], [-5, 150, 250]], np.float32)
    seen = network_image(plane, IntensityWindow(100, 300, "given"))
    np.testing.assert_allclose(seen, [[0, 0, 0.5], [1, 1, 0], [0, 0.25, 0.75]])
