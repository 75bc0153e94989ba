"""The sample tomogram as napari layer data, for the manifest's sample_data; imports no napari."""

from dataclasses import asdict
from typing import Any

import dask.array
import numpy as np
import pandas as pd

from napari_tiqa.volumes.simulation.electrode_sample import (
    FAULTS,
    PER_UNIT,
    Progress,
    electrode_sample,
    fault_table,
    sample_phases,
)
from napari_tiqa.volumes.simulation.microstructures import PHASES

LayerData = tuple[dask.array.Array | np.ndarray, dict[str, Any], str]

TRUE_PHASES = "electrode, true phases"
"""Name of the layer that a segmentation of either scan can be judged with."""


TRUE_FAULTS = "electrode, true faults"
"""Name of the layer that says in each slice of the first scan which fault it has."""

_TOP = (0, 128)  # row, column: where a slice is seen of it too that is wider than the canvas
_ABOVE = 4  # rows that the middle of the text lies above the slice: within the margin that napari leaves


def electrode_layers(progress: Progress | None = None) -> list[LayerData]:
    """Return the two scans of the sample electrode, the better one below; its true faults and phases above.

    Parameters
    ----------
    progress : callable, optional
        See :func:`~napari_tiqa.volumes.simulation.electrode_sample.electrode_sample`: the first call on a
        machine makes the sample, which takes some seconds.

    Returns
    -------
    list of (data, keyword arguments, "image", "points" or "labels")
        With scale, units, axis labels and names; ``metadata["faults"]`` of the first scan says in which
        slices which fault is strong, ``metadata["faults_by_slice"]`` what each slice has. The points write
        that over the top of each slice of the first scan that has a fault; their ``features`` are
        ``fault_table``. Both scans have the same contrast limits, attenuation -0.1 to 1.1. The phases,
        hidden, are named in ``features``; 0 is outside the reconstruction circle.

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
    table = fault_table()
    by_slice = {first.name: table.drop(columns="says").to_dict("records"), better.name: []}
    scans: list[LayerData] = [
        (
            volume.data,
            place
            | {
                "name": volume.name,
                "contrast_limits": limits,
                "metadata": {
                    "faults": faults[volume.name],
                    "faults_by_slice": by_slice[volume.name],
                    "source": volume.source,
                },
            },
            "image",
        )
        for volume in (better, first)
    ]
    return [
        *scans,
        _faults_layer(table, place),
        (sample_phases(), place | phases, "labels"),
    ]


def _faults_layer(table: pd.DataFrame, place: dict[str, Any]) -> LayerData:
    """Return points without extent, whose text says what is wrong with their slice."""
    places = np.array([(index, *_TOP) for index in table["slice"]], float)
    look = {
        "name": TRUE_FAULTS,
        "features": table,
        "size": 0,
        "opacity": 1.0,
        "text": {
            "string": "{says}",
            "anchor": "center",
            "translation": (0, -_ABOVE, 0),
            "size": 10,
            "color": "#E69F00",
        },
    }
    return places, place | look, "points"
