"""What several test files share."""

import subprocess
import sys
from pathlib import Path

import pytest

# In a process of its own: TensorFlow and a napari canvas cannot live in one (docs/architecture.md).
_SAVE_UNTRAINED = """
import sys, keras, numpy as np
from napari_tiqa.scoring.backbone import build_network, load_imagenet
from napari_tiqa.scoring.bundle import save_bundle
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
"""


@pytest.fixture(scope="session")
def untrained_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bundle with ImageNet's backbone and a random head, whose scores spread over 1 to 5."""
    path = tmp_path_factory.mktemp("model") / "untrained.tiqa"
    done = subprocess.run([sys.executable, "-c", _SAVE_UNTRAINED, str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return path
