"""The training dock's content: how form, job, curves, preview and napari's window act on one another.

Imported in a background thread (dock_shell.py), since pandas, dask and pyqtgraph take longer to import than
napari's window may stand still.
"""

from collections.abc import Mapping
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from napari_tiqa.errors import TiqaError, TrainingError
from napari_tiqa.learning.images.groups import MIN_ORIGINALS
from napari_tiqa.learning.ratings.table import rating_warnings, read_ratings
from napari_tiqa.learning.training.progress import TrainProgress, read_epochs
from napari_tiqa.learning.training.recipe import TrainingRecipe
from napari_tiqa.learning.training.run_folder import RECIPE_FILE
from napari_tiqa.scoring.recent_models import remember_model
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.widgets.host.remembered import remember
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState
from napari_tiqa.widgets.shared.dock_panel import in_other_dock
from napari_tiqa.widgets.shared.forms import DOCK_MARGINS, button, column, line
from napari_tiqa.widgets.shared.read_layer import read_layer
from napari_tiqa.widgets.shared.result_layers import no_original
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel
from napari_tiqa.widgets.shared.slider import layer_position, layer_shape
from napari_tiqa.widgets.training.controls import TrainingControls
from napari_tiqa.widgets.training.epoch_plot import EpochPlot
from napari_tiqa.widgets.training.form import Source, TrainingForm
from napari_tiqa.widgets.training.job import Training
from napari_tiqa.widgets.training.layer_warnings import layer_warnings
from napari_tiqa.widgets.training.original_scores import OriginalScores
from napari_tiqa.widgets.training.page import TrainingPage
from napari_tiqa.widgets.training.preview import PreviewLayers, make_preview
from napari_tiqa.widgets.training.request import score_training, shared_training_job, slice_places
from napari_tiqa.widgets.training.runs import TrainingRun, free_folder
from napari_tiqa.wording import counted

_CHECK_AFTER = 300  # ms after the last change of the form: ratings are read again then
_STAGE_NAMES = {"generate": "Making data", "rank": "Ranking", "regress": "Regression", "judge": "Judging"}


class TrainingPanel(TrainingPage):
    """The training dock."""

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        self.preview_button = button(
            "Preview",
            "Show the sixteen versions of the first original, or of the selected one, with the scores\n"
            "that the training will teach, as a layer.",
            self.show_preview,
        )
        self.rate_button = button(
            "Rate these…",
            "Have people rate slices of the ticked layers in the rating dock, whose results lead back here.",
            self.rate_these,
        )
        controls = TrainingControls(
            "Make the distorted versions, rank them, then learn the scores, in a process of its own:\n"
            "napari can be used meanwhile, also to score.",
            (self.rate_button, self.preview_button),
        )
        super().__init__(viewer, shared_training_job(), controls, parent)
        self.preview_job = BackgroundJob("making the preview")
        self.preview = PreviewLayers(viewer)
        self.scores = OriginalScores(viewer, self)
        self.form = TrainingForm(viewer)
        self.plot = TrainingPlot()
        self.result = _Result()
        self._finished: TrainingRun | None = None
        self._check = QTimer(self, singleShot=True, interval=_CHECK_AFTER)
        parts = (self.offer, self.form, self.controls, self.result, (self.plot, 1))
        column(*parts, parent=self, margins=DOCK_MARGINS)
        self._connect()
        remember("train", source=self.form.source_box, settings=self.form.settings)
        self._use_theme(self.plot)
        self._show_warnings()
        self._follow_job()

    def _connect(self) -> None:
        self.form.changed.connect(self._check.start)
        self.form.changed.connect(self.message.retract)
        self._check.timeout.connect(self._show_warnings)
        self.scores.found.connect(self._show_warnings)
        self.scores.replaced.connect(self.reset_choices)
        self._end_with_dock(self.scores.job, asked_for=False)
        self.result.use_button.clicked.connect(self.use_in_quality_dock)
        self.preview_job.state_changed.connect(self._on_preview_state)
        self.preview_job.ended.connect(self._on_preview)
        layers = self._viewer.layers.events
        for emitter in (layers.inserted, layers.reordered, layers.renamed):
            self._subscribe(emitter, self.reset_choices)
        self._subscribe(layers.removed, self._on_layer_removed)

    def reset_choices(self, _event: object = None) -> None:
        """Follow the viewer's layer list."""
        self.form.reset_choices()

    def close_down(self) -> None:
        """Let go of the viewer: the dock was closed. A training goes on."""
        super().close_down()
        self.scores.stop()

    # -- starting ----------------------------------------------------------------------------------

    def _resumed(self, run: TrainingRun) -> Training:
        recipe = TrainingRecipe.from_json((run.folder / RECIPE_FILE).read_text(encoding="utf-8"))
        return score_training(recipe, run)

    def _request(self) -> Training:
        output = self.form.output.model_path
        run = TrainingRun(free_folder(output), output)
        if self.form.source is not Source.LAYERS:
            return score_training(self.form.recipe(), run)
        volumes = self._volumes()
        wanted = self.form.settings["slices"].value()
        originals = sum(len(slice_places(volume.slice_count(0), wanted)) for volume in volumes)
        if originals < MIN_ORIGINALS:
            raise TrainingError(
                f"{counted(originals, 'slice', ('is', 'are'))} too few to learn from: take at least "
                f"{MIN_ORIGINALS}, from more layers or more slices of each."
            )
        recipe = self.form.recipe((str(run.folder / "originals"),))
        return score_training(recipe, run, volumes, [layer.unique_id for layer in self.form.layers])

    def show_preview(self) -> bool:
        """Show the versions of an original as layers, once they are made; False where that cannot start."""
        form = self.form
        try:
            volumes = self._volumes()
            recipe = form.recipe(("layers",)) if volumes else form.recipe()
            layer = form.layers[form.chosen] if volumes else None
            self.preview_job.start(partial(make_preview, recipe, form.chosen, volumes), layer)
        except TiqaError as error:
            self.message.refuse(str(error))
            return False
        self.message.say("Making the sixteen versions…")
        return True

    def _volumes(self) -> tuple[Volume, ...]:
        """Return the ticked layers; none where originals come from files."""
        if self.form.source is Source.LAYERS and not self.form.layers:
            if not self.form.layer_list.values():
                raise TrainingError(no_original("learn from"))
            raise TrainingError("No layer is ticked: tick one, or choose files.")
        return tuple(read_layer(layer, layer_position(self._viewer, layer)) for layer in self.form.layers)

    # -- while it runs, and its end ----------------------------------------------------------------

    def _show_begun(self) -> None:
        self._finished = None
        self.result.hide()

    def _draw_epochs(self, run: TrainingRun) -> None:
        """Draw the epochs that a run has done so far, as one that is resumed has."""
        self.plot.clear()
        rows = read_epochs(run.folder)
        columns = ["stage", "epoch", "epochs", "loss", "srocc", "plcc"]
        for epoch in rows[columns].to_numpy().tolist():
            self.plot.add(*epoch)

    def _allow_changes(self, allowed: bool) -> None:
        self.form.setEnabled(allowed)
        self._judge_originals()

    def _on_preview_state(self, state: JobState) -> None:
        self.preview_button.setEnabled(not (state.busy or self.job.state.busy))

    def _show_progress(self, progress: TrainProgress) -> None:
        self.controls.show_stage(_STAGE_NAMES[progress.stage], "images", progress)

    def _draw_progress(self, progress: TrainProgress) -> None:
        if progress.epochs:
            self.plot.add(
                progress.stage, progress.epoch, progress.epochs, progress.loss, progress.srocc, progress.plcc
            )

    def _show_model(self, run: TrainingRun, outcome: JobOutcome) -> None:
        self._finished = run
        self.form.output.propose()
        training = outcome.result["training"]
        best = training["best"]
        kept = f"Cancelled; the best network so far, {_epoch_in_words(best)}, is kept as '{run.name}'."
        self.message.say(f"'{run.name}' is trained." if outcome.state is JobState.DONE else kept)
        self.result.show_model(run, _summary(training))

    def use_in_quality_dock(self) -> None:
        """Open the quality dock with the new model chosen."""
        if self._finished is None:
            return
        remember_model(self._finished.output)
        model = self._finished.output
        in_other_dock(self._viewer, "Slice quality", lambda panel: panel.form.model_box.choose(model))

    def rate_these(self) -> None:
        """Open the rating dock with the layers that are ticked here."""
        layers = [layer.unique_id for layer in self.form.layers]
        in_other_dock(self._viewer, "Rate images", lambda panel: panel.rate_layers(layers))

    def learn_from_session(self, folder: Path) -> None:
        """Choose the images and ratings of a rated session."""
        self.form.choose_folder(folder)

    def _where_stopped(self, run: TrainingRun) -> str:
        rows = read_epochs(run.folder)
        if rows.empty:
            return "before the end of its first epoch"
        last = rows.iloc[-1]
        return f"after {_epoch_in_words(last)} of {last['epochs']}"

    # -- the form's warnings, preview, layers, theme -----------------------------------------------

    def _show_warnings(self) -> None:
        self._judge_originals()
        if self.job.state.busy:
            return
        warnings = self._warnings_of_originals()
        self.controls.set_ready(not self._too_few)
        if self.form.ratings:
            try:
                warnings += rating_warnings(read_ratings(self.form.ratings))
            except TiqaError as error:
                warnings.append(str(error))
        self.controls.show_warnings(warnings)

    def _warnings_of_originals(self) -> list[str]:
        form = self.form
        specimens = len(form.layers) if form.source is Source.LAYERS else len(form.paths)
        warnings = []
        if form.source is Source.LAYERS:
            share, rated = form.settings.values()["validation_share"], bool(form.ratings)
            counts, score_of = self._counts(), self.scores.of
            warnings = layer_warnings(form.layers, counts, share, rated=rated, score_of=score_of)
        if form.source is not Source.FOLDER and specimens == 1 and not self._too_few:
            warnings.append(
                "All originals are of one specimen: validated on slices of the same one, the model will "
                "look better than it is on others; add another tomogram if you can."
            )
        return warnings

    def _judge_originals(self) -> None:
        """Have the ticked layers scored that nobody has scored, while no training needs the processor."""
        training = self.job.state.busy or bool(self.form.ratings)
        self.scores.want(() if training else self.form.layers)

    @property
    def _too_few(self) -> bool:
        """Whether the ticked layers cannot be learned from; a warning says so, before Train is pressed."""
        return bool(self.form.layers) and sum(self._counts()) < MIN_ORIGINALS

    def _counts(self) -> list[int]:
        """Return how many slices of each ticked layer are learned from."""
        wanted = self.form.settings["slices"].value()
        layers = self.form.layers
        return [min(wanted, layer_shape(layer)[-3]) if layer.ndim > 2 else 1 for layer in layers]

    def _on_preview(self, outcome: JobOutcome) -> None:
        if outcome.layer_gone:
            self.message.say(outcome.message, problem=True)
            return
        if outcome.result is None:
            self.message.complain(outcome.message, outcome.error)
            return
        self.preview.show(outcome.result)
        self.message.say(
            f"The sixteen versions of {outcome.result.original}, each with the score that the training will "
            "teach; remove the layers to see the others again."
        )

    def _on_layer_removed(self) -> None:
        self.preview.show_others()
        self.form.reset_choices()


class _Result(QWidget):
    """The finished model: how good it is, where it is, and a button to use it."""

    def __init__(self) -> None:
        super().__init__()
        self.text = SentenceLabel("How good the model is.")
        self.use_button = button(
            "Use in the quality dock", "Open the quality dock with this model chosen, beside the default one."
        )
        self.setLayout(line((self.text, 1), self.use_button))
        self.hide()

    def show_model(self, run: TrainingRun, summary: str) -> None:
        """Show a model that is ready."""
        self.text.setText(f"{summary} Saved as {run.output.name}.")
        self.text.setToolTip(str(run.output))
        self.show()


def _epoch_in_words(epoch: Any) -> str:
    """Name an epoch of ``progress.csv`` or of a card: "ranking epoch 3"."""
    return f"{_STAGE_NAMES[epoch['stage']].lower()} epoch {epoch['epoch']}"


def _summary(training: Mapping[str, Any]) -> str:
    """Say how good a model is, from its card's entry on its training."""
    best = training["best"]
    if not training["left_out"]:
        return "No original was left out, so it has not been validated."
    if not isfinite(best["srocc"]):
        return "It gives every validation image the same score: train for more epochs."
    return (
        f"On originals left out of training: rank correlation {best['srocc']:.3f}, "
        f"linear correlation {best['plcc']:.3f} with their labels."
    )


class TrainingPlot(EpochPlot):
    """Two columns, ranking and regression; the loss above, validation SROCC and PLCC below."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            {"rank": "1  Ranking", "regress": "2  Regression"},
            {"Order": "#56B4E9", "Value": "#009E73"},
            (-1, -0.5, 0, 0.5, 1),
            "Above: the loss that a stage makes smaller; each stage has its own, so only its fall counts.\n"
            "Below: how well scores of originals left out of training agree with their labels in order "
            "(Spearman's rank correlation, SROCC) and in value (Pearson's, PLCC); 1 is perfect.",
            parent,
        )
