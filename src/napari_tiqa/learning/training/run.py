"""The training of a score from recipe to bundle: generate, rank, regress, judge; see ``resumable``."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from napari_tiqa.errors import TrainingError
from napari_tiqa.learning.images.dataset import (
    dataset_record,
    is_dataset,
    read_dataset,
    write_dataset,
)
from napari_tiqa.learning.images.groups import Group
from napari_tiqa.learning.images.split import split
from napari_tiqa.learning.measures.measures import evaluate, plcc, srocc
from napari_tiqa.learning.training.calibration import calibrate
from napari_tiqa.learning.training.card import model_card
from napari_tiqa.learning.training.generation import generate
from napari_tiqa.learning.training.progress import EPOCH_COLUMNS, TrainProgress
from napari_tiqa.learning.training.recipe import TrainingRecipe
from napari_tiqa.learning.training.resumable import ResumableRun
from napari_tiqa.learning.training.run_folder import DATASET_FOLDER, keep_recipe, run_lock, writing_to
from napari_tiqa.learning.training.stages import rank, regress, scale_to_labels
from napari_tiqa.progress import Pace, Throttled
from napari_tiqa.scoring.backbone import build_network, load_imagenet
from napari_tiqa.scoring.bundle import SCORE, save_bundle
from napari_tiqa.scoring.predict import predict_scores
from napari_tiqa.scoring.scale import SCORE_RANGE
from napari_tiqa.volumes.digest import slice_digest

Report = Callable[[TrainProgress], None]

_GROUPS_TO_SCALE_WITH = 8  # two numbers are fitted, and who has cancelled is waiting


def train(recipe: TrainingRecipe, run_folder: str, output: str, report: Report) -> dict[str, Any]:
    """Train a model by a recipe, or resume a training that was interrupted, and return the bundle's card.

    Of the last stage that was reached the best epoch is kept: that whose scores of the validation images
    agree best with their labels, by the mean of SROCC and PLCC; without validation images the last epoch.
    `report` is called with a TrainProgress some times a second; what it raises ends the training. If that is
    Cancelled and an epoch has ended, the best network so far is put at `output`.

    Raises VolumeError, RatingError or TrainingError if originals, ratings or recipe cannot be learned from,
    or the run folder holds a training with another recipe, is in use, or cannot be written; BundleError if
    the bundle cannot be written.
    """
    folder = Path(run_folder)
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with run_lock(folder):
            return _Run(recipe, folder, Path(output), report).train()


@dataclass(frozen=True)
class Reached:
    """Which epoch a set of weights comes from, and how well it did.

    The best epoch is chosen by `figure`, the mean of SROCC and PLCC over the validation images, NaN without
    any.
    """

    stage: str
    epoch: int
    figure: float
    srocc: float
    plcc: float

    def beats(self, best: "Reached") -> bool:
        """Whether this is the best epoch of its stage so far; not "better than", which NaN never is."""
        return self.stage != best.stage or not self.figure <= best.figure


class _Run(ResumableRun[Reached]):
    purpose, progress, reached, columns = SCORE, TrainProgress, Reached, EPOCH_COLUMNS
    recipe: TrainingRecipe

    def train(self) -> dict[str, Any]:
        """Train, or finish what was begun, and return the bundle's card."""
        inputs = (*self.recipe.originals, *self.recipe.ratings)
        self.inputs = {path: _fingerprint(Path(path)) for path in inputs}
        keep_recipe(self.folder, self.recipe)
        self._generate()
        return super().train()

    # -- data --------------------------------------------------------------------------------------

    def _generate(self) -> None:
        """Make the dataset, unless it is there; originals that are still there must be what they were."""
        folder = self.folder / DATASET_FOLDER
        if not is_dataset(folder):
            self.report(TrainProgress(0, 0, None, "generate"))
            show = Throttled(self.report)
            made = generate(
                self.recipe, lambda done, images: show(TrainProgress(done, images, None, "generate"))
            )
            write_dataset(
                folder,
                made.dataset,
                {"recipe": asdict(self.recipe), "inputs": self.inputs, "warnings": made.warnings},
            )
        record = dataset_record(folder)
        for path, seen in self.inputs.items():
            if seen and seen != record["inputs"].get(path):
                raise TrainingError(
                    f"{path} has changed since the training in {self.folder} began: choose another run "
                    "folder."
                )
        # Read back also when just made, so that a training that is resumed has the very same labels.
        self.dataset = read_dataset(folder)
        self.warnings = list(record["warnings"])
        self.training, self.judged = split(
            self.dataset.groups, self.recipe.validation_share, self.recipe.seed
        )
        if not self.judged:
            self.warnings.append(
                "No original is left out for validation, so nothing tells how good the model is on others."
            )
        images = _count(self.dataset.groups)
        self.report(TrainProgress(images, images, None, "generate", warnings=tuple(self.warnings)))

    # -- the two stages ----------------------------------------------------------------------------

    def build(self) -> keras.Model:
        """Return the network, its weights not set yet."""
        return build_network(backbone=self.recipe.backbone)

    def initialise(self, network: keras.Model) -> None:
        """Set the backbone's ImageNet weights."""
        load_imagenet(network, self.recipe.backbone)

    def learn(self) -> None:
        """Go through the epochs of both stages that are left."""
        recipe, images = self.recipe, _count(self.training)
        ranked, done = recipe.ranking_epochs * images, 0
        if self.last is not None:
            done = self.last.reached.epoch * images + ranked * (self.last.reached.stage == "regress")
        self.pace = Pace(ranked + recipe.regression_epochs * images, done)
        if self.last is None or self.last.reached.stage == "rank":
            fit = partial(rank, self.network, self.training, epochs=recipe.ranking_epochs, seed=recipe.seed)
            self.run_stage("rank", fit, recipe.ranking_epochs, images, partial(self._keep, "rank"))
        epochs = recipe.regression_epochs
        fit = partial(regress, self.network, self.training, epochs=epochs, seed=recipe.seed + 1)
        self.run_stage("regress", fit, epochs, images, partial(self._keep, "regress"), before=ranked)

    def _keep(
        self, stage: str, epoch: int, loss: float, optimizer: keras.optimizers.Optimizer, _show: object
    ) -> Mapping[str, Any]:
        """Judge and keep an epoch."""
        order, value = self._agreement(stage)
        epochs = self.recipe.ranking_epochs if stage == "rank" else self.recipe.regression_epochs
        figures = {"srocc": order, "plcc": value}
        row = {"stage": stage, "epoch": epoch, "epochs": epochs, "loss": loss, **figures, "best": False}
        self.keep_epoch(Reached(stage, epoch, (order + value) / 2, order, value), row, optimizer)
        return figures

    def _agreement(self, stage: str) -> tuple[float, float]:
        """SROCC and PLCC of the validation images' scores with their labels."""
        if not self.judged:
            return np.nan, np.nan
        outputs = [self.network.predict_on_batch(group.tiles()[..., None]) for group in self.judged]
        scores = np.concatenate(outputs)[:, 0]
        if stage == "regress":  # ranking leaves scores on a scale of its own
            scores = np.clip(scores, *SCORE_RANGE)
        labels = np.concatenate([group.labels for group in self.judged])
        known = np.isfinite(labels)
        return srocc(scores[known], labels[known]), plcc(scores[known], labels[known])

    # -- the finished model ------------------------------------------------------------------------

    def save(self, model: Path, finished: bool) -> None:
        """Write the bundle of the best network, judged and calibrated if the training is finished."""
        evaluation = calibration = None
        if finished:
            images = _count(self.judged)
            self.report(TrainProgress(0, images, None, "judge"))
            scores = [predict_scores(self.network, group.tiles()) for group in self.judged]
            self.report(TrainProgress(images, images, None, "judge"))
            evaluation = evaluate(self.judged, scores) if self.judged else None
            calibration = calibrate(self.network, self.training, self.judged)
            self.report(TrainProgress(images, images, None, "judge"))
        elif self.best is not None and self.best.stage == "rank":
            labelled = [group for group in self.training if np.isfinite(group.labels).any()]
            scale_to_labels(self.network, labelled[:_GROUPS_TO_SCALE_WITH])
        save_bundle(model, self.network, self._card(evaluation, finished), calibration, self.recipe.backbone)

    def _card(self, evaluation: Any, finished: bool) -> dict[str, Any]:
        assert self.best is not None
        ratings = self.dataset.ratings
        specimens = list(dict.fromkeys(group.specimen for group in self.dataset.groups))
        return model_card(
            name=self.output.stem,
            training={
                "scans": specimens,
                "originals": len(self.dataset.groups),
                "left_out": list(dict.fromkeys(group.specimen for group in self.judged)),
                "originals_left_out": len(self.judged),
                "digests": [slice_digest(group.images[0]) for group in self.training],
                "ratings": len(ratings) if ratings is not None else 0,
                "raters": sorted(set(ratings["rater"])) if ratings is not None else [],
                "finished": finished,
                "best": asdict(self.best),
                "warnings": self.warnings,
            },
            settings=asdict(self.recipe),
            evaluation=evaluation,
        )


def _count(groups: list[Group]) -> int:
    return sum(len(group.images) for group in groups)


def _fingerprint(path: Path) -> list[int] | None:
    """Return numbers that change with what is in a file or folder; None where it is gone."""
    if not path.exists():
        return None
    # Not session.json: the rating dock writes it when it only looks.
    inside = [*path.iterdir(), *path.glob("images/*")] if path.is_dir() else [path]
    stats = [file.stat() for file in inside if file.is_file() and file.name != "session.json"]
    return [len(stats), sum(stat.st_size for stat in stats), max((s.st_mtime_ns for s in stats), default=0)]
