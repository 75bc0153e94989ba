"""The Segment tab's widgets: model, slices, buttons, progress, what is shown, threshold."""

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QButtonGroup, QLabel, QSlider, QWidget

from napari_tiqa.segmentation.classes import Classes
from napari_tiqa.widgets.segmentation.layers import SegmentView
from napari_tiqa.widgets.segmentation.model_tab import ModelForm, segmenter_box
from napari_tiqa.widgets.shared.forms import button, choice_box, column, form_layout, line, row
from napari_tiqa.widgets.shared.run_row import RunRow
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel
from napari_tiqa.widgets.shared.slices_box import SlicesBox

_PERCENT = 100  # places of the threshold's slider
_VIEWS = {
    SegmentView.SEGMENTATION: "The class of each pixel.",
    SegmentView.UNCERTAINTY: "How uncertain the network is: dark is certain, bright is a guess (the entropy\n"
    "of the probabilities, in nats: 0 to 0.69 for two classes, to ln n for n).",
    SegmentView.PROBABILITY: "The probability of a class.",
    SegmentView.IOU: "What was found, missed and wrongly assigned to a class, where there is a truth.",
}


class SegmentPredictForm(ModelForm):
    """Shows what is to be segmented and how far it is; decides nothing."""

    threshold_changed = Signal()
    view_chosen = Signal(object)  # SegmentView
    likely_chosen = Signal(int)  # label value of the class whose probability is to be shown

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            segmenter_box("What segments the slices"),
            SlicesBox(
                "all slices",
                "The slices to segment; slices already segmented with the same model are kept.",
            ),
            RunRow(
                "Segment",
                "Segment the slices in a process of its own; each is shown as soon as it is done.",
                "Stop; the slices segmented so far are kept, and Segment resumes from there.",
                parts="slices",
            ),
            parent,
        )
        self.facts = SentenceLabel("The classes of the model, and the images that it is made for.")
        self.views = {
            view: button(view[0].upper() + view[1:], f"{tooltip}\nHides the other results; the image stays.")
            for view, tooltip in _VIEWS.items()
        }
        group = QButtonGroup(self)
        for view, choice in self.views.items():
            choice.setCheckable(True)
            choice.clicked.connect(lambda _checked, view=view: self.view_chosen.emit(view))
            group.addButton(choice)
        self.views[SegmentView.SEGMENTATION].setChecked(True)
        self._view_row = row(*self.views.values())
        self.threshold = QSlider(Qt.Orientation.Horizontal)
        self.threshold.setRange(0, _PERCENT)
        self.threshold.setValue(_PERCENT // 2)
        self.threshold.setToolTip(
            "Two classes: a pixel belongs to the second one where its probability reaches this value.\n"
            "Nothing is segmented again."
        )
        self.threshold.valueChanged.connect(self._on_threshold)
        self._threshold_label = QLabel()
        self._threshold_label.setMinimumWidth(self.fontMetrics().horizontalAdvance("p ≥ 0.00"))
        self._threshold_row = QWidget()
        self._threshold_row.setLayout(line(QLabel("Threshold"), (self.threshold, 1), self._threshold_label))
        self.likely_box = choice_box((), "The class whose probability is shown.")
        self.likely_box.activated.connect(lambda _: self.likely_chosen.emit(self.likely_box.currentData()))
        self._likely_row = QWidget()
        self._likely_row.setLayout(line(QLabel("Probability of"), (self.likely_box, 1)))
        self._classes: Classes | None = None
        form = form_layout(("Model", self.model_box), ("", self.facts), ("Slices", self.slices))
        column(form, self.run_row, self._view_row, self._threshold_row, self._likely_row, parent=self)
        self._on_threshold()
        self.show_classes(None)

    @property
    def threshold_value(self) -> float:
        """The probability from which on a pixel belongs to the second of two classes, 0 to 1."""
        return self.threshold.value() / _PERCENT

    @property
    def view(self) -> SegmentView:
        """What is to be shown."""
        return next(view for view, choice in self.views.items() if choice.isChecked())

    def show_classes(self, classes: Classes | None, *, truth: bool = False) -> None:
        """Offer what there is to see of a segmentation; None where there is none yet."""
        self._view_row.setVisible(classes is not None)
        # In one place: of two classes a threshold decides, of more the most probable one is taken.
        self._threshold_row.setVisible(classes is not None and len(classes) == 2)
        self._likely_row.setVisible(classes is not None and len(classes) > 2)
        if classes is not None and classes != self._classes:
            self.likely_box.clear()
            for value, name in zip(classes.values, classes.names, strict=True):
                self.likely_box.addItem(name, value)
            self.likely_box.setCurrentIndex(len(classes) - 1)
        self._classes = classes
        self.views[SegmentView.IOU].setEnabled(truth)
        if not truth and self.view is SegmentView.IOU:
            self.views[SegmentView.SEGMENTATION].setChecked(True)
        if classes is not None:
            self._threshold_row.setToolTip(f"{classes.names[-1]} where its probability reaches this value.")

    def _on_threshold(self, _place: int = 0) -> None:
        self._threshold_label.setText(f"p ≥ {self.threshold_value:.2f}")
        self.threshold_changed.emit()
