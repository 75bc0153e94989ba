"""Faults of the scans that the fidelity estimate learns from: strong ones, faint ones and none at all."""

import numpy as np

from models.faults import log_uniform
from models.faults.blur import blur, motion
from models.faults.noise import noise
from models.faults.rings import rings
from napari_tiqa.volumes.simulation.acquisition import Acquisition, acquire, inscribed_circle

_NONE, _IMAGE, _SCAN = 0.12, 0.38, 0.5  # shares: as it is, faults added to the image, simulated scans
_RINGED = 0.25
_MASKED = 0.4  # of those that are no simulated scans, which all are, to the circle
_NATIVE = 1.0  # px of the piece to one px that strengths are meant for: pieces are as large as what is seen


def spoilt(truth: np.ndarray, rng: np.random.Generator, seed: int) -> tuple[np.ndarray, bool]:
    """Spoil a slice, or leave it nearly as it is.

    Parameters
    ----------
    truth : numpy.ndarray
        Shape (320, 320), float32 in [0, 1].
    rng : numpy.random.Generator
        Draws the faults.
    seed : int
        Fixes the noise of a simulated scan.

    Returns
    -------
    scan : numpy.ndarray
        Of the same shape, float32, not always clipped; 0 outside the inscribed circle, or content throughout.
    ringed : bool
        Whether it has rings about its middle.
    """
    kind = rng.choice(3, p=(_NONE, _IMAGE, _SCAN))
    field = inscribed_circle(len(truth)) if rng.random() < _MASKED else np.float32(1)
    ringed = bool(kind) and rng.random() < _RINGED
    if kind == 0:
        return _noisy(truth, rng, 0.0005, 0.005) * field, False
    if kind == 1:
        image = truth
        if rng.random() < 0.45:
            maker, most = (motion, 8.0) if rng.random() < 0.2 else (blur, 3.0)
            image = maker(image, _NATIVE, rng).apply(image, log_uniform(rng, 0.4, most))
        if ringed:
            middle = ((len(truth) - 1) / 2,) * 2
            image = rings(image, _NATIVE, rng, middle).apply(image, log_uniform(rng, 0.01, 0.4))
        faintest = 0.001 if rng.random() < 0.4 else 0.01
        return _noisy(image, rng, faintest, 0.3) * field, ringed
    faint = rng.random() < 0.3
    acquisition = Acquisition(
        projections=int(len(truth) * rng.choice([1.57, 1.57, 0.8, 0.4])),
        arc=int(rng.choice([180, 360])) if ringed else 360,
        photons=log_uniform(rng, 2e4, 1e6) if faint else log_uniform(rng, 300, 2e5),
        blur=log_uniform(rng, 0.4, 3) if rng.random() < 0.4 else 0.0,
        gain_error=log_uniform(rng, 0.002, 0.06) if ringed else 0.0,
        optical_depth=float(rng.choice([1, 2, 2, 3])),
    )
    return acquire(truth, acquisition, seed), ringed


def _noisy(image: np.ndarray, rng: np.random.Generator, least: float, most: float) -> np.ndarray:
    """Add noise of a standard deviation between two, at the scale that it is seen at when shrunk a little."""
    return noise(image, _NATIVE, rng).apply(image, log_uniform(rng, least, most) ** 2)
