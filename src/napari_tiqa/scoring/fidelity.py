"""Fidelity: how like a perfect scan of the same slice an image is, estimated without that scan.

The score follows people, to whom a little blur is worse than much noise. Whoever tunes a filter wants to know
what is nearest to the truth, pixel by pixel. So settings are compared by this estimate, from tiles at native
resolution, where neither fine noise nor slight blur is lost by shrinking. It also sees the unfiltered tiles:
without them, fine texture that was smoothed away leaves no trace.
"""

import hashlib
import os
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from napari_tiqa.scoring.bundle import SCORE, load_network
from napari_tiqa.scoring.predict import AfterBatch, forward
from napari_tiqa.scoring.scale import WEIGHTS
from napari_tiqa.weights import WEIGHTS_FOLDER

if TYPE_CHECKING:
    import keras


FIDELITY_MODEL = WEIGHTS_FOLDER / "fidelity.tiqa"
"""The bundled network."""


def fidelity(similarities: np.ndarray) -> np.ndarray:
    """Combine the similarities to one number: shape (..., 2) to (...), 1 for a perfect scan."""
    return similarities @ np.array(WEIGHTS)


def estimate_similarities(
    tiles: np.ndarray, unfiltered: np.ndarray, before: np.ndarray, report: AfterBatch | None = None
) -> np.ndarray:
    """Estimate how like their truth filtered tiles are. Runs in the model process.

    `tiles`, shape (n, 224, 224), float32 in [0, 1], are at native resolution (``native_tiles``), `unfiltered`
    (m, 224, 224) the same places before any filter, and `before`, shape (n,), int, says which of these each
    tile comes from. Returns the metrics of `SIMILARITIES`, shape (n, 2), float32. `report` is called with the
    number of tiles done so far; what it raises ends the estimate.
    """
    return bundled_model().similarities(tiles, unfiltered, before, report)


@dataclass(frozen=True)
class FidelityModel:
    """A trained network of ``fidelity_network``."""

    network: "keras.Model"
    # The features of the last unfiltered tiles: as long as a slider moves, they stay the same.
    _known: dict[bytes, np.ndarray] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def features(self) -> "keras.Model":
        """The part of the network that the unfiltered tiles go through."""
        from napari_tiqa.scoring.fidelity_network import image_features

        return image_features(self.network)

    def similarities(
        self,
        tiles: np.ndarray,
        unfiltered: np.ndarray,
        before: np.ndarray,
        report: AfterBatch | None = None,
    ) -> np.ndarray:
        """Estimate how like their truth filtered tiles are; see ``estimate_similarities``."""
        digest = hashlib.sha256(unfiltered.tobytes()).digest()
        if digest not in self._known:
            self._known.clear()
            self._known[digest] = forward(self.features, unfiltered, report)[0]
        return forward(self.network, tiles, report, others=[self._known[digest][before]])[0]


@lru_cache(1)
def bundled_model() -> FidelityModel:
    """Return the bundled network."""
    return FidelityModel(load_fidelity_network(FIDELITY_MODEL))


def load_fidelity_network(path: str | os.PathLike[str]) -> "keras.Model":
    """Build the network of a bundle of ``build_fidelity_network``; raises BundleError as ``load_model``."""
    from napari_tiqa.scoring.fidelity_network import build_fidelity_network

    return load_network(path, SCORE, lambda card: build_fidelity_network(head_units=card["head_units"]))[0]
