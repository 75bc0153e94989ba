"""How the tests of readers open a file: with what it says, to the sentence, or in silence."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from napari_tiqa.errors import VolumeError, VolumeWarning
from napari_tiqa.volumes.open import open_volume
from napari_tiqa.volumes.volume import Volume


def opened(path: Path, dataset: str | None = None) -> tuple[Volume, str]:
    """Return the volume, and its warnings in one text; each is given as a VolumeWarning once."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        volume = open_volume(path, dataset)
    assert [warning.category for warning in caught] == [VolumeWarning] * len(volume.warnings)
    assert [str(warning.message) for warning in caught] == list(volume.warnings)
    for sentence in volume.warnings:
        assert sentence.endswith(".")
        assert "\n" not in sentence
    return volume, " ".join(volume.warnings)


def refusal(path: Path, dataset: str | None = None) -> str:
    with pytest.raises(VolumeError) as caught:
        open_volume(path, dataset)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


def pixels_of(volume: Volume) -> np.ndarray:
    """Read every slice of a volume along its first axis."""
    if volume.data.ndim == 2:
        return volume.slice(0, 0)
    return np.stack([volume.slice(0, index) for index in range(volume.data.shape[0])])
