"""The training of a segmenter from its run folder to its bundle, in the model process; it can go on.

The run folder holds ``recipe.json``, the labelled slices in ``data.npz``, ``progress.csv`` with a row per
epoch, the finished ``model.tiqa``, and until that is there ``checkpoint.npz`` of the last epoch and
``best.npz``. Each is written as a whole or not at all. What an epoch draws depends on recipe and epoch
alone, so a training that was interrupted has the result of one that was not.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from napari_tiqa.errors import Cancelled
from napari_tiqa.learning.training.card import model_card
from napari_tiqa.learning.training.checkpoint import (
    Checkpoint,
    load_checkpoint,
    load_weights,
    save_checkpoint,
    save_weights,
    set_weights,
)
from napari_tiqa.learning.training.progress import write_epochs
from napari_tiqa.learning.training.reporting import NowAndThen, TrainingPace
from napari_tiqa.learning.training.run_folder import (
    BEST_FILE,
    CHECKPOINT_FILE,
    MODEL_FILE,
    RECIPE_FILE,
    deliver,
    run_lock,
    writing_to,
)
from napari_tiqa.segmentation.classes import LabelledSlice
from napari_tiqa.segmentation.dlinknet import build_dlinknet
from napari_tiqa.segmentation.encoder_weights import load_encoder
from napari_tiqa.segmentation.fitting import fit
from napari_tiqa.segmentation.patches import Patches
from napari_tiqa.segmentation.progress import (
    EPOCH_COLUMNS,
    SegmentProgress,
    class_column,
    read_segment_epochs,
)
from napari_tiqa.segmentation.recipe import SegmentationRecipe
from napari_tiqa.segmentation.segmenter import Segmenter, save_segmenter, segmenter_card
from napari_tiqa.segmentation.training_set import DATA_FILE, TrainingSet, load_training_set
from napari_tiqa.segmentation.validation import judge, within

Report = Callable[[SegmentProgress], object]


def train(run_folder: str, output: str, report: Report) -> dict[str, Any]:
    """Train a segmenter, or go on with a training that was interrupted.

    The best epoch is kept: that with the greatest mean IoU over the classes in what was left out for
    validation; without any the last epoch.

    Parameters
    ----------
    run_folder : str
        With the recipe and the training set.
    output : str
        Where to put the finished bundle.
    report : callable
        Called with a SegmentProgress some times a second; what it raises ends the training. If that is
        Cancelled and an epoch has ended, the best network so far is put at `output`.

    Returns
    -------
    dict
        The bundle's card.

    Raises
    ------
    SegmentationError
        The training diverged; the weights for the encoder cannot be used; what is in the run folder is
        damaged.
    TrainingError
        The run folder is in use, or cannot be written.
    BundleError
        The bundle cannot be written.
    """
    folder = Path(run_folder)
    with writing_to(folder), run_lock(folder):
        return _Run(folder, Path(output), report).train()


@dataclass(frozen=True)
class Reached:
    """Which epoch a set of weights comes from, and how well it did.

    Attributes
    ----------
    epoch : int
        Epochs that are done.
    iou : float
        Mean over the classes of what was left out; NaN without.
    """

    epoch: int
    iou: float


class _Run:
    """One training, from where its folder says that it is."""

    def __init__(self, folder: Path, output: Path, report: Report) -> None:
        self.folder = folder
        self.output = output
        self.report = report
        self.data: TrainingSet = load_training_set(folder / DATA_FILE)
        self.recipe = SegmentationRecipe.from_json((folder / RECIPE_FILE).read_text(encoding="utf-8"))
        self.judged = self.data.judged()
        self.last: Checkpoint[Reached] | None = None
        self.best: Reached | None = None

    def train(self) -> dict[str, Any]:
        model = self.folder / MODEL_FILE
        if model.exists() and (card := segmenter_card(model))["training"]["finished"]:
            deliver(self.folder, self.output)
            return card
        if (self.folder / CHECKPOINT_FILE).exists():
            self.last = load_checkpoint(self.folder / CHECKPOINT_FILE, Reached)
            self.best = self.last.best
        try:
            self._learn()
            return self._judge()
        except Cancelled:
            if self.best is not None:
                self._keep_best_so_far()
            raise

    @cached_property
    def segmenter(self) -> Segmenter:
        """The network, as the last epoch left it."""
        keras.utils.set_random_seed(self.recipe.seed)
        recipe = self.recipe
        network = build_dlinknet(len(self.data.classes), recipe.width, recipe.encoder, recipe.fine_detail)
        if self.last is not None:
            set_weights(network, self.last.weights, self.folder / CHECKPOINT_FILE)
        else:
            load_encoder(network, self.recipe)
        return Segmenter(network, self.data.classes)

    # -- epochs ------------------------------------------------------------------------------------

    def _learn(self) -> None:
        """Go through the epochs, or those that are left."""
        done, state = 0, None
        if self.last is not None:
            done, state = self.last.reached.epoch, self.last.optimizer
        learned = self.data.learned()
        epochs = self.recipe.epochs
        patches = self.recipe.batch * len(Patches(learned, self.recipe, np.random.default_rng()))
        pace = TrainingPace((epochs - done) * patches)

        def progress(seen: float, **news: Any) -> SegmentProgress:
            seen, left = round(seen * patches), pace.seconds_left()
            return SegmentProgress("train", done, epochs, seen, epochs * patches, left, **news)

        show = NowAndThen(self.report)

        def after_step(step: int, steps: int) -> None:
            pace.advance(patches / steps)
            show(progress(done + step / steps))

        def after_epoch(epoch: int, loss: float, optimizer: keras.optimizers.Optimizer) -> None:
            nonlocal done
            # Judging a slice after the other, so that who cancels does not wait for all.
            table = judge(self.segmenter, self._judged_each_epoch(), lambda _: show(progress(epoch)))
            done = epoch
            self._keep_epoch(epoch, loss, table, optimizer)
            ious = dict(zip(self.data.classes.values, table["iou"].tolist(), strict=False))
            self.report(progress(done, loss=loss, iou=float(table["iou"].iloc[-1]), class_ious=ious))

        self.report(progress(done, warnings=self.data.warnings))
        fit(self.segmenter.network, learned, self.recipe, after_epoch, after_step, done, state)

    def _judged_each_epoch(self) -> list[LabelledSlice]:
        # As many pixels as an epoch learns from: looking at them costs a third of that.
        return within(self.judged, self.recipe.patches * self.recipe.crop**2)

    def _keep_epoch(
        self, epoch: int, loss: float, table: pd.DataFrame, optimizer: keras.optimizers.Optimizer
    ) -> None:
        """Save all that is needed to go on from here; the checkpoint last."""
        network = self.segmenter.network
        reached = Reached(epoch, float(table["iou"].iloc[-1]))
        # Not "better than": without validation there is no figure, and the last epoch counts.
        best = self.best is None or not reached.iou <= self.best.iou
        if best:
            self.best = reached
            save_weights(self.folder / BEST_FILE, network, reached)
        row = {"epoch": epoch, "epochs": self.recipe.epochs, "loss": loss, "iou": reached.iou, "best": best}
        columns = [class_column(value) for value in self.data.classes.values]
        row |= dict(zip(columns, table["iou"], strict=False))
        known = read_segment_epochs(self.folder)
        # An epoch that was shown but whose checkpoint was lost is done again.
        rows = known[known["epoch"] < epoch].to_dict("records")
        write_epochs(self.folder, [*rows, row], (*EPOCH_COLUMNS, *columns))
        assert self.best is not None
        save_checkpoint(self.folder / CHECKPOINT_FILE, network, optimizer, reached, self.best)

    # -- the finished model ------------------------------------------------------------------------

    def _judge(self) -> dict[str, Any]:
        load_weights(self.folder / BEST_FILE, self.segmenter.network, Reached)

        def report(done: int) -> None:
            self.report(SegmentProgress("judge", patches_done=done, patches=len(self.judged)))

        report(0)
        table = judge(self.segmenter, self.judged, report)
        self._save(table if self.judged else None, finished=True)
        # Ten times the bundle, and of no more use.
        for name in (CHECKPOINT_FILE, BEST_FILE):
            (self.folder / name).unlink(missing_ok=True)
        return segmenter_card(self.folder / MODEL_FILE)

    def _keep_best_so_far(self) -> None:
        """Put the best network so far where the finished one was to be; the training can still go on."""
        load_weights(self.folder / BEST_FILE, self.segmenter.network, Reached)
        self._save(None, finished=False)

    def _save(self, evaluation: pd.DataFrame | None, finished: bool) -> None:
        card = self._card(evaluation, finished)
        built = (self.recipe.encoder, self.recipe.width, self.recipe.fine_detail)
        save_segmenter(self.folder / MODEL_FILE, self.segmenter, card, *built)
        deliver(self.folder, self.output)

    def _card(self, evaluation: pd.DataFrame | None, finished: bool) -> dict[str, Any]:
        assert self.best is not None
        origin, names = self.data.origin, self.data.classes.names
        learned, left_out = (dict(zip(names, self.data.pixels(held), strict=True)) for held in (False, True))
        card = model_card(
            name=self.output.stem,
            training={
                "scans": [origin.source or origin.name],
                "axis": origin.axis,
                "slices": list(origin.slices),
                "pixels": learned,
                "left_out": left_out,
                "finished": finished,
                "best": {"epoch": self.best.epoch, "iou": _known(self.best.iou)},
                "warnings": list(self.data.warnings),
            },
            settings=asdict(self.recipe),
            evaluation=evaluation.reset_index() if evaluation is not None else None,
            score_scale="",
        )
        if evaluation is None:
            card["evaluation"] = (
                "nothing was left out for validation"
                if finished
                else "the training was stopped before its end"
            )
        # The rule, not the window: another scan has other grey values.
        return card | {
            "window_rule": origin.window_rule,
            "voxel_size": list(origin.voxel_size),
            "unit": origin.unit,
            "domain": _domain(self.data),
        }


def _domain(data: TrainingSet) -> str:
    origin = data.origin
    count = len(origin.slices)
    size = " x ".join(f"{size:.4g}" for size in dict.fromkeys(origin.voxel_size))
    voxel = "" if origin.unit == "pixel" else f", voxel size {size} {origin.unit}"
    return (
        f"Learned from {count} slice{'s' * (count > 1)} of {origin.name} ({sum(data.pixels(held=False))} "
        f"labelled pixels{voxel}): for slices of the same kind of sample, contrast and voxel size."
    )


def _known(value: float) -> float | None:
    """Return None for NaN, which is no JSON."""
    return None if np.isnan(value) else round(value, 4)
