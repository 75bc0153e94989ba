"""What several test files share."""

import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import coverage
import numpy as np
import pytest
from filelock import FileLock

# A worker of pytest-xdist measures itself, as tools/run_tests.py asks; the processes that tests start do not.
if (_settings := os.environ.get("NAPARI_TIQA_COVERAGE")) and "PYTEST_XDIST_WORKER" in os.environ:
    _measuring = coverage.Coverage(config_file=_settings)
    _measuring.start()

from napari_tiqa.segmentation.segmenter import ELECTRODE_MODEL
from napari_tiqa.volumes.digest import slice_digest

# In a process of its own: TensorFlow and a napari canvas cannot live in one (docs/architecture.md).
_SAVE_MODELS = """
import sys, keras, numpy as np
from napari_tiqa.scoring.backbone import build_network, load_imagenet
from napari_tiqa.scoring.bundle import save_bundle
from napari_tiqa.scoring.calibration import Calibration
from napari_tiqa.scoring.predict import ScoreModel
keras.utils.set_random_seed(0)
network = build_network()
load_imagenet(network)
level = np.linspace(0.1, 1, 32)[:, None, None, None]
noise = level * np.random.default_rng(0).random((32, 224, 224, 1), np.float32)
scores = network.predict_on_batch(noise)
last = network.get_layer("score")
kernel, bias = last.get_weights()
last.set_weights([kernel / scores.std() / 2, (bias - scores.mean()) / scores.std() / 2 + 3])
save_bundle(sys.argv[1], network, {"name": "untrained"})
stripes = np.broadcast_to(np.arange(224)[:, None] // 16 % 2, (32, 224, 224, 1)).astype(np.float32)
with_features = ScoreModel(network).with_features
known, unlike = (with_features.predict_on_batch(images)[1].mean(0) for images in (noise[16:], stripes))
direction = 10 * (unlike - known) / np.linalg.norm(unlike - known) ** 2
knots, half_widths = np.array([1.0, 5.0]), np.array([0.2, 0.4])
calibration = Calibration(knots, knots, half_widths, direction, np.asarray(-direction @ (known + unlike) / 2))
save_bundle(sys.argv[2], network, {"name": "calibrated"}, calibration)
"""


# Files that take long come first, so that the workers of pytest-xdist end together; then folders by name.
_SLOW_FIRST = ("jobs", "cli", "widgets")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what tests/test_pictures.py asks for."""
    parser.addoption("--update-pictures", action="store_true", help="draw the pictures of saved figures anew")


def pytest_sessionfinish() -> None:
    """Keep what a worker has measured: it ends without the usual farewell."""
    if "_measuring" in globals():
        _measuring.stop()
        _measuring.save()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what opens a viewer or starts a process, which ``make quick`` leaves out, and sort by room."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & {"make_napari_viewer", "viewer"}:
            item.add_marker("viewer")
        if _room(item) in ("jobs", "cli", "network") or fixtures & {"untrained_model", "calibrated_model"}:
            item.add_marker("process")
    items.sort(key=lambda item: (*_SLOW_FIRST, _room(item)).index(_room(item)))


def _room(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).parts[0]


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all workers of a run share."""
    if folder := os.environ.get("NAPARI_TIQA_TEST_FOLDER"):  # set by tools/run_tests.py
        return Path(folder)
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def _models(shared_folder: Path) -> tuple[Path, Path]:
    paths = shared_folder / "untrained.tiqa", shared_folder / "calibrated.tiqa"
    with FileLock(shared_folder / "models.lock"):
        if not paths[-1].exists():  # no other worker has made them
            command = [sys.executable, "-c", _SAVE_MODELS, *map(str, paths)]
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
    return paths


@pytest.fixture(scope="session")
def untrained_model(_models: tuple[Path, Path]) -> Path:
    """Return a bundle with ImageNet's backbone and a random head, whose scores spread over 1 to 5."""
    return _models[0]


@pytest.fixture(scope="session")
def calibrated_model(_models: tuple[Path, Path]) -> Path:
    """Return the same with an uncertainty of 0.2 (score 1) to 0.4 points (5); stripes are new to it."""
    return _models[1]


@pytest.fixture
def trained_on(tmp_path: Path) -> Callable[[Iterable[np.ndarray]], Path]:
    """Return a function that makes the bundled segmenter say it was trained on these slices."""

    def rewritten(slices: Iterable[np.ndarray]) -> Path:
        path = tmp_path / "trained.tiqa"
        with zipfile.ZipFile(ELECTRODE_MODEL) as archive, zipfile.ZipFile(path, "w") as copy:
            card = json.loads(archive.read("card.json"))
            card["training"]["digests"] = {"images": [slice_digest(each) for each in slices], "labels": []}
            copy.writestr("card.json", json.dumps(card))
            copy.writestr("weights.npz", archive.read("weights.npz"))
        return path

    return rewritten


@pytest.fixture(scope="session")
def three_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the bundled model with a third class that is like its first, but twice as likely."""
    with zipfile.ZipFile(ELECTRODE_MODEL) as archive:
        card = json.loads(archive.read("card.json"))
        weights = dict(np.load(io.BytesIO(archive.read("weights.npz"))))
    weights["logits/kernel"] = np.concatenate(
        [weights["logits/kernel"], weights["logits/kernel"][..., :1]], -1
    )
    bias = weights["logits/bias"]
    weights["logits/bias"] = np.append(bias, bias[0] + np.float32(np.log(2)))
    stored = io.BytesIO()
    np.savez(stored, **weights)  # type: ignore[arg-type]
    card["classes"] = {"values": [1, 2, 7], "names": ["pores", "active", "wire"], "unlabelled": 0}
    card["weights_sha256"] = hashlib.sha256(stored.getvalue()).hexdigest()
    path = tmp_path_factory.mktemp("models") / "three.tiqa"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("card.json", json.dumps(card))
        archive.writestr("weights.npz", stored.getvalue())
    return path
