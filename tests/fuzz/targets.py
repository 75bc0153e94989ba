"""What is fuzzed: each function reads an input from a folder as napari-tiqa does, up to its first use."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from napari_tiqa.errors import TiqaError
from napari_tiqa.filtering.pipeline import Pipeline, holds_pipeline
from napari_tiqa.jobs.filtering.export import export
from napari_tiqa.jobs.process.kept_work import KeptWork
from napari_tiqa.jobs.segmentation.store import SegmentationStore
from napari_tiqa.learning.images.dataset import read_dataset
from napari_tiqa.learning.ratings.session import open_session
from napari_tiqa.learning.ratings.table import (
    krippendorff_alpha,
    mean_scores,
    most_disputed,
    rating_warnings,
    read_ratings,
    self_consistency,
)
from napari_tiqa.learning.training.progress import read_epochs
from napari_tiqa.learning.training.recipe import TrainingRecipe
from napari_tiqa.scoring.bundle import SCORE, SEGMENTATION, load_card, load_network, purpose_of
from napari_tiqa.scoring.recent_models import recent_models, remember_model
from napari_tiqa.scoring.table import read_scores, scores_csv, scores_json
from napari_tiqa.segmentation.recipe import SegmentationRecipe
from napari_tiqa.segmentation.segmenter import classes_of
from napari_tiqa.segmentation.training_set import load_training_set
from napari_tiqa.volumes.open import as_volume, open_volume
from napari_tiqa.volumes.window_estimate import estimate_window
from tests.fuzz.seeds import PLAN, SMOOTHED, segmentation_record, volume

LARGEST_SLICE = 32 << 20
"""Bytes: a slice that is said to be larger is not read, since it may take what it is said to take."""


class WrongResult(Exception):
    """A result that is not what it must be: worse than any error."""


def _opened(path: Path) -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        tomogram = open_volume(path).tomogram()
    for warning in said:
        if issubclass(warning.category, UserWarning) and not str(warning.message).endswith("."):
            raise WrongResult(f"a warning that is not a sentence: {warning.message}")
    if tomogram.data.nbytes // tomogram.slice_count(0) <= LARGEST_SLICE:
        pixels = tomogram.slice(0, 0)
        if pixels.shape != tomogram.slice_shape(0) or pixels.dtype != tomogram.data.dtype.newbyteorder("="):
            raise WrongResult(f"a slice of {pixels.shape} {pixels.dtype}")
        estimate_window(tomogram)


def tiff(folder: Path) -> None:
    _opened(folder / "in.tif")


def tiff_folder(folder: Path) -> None:
    _opened(folder)


def hdf5(folder: Path) -> None:
    _opened(folder / "in.h5")


def zarr(folder: Path) -> None:
    _opened(folder / "in.zarr")


def mrc(folder: Path) -> None:
    _opened(folder / "in.mrc")


def npy(folder: Path) -> None:
    _opened(folder / "in.npy")


def bundle(folder: Path) -> None:
    path = folder / "in.tiqa"
    purpose = purpose_of(path)

    def build(card: dict[str, Any]) -> Any:
        if purpose == SEGMENTATION:
            classes_of(card)
        return SimpleNamespace(layers=[])

    load_card(path, purpose if purpose in (SCORE, SEGMENTATION) else SCORE)
    load_network(path, purpose, build)


def pipeline(folder: Path) -> None:
    path = folder / "in.json"
    if not holds_pipeline(path):
        Pipeline.load(path)
        raise WrongResult("it is not a pipeline, and can be loaded as one")
    loaded = Pipeline.load(path)
    loaded.describe()
    if Pipeline.from_dict(loaded.to_dict()) != loaded:
        raise WrongResult("the pipeline is another one after it was written and read")


def recipe(folder: Path) -> None:
    text = (folder / "in.json").read_text(errors="replace")
    kind = SegmentationRecipe if "steps_per_epoch" in text or "encoder" in text else TrainingRecipe
    kind.from_json(kind.from_json(text).to_json())


def ratings(folder: Path) -> None:
    table = read_ratings(folder / "in.csv")
    for judge in (mean_scores, krippendorff_alpha, self_consistency, most_disputed, rating_warnings):
        judge(table)


def session(folder: Path) -> None:
    opened = open_session(folder)
    opened.ratings()
    for rater in [*opened.raters()[:3], "new"]:
        opened.progress(rater)
        if image := opened.current(rater):
            opened.skip(rater, image)
        opened.undo(rater)
    [source.get("specimen") for source in opened.sources]


def dataset(folder: Path) -> None:
    found = read_dataset(folder)
    if any(image.shape != (224, 224) for group in found.groups for image in group.images):
        raise WrongResult("an image of another size")


def score_table(folder: Path) -> None:
    table = read_scores(folder / "in.csv")
    scores_csv(table)
    scores_json(table)


def unfinished_export(folder: Path) -> None:
    name = next(name.removesuffix(".unfinished") for name in os.listdir(folder) if name.startswith("out"))
    source, output = as_volume(volume()), folder / name
    export(source, SMOOTHED, output, window=(0.0, 200.0))
    written = open_volume(output)
    for index in range(source.slice_count(0)):
        filtered = SMOOTHED(source.slice(0, index), (0.0, 200.0))
        if not np.array_equal(written.slice(0, index), filtered):
            raise WrongResult(f"slice {index} of the resumed export is another one")


def kept_work(folder: Path) -> None:
    with KeptWork(folder / "in.unfinished", PLAN) as work:
        work.add("2", 1.5)
    with KeptWork(folder / "in.unfinished", PLAN) as work:
        if work.pieces.get("2") != 1.5:
            raise WrongResult("a piece that was added is not there")
        work.finish()


def segmentation(folder: Path) -> None:
    record = segmentation_record()
    store = SegmentationStore.begin(folder / "in.zarr", record)
    with store:
        for index in range(3):
            if index not in store.rows or not store.is_intact(index):
                store.write(index, np.full((2, 8, 10), 0.5, np.float16), 7)
    kept = SegmentationStore.open(folder / "in.zarr")
    result = kept.segmentation()
    if result.done.tolist() != [True] * 3:
        raise WrongResult("a slice that was written is not there")
    result.table()


def models_used_before(folder: Path) -> None:
    os.environ["XDG_DATA_HOME"] = str(folder)
    for purpose in (SCORE, SEGMENTATION):
        recent_models(purpose)
    remember_model(folder / "new.tiqa")


def training_set(folder: Path) -> None:
    error: TiqaError | None = None
    try:
        read_epochs(folder)
    except TiqaError as found:
        error = found
    data = load_training_set(folder / "data.npz")
    data.learned()
    data.judged()
    if error:
        raise error


TARGETS: dict[str, Callable[[Path], None]] = {
    "tiff": tiff,
    "tiff-folder": tiff_folder,
    "hdf5": hdf5,
    "zarr": zarr,
    "ome-zarr": zarr,
    "mrc": mrc,
    "npy": npy,
    "bundle": bundle,
    "pipeline": pipeline,
    "recipe": recipe,
    "ratings": ratings,
    "session": session,
    "dataset": dataset,
    "score-table": score_table,
    "export": unfinished_export,
    "kept-work": kept_work,
    "segmentation": segmentation,
    "recent-models": models_used_before,
    "training-set": training_set,
}
