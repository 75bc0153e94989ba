"""Volumes of arrays, with a name and a source."""

from dataclasses import replace

import numpy as np

from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.volume import Volume


def in_memory(pixels: np.ndarray, name: str, source: str = "") -> Volume:
    """Return a volume of an array, as if it came from a file where a source is given."""
    return replace(as_volume(pixels, name), source=source)
