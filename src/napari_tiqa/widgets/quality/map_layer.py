"""The layer of a quality map: on its slice, in place of the map of the same slice before."""

from collections.abc import Sequence
from typing import Any

from napari_tiqa.jobs.quality.map import QualityMap
from napari_tiqa.scoring.network_input import TILE_SIZE
from napari_tiqa.scoring.scale import SCORE_RANGE
from napari_tiqa.widgets.shared.derived_layer import derived_layer, insert_layer, remove_layer
from napari_tiqa.widgets.shared.read_layer import axis_names
from napari_tiqa.widgets.shared.result_layers import Result, is_result, result_metadata
from napari_tiqa.widgets.shared.slice_source import SliceSource
from napari_tiqa.wording import counted

# From violet (worst) over green to yellow (best): its lightness rises, also for colour-blind readers.
_COLORMAP = "viridis"
_HARDLY_LARGER = 1.5  # tiles along the longer side: up to here all tiles show much the same


def show_map(viewer: Any, source: SliceSource, quality_map: QualityMap, notes: Sequence[str]) -> str:
    """Add the map of a source's slice to the viewer and return what it says, in a sentence.

    `notes` tell the map from one with the first choices: its model. A slice that is hardly larger than a tile
    has no layer, which would only tint it: the sentence says so.
    """
    says = f"{counted(len(quality_map.values), 'tile')}, {quality_map.sentence()}."
    if max(quality_map.map.shape) < _HARDLY_LARGER * TILE_SIZE:
        return (
            f"There is no map, since {source.slice_name} is hardly larger than a tile of {TILE_SIZE} px and "
            f"would have one colour: {says}"
        )
    names, across = axis_names(source.layer), source.across
    parts = [f"quality of {source.layer.name}", *(f"{names[d]} {i}" for d, i in sorted(across.items()))]
    name = ", ".join([*parts, *notes])
    layer = derived_layer(
        source.layer,
        quality_map.map,
        name,
        across,
        colormap=_COLORMAP,
        contrast_limits=SCORE_RANGE,
        opacity=0.5,
        blending="translucent",
        metadata=result_metadata(Result.QUALITY_MAP, quality_map.record),
    )
    if hasattr(layer, "colorbar"):  # younger than the oldest napari that we work with
        layer.colorbar.visible = True
    maps = [other for other in viewer.layers if is_result(other, Result.QUALITY_MAP)]
    for former in [other for other in maps if other.name == name]:
        layer.opacity = former.opacity
        remove_layer(viewer, former)
    insert_layer(viewer, layer)
    return f"Quality map of {source.slice_name}: {says}"
