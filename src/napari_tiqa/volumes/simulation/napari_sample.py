"""The sample tomogram as napari layer data, for the manifest's sample_data; imports no napari."""

from dataclasses import asdict
from typing import Any

import dask.array
import numpy as np

from napari_tiqa.volumes.simulation.electrode_sample import (
    FAULTS,
    PER_UNIT,
    Progress,
    electrode_sample,
    sample_phases,
)
from napari_tiqa.volumes.simulation.microstructures import PHASES

LayerData = tuple[dask.array.Array | np.ndarray, dict[str, Any], str]

TRUE_PHASES = "electrode, true phases"
"""Name of the layer that a segmentation of either scan can be judged with."""


def electrode_layers(progress: Progress | None = None) -> list[LayerData]:
    """Return the two scans of the sample electrode, the better one below, and on top its true phases, hidden.

    Parameters
    ----------
    progress : callable, optional
        See :func:`~napari_tiqa.volumes.simulation.electrode_sample.electrode_sample`: the first call on a
        machine makes the sample, which takes some seconds.

    Returns
    -------
    list of (data, keyword arguments, "image" or "labels")
        With scale, units, axis labels and names; ``metadata["faults"]`` of the first scan says in which
        slices which fault is strong. Both scans have the same contrast limits, attenuation -0.1 to 1.1. The
        phases are named in ``features``; 0 is outside the reconstruction circle.

    Raises
    ------
    VolumeError
        Where the cache directory cannot be written.
    """
    first, better = electrode_sample(progress)
    limits = tuple(round((value + 0.5) * PER_UNIT) for value in (-0.1, 1.1))
    faults = {first.name: [asdict(fault) for fault in FAULTS], better.name: []}
    place = {"scale": first.voxel_size, "units": (first.unit,) * 3, "axis_labels": first.axes}
    phases = {
        "name": TRUE_PHASES,
        "visible": False,
        "features": {"index": list(PHASES), "phase": list(PHASES.values())},
    }
    scans: list[LayerData] = [
        (
            volume.data,
            place
            | {
                "name": volume.name,
                "contrast_limits": limits,
                "metadata": {"faults": faults[volume.name], "source": volume.source},
            },
            "image",
        )
        for volume in (better, first)
    ]
    return [*scans, (sample_phases(), place | phases, "labels")]
