"""Acquisition faults: worse with each level."""

import numpy as np

from models.acquisitions import FAULTS, acquisition_group
from napari_tiqa.volumes.simulation.microstructures import microstructure


def test_acquisition_faults_grow_with_their_level():
    original = 0.1 + 0.8 * microstructure("grains", (224, 224), seed=3)
    group = acquisition_group("grains", original, seed=0)
    assert len(group.images) == 1 + 5 * len(FAULTS)
    reference = group.images[0].astype(float)
    for fault in FAULTS:
        images = group.images[np.array(group.families) == fault]
        error = np.abs(images - reference).mean((1, 2))
        assert np.all(np.diff([0, *error]) > 0), fault
