"""Runs that go on after any end: the same result as one that was never interrupted, little done twice."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter

from napari_tiqa.errors import Cancelled, ResumeError
from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.jobs.filtering.compare import compare
from napari_tiqa.jobs.filtering.tune import tune
from napari_tiqa.jobs.quality.score import score_volume
from napari_tiqa.jobs.study.study import study_segmentation
from napari_tiqa.scoring.predict import BATCH_SIZE
from napari_tiqa.scoring.table import read_scores


@pytest.fixture(scope="module")
def volume() -> np.ndarray:
    """Return phases with noise that grows, shape (200, 40, 40)."""
    rng = np.random.default_rng(0)
    phases = gaussian_filter(rng.normal(size=(200, 40, 40)), (0, 3, 3)) > 0
    return (phases + rng.normal(size=phases.shape) * np.linspace(0, 0.5, 200)[:, None, None]).astype("f4")


def cancel_after(parts: int) -> tuple[Callable[[Any], None], threading.Event]:
    cancel = threading.Event()
    return lambda progress: cancel.set() if progress.done >= parts else None, cancel


def test_scores_go_on_from_the_last_batch(volume: np.ndarray, untrained_model: Path, tmp_path: Path) -> None:
    kept = tmp_path / "scores.unfinished"
    progress, cancel = cancel_after(3 * BATCH_SIZE)
    order = [*range(199, -1, -2), *range(0, 200, 2)]
    asked = {"model": untrained_model, "slices": order}
    with pytest.raises(Cancelled) as ended:
        score_volume(volume, **asked, resume=kept, progress=progress, cancel=cancel)
    assert ended.value.table is not None
    before = len(ended.value.table)
    news: list[int] = []
    table = score_volume(volume, **asked, resume=kept, progress=lambda progress: news.append(progress.done))
    assert before < news[0] <= before + BATCH_SIZE
    assert not list(tmp_path.iterdir())
    whole = score_volume(volume, **asked)
    pd.testing.assert_frame_equal(table, whole, check_exact=True)
    assert table.attrs["window"] == whole.attrs["window"]


def test_another_volume_does_not_go_on(volume: np.ndarray, untrained_model: Path, tmp_path: Path) -> None:
    progress, cancel = cancel_after(1)
    kept = tmp_path / "run"
    with pytest.raises(Cancelled):
        score_volume(volume, model=untrained_model, resume=kept, progress=progress, cancel=cancel)
    for other, more in ((volume + 1, {}), (volume, {"axis": 1}), (volume, {"view": "overview"})):
        with pytest.raises(ResumeError, match="another volume, with another model or other settings"):
            score_volume(other, model=untrained_model, resume=kept, **more)


def test_killed_in_the_shell_the_same_command_goes_on(untrained_model: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "long.npy", np.random.default_rng(0).random((4000, 16, 16), np.float32))
    command = [sys.executable, "-m", "napari_tiqa.cli", "score", "long.npy", "-o", "scores.csv"]
    command += ["--model", str(untrained_model)]
    kept = tmp_path / "scores.csv.unfinished"
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) as run:
        while not (kept.exists() and kept.stat().st_size > 20_000):
            assert run.poll() is None
            time.sleep(0.01)
        os.kill(run.pid, signal.SIGKILL)
    lines = kept.read_bytes().count(b"\n")
    assert 50 < lines < 4000
    assert not (tmp_path / "scores.csv").exists()
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(read_scores(tmp_path / "scores.csv")) == 4000
    assert not list(tmp_path.glob("*.unfinished*"))


def test_a_tuning_and_a_comparison_go_on(volume: np.ndarray, untrained_model: Path, tmp_path: Path) -> None:
    pipeline, kept = Pipeline([Step("gaussian")]), tmp_path / "run"
    asked: dict[str, Any] = {"model": untrained_model, "slices": [50, 150], "resume": kept}
    varied: dict[str, Any] = {"parameters": "gaussian.sigma", "trials": 9}
    progress, cancel = cancel_after(4)
    begun = tune(volume, pipeline, **varied, **asked, progress=progress, cancel=cancel)
    assert not begun.complete
    ended = tune(volume, pipeline, **varied, **asked)
    assert not kept.exists()
    whole = tune(volume, pipeline, **varied, **asked)
    # Their seconds, too: they were not tried again.
    assert repr(begun.trials) == repr(ended.trials[: len(begun.trials)])
    assert [(trial.values, trial.slice_objectives) for trial in ended.trials] == [
        (trial.values, trial.slice_objectives) for trial in whole.trials
    ]
    progress, cancel = cancel_after(2)
    pipelines = {f"sigma {sigma}": Pipeline([Step("gaussian", {"sigma": sigma})]) for sigma in (1, 2)}
    first = compare(volume, pipelines, **asked, progress=progress, cancel=cancel)
    again = compare(volume, pipelines, **asked)
    assert repr(first.trials["sigma 1"]) == repr(again.trials["sigma 1"])
    assert again.complete
    assert not kept.exists()


def test_a_study_goes_on(volume: np.ndarray, tmp_path: Path) -> None:
    image, kept = volume[:1], tmp_path / "run"
    labels = 1 + (gaussian_filter(image, (0, 1, 1)) > 0.5).astype(np.uint8)
    progress, cancel = cancel_after(5)
    begun = study_segmentation(image, labels, resume=kept, progress=progress, cancel=cancel)
    assert not begun.complete
    ended = study_segmentation(image, labels, resume=kept)
    whole = study_segmentation(image, labels)
    assert not kept.exists()
    pd.testing.assert_frame_equal(ended.table, whole.table)
    for one, other in zip(ended.curves, whole.curves, strict=True):
        np.testing.assert_array_equal(one.values, other.values)
