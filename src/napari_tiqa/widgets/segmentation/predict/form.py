"""The Segment tab's widgets: model, slices, buttons, progress, what is seen, threshold."""

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from napari_tiqa.jobs.segmentation.predict import PredictProgress
from napari_tiqa.scoring.bundle import SEGMENTATION
from napari_tiqa.segmentation.classes import Classes
from napari_tiqa.widgets.segmentation.layers import SegmentView
from napari_tiqa.widgets.shared.background_job import JobState
from napari_tiqa.widgets.shared.job_bar import JobBar, time_left
from napari_tiqa.widgets.shared.model_box import ModelBox
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel
from napari_tiqa.widgets.shared.slice_source import SliceSource
from napari_tiqa.widgets.shared.slices_box import SlicesBox

_PERCENT = 100  # places of the threshold's slider
_VIEWS = {
    SegmentView.SEGMENTATION: "The class of each pixel.",
    SegmentView.UNCERTAINTY: "Where the network is unsure: white is sure, red is unsure (the entropy of the\n"
    "probabilities, in nats).",
    SegmentView.PROBABILITY: "How likely the last class is; those of the others are in the list of layers.",
    SegmentView.IOU: "What was found, missed and too much of a class, where there is a truth.",
}


class SegmentPredictForm(QWidget):
    """Shows what is to be segmented and how far it is; decides nothing."""

    segment_clicked = Signal()
    cancel_clicked = Signal()
    threshold_changed = Signal()
    view_chosen = Signal(object)  # SegmentView

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model_box = ModelBox(
            "What segments the slices: the model for battery electrodes that comes with napari-tiqa, or\n"
            "one trained on your own labels.",
            SEGMENTATION,
            "battery electrode (bundled)",
        )
        self.facts = SentenceLabel("What the model tells apart, and on which images it can be relied on.")
        self.slices = SlicesBox(
            "all slices",
            "Which slices are segmented; those that were segmented before, with the same model, stay.",
        )
        self.segment_button = QPushButton("Segment")
        self.segment_button.setToolTip(
            "Segment the slices in a process of its own; each is shown as soon as it is done."
        )
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setToolTip(
            "Stop; the slices segmented so far stay, and Segment goes on from there."
        )
        self.bar = JobBar("Slices segmented, and the time left.")
        self.message = SentenceLabel("What the tab is doing, and what came of it.", lines=2)
        self.views = {view: QPushButton(view[0].upper() + view[1:]) for view in SegmentView}
        self._view_row = QWidget()
        self.threshold = QSlider(Qt.Orientation.Horizontal)
        self._threshold_label = QLabel()
        self._threshold_row = QWidget()
        self._class_name = ""
        self._make_views()
        self._make_threshold()
        self._lay_out()
        self.segment_button.clicked.connect(self.segment_clicked)
        self.cancel_button.clicked.connect(self.cancel_clicked)
        self.show_state(JobState.IDLE, ready=False)
        self.show_classes(None)

    def _make_views(self) -> None:
        row = QHBoxLayout(self._view_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        group = QButtonGroup(self)
        for view, button in self.views.items():
            button.setCheckable(True)
            button.setToolTip(f"{_VIEWS[view]}\nHides the other results; the image stays.")
            button.clicked.connect(lambda _checked, view=view: self.view_chosen.emit(view))
            group.addButton(button)
            row.addWidget(button, 1)
        self.views[SegmentView.SEGMENTATION].setChecked(True)

    def _make_threshold(self) -> None:
        self.threshold.setRange(0, _PERCENT)
        self.threshold.setValue(_PERCENT // 2)
        self.threshold.setToolTip(
            "Two classes: a pixel is of the second one where its probability reaches this.\n"
            "Nothing is segmented again for it."
        )
        row = QHBoxLayout(self._threshold_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("Threshold"))
        row.addWidget(self.threshold, 1)
        row.addWidget(self._threshold_label)
        self._threshold_label.setMinimumWidth(self.fontMetrics().horizontalAdvance("p ≥ 0.00"))
        self.threshold.valueChanged.connect(self._on_threshold)
        self._say_threshold()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        form = QFormLayout()
        form.setHorizontalSpacing(8)
        form.setVerticalSpacing(4)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Model", self.model_box)
        form.addRow("", self.facts)
        form.addRow("Slices", self.slices)
        layout.addLayout(form)
        buttons = QHBoxLayout()
        buttons.addWidget(self.segment_button, 1)
        buttons.addWidget(self.cancel_button, 1)
        layout.addLayout(buttons)
        layout.addWidget(self.bar)
        layout.addWidget(self.message)
        layout.addWidget(self._view_row)
        layout.addWidget(self._threshold_row)

    @property
    def threshold_value(self) -> float:
        """The probability from which on a pixel is of the second of two classes, 0 to 1."""
        return self.threshold.value() / _PERCENT

    @property
    def view(self) -> SegmentView:
        """What is to be seen."""
        return next(view for view, button in self.views.items() if button.isChecked())

    def show_source(self, source: SliceSource | None) -> None:
        """Name the slices that there are."""
        self.slices.show_source(source)

    def show_classes(self, classes: Classes | None, *, truth: bool = False) -> None:
        """Offer what there is to see of a segmentation; None where there is none yet."""
        self._view_row.setVisible(classes is not None)
        self._threshold_row.setVisible(classes is not None and len(classes) == 2)
        self.views[SegmentView.IOU].setEnabled(truth)
        if not truth and self.view is SegmentView.IOU:
            self.views[SegmentView.SEGMENTATION].setChecked(True)
        if classes is not None:
            self._class_name = classes.names[-1]
            self._threshold_row.setToolTip(f"{self._class_name} where its probability reaches this.")

    def show_state(self, state: JobState, *, ready: bool) -> None:
        """Follow the job; `ready` says whether there is an image to segment."""
        self.bar.show_state(state)
        self.segment_button.setEnabled(ready and not state.busy)
        self.cancel_button.setEnabled(state.cancellable)
        if state is JobState.CANCELLING:
            self.bar.setRange(0, 0)  # moves to and fro: how long is not known
            self.message.say("Stopping…")

    def show_progress(self, news: PredictProgress) -> None:
        """Show how many slices are done."""
        self.bar.show_done(news.done, news.total, time_left(news.seconds_left))
        self.message.say(f"{news.done} of {news.total} slices are segmented.")

    def _on_threshold(self, _place: int) -> None:
        self._say_threshold()
        self.threshold_changed.emit()

    def _say_threshold(self) -> None:
        self._threshold_label.setText(f"p ≥ {self.threshold_value:.2f}")
