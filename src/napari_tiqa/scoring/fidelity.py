"""Fidelity: how like a perfect scan of the same slice an image is, estimated without that scan.

The score follows people, to whom a little blur is worse than much noise. Whoever tunes a filter wants to know
what is nearest to the truth, pixel by pixel. So settings are compared by this estimate, from tiles at native
resolution, where neither fine noise nor slight blur is lost by shrinking.
"""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_tiqa.scoring.bundle import load_network

if TYPE_CHECKING:
    import keras

    from napari_tiqa.scoring.predict import AfterBatch

SIMILARITIES = ("ssim", "fsim")
"""Full-reference metrics that are estimated: the names of ``learning.observers.OBSERVERS``."""

WEIGHTS = (0.4, 0.6)
"""Shares of `SIMILARITIES` in the fidelity, which make both vary alike from setting to setting."""

FIDELITY_MODEL = Path(__file__).parents[1] / "weights" / "fidelity.tiqa"
"""The bundled network."""


def fidelity(similarities: np.ndarray) -> np.ndarray:
    """Combine the similarities to one number: shape (..., 2) to (...), 1 for a perfect scan."""
    return similarities @ np.array(WEIGHTS)


def estimate_similarities(tiles: np.ndarray, report: "AfterBatch | None" = None) -> np.ndarray:
    """Estimate how like their truth tiles are. Runs in the model process.

    Parameters
    ----------
    tiles : numpy.ndarray
        Shape (n, 224, 224), float32 in [0, 1], at native resolution (``native_tiles``).
    report : callable, optional
        Called with the number of tiles done so far; what it raises ends the estimate.

    Returns
    -------
    numpy.ndarray
        Shape (n, 2), float32: the metrics of `SIMILARITIES`.
    """
    from napari_tiqa.scoring.predict import forward

    return forward(_network(), tiles, report)[0]


@lru_cache(1)
def _network() -> "keras.Model":
    return load_network(FIDELITY_MODEL, SIMILARITIES)
