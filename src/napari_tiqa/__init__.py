"""Image quality of X-ray tomograms: a score from 1 (worst) to 5 (best) for every slice.

The public names are imported on first use, so that ``import napari_tiqa`` costs nothing and never
brings Keras into a process that only opens a dock.
"""

from importlib import import_module
from importlib.metadata import version
from typing import Any

__version__ = version("napari-tiqa")

_HOME = {
    "FILTERS": "filtering.catalogue",
    "IntensityWindow": "volumes.window",
    "Pipeline": "filtering.pipeline",
    "Step": "filtering.pipeline",
    "Volume": "volumes.volume",
    "compare": "jobs.compare",
    "estimate_window": "volumes.window",
    "export": "jobs.export",
    "find_ring_centre": "filtering.ring_centre",
    "open_volume": "volumes.open",
    "score_image": "jobs.score",
    "score_map": "jobs.quality_map",
    "score_volume": "jobs.score",
    "tune": "jobs.tune",
}

__all__ = [*_HOME, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
