"""The demo without a screen: it ends, with the scores and a picture."""

import os
import subprocess
import sys

import numpy as np
import pytest
import tifffile

from napari_tiqa.scoring.table import read_scores


@pytest.mark.parametrize("name", ["good.tif", "empty.tif"])
def test_the_demo_ends_with_a_picture_or_a_sentence(tmp_path, name):
    grey = np.random.default_rng(0).integers(0, 255, (2, 64, 64), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "good.tif", grey)
    (tmp_path / "empty.tif").touch()
    environment = {
        key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")
    }
    done = subprocess.run(
        [sys.executable, "-m", "napari_tiqa.cli", "demo", name],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
    )
    if name == "good.tif":
        assert done.returncode == 0, done.stderr
        assert len(read_scores(tmp_path / "demo" / "scores.csv")) == 2
        assert (tmp_path / "demo" / "napari.png").stat().st_size > 10_000
    else:
        assert done.returncode == 2
        assert "empty.tif" in done.stderr.splitlines()[-1]
