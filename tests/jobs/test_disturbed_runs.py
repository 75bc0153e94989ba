"""Runs whose input or output goes away in the middle: one sentence, nothing made up, and it goes on later."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.ndimage

from napari_tiqa.errors import ExportError, ResumeError, SegmentationError, TiqaError, VolumeError
from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.jobs.filtering.export import export
from napari_tiqa.jobs.quality.score import score_volume
from napari_tiqa.jobs.segmentation.predict import segment
from napari_tiqa.volumes import slices

SLICES = 200
SMOOTH = Pipeline([Step("gaussian")])

Run = Callable[..., Any]
RUNS: dict[str, tuple[Run, type[TiqaError]]] = {
    "scores": (lambda scan, out, **more: score_volume(scan, resume=out, **more), ResumeError),
    "better.zarr": (lambda scan, out, **more: export(scan, SMOOTH, out, **more), ExportError),
    "better.tif": (lambda scan, out, **more: export(scan, SMOOTH, out, **more), ExportError),
    "better": (lambda scan, out, **more: export(scan, SMOOTH, out, **more), ExportError),
    "phases.zarr": (lambda scan, out, **more: segment(scan, output=out, **more), SegmentationError),
}


@pytest.fixture
def scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a volume in a folder of its own, of which few slices are read ahead."""
    monkeypatch.setattr(slices, "GATHERED_BYTES", 1)
    smooth = scipy.ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((SLICES, 48, 48)), 2)
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").mkdir()
    np.save(tmp_path / "disk" / "scan.npy", np.where(smooth > 0, 0.8, 0.3).astype(np.float32))
    return tmp_path / "disk" / "scan.npy"


def disturbed(name: str, scan: Path, folder: Path, disturb: Callable[[], object]) -> str:
    """Run, disturb it at its first report of a slice, and return the sentence that it ends with."""
    run, _ = RUNS[name]
    told: list[float] = []

    def progress(news: Any) -> None:
        if news.done and not told:
            disturb()
        told.extend([news.done] * (news.done > 0))

    with pytest.raises(TiqaError) as ended:
        run(scan, folder / name, window=(0.0, 1.0), progress=progress)
    assert 0 < max(told) < SLICES
    return f"{type(ended.value).__name__}: {ended.value}"


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("how", ["folder gone", "cut short", "replaced"])
def test_input_that_goes_away(scan: Path, tmp_path: Path, name: str, how: str) -> None:
    pixels = np.load(scan)

    def disturb() -> None:
        if how == "folder gone":
            shutil.rmtree(scan.parent, ignore_errors=True)
        elif how == "cut short":
            os.truncate(scan, 1000)
        else:
            np.save(scan, pixels[::-1])

    sentence = disturbed(name, scan, tmp_path / "out", disturb)
    assert sentence.startswith(VolumeError.__name__)
    assert str(scan) in sentence


@pytest.mark.parametrize("name", RUNS)
def test_output_that_goes_away(scan: Path, tmp_path: Path, name: str) -> None:
    run, error = RUNS[name]
    sentence = disturbed(name, scan, tmp_path / "out", lambda: shutil.rmtree(tmp_path / "out", True))
    assert sentence.startswith(error.__name__)
    assert "cannot be written" in sentence
    assert str(tmp_path / "out" / name) in sentence
    shutil.rmtree(tmp_path / "out", ignore_errors=True)
    (tmp_path / "out").mkdir()
    assert run(scan, tmp_path / "out" / name, window=(0.0, 1.0)) is not None
