"""The sample tomogram as napari layer data, for the manifest's sample_data; imports no napari."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import dask.array

from napari_tiqa.volumes.simulation.electrode_sample import FAULTS, PER_UNIT, Progress, electrode_sample

LayerData = tuple[dask.array.Array, dict[str, Any], str]


def electrode_layers(progress: Progress | None = None) -> list[LayerData]:
    """Return the two scans of the sample electrode, the better one below.

    Parameters
    ----------
    progress : callable, optional
        See :func:`~napari_tiqa.volumes.simulation.electrode_sample.electrode_sample`: the first call on a
        machine makes the sample, which takes some seconds.

    Returns
    -------
    list of (data, keyword arguments, "image")
        With scale, units, axis labels and names; ``metadata["faults"]`` of the first scan says in which
        slices which fault is strong. Both have the same contrast limits, attenuation -0.1 to 1.1.

    Raises
    ------
    VolumeError
        Where the cache directory cannot be written.
    """
    first, better = electrode_sample(progress)
    limits = tuple(round((value + 0.5) * PER_UNIT) for value in (-0.1, 1.1))
    faults = {first.name: [asdict(fault) for fault in FAULTS], better.name: []}
    return [
        (
            volume.data,
            {
                "name": volume.name,
                "scale": volume.voxel_size,
                "units": (volume.unit,) * 3,
                "axis_labels": volume.axes,
                "contrast_limits": limits,
                "metadata": {"faults": faults[volume.name], "source": volume.source},
            },
            "image",
        )
        for volume in (better, first)
    ]
