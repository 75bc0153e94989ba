"""Groups of an original that is scanned again with acquisition faults, for the training of the models."""

import numpy as np

from napari_tiqa.learning.images.groups import Group
from napari_tiqa.volumes.simulation.acquisition import Acquisition, acquire

FAULTS: dict[str, tuple[str, tuple[float, ...]]] = {
    "gain rings": ("gain_error", (0.004, 0.01, 0.02, 0.04, 0.08)),
    "half rings": ("gain_drift", (0.006, 0.015, 0.03, 0.06, 0.12)),
    "photon noise": ("photons", (30_000, 8_000, 2_000, 500, 120)),
    "few projections": ("projections", (150, 100, 66, 44, 28)),
    "detector blur": ("blur", (0.7, 1.2, 2.0, 3.5, 7.0)),
    "axis offset": ("axis_offset", (0.6, 1.2, 2.4, 4.5, 8.0)),
}
"""Acquisition faults: the setting of `Acquisition` that makes each, and its levels 1 to 5."""


def acquisition_group(specimen: str, original: np.ndarray, seed: int) -> Group:
    """Scan an original again, once well and with each fault at five levels.

    Parameters
    ----------
    specimen : str
        What was scanned.
    original : numpy.ndarray
        Shape (224, 224), float32 in [0, 1], taken as attenuation.
    seed : int
        Fixes the fields of gain errors and photon noise; only their strength changes with the level.

    Returns
    -------
    Group
        31 images: the fault-free scan, then the faults in the order of `FAULTS`. Half rings need a scan
        over 180 degrees; they are compared with the same reference.
    """
    images, families, levels = [acquire(original, Acquisition(), seed)], [""], [0]
    for fault, (_, strengths) in FAULTS.items():
        for level, strength in enumerate(strengths, start=1):
            images.append(acquire(original, acquisition_with(fault, strength), seed))
            families.append(fault)
            levels.append(level)
    return Group.unlabelled(specimen, images, families, levels)


def acquisition_with(fault: str, strength: float) -> Acquisition:
    """Return the settings of a scan with one of `FAULTS`, at any strength within its levels."""
    setting = FAULTS[fault][0]
    value = round(strength) if setting == "projections" else strength
    return Acquisition(**{setting: value}, arc=180 if fault == "half rings" else 360)  # type: ignore[arg-type]
