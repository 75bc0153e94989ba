"""Image quality of X-ray tomograms: a score from 1 (worst) to 5 (best) for every slice.

Every verb is here; each is imported on first use, so that ``import napari_tiqa`` takes milliseconds and never
brings Keras into a process that only opens a dock. The networks run in a process of their own.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_tiqa.errors import BundleError as BundleError
    from napari_tiqa.errors import Cancelled as Cancelled
    from napari_tiqa.errors import ExportError as ExportError
    from napari_tiqa.errors import FilterError as FilterError
    from napari_tiqa.errors import ModelProcessError as ModelProcessError
    from napari_tiqa.errors import RatingError as RatingError
    from napari_tiqa.errors import SegmentationError as SegmentationError
    from napari_tiqa.errors import TableError as TableError
    from napari_tiqa.errors import TiqaError as TiqaError
    from napari_tiqa.errors import TrainingError as TrainingError
    from napari_tiqa.errors import VolumeError as VolumeError
    from napari_tiqa.filtering.catalogue import FILTERS as FILTERS
    from napari_tiqa.filtering.lazy import filter_volume as filter_volume
    from napari_tiqa.filtering.pipeline import Pipeline as Pipeline
    from napari_tiqa.filtering.pipeline import Step as Step
    from napari_tiqa.filtering.ring_centre import find_ring_centre as find_ring_centre
    from napari_tiqa.jobs.filtering.compare import Comparison as Comparison
    from napari_tiqa.jobs.filtering.compare import compare as compare
    from napari_tiqa.jobs.filtering.export import export as export
    from napari_tiqa.jobs.filtering.tune import tune as tune
    from napari_tiqa.jobs.filtering.tuning import Tuning as Tuning
    from napari_tiqa.jobs.filtering.variables import Variable as Variable
    from napari_tiqa.jobs.learning.evaluate import evaluate as evaluate
    from napari_tiqa.jobs.learning.train import train as train
    from napari_tiqa.jobs.quality.map import QualityMap as QualityMap
    from napari_tiqa.jobs.quality.map import score_map as score_map
    from napari_tiqa.jobs.quality.measure import measure_volume as measure_volume
    from napari_tiqa.jobs.quality.score import score_image as score_image
    from napari_tiqa.jobs.quality.score import score_volume as score_volume
    from napari_tiqa.jobs.segmentation.predict import open_segmentation as open_segmentation
    from napari_tiqa.jobs.segmentation.predict import segment as segment
    from napari_tiqa.jobs.segmentation.result import Segmentation as Segmentation
    from napari_tiqa.jobs.segmentation.train import train_segmenter as train_segmenter
    from napari_tiqa.jobs.study.result import Study as Study
    from napari_tiqa.jobs.study.study import study_segmentation as study_segmentation
    from napari_tiqa.learning.evaluation.comparison import Evaluation as Evaluation
    from napari_tiqa.learning.training.recipe import TrainingRecipe as TrainingRecipe
    from napari_tiqa.scoring.table import read_scores as read_scores
    from napari_tiqa.scoring.table import write_scores as write_scores
    from napari_tiqa.segmentation.recipe import SegmentationRecipe as SegmentationRecipe
    from napari_tiqa.version import __version__ as __version__
    from napari_tiqa.volumes.open import open_volume as open_volume
    from napari_tiqa.volumes.volume import Volume as Volume
    from napari_tiqa.volumes.window import IntensityWindow as IntensityWindow
    from napari_tiqa.volumes.window_estimate import estimate_window as estimate_window

_HOME = {
    # open
    "open_volume": "volumes.open",
    "Volume": "volumes.volume",
    "IntensityWindow": "volumes.window",
    "estimate_window": "volumes.window_estimate",
    # score
    "score_image": "jobs.quality.score",
    "score_volume": "jobs.quality.score",
    "score_map": "jobs.quality.map",
    "QualityMap": "jobs.quality.map",
    "measure_volume": "jobs.quality.measure",
    "read_scores": "scoring.table",
    "write_scores": "scoring.table",
    # filter
    "FILTERS": "filtering.catalogue",
    "Pipeline": "filtering.pipeline",
    "Step": "filtering.pipeline",
    "filter_volume": "filtering.lazy",
    "find_ring_centre": "filtering.ring_centre",
    "tune": "jobs.filtering.tune",
    "Variable": "jobs.filtering.variables",
    "Tuning": "jobs.filtering.tuning",
    "compare": "jobs.filtering.compare",
    "Comparison": "jobs.filtering.compare",
    "export": "jobs.filtering.export",
    # segment
    "segment": "jobs.segmentation.predict",
    "open_segmentation": "jobs.segmentation.predict",
    "Segmentation": "jobs.segmentation.result",
    "train_segmenter": "jobs.segmentation.train",
    "SegmentationRecipe": "segmentation.recipe",
    "study_segmentation": "jobs.study.study",
    "Study": "jobs.study.result",
    # train and evaluate a quality model
    "train": "jobs.learning.train",
    "TrainingRecipe": "learning.training.recipe",
    "evaluate": "jobs.learning.evaluate",
    "Evaluation": "learning.evaluation.comparison",
    # errors
    "TiqaError": "errors",
    "BundleError": "errors",
    "Cancelled": "errors",
    "ExportError": "errors",
    "FilterError": "errors",
    "ModelProcessError": "errors",
    "RatingError": "errors",
    "SegmentationError": "errors",
    "TableError": "errors",
    "TrainingError": "errors",
    "VolumeError": "errors",
    "__version__": "version",
}

__all__ = [*_HOME]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
