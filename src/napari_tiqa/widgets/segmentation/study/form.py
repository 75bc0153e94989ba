"""The Study tab's choices: models, slices, phase; its buttons, progress and message."""

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_tiqa.jobs.study.study import DEFAULT_SLICES, StudyProgress
from napari_tiqa.scoring.bundle import SEGMENTATION
from napari_tiqa.segmentation.classes import Classes
from napari_tiqa.widgets.segmentation.study.tables import version_name
from napari_tiqa.widgets.shared.background_job import JobState
from napari_tiqa.widgets.shared.job_bar import JobBar, time_left
from napari_tiqa.widgets.shared.model_box import ModelBox
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel
from napari_tiqa.widgets.shared.slices_box import SlicesBox


class SegmentStudyForm(QWidget):
    """Shows what is to be studied and how far it is; decides nothing."""

    study_clicked = Signal()
    cancel_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model_box = ModelBox(
            "What segments each version: the model for battery electrodes that comes with napari-tiqa, or\n"
            "one trained on your own labels.",
            SEGMENTATION,
            "battery electrode (bundled)",
        )
        self.quality_box = ModelBox("What scores each version.")
        self.slices = SlicesBox(
            f"labelled ones, {DEFAULT_SLICES} at most",
            "The slices that are distorted; each needs labels. Several tell more than one.",
        )
        self.phase_box = QComboBox()
        self.phase_box.setToolTip("The phase that F1, IoU and two-point correlation are of.")
        self.phase_box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.study_button = QPushButton("Study")
        self.study_button.setToolTip(
            "Blur each slice, add noise and rings, each at five levels; score and segment every version and\n"
            "compare it with the labels. The image itself is not changed."
        )
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setToolTip("Stop; the versions that are done stay.")
        self.bar = JobBar("How many versions are done, and the time left.")
        self.message = SentenceLabel("What the study is doing, and what came of it.", lines=2)
        self._lay_out()
        self.study_button.clicked.connect(self.study_clicked)
        self.cancel_button.clicked.connect(self.cancel_clicked)
        self.show_state(JobState.IDLE, ready=False)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setHorizontalSpacing(8)
        form.setVerticalSpacing(4)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Segment by", self.model_box)
        form.addRow("Score by", self.quality_box)
        form.addRow("Slices", self.slices)
        form.addRow("Phase", self.phase_box)
        buttons = QHBoxLayout()
        buttons.addWidget(self.study_button, 1)
        buttons.addWidget(self.cancel_button, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(form)
        layout.addLayout(buttons)
        layout.addWidget(self.bar)
        layout.addWidget(self.message)

    @property
    def value(self) -> int | None:
        """Label value of the phase; None for the model's last while its classes are not known."""
        return self.phase_box.currentData()

    def show_classes(self, classes: Classes) -> None:
        """Offer these phases; the last one at first, as the paper's phase of interest."""
        before = self.phase_box.currentText()
        self.phase_box.clear()
        for value, name in zip(classes.values, classes.names, strict=True):
            self.phase_box.addItem(name, value)
        kept = self.phase_box.findText(before)
        self.phase_box.setCurrentIndex(kept if kept >= 0 else len(classes) - 1)

    def show_state(self, state: JobState, *, ready: bool) -> None:
        """Follow the job; `ready` says whether there are an image and labels."""
        self.bar.show_state(state)
        self.study_button.setEnabled(ready and not state.busy)
        self.cancel_button.setEnabled(state.cancellable)
        if state is JobState.CANCELLING:
            self.bar.setRange(0, 0)  # moves to and fro: how long is not known
            self.message.say("Stopping…")

    def show_progress(self, news: StudyProgress) -> None:
        """Show how many versions are done, and the last one."""
        done = news.version
        self.bar.show_done(
            news.done, news.total, f"{news.done} of {news.total}   {time_left(news.seconds_left)}"
        )
        self.message.say(
            f"Slice {done.slice}, {version_name(done.distortion, done.level)}: score {done.score:.2f}, "
            f"F1 {done.f1:.3f}."
        )
