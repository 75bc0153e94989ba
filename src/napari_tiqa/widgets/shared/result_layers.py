"""Which layers hold results of ours, and which are originals that one can work on."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from napari.layers import Image

METADATA_KEY = "napari_tiqa"
"""Under this key a layer's metadata hold all that is ours, as plain JSON values."""


class Result(StrEnum):
    """What a layer of ours shows; the key of its record in the layer's metadata."""

    QUALITY_MAP = "quality_map"
    FILTER_PREVIEW = "filter_preview"
    SEGMENTATION = "segmentation"
    TRAINING_PREVIEW = "training_preview"


def result_metadata(result: Result, record: Any) -> dict[str, Any]:
    """Return the metadata that tell a result from an original."""
    return {METADATA_KEY: {result.value: record}}


def is_result(layer: Any, *results: Result) -> bool:
    """Tell whether a layer shows one of these results; any of them where none is named."""
    ours = layer.metadata.get(METADATA_KEY)
    return isinstance(ours, Mapping) and any(result.value in ours for result in results or Result)


def is_original(layer: Any) -> bool:
    """Tell whether a layer is a grey image that one can score, filter, segment, rate or learn from.

    The one rule for every dock: an image layer, not in colour, and not a result of one of our docks. A layer
    that holds a filtered volume is an original: its record says what was applied.
    """
    layer = unwrapped(layer)
    return isinstance(layer, Image) and not layer.rgb and not is_result(layer)


def no_original(verb: str) -> str:
    """Return the sentence for a viewer without an original: ``no_original("score")``."""
    return (
        f"There is no image layer to {verb}: open a tomogram first (colour images and results of these docks "
        "are not offered)."
    )


def unwrapped(layer: Any) -> Any:
    """Return the layer itself: napari hands plugins a proxy of it."""
    return getattr(layer, "__wrapped__", layer)
