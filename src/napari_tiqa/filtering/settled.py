"""What the filters of a pipeline find by themselves, found once for a volume."""

import numpy as np

from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.filtering.ring_centre import CENTRE_PARAMETERS, find_ring_centre
from napari_tiqa.filtering.slice_frame import filter_slice
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow


def settled(
    pipeline: Pipeline, volume: Volume, window: IntensityWindow, index: int, axis: int = 0
) -> Pipeline:
    """Return the pipeline with its automatic ring centres set to the one found in a slice, read where needed.

    A volume has one rotation axis, so all its slices share a centre.
    """
    wanted = [
        (place, name)
        for place, step in enumerate(pipeline.steps)
        for name in CENTRE_PARAMETERS
        if name in step.parameters and step.parameters[name] is None
    ]
    if not wanted:
        return pipeline
    found = dict(zip(CENTRE_PARAMETERS, _centre_in(volume.slice(axis, index), window), strict=True))
    for place, name in wanted:
        pipeline = pipeline.with_parameter(place, name, found[name])
    return pipeline


def _centre_in(plane: np.ndarray, window: IntensityWindow) -> tuple[float, float]:
    """Find the centre in a slice as it is stored: any dtype, with NaN or padding around its content."""
    found = []

    def look(pixels: np.ndarray, inside: np.ndarray) -> np.ndarray:
        found.append(find_ring_centre(pixels, inside))
        return pixels

    filter_slice(plane, [look], window)
    return found[0] if found else (0.0, 0.0)
