"""The Study tab's choices: models, slices, phase; its buttons, progress and message."""

from qtpy.QtWidgets import QWidget

from napari_tiqa.jobs.study.study import DEFAULT_SLICES
from napari_tiqa.segmentation.classes import Classes
from napari_tiqa.widgets.segmentation.model_tab import ModelForm, segmenter_box
from napari_tiqa.widgets.shared.forms import choice_box, column, form_layout
from napari_tiqa.widgets.shared.model_box import ModelBox
from napari_tiqa.widgets.shared.run_row import RunRow
from napari_tiqa.widgets.shared.slices_box import SlicesBox


class SegmentStudyForm(ModelForm):
    """Shows what is to be studied and how far it is; decides nothing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            segmenter_box("What segments each version"),
            SlicesBox(
                f"labelled ones, {DEFAULT_SLICES} at most",
                "The slices to distort; each needs labels. Several are more reliable than one.",
            ),
            RunRow(
                "Distort and compare",
                "Blur each slice, add noise and rings, each at five levels; score and segment every version\n"
                "and compare it with the labels. The image itself is not changed.",
                "Stop; the versions done so far are kept.",
                parts="versions",
            ),
            parent,
        )
        self.quality_box = ModelBox("What scores each version.")
        self.phase_box = choice_box((), "The phase whose F1, IoU and two-point correlation are computed.")
        form = form_layout(
            ("Segmentation model", self.model_box),
            ("Quality model", self.quality_box),
            ("Slices", self.slices),
            ("Phase", self.phase_box),
        )
        column(form, self.run_row, parent=self)

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
