"""What tells one volume from another whose pixels are not the same."""

import hashlib

import numpy as np

from napari_tiqa.volumes.volume import Volume


def fingerprint(volume: Volume, axis: int) -> str:
    """Tell volumes of one name and shape apart by three of their slices."""
    count = volume.slice_count(axis)
    digest = hashlib.sha256()
    for index in sorted({0, count // 2, count - 1}):
        digest.update(np.ascontiguousarray(volume.slice(axis, index)).data)
    return digest.hexdigest()
