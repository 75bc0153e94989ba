"""A training from recipe to bundle: generate, rank, regress, judge; in a run folder that it can go on from.

The run folder holds ``recipe.json``, the generated ``dataset/``, ``progress.csv`` with a row per epoch, the
finished ``model.tiqa``, and until that is there ``checkpoint.npz`` of the last epoch and ``best.npz``. Each
is written as a whole or not at all. What an epoch draws depends on recipe and epoch alone, so a training
that was interrupted has the result of one that was not: to the last bit on a CPU, to rounding on a GPU.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np

from napari_tiqa.errors import Cancelled, TrainingError
from napari_tiqa.learning.images.dataset import (
    Dataset,
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
from napari_tiqa.learning.training.checkpoint import (
    Checkpoint,
    load_checkpoint,
    load_weights,
    save_checkpoint,
    save_weights,
    set_weights,
)
from napari_tiqa.learning.training.generation import generate
from napari_tiqa.learning.training.progress import TrainProgress, TrainStage, read_epochs, write_epochs
from napari_tiqa.learning.training.recipe import TrainingRecipe
from napari_tiqa.learning.training.reporting import NowAndThen, TrainingPace
from napari_tiqa.learning.training.run_folder import (
    BEST_FILE,
    CHECKPOINT_FILE,
    DATASET_FOLDER,
    MODEL_FILE,
    deliver,
    keep_recipe,
    run_lock,
    writing_to,
)
from napari_tiqa.learning.training.stages import StageProgress, rank, regress, scale_to_labels
from napari_tiqa.scoring.backbone import build_network, load_imagenet
from napari_tiqa.scoring.bundle import load_card, save_bundle
from napari_tiqa.scoring.predict import predict_scores
from napari_tiqa.scoring.scale import SCORE_RANGE

Report = Callable[[TrainProgress], None]

_GROUPS_TO_SCALE_WITH = 8  # two numbers are fitted, and who has cancelled is waiting


def train(recipe: TrainingRecipe, run_folder: str, output: str, report: Report) -> dict[str, Any]:
    """Train a model by a recipe, or go on with a training that was interrupted.

    Of the last stage that was reached the best epoch is kept: that whose scores of the validation images
    agree best with their labels, by the mean of SROCC and PLCC; without validation images the last epoch.

    Parameters
    ----------
    recipe : TrainingRecipe
        The one that the run folder was begun with, if it was.
    run_folder : str
        Made if it is not there.
    output : str
        Where to put the finished bundle.
    report : callable
        Called with a TrainProgress some times a second; what it raises ends the training. If that is
        Cancelled and an epoch has ended, the best network so far is put at `output`.

    Returns
    -------
    dict
        The bundle's card.

    Raises
    ------
    VolumeError, RatingError, TrainingError
        Originals, ratings or recipe cannot be learned from; the run folder holds a training with another
        recipe, is in use, or cannot be written.
    BundleError
        The bundle cannot be written.
    """
    folder = Path(run_folder)
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with run_lock(folder):
            return _Run(recipe, folder, Path(output), report).train()


@dataclass(frozen=True)
class Reached:
    """Which epoch a set of weights comes from, and how well it did.

    Attributes
    ----------
    stage : str
        "rank" or "regress".
    epoch : int
        Epochs of this stage that are done.
    figure : float
        What the best epoch is chosen by: the mean of SROCC and PLCC over the validation images.
    srocc, plcc : float
        NaN without validation images.
    """

    stage: str
    epoch: int
    figure: float
    srocc: float
    plcc: float


class _Run:
    """One training, from where its folder says that it is."""

    def __init__(self, recipe: TrainingRecipe, folder: Path, output: Path, report: Report) -> None:
        self.recipe = recipe
        self.folder = folder
        self.output = output
        self.report = report
        self.inputs = {path: _fingerprint(Path(path)) for path in (*recipe.originals, *recipe.ratings)}
        self.dataset = Dataset([], [], [])
        self.warnings: list[str] = []
        self.training: list[Group] = []
        self.judged: list[Group] = []
        self.last: Checkpoint[Reached] | None = None
        self.best: Reached | None = None

    def train(self) -> dict[str, Any]:
        keep_recipe(self.folder, self.recipe)
        self._generate()
        model = self.folder / MODEL_FILE
        if model.exists() and (card := load_card(model))["training"]["finished"]:
            deliver(self.folder, self.output)
            return card
        if (self.folder / CHECKPOINT_FILE).exists():
            self.last = load_checkpoint(self.folder / CHECKPOINT_FILE, Reached)
            self.best = self.last.best
        self.pace = TrainingPace(self._images_left())
        try:
            if self.last is None or self.last.reached.stage == "rank":
                self._stage("rank")
            self._stage("regress")
            return self._judge()
        except Cancelled:
            if self.best is not None:
                self._keep_best_so_far()
            raise

    # -- data --------------------------------------------------------------------------------------

    def _generate(self) -> None:
        """Make the dataset, unless it is there; originals that are still there must be what they were."""
        folder = self.folder / DATASET_FOLDER
        if not is_dataset(folder):
            self.report(TrainProgress("generate"))
            show = NowAndThen(self.report)
            made = generate(
                self.recipe,
                lambda done, images: show(TrainProgress("generate", images_done=done, images=images)),
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
        # Read back also when just made, so that a training that goes on has the very same labels.
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
        self.report(
            TrainProgress("generate", images_done=images, images=images, warnings=tuple(self.warnings))
        )

    # -- the two stages ----------------------------------------------------------------------------

    @cached_property
    def network(self) -> keras.Model:
        """The network, as the last epoch left it."""
        keras.utils.set_random_seed(self.recipe.seed)
        network = build_network(backbone=self.recipe.backbone)
        if self.last is not None:
            set_weights(network, self.last.weights, self.folder / CHECKPOINT_FILE)
        else:
            load_imagenet(network, self.recipe.backbone)
        return network

    def _stage(self, stage: TrainStage) -> None:
        """Go through the epochs of a stage, or those that are left of it."""
        function, epochs = self._stages()[stage]
        start, state = 0, None
        if self.last is not None and self.last.reached.stage == stage:
            start, state = self.last.reached.epoch, self.last.optimizer
        images = _count(self.training)
        show = NowAndThen(self.report)
        done = start

        def progress(seen: float, **news: Any) -> TrainProgress:
            return TrainProgress(
                stage, done, epochs, round(seen * images), epochs * images, self.pace.seconds_left(), **news
            )

        def after_step(step: int, steps: int) -> None:
            self.pace.advance(images / steps)
            show(progress(done + step / steps))

        def after_epoch(news: StageProgress, optimizer: keras.optimizers.Optimizer) -> None:
            nonlocal done
            done = news.epoch
            reached = self._keep_epoch(stage, news, optimizer)
            self.report(progress(done, loss=news.loss, srocc=reached.srocc, plcc=reached.plcc))

        function(
            self.network,
            self.training,
            epochs=epochs,
            seed=self.recipe.seed + (stage == "regress"),
            report=after_epoch,
            after_step=after_step,
            start=start,
            optimizer_state=state,
        )

    def _stages(self) -> dict[TrainStage, tuple[Callable[..., None], int]]:
        return {
            "rank": (rank, self.recipe.ranking_epochs),
            "regress": (regress, self.recipe.regression_epochs),
        }

    def _images_left(self) -> int:
        """Count the images of both stages that are still to be seen, each once an epoch."""
        left = self.recipe.ranking_epochs + self.recipe.regression_epochs
        if self.last is not None:
            before = self.recipe.ranking_epochs if self.last.reached.stage == "regress" else 0
            left -= before + self.last.reached.epoch
        return left * _count(self.training)

    def _keep_epoch(
        self, stage: TrainStage, news: StageProgress, optimizer: keras.optimizers.Optimizer
    ) -> Reached:
        """Judge the network and save all that is needed to go on from here; the checkpoint last."""
        order, value = self._agreement(stage)
        reached = Reached(stage, news.epoch, (order + value) / 2, order, value)
        # Not "better than": without validation images there is no figure, and the last epoch counts.
        best = self.best is None or self.best.stage != stage or not reached.figure <= self.best.figure
        if best:
            self.best = reached
            save_weights(self.folder / BEST_FILE, self.network, reached)
        row = {"stage": stage, "epoch": news.epoch, "epochs": news.epochs, "loss": news.loss}
        row |= {"srocc": order, "plcc": value, "best": best}
        rows = [
            known
            for known in read_epochs(self.folder).to_dict("records")
            # An epoch that was shown but whose checkpoint was lost is done again.
            if known["stage"] != stage or known["epoch"] < news.epoch
        ]
        write_epochs(self.folder, [*rows, row])
        assert self.best is not None
        save_checkpoint(self.folder / CHECKPOINT_FILE, self.network, optimizer, reached, self.best)
        return reached

    def _agreement(self, stage: TrainStage) -> tuple[float, float]:
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

    def _judge(self) -> dict[str, Any]:
        load_weights(self.folder / BEST_FILE, self.network, Reached)
        self.report(TrainProgress("judge", images=_count(self.judged)))
        scores = [predict_scores(self.network, group.tiles()) for group in self.judged]
        self.report(TrainProgress("judge", images_done=_count(self.judged), images=_count(self.judged)))
        evaluation = evaluate(self.judged, scores) if self.judged else None
        calibration = calibrate(self.network, self.training, self.judged)
        self.report(TrainProgress("judge", images_done=_count(self.judged), images=_count(self.judged)))
        card = self._card(evaluation, finished=True)
        save_bundle(self.folder / MODEL_FILE, self.network, card, calibration, self.recipe.backbone)
        deliver(self.folder, self.output)
        # Ten times the bundle, and of no more use.
        for name in (CHECKPOINT_FILE, BEST_FILE):
            (self.folder / name).unlink(missing_ok=True)
        return load_card(self.folder / MODEL_FILE)

    def _keep_best_so_far(self) -> None:
        """Put the best network so far where the finished one was to be; the training can still go on."""
        best = load_weights(self.folder / BEST_FILE, self.network, Reached)
        if best.stage == "rank":
            labelled = [group for group in self.training if np.isfinite(group.labels).any()]
            scale_to_labels(self.network, labelled[:_GROUPS_TO_SCALE_WITH])
        card = self._card(None, finished=False)
        save_bundle(self.folder / MODEL_FILE, self.network, card, backbone=self.recipe.backbone)
        deliver(self.folder, self.output)

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
