"""The layer of a quality map: how it looks, and what is kept with it."""

from collections.abc import Mapping

from napari.layers import Image, Layer

from napari_tiqa.jobs.quality.map import QualityMap
from napari_tiqa.scoring.scale import SCORE_RANGE
from napari_tiqa.widgets.shared.derived_layer import derived_layer
from napari_tiqa.widgets.shared.result_layers import Result, result_metadata

COLORMAP = "viridis"
"""From violet (worst) over green to yellow (best): its lightness rises, also for colour-blind readers."""

_OPACITY = 0.5


def map_layer(source: Layer, quality_map: QualityMap, at: Mapping[int, int], name: str) -> Image:
    """Make the layer of a map.

    Parameters
    ----------
    source : napari.layers.Image
        The layer whose slice was mapped.
    quality_map : QualityMap
    at : mapping of int to int
        The dimensions of `source` that the slice lies across, and where.
    name : str
        What the layer is called.
    """
    layer = derived_layer(
        source,
        quality_map.map,
        name,
        at,
        colormap=COLORMAP,
        contrast_limits=SCORE_RANGE,
        opacity=_OPACITY,
        blending="translucent",
        metadata=result_metadata(Result.QUALITY_MAP, quality_map.record),
    )
    if hasattr(layer, "colorbar"):  # younger than the oldest napari that we work with
        layer.colorbar.visible = True
    return layer
