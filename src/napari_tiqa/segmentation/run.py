"""The training of a segmenter from its run folder to its bundle, in the model process; see ``resumable``.

The labelled slices lie in ``data.npz``.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np
import pandas as pd

from napari_tiqa.learning.training.card import model_card
from napari_tiqa.learning.training.resumable import ResumableRun
from napari_tiqa.learning.training.run_folder import RECIPE_FILE, run_lock, writing_to
from napari_tiqa.progress import Pace
from napari_tiqa.scoring.bundle import SEGMENTATION
from napari_tiqa.segmentation.encoder_weights import load_encoder
from napari_tiqa.segmentation.fitting import fit, new_network
from napari_tiqa.segmentation.patches import Patches
from napari_tiqa.segmentation.progress import EPOCH_COLUMNS, SegmentProgress, class_column
from napari_tiqa.segmentation.recipe import SegmentationRecipe
from napari_tiqa.segmentation.segmenter import Segmenter, save_segmenter
from napari_tiqa.segmentation.training_set import DATA_FILE, TrainingSet, load_training_set
from napari_tiqa.segmentation.validation import judge, within
from napari_tiqa.wording import counted

Report = Callable[[SegmentProgress], object]


def train(run_folder: str, output: str, report: Report) -> dict[str, Any]:
    """Train a segmenter, or resume a training that was interrupted; return the bundle's card.

    The best epoch is kept: that with the greatest mean IoU over the classes in what was left out for
    validation; without any the last epoch. The run folder has recipe and training set, `output` gets the
    bundle. `report` gets a SegmentProgress some times a second, and what it raises ends the training; if that
    is Cancelled and an epoch has ended, the best network so far is put at `output`.

    A SegmentationError is raised if the training diverged, the weights for the encoder cannot be used, or the
    run folder's content is damaged; a TrainingError if the folder is in use or cannot be written; a
    BundleError if the bundle cannot be written.
    """
    folder = Path(run_folder)
    with writing_to(folder), run_lock(folder):
        data = load_training_set(folder / DATA_FILE)
        recipe = SegmentationRecipe.from_json((folder / RECIPE_FILE).read_text(encoding="utf-8"))
        return _Run(data, recipe, folder, Path(output), report).train()


@dataclass(frozen=True)
class Reached:
    """Which epoch a set of weights comes from, and its mean IoU in what was left out (NaN without)."""

    stage: ClassVar[str] = "train"
    epoch: int
    iou: float

    def beats(self, best: "Reached") -> bool:
        """Whether this is the best epoch so far; not "better than", which NaN never is."""
        return not self.iou <= best.iou


class _Run(ResumableRun[Reached]):
    purpose, progress, reached, columns = SEGMENTATION, SegmentProgress, Reached, EPOCH_COLUMNS
    recipe: SegmentationRecipe

    def __init__(self, data: TrainingSet, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.data = data
        self.judged = data.judged()

    @cached_property
    def segmenter(self) -> Segmenter:
        """The network and its classes."""
        return Segmenter(self.network, self.data.classes)

    def build(self) -> keras.Model:
        """Return the network, its weights not set yet."""
        return new_network(len(self.data.classes), self.recipe, pretrained=False)

    def initialise(self, network: keras.Model) -> None:
        """Set the encoder's weights."""
        load_encoder(network, self.recipe)

    def learn(self) -> None:
        """Go through the epochs that are left."""
        learned, epochs = self.data.learned(), self.recipe.epochs
        patches = self.recipe.batch * len(Patches(learned, self.recipe, np.random.default_rng()))
        done = self.last.reached.epoch if self.last is not None else 0
        self.pace = Pace(epochs * patches, done * patches)
        learn = partial(fit, self.network, learned, self.recipe)
        self.run_stage("train", learn, epochs, patches, self._keep, warnings=self.data.warnings)

    def _keep(
        self, epoch: int, loss: float, optimizer: keras.optimizers.Optimizer, show: Callable[[], object]
    ) -> Mapping[str, Any]:
        """Judge and keep an epoch; slice by slice, so that a cancel need not wait for all."""
        # As many pixels as an epoch learns from: looking at them costs a third of that.
        judged = within(self.judged, self.recipe.patches * self.recipe.crop**2)
        table = judge(self.segmenter, judged, lambda _: show())
        iou, values = float(table["iou"].iloc[-1]), self.data.classes.values
        row = {"epoch": epoch, "epochs": self.recipe.epochs, "loss": loss, "iou": iou, "best": False}
        row |= dict(zip(map(class_column, values), table["iou"], strict=False))
        self.keep_epoch(Reached(epoch, iou), row, optimizer)
        return {"iou": iou, "class_ious": dict(zip(values, table["iou"].tolist(), strict=False))}

    def save(self, model: Path, finished: bool) -> None:
        """Write the bundle of the best network, judged if the training is finished."""
        table = None
        if finished:

            def report(done: int) -> None:
                self.report(SegmentProgress(done, len(self.judged), None, "judge"))

            report(0)
            judged = judge(self.segmenter, self.judged, report)
            table = judged if self.judged else None
        save_segmenter(model, self.segmenter, self._card(table, finished), self.recipe)

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
                "digests": {"images": list(origin.image_digests), "labels": list(origin.label_digests)},
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
        f"Learned from {counted(count, 'slice')} of {origin.name} ({sum(data.pixels(held=False))} "
        f"labelled pixels{voxel}): for slices of the same kind of sample, contrast and voxel size."
    )


def _known(value: float) -> float | None:
    """Return None for NaN, which JSON does not have."""
    return None if np.isnan(value) else round(value, 4)
