"""The true phases of a simulated electrode: active material and the rest, from its noiseless attenuation."""

import numpy as np
from numpy.typing import NDArray

from napari_tiqa.volumes.simulation.acquisition import inscribed_circle
from napari_tiqa.volumes.simulation.microstructures import Floats

PHASES = {1: "pores, carbon and binder", 2: "active material"}
"""Label value and name of each phase; 0 is outside the reconstruction circle, where nothing is known."""

ACTIVE_MATERIAL = 0.5
"""Attenuation from which a voxel is active material.

Of simulated electrodes, carbon and binder have 0.2 to 0.36, particles 0.72 to 0.9, and the texture of both
spreads around these: over 40 specimens the histogram has its valley at 0.48 to 0.52, where 0.2 % of all
voxels lie. The threshold is also about half-way from pores and carbon (0.02 to 0.36) to particles, where an
edge that is softer than a voxel has its middle.
"""


def electrode_phases(material: Floats) -> NDArray[np.uint8]:
    """Tell the phases of a simulated electrode.

    Parameters
    ----------
    material : numpy.ndarray
        Shape (y, x) or (z, y, x), y and x alike: attenuation, 0 to 1, as ``microstructure("electrode", ...)``
        returns it.

    Returns
    -------
    numpy.ndarray
        Shape of `material`, uint8: a value of `PHASES`, 0 outside the inscribed circle of each slice, which
        a scan does not see. Cracks and holes of particles, wider than a voxel, are no active material.
    """
    phases = np.where(material >= ACTIVE_MATERIAL, np.uint8(2), np.uint8(1))
    phases[..., ~inscribed_circle(material.shape[-1])] = 0
    return phases
