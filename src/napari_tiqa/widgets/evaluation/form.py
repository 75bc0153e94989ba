"""The form of the evaluation dock: which models, on which dataset, beside which baselines."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QFileDialog, QGridLayout, QWidget

from napari_tiqa.errors import TrainingError
from napari_tiqa.jobs.learning.evaluate import evaluate
from napari_tiqa.learning.evaluation.comparison import Evaluation, EvaluationProgress
from napari_tiqa.scoring.recent_models import recent_models, remember_model
from napari_tiqa.widgets.shared.file_row import FileRow
from napari_tiqa.widgets.shared.flat_tree import Entry, TickList
from napari_tiqa.widgets.shared.forms import button, column, form_layout, line
from napari_tiqa.widgets.shared.run_row import RunRow, time_left
from napari_tiqa.wording import expanded

_BASELINES = {
    "brisque": ("BRISQUE", "BRISQUE as its authors trained it, on photographs."),
    "ridge": ("ImageNet", "Ridge regression on the features of a network trained on ImageNet only."),
    "lookup": (
        "Look-up",
        "The mean label of each distortion and level: how far one gets without looking at the image.",
    ),
    "rankiqa": (
        "RankIQA",
        "Ranking, then people's labels only; trains a network for each fold, which takes many minutes.",
    ),
}
_SLOW = ("rankiqa",)


class EvaluationForm(QWidget):
    """Choices that an evaluation is started with, its buttons and its progress."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.models = ModelList("The models to judge, side by side on the same images.")
        self.dataset = FileRow(
            lambda: QFileDialog.getExistingDirectory(self, "Choose a dataset"),
            "a dataset or rated images",
            "A folder made by napari-tiqa generate, the dataset in a training's folder,\n"
            "or a folder of rated images.",
        )
        self.baselines = {name: QCheckBox(title) for name, (title, _) in _BASELINES.items()}
        for name, box in self.baselines.items():
            box.setToolTip(_BASELINES[name][1])
            box.setChecked(name not in _SLOW)
            box.toggled.connect(lambda _: self.changed.emit())
        self.dataset.changed.connect(self.changed)
        self.models.list.changed.connect(self.changed)
        self.run = RunRow(
            "Evaluate",
            "Score the dataset's images with each model and baseline and compare with their labels,\n"
            "in a process of its own: napari can be used meanwhile.",
            "Stop the evaluation; the last result stays.",
            parts="images",
            message_tooltip="What the dock is doing, and how the last evaluation ended.",
            lines=1,
            starting="Starting the network (a few seconds)…",
        )
        baselines = QGridLayout()
        baselines.setVerticalSpacing(2)
        for place, box in enumerate(self.baselines.values()):
            baselines.addWidget(box, *divmod(place, 2))
        form = form_layout(
            ("Models", self.models),
            ("Dataset", self.dataset),
            ("Baselines", baselines),
        )
        column(form, self.run, parent=self)

    def request(self) -> Callable[..., Evaluation]:
        """Return ``evaluate`` with all that was chosen; it lacks ``progress`` and ``cancel``.

        Raises TrainingError where no model is ticked, or no dataset chosen.
        """
        models, dataset = self.models.ticked(), self.dataset.path
        if not models:
            raise TrainingError("No model is ticked: tick the one to judge.")
        if dataset is None:
            raise TrainingError("There is no dataset yet: choose the folder of a dataset or of rated images.")
        baselines = tuple(name for name, box in self.baselines.items() if box.isChecked())
        return partial(evaluate, dataset, model=models[0], baselines=baselines, against=models[1:])

    def show_progress(self, progress: EvaluationProgress) -> None:
        """Show the stage, the share done and the time left."""
        text = f"{progress.done / progress.total:.0%}   {time_left(progress.seconds_left)}"
        self.run.bar.show_done(progress.done, progress.total, text)
        self.run.message.say(f"{progress.stage[0].upper()}{progress.stage[1:]}…")


class ModelList(QWidget):
    """Models with a tick each: the one used last first, the default model last."""

    def __init__(self, tooltip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list = TickList(tooltip, rows=2.2, tick_new=False)  # a third row shows that there may be more
        self.button = button("Add…", "Add a model bundle from a file (.tiqa).", self._ask)
        row = line((self.list, 1), self.button)
        row.setAlignment(self.button, Qt.AlignmentFlag.AlignTop)
        self.setLayout(row)
        self.offer()
        listed = self.list.values()
        self.list.tick_only([listed[0], listed[-1]])

    def ticked(self) -> list[Path | None]:
        """Return the ticked bundles, None for the default model, in the order of the list."""
        return self.list.ticked()

    def tick_only(self, *models: Path | str | None) -> None:
        """Tick these models and no others; those that are not in the list are put there."""
        paths = [None if model is None else expanded(model).absolute() for model in models]
        self.offer(*paths)
        self.list.tick_only(paths)

    def offer(self, *more: Path | None) -> None:
        """List the models that there are now; ticks stay."""
        known = [*more, *self.list.values(), *recent_models()]
        paths = [*dict.fromkeys(path for path in known if path is not None and path.is_file()), None]
        self.list.show_entries(
            Entry(path, path, [path.stem], str(path))
            if path
            else Entry(None, None, ["default model"], "The model that comes with napari-tiqa.")
            for path in paths
        )

    def _ask(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "Add models", "", "Model bundle (*.tiqa)")
        for path in paths:
            remember_model(path)
        if paths:
            self.tick_only(*paths, *self.ticked())
