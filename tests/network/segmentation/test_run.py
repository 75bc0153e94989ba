"""The training of a segmenter in its run folder: interrupted and gone on, it ends as if it had not been."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow
from safetensors.numpy import save_file
from scipy.ndimage import gaussian_filter
from scipy.signal import correlate2d

from napari_tiqa.errors import BundleError, Cancelled, SegmentationError, TrainingError
from napari_tiqa.learning.training.checkpoint import save_checkpoint
from napari_tiqa.learning.training.run_folder import CHECKPOINT_FILE, RECIPE_FILE
from napari_tiqa.scoring.backbone import IMAGENET_WEIGHTS
from napari_tiqa.segmentation.dlinknet import build_dlinknet
from napari_tiqa.segmentation.encoder_weights import load_encoder
from napari_tiqa.segmentation.labelled_volume import gather
from napari_tiqa.segmentation.progress import SegmentProgress, read_segment_epochs
from napari_tiqa.segmentation.recipe import SegmentationRecipe
from napari_tiqa.segmentation.run import Reached, train
from napari_tiqa.segmentation.segmenter import load_segmenter, segmenter_card
from napari_tiqa.segmentation.training_set import DATA_FILE, save_training_set

# What TensorFlow says of its own input pipeline when steps run as they come.
pytestmark = pytest.mark.filterwarnings("ignore:Even though the .tf.config:UserWarning")

TINY = SegmentationRecipe(
    encoder="ResNet34", width=0.125, crop=32, batch=2, patches=2, epochs=2, drops=(0.5,), seed=3
)
_RUN_AND_DIE = """
import os, signal, sys, tensorflow
from napari_tiqa.segmentation.run import Reached, train
tensorflow.config.run_functions_eagerly(True)
def report(progress):
    if progress.loss is not None:
        os.kill(os.getpid(), signal.SIGKILL)
train(sys.argv[1], sys.argv[2], report)
"""


@pytest.fixture(scope="module", autouse=True)
def eagerly() -> Iterator[None]:
    """Run steps as they come: a graph of the training takes longer to build than a few steps save."""
    tensorflow.config.run_functions_eagerly(True)
    yield
    tensorflow.config.run_functions_eagerly(False)


class Reports(list[SegmentProgress]):
    """Keeps what is reported; calls `then` at the end of the first epoch."""

    def __init__(self, then: Callable[[], object] | None = None) -> None:
        super().__init__()
        self.then = then

    def __call__(self, progress: SegmentProgress) -> None:
        self.append(progress)
        if progress.loss is not None and self.then:
            then, self.then = self.then, None
            then()

    def ends(self) -> list[SegmentProgress]:
        return [progress for progress in self if progress.loss is not None]


def begin(folder: Path, recipe: SegmentationRecipe = TINY) -> Path:
    """Put into a run folder what a training begins with."""
    rng = np.random.default_rng(0)
    texture = gaussian_filter(rng.random((64, 64)), 4)
    truth = (texture > np.median(texture)) + np.uint8(1)
    image = (truth + rng.normal(0, 0.2, truth.shape)).astype(np.float32)
    data = gather(image, truth, recipe, report=lambda done, total: None, cancel=threading.Event())
    folder.mkdir(parents=True, exist_ok=True)
    save_training_set(folder / DATA_FILE, data)
    (folder / RECIPE_FILE).write_text(recipe.to_json())
    return folder


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Reports]:
    folder = tmp_path_factory.mktemp("uninterrupted")
    reports = Reports()
    train(str(begin(folder / "run")), str(folder / "model.tiqa"), reports)
    return folder, reports


def same_network(one: Path, other: Path) -> bool:
    weights = [load_segmenter(path).network.get_weights() for path in (one, other)]
    return all(np.array_equal(*pair) for pair in zip(*weights, strict=True))


def test_a_training_reports_judges_and_leaves_a_bundle(uninterrupted):
    folder, reports = uninterrupted
    assert list(dict.fromkeys(one.stage for one in reports)) == ["train", "judge"]
    assert [one.epoch for one in reports.ends()] == [1, 2]
    assert [one.done for one in reports.ends()] == [2, 4]
    assert reports.ends()[-1].total == 4
    for one in reports.ends():
        assert one.iou == pytest.approx(np.mean(list(one.class_ious.values())))
        assert list(one.class_ious) == [1, 2]
    card = segmenter_card(folder / "model.tiqa")
    assert card["training"]["finished"]
    assert sum(card["training"]["pixels"].values()) + sum(card["training"]["left_out"].values()) == 64 * 64
    assert [row["class"] for row in card["evaluation"]] == ["class 1", "class 2", "mean"]
    best = max(reports.ends(), key=lambda one: one.iou)
    assert card["training"]["best"]["epoch"] == best.epoch
    assert card["evaluation"][-1]["iou"] == pytest.approx(best.iou, abs=1e-3)
    assert "percentile" in card["window_rule"]
    assert "1 slice of array" in card["domain"]
    table = read_segment_epochs(folder / "run")
    assert table["epoch"].tolist() == [1, 2]
    assert table["best"].tolist()[0]
    np.testing.assert_allclose(table[["iou 1", "iou 2"]].mean(axis=1), table["iou"])
    # What a finished training needs no more is gone.
    assert {path.name for path in (folder / "run").glob("*.npz")} == {DATA_FILE}


def test_killed_then_cancelled_it_ends_with_the_same_network(uninterrupted, tmp_path):
    run, output = begin(tmp_path / "run"), tmp_path / "model.tiqa"
    command = [sys.executable, "-c", _RUN_AND_DIE, str(run), str(output)]
    assert subprocess.run(command, capture_output=True).returncode == -signal.SIGKILL
    assert not output.exists()
    assert read_segment_epochs(run)["epoch"].tolist() == [1]

    def stop() -> None:
        raise Cancelled("enough")

    reports = Reports(stop)
    with pytest.raises(Cancelled):
        train(str(run), str(output), reports)
    assert [one.epoch for one in reports.ends()] == [2]  # the first one is not done again
    card = segmenter_card(output)
    assert not card["training"]["finished"]
    assert "was stopped" in card["evaluation"]
    train(str(run), str(output), Reports())
    assert segmenter_card(output)["training"]["finished"]
    assert same_network(output, uninterrupted[0] / "model.tiqa")
    assert read_segment_epochs(run).equals(read_segment_epochs(uninterrupted[0] / "run"))


def test_a_finished_training_is_not_done_again(uninterrupted, tmp_path):
    folder, _ = uninterrupted
    reports = Reports()
    train(str(folder / "run"), str(tmp_path / "copy.tiqa"), reports)
    assert reports == []
    assert (tmp_path / "copy.tiqa").read_bytes() == (folder / "model.tiqa").read_bytes()
    (tmp_path / "file").write_text("")
    with pytest.raises(BundleError, match=r"it is kept as .*model\.tiqa"):
        train(str(folder / "run"), str(tmp_path / "file" / "copy.tiqa"), reports)


def test_without_validation_the_last_epoch_counts(tmp_path):
    run = begin(tmp_path / "run", replace(TINY, validation_share=0))
    reports = Reports()
    card = train(str(run), str(tmp_path / "model.tiqa"), reports)
    assert card["training"]["best"] == {"epoch": 2, "iou": None}
    assert all(np.isnan(one.iou) for one in reports.ends())
    assert any("Nothing is left out" in warning for one in reports for warning in one.warnings)


def test_a_training_that_diverges_says_so(tmp_path):
    run = begin(tmp_path / "run", replace(TINY, dice_weight=1e39))
    with pytest.raises(SegmentationError, match="diverged in epoch 1"):
        train(str(run), str(tmp_path / "model.tiqa"), Reports())


def test_a_damaged_checkpoint_is_said(tmp_path):
    run = begin(tmp_path / "run")
    (run / CHECKPOINT_FILE).write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(TrainingError, match=r"checkpoint\.npz is damaged"):
        train(str(run), str(tmp_path / "model.tiqa"), Reports())


def test_a_checkpoint_of_another_version_is_said(tmp_path):
    run = begin(tmp_path / "run")
    other = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    save_checkpoint(run / CHECKPOINT_FILE, other, keras.optimizers.Adam(), Reached(1, 0.5), Reached(1, 0.5))
    with pytest.raises(
        TrainingError, match=r"another version of napari-tiqa began, .* train in a new run folder"
    ):
        train(str(run), str(tmp_path / "model.tiqa"), Reports())


# -- what the encoder starts from ----------------------------------------------------------------------


def test_lite0_starts_from_the_weights_of_the_package():
    network = build_dlinknet(2, 0.125, "EfficientNet-Lite0")
    load_encoder(network, SegmentationRecipe())
    with np.load(IMAGENET_WEIGHTS) as stored:
        for name in ("stem", "stage5_2_depthwise", "stage7_0_project"):
            np.testing.assert_array_equal(network.get_layer(name).get_weights()[0], stored[f"{name}/kernel"])


@pytest.fixture(scope="module")
def resnet34() -> keras.Model:
    return build_dlinknet(2, 1.0, "ResNet34")


def state_dict() -> dict[str, np.ndarray]:
    """Draw weights with the names and shapes of torchvision's resnet34."""
    rng = np.random.default_rng(0)

    def convolution(name: str, out: int, into: int, kernel: int) -> dict[str, np.ndarray]:
        return {f"{name}.weight": rng.normal(0, 0.1, (out, into, kernel, kernel)).astype(np.float32)}

    def normalisation(name: str, channels: int) -> dict[str, np.ndarray]:
        kinds = {"weight": (0.5, 1.5), "bias": (-1, 1), "running_mean": (-1, 1), "running_var": (0.01, 1)}
        return {f"{name}.{k}": rng.uniform(*span, channels).astype(np.float32) for k, span in kinds.items()}

    weights = convolution("conv1", 64, 3, 7) | normalisation("bn1", 64)
    into = 64
    for layer, (blocks, channels) in enumerate(zip((3, 4, 6, 3), (64, 128, 256, 512), strict=True), start=1):
        for block in range(blocks):
            name = f"layer{layer}.{block}"
            weights |= convolution(f"{name}.conv1", channels, into, 3) | normalisation(
                f"{name}.bn1", channels
            )
            weights |= convolution(f"{name}.conv2", channels, channels, 3)
            weights |= normalisation(f"{name}.bn2", channels)
            if into != channels:
                weights |= convolution(f"{name}.downsample.0", channels, into, 1)
                weights |= normalisation(f"{name}.downsample.1", channels)
            into = channels
    return weights


def test_resnet34_sees_grey_as_three_equal_colours(resnet34, tmp_path):
    # The whole encoder was compared with torch once: benchmarks cannot have torch, so here only its stem,
    # where the colours go, and that every other layer has its weights.
    weights = state_dict()
    save_file(weights, tmp_path / "resnet34.safetensors")
    recipe = SegmentationRecipe(
        encoder="ResNet34", width=1, encoder_weights=str(tmp_path / "resnet34.safetensors")
    )
    load_encoder(resnet34, recipe)
    image = np.random.default_rng(1).random((32, 32))
    colours = (image - np.array([0.485, 0.456, 0.406])[:, None, None]) / np.array([0.229, 0.224, 0.225])[
        :, None, None
    ]
    stem = keras.Model(resnet34.input, resnet34.get_layer("stem_bn").output)
    got = stem(image[None, ..., None].astype(np.float32))[0, :, :, 5].numpy()
    kernel = weights["conv1.weight"][5]
    direct = sum(
        correlate2d(np.pad(c, 3), k, "valid")[::2, ::2] for c, k in zip(colours, kernel, strict=True)
    )
    of_channel = {k: weights[f"bn1.{k}"][5] for k in ("weight", "bias", "running_mean", "running_var")}
    direct = (direct - of_channel["running_mean"]) / np.sqrt(of_channel["running_var"] + 1e-5)
    direct = direct * of_channel["weight"] + of_channel["bias"]
    np.testing.assert_allclose(got[2:-2, 2:-2], direct[2:-2, 2:-2], atol=1e-4)
    for layer, name in {"stage3_4_2": "layer3.4.conv2", "stage4_0_shortcut": "layer4.0.downsample.0"}.items():
        kernel = resnet34.get_layer(layer).get_weights()[0]
        np.testing.assert_array_equal(kernel, weights[f"{name}.weight"].transpose(2, 3, 1, 0))


def test_weights_that_do_not_fit_are_refused(resnet34, tmp_path):
    def load(name: str) -> None:
        path = str(tmp_path / name)
        load_encoder(resnet34, SegmentationRecipe(encoder="ResNet34", width=1, encoder_weights=path))

    with pytest.raises(SegmentationError, match=r"no file .*gone\.safetensors"):
        load("gone.safetensors")
    (tmp_path / "other.safetensors").write_text("something else altogether")
    with pytest.raises(SegmentationError, match="cannot be read as a safetensors file"):
        load("other.safetensors")
    save_file({"conv1.weight": np.zeros((64, 3, 7, 7), np.float32)}, tmp_path / "part.safetensors")
    with pytest.raises(SegmentationError, match="does not hold a ResNet34"):
        load("part.safetensors")
