"""The training of a model that scores, as a dock starts it: from files, or from slices of layers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from threading import Event
from typing import Any

from napari_tiqa.jobs.learning.train import train
from napari_tiqa.learning.training.recipe import TrainingRecipe
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.widgets.training.job import TrainingJob
from napari_tiqa.widgets.training.layer_slices import write_layer_slices
from napari_tiqa.widgets.training.runs import StartedRuns, TrainingRun


@dataclass(frozen=True)
class ScoreTraining:
    """What to train.

    Attributes
    ----------
    recipe : TrainingRecipe
    run : TrainingRun
    volumes : tuple of Volume
        Layers to learn from, whose slices are written first and take the place of the recipe's originals.
    """

    recipe: TrainingRecipe
    run: TrainingRun
    volumes: tuple[Volume, ...] = ()

    def __call__(self, report: Callable[[Any], None], cancel: Event) -> dict[str, Any]:
        """Train, and return the card of the bundle."""
        recipe, run = self.recipe, self.run
        if self.volumes:
            folder = run.folder / "originals"
            originals = write_layer_slices(self.volumes, recipe.slices, folder, cancel)
            recipe = replace(recipe, originals=originals)
        return train(recipe, run_folder=run.folder, output=run.output, progress=report, cancel=cancel)


@cache
def shared_training_job() -> TrainingJob:
    """Return the one training of a model that scores in this napari."""
    return TrainingJob(StartedRuns("training_runs.json"))
