"""The training of a model that scores, as a dock starts it: from files, or from slices of layers.

Slices of layers are written as TIFF files first, so that a training can be repeated without the layers.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import tifffile

from napari_tiqa.errors import Cancelled, TrainingError, explained
from napari_tiqa.jobs.learning.train import train
from napari_tiqa.learning.training.recipe import TrainingRecipe
from napari_tiqa.volumes.slices import evenly
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.whole_file import whole_file
from napari_tiqa.widgets.training.job import Training, TrainingJob
from napari_tiqa.widgets.training.runs import StartedRuns, TrainingRun
from napari_tiqa.wording import free_name


def score_training(
    recipe: TrainingRecipe, run: TrainingRun, volumes: Sequence[Volume] = (), layers: Iterable[str] = ()
) -> Training:
    """Return a training; slices of `volumes` are written first and replace the recipe's originals.

    `layers` are the ``unique_id`` of those that the volumes are of.
    """
    return Training(run, partial(_train, recipe, run, volumes), tuple(layers))


def _train(
    recipe: TrainingRecipe, run: TrainingRun, volumes: Sequence[Volume], *, cancel: Event, **options: Any
) -> dict[str, Any]:
    if volumes:
        originals = write_layer_slices(volumes, recipe.slices, run.folder / "originals", cancel)
        recipe = replace(recipe, originals=originals)
    return train(recipe, run_folder=run.folder, output=run.output, cancel=cancel, **options)


@cache
def shared_training_job() -> TrainingJob:
    """Return the one training of a model that scores in this napari."""
    return TrainingJob(StartedRuns("training_runs.json"))


def write_layer_slices(
    volumes: Sequence[Volume], count: int, folder: Path, cancel: Event | None = None
) -> tuple[str, ...]:
    """Write slices of each volume into one TIFF file a volume, since a file is a specimen to the training.

    Of each 2-D or 3-D volume `count` slices are taken across the first axis, evenly spaced; all where it has
    fewer. Returns the files in the order of the volumes. Raises Cancelled once `cancel` is set, TrainingError
    if a file cannot be written, VolumeError if a slice cannot be read.
    """
    paths: list[str] = []
    for volume in volumes:
        planes = []
        for index in slice_places(volume.slice_count(0), count):
            if cancel is not None and cancel.is_set():
                raise Cancelled("The training was cancelled before it began.")
            planes.append(np.asarray(volume.slice(0, index)))
        path = folder / f"{_free_stem(volume.name, paths)}.tif"
        problem = f"The slices of '{volume.name}' cannot be written to {folder}"
        with explained(TrainingError, problem, "make room there or save the model elsewhere"):
            folder.mkdir(parents=True, exist_ok=True)
            tiff = BytesIO()
            tifffile.imwrite(tiff, np.stack(planes), photometric="minisblack", metadata={"axes": "ZYX"})
            with whole_file(path) as file:
                file.write(tiff.getbuffer())
        paths.append(str(path))
    return tuple(paths)


def slice_places(count: int, wanted: int) -> list[int]:
    """Return which slices to take: evenly spaced, none twice."""
    return evenly(min(count, wanted), count)


def _free_stem(name: str, taken: Sequence[str]) -> str:
    stem = re.sub(r"[^\w\- ]+", "_", name).strip() or "layer"
    return free_name(stem, {Path(path).stem for path in taken}, "{name} {number}")
