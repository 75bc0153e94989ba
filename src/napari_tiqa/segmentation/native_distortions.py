"""The paper's distortions at a slice's own resolution, for the score and the segmentation to see the same."""

from dataclasses import replace
from typing import cast

import numpy as np

from napari_tiqa.learning.images.distortions import (
    LEVELS,
    Distortion,
    Fields,
    distort_unclipped,
    version_names,
)
from napari_tiqa.scoring.network_input import TILE_SIZE, noise_kept

ORIGINAL = "original"
"""The distortion of the version that is left as it is."""

VERSIONS = tuple((kind or ORIGINAL, level) for kind, level in version_names())
"""Distortion and level of each version of a slice, in order: the original, then levels 1 to 5 of each."""


def native_fields(shape: tuple[int, int], seed: int) -> Fields:
    """Draw what is random about the distortions of a slice of this shape; the seed fixes it.

    The levels of Zhang et al. 2022 are published for 224 x 224 px. On a slice whose shorter side has n px,
    lengths (sigma of the blur; radii, steps and widths of the rings) are s = n / 224 times as long, and the
    noise is as much stronger as shrinking by area averaging makes it weaker, which is about s times. So the
    slice that the score sees, shrunk to 224 px, has exactly the published level. A slice under 224 px is not
    enlarged for the score, and gets the levels as they are.
    """
    fields = Fields.draw(shape, seed, scale=max(1.0, min(shape) / TILE_SIZE))
    return replace(fields, noise=fields.noise * np.float32(1 / noise_kept(shape)))


def native_version(image: np.ndarray, distortion: str, level: int, fields: Fields) -> np.ndarray:
    """Distort a slice, float32, the intensity window mapped to [0, 1], by level 1 to 5; 0 of the `ORIGINAL`.

    Neither the slice nor the result is clipped, since the score's network clips after the slice has been
    shrunk: clipped before, strong noise would be weaker than its level. Pixels that are not finite are taken
    as 0, as both networks take them, and stay as they are.
    """
    if distortion == ORIGINAL:
        return image
    known = np.isfinite(image)
    kind = cast(Distortion, distortion)
    whole = np.where(known, image, np.float32(0))
    distorted = distort_unclipped(whole, kind, LEVELS[kind][level - 1], fields)
    return np.where(known, distorted, image)
