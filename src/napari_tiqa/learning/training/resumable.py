"""What the trainings of scores and of segmenters share: epochs in a run folder that can be resumed.

The run folder holds ``recipe.json``, the data, ``progress.csv`` with a row per epoch, the finished
``model.tiqa``, and until that is there ``checkpoint.npz`` of the last epoch and ``best.npz``. Each is written
as a whole or not at all. What an epoch draws depends on recipe and epoch alone, so a training that was
interrupted has the result of one that was not: to the last bit on a CPU, to rounding on a GPU.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

import keras

from napari_tiqa.errors import Cancelled
from napari_tiqa.learning.training.checkpoint import (
    Checkpoint,
    load_checkpoint,
    load_weights,
    save_checkpoint,
    save_weights,
    set_weights,
)
from napari_tiqa.learning.training.progress import EpochProgress, read_epochs, write_epochs
from napari_tiqa.learning.training.run_folder import BEST_FILE, CHECKPOINT_FILE, MODEL_FILE, deliver
from napari_tiqa.progress import Pace, Throttled
from napari_tiqa.scoring.bundle import load_card


class Reached(Protocol):
    """A dataclass of plain values: which epoch weights come from, and how well it did."""

    @property
    def stage(self) -> str:
        """What is learned: the name of a stage."""

    @property
    def epoch(self) -> int:
        """Epochs of the stage that are done."""

    def beats(self, best: Self) -> bool:
        """Whether this is the best epoch so far; without validation the last one always is."""


_Reached = TypeVar("_Reached", bound=Reached)

KeepEpoch = Callable[[int, float, keras.optimizers.Optimizer, Callable[[], object]], Mapping[str, Any]]
"""Judges and keeps an epoch, given its number, loss, optimizer and what to call meanwhile; returns figures
to report."""


class ResumableRun(ABC, Generic[_Reached]):
    """One training, from where its folder says that it is; the recipe's ``seed`` fixes the first weights."""

    purpose: ClassVar[str]
    progress: ClassVar[type[EpochProgress]]
    columns: ClassVar[tuple[str, ...]]
    reached: type[_Reached]

    def __init__(self, recipe: Any, folder: Path, output: Path, report: Callable[[Any], object]) -> None:
        self.recipe = recipe
        self.folder = folder
        self.output = output
        self.report = report
        self.last: Checkpoint[_Reached] | None = None
        self.best: _Reached | None = None
        self.pace = Pace(0)

    @abstractmethod
    def build(self) -> keras.Model:
        """Return the network, its weights not set yet."""

    @abstractmethod
    def initialise(self, network: keras.Model) -> None:
        """Set the weights that a training begins with."""

    @abstractmethod
    def learn(self) -> None:
        """Go through the epochs that are left, by `run_stage`."""

    @abstractmethod
    def save(self, model: Path, finished: bool) -> None:
        """Write the bundle of the best network, judged if the training is finished."""

    def train(self) -> dict[str, Any]:
        """Train, or finish what was begun, and return the bundle's card.

        Cancelled, it puts the best network so far where the finished one was to be; it can be resumed.
        """
        model = self.folder / MODEL_FILE
        if model.exists() and (card := load_card(model, self.purpose))["training"]["finished"]:
            deliver(self.folder, self.output)
            return card
        if (self.folder / CHECKPOINT_FILE).exists():
            self.last = load_checkpoint(self.folder / CHECKPOINT_FILE, self.reached)
            self.best = self.last.best
        try:
            self.learn()
            self._deliver_best(finished=True)
        except Cancelled:
            if self.best is not None:
                self._deliver_best(finished=False)
            raise
        # Ten times the bundle, and not needed any more.
        for name in (CHECKPOINT_FILE, BEST_FILE):
            (self.folder / name).unlink(missing_ok=True)
        return load_card(model, self.purpose)

    @cached_property
    def network(self) -> keras.Model:
        """The network, as the last epoch left it."""
        keras.utils.set_random_seed(self.recipe.seed)
        network = self.build()
        if self.last is not None:
            set_weights(network, self.last.weights, self.folder / CHECKPOINT_FILE)
        else:
            self.initialise(network)
        return network

    def run_stage(
        self,
        stage: Any,
        fit: Callable[..., None],
        epochs: int,
        images: int,
        keep: KeepEpoch,
        before: int = 0,
        **news: Any,
    ) -> None:
        """Go through the epochs of a stage, or those that are left of it.

        `fit` takes after_epoch, after_step, start and optimizer_state, as ``epochs.run_epochs``. Each epoch
        has that many images or patches, and `before` are those of the stages before, for the time left.
        `news` are fields of the first report.
        """
        done, state = 0, None
        if self.last is not None and self.last.reached.stage == stage:
            done, state = self.last.reached.epoch, self.last.optimizer
        show = Throttled(self.report)

        def progress(seen: float, **figures: Any) -> EpochProgress:
            left = self.pace.seconds_left(before + seen * images)
            return self.progress(round(seen * images), epochs * images, left, stage, done, epochs, **figures)

        def after_step(step: int, steps: int) -> None:
            show(progress(done + step / steps))

        def after_epoch(epoch: int, loss: float, optimizer: keras.optimizers.Optimizer) -> None:
            nonlocal done
            figures = keep(epoch, loss, optimizer, lambda: show(progress(epoch)))
            done = epoch
            self.report(progress(done, loss=loss, **figures))

        if news:
            self.report(progress(done, **news))
        fit(after_epoch=after_epoch, after_step=after_step, start=done, optimizer_state=state)

    def keep_epoch(
        self, reached: _Reached, row: Mapping[str, Any], optimizer: keras.optimizers.Optimizer
    ) -> None:
        """Save all that is needed to resume after an epoch; the checkpoint last.

        The row is of ``progress.csv``; its "best" is filled in. The optimizer is as the epoch left it.
        """
        best = self.best is None or reached.beats(self.best)
        if best:
            self.best = reached
            save_weights(self.folder / BEST_FILE, self.network, reached)
        assert self.best is not None
        rows = [
            known
            for known in read_epochs(self.folder, self.columns).to_dict("records")
            # An epoch that was shown but whose checkpoint was lost is done again.
            if known.get("stage") != row.get("stage") or known["epoch"] < reached.epoch
        ]
        write_epochs(self.folder, [*rows, {**row, "best": best}], tuple(row))
        save_checkpoint(self.folder / CHECKPOINT_FILE, self.network, optimizer, reached, self.best)

    def _deliver_best(self, finished: bool) -> None:
        self.best = load_weights(self.folder / BEST_FILE, self.network, self.reached)
        self.save(self.folder / MODEL_FILE, finished)
        deliver(self.folder, self.output)
