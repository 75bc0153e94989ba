"""What is written down about a run, so that its scores can be understood and repeated."""

import hashlib
import os
from dataclasses import asdict
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import numpy as np

from napari_tiqa.jobs.process.messages import ModelFile
from napari_tiqa.scoring.bundle import SCORE, SEGMENTATION, load_card
from napari_tiqa.segmentation.segmenter import ELECTRODE_MODEL
from napari_tiqa.version import __version__
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow


@lru_cache(maxsize=4)
def model_card(model: ModelFile, purpose: str = SCORE) -> dict[str, Any]:
    """Read a bundle's card once, as ``load_card``: its weights are checked too, which takes 0.1 s."""
    return load_card(model.path, purpose)


def checked_model(path: str | os.PathLike[str] | None, purpose: str = SCORE) -> ModelFile:
    """Look up a bundle, None for the one bundled for a purpose; raises BundleError if it cannot be used."""
    model = ModelFile.of(ELECTRODE_MODEL if path is None and purpose == SEGMENTATION else path)
    model_card(model, purpose)
    return model


def run_record(
    volume: Volume,
    axis: int,
    window: IntensityWindow | None,
    model: ModelFile,
    device: str,
    purpose: str = SCORE,
) -> dict[str, Any]:
    """Return what a run was made with, JSON-able; the window is None where the volume has no contrast."""
    return volume_record(volume, axis) | {
        "window": asdict(window) if window else None,
        "model": {"path": model.path, "weights_sha256": model_card(model, purpose)["weights_sha256"]},
        "device": device,
    }


def volume_record(volume: Volume, axis: int) -> dict[str, Any]:
    """Return what was looked at, along which axis, by which version and when, JSON-able."""
    return {
        "volume": volume.name,
        "source": volume.source,
        "shape": list(volume.data.shape),
        "dtype": str(volume.data.dtype),
        "axis": axis,
        "axis_name": volume.axes[axis],
        "voxel_size": list(volume.voxel_size),
        "unit": volume.unit,
        "napari_tiqa": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def fingerprint(volume: Volume, axis: int) -> str:
    """Tell volumes of one name and shape apart by three of their slices."""
    count = volume.slice_count(axis)
    digest = hashlib.sha256()
    for index in sorted({0, count // 2, count - 1}):
        digest.update(np.ascontiguousarray(volume.slice(axis, index)).data)
    return digest.hexdigest()
