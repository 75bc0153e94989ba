"""The head of the segmentation dock: which image, which labels, and what is wrong with them."""

from typing import Any

from magicgui.widgets import ComboBox
from napari.layers import Image, Labels, Layer
from qtpy.QtWidgets import QFormLayout, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_tiqa.errors import SegmentationError, TiqaError
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.widgets.segmentation.read_labels import LabelsElsewhere, check_labels
from napari_tiqa.widgets.segmentation.state import SegmentState
from napari_tiqa.widgets.segmentation.train.new_labels import add_labels, lay_on
from napari_tiqa.widgets.shared.dock_panel import DockPanel
from napari_tiqa.widgets.shared.result_layers import is_original, is_result, no_original
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel
from napari_tiqa.widgets.shared.slice_source import SliceSource
from napari_tiqa.widgets.shared.source_follower import SourceFollower


class SegmentHeader(DockPanel):
    """Chooses the image and the labels of a ``SegmentState``.

    Parameters
    ----------
    state : SegmentState
        Told of the slice shown, of the labels, and of what is painted on them.
    viewer : napari.Viewer
        The viewer whose layers are offered.
    """

    def __init__(self, state: SegmentState, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(viewer, parent)
        self.state = state
        self.image_box = ComboBox(
            choices=self._images,
            nullable=False,
            tooltip="The image to segment, and to learn from. It is never changed.",
        )
        self.labels_box = _OptionalBox(
            choices=self._labels_layers,
            nullable=True,
            tooltip="What you know: a Labels layer with a number for each class, such as pore and grain.\n"
            "Train learns from it; Segment and Study compare with it.",
        )
        self.new_button = QPushButton("New layer")
        self.new_button.setToolTip(
            "Make an empty Labels layer of the image's shape and scale, and take the brush:\n"
            "paint some strokes of each class, in one slice or in several."
        )
        self.lay_button = QPushButton("Lay it on the image")
        self.lay_button.setToolTip("Give the Labels layer the image's scale, place and units.")
        self.problem = SentenceLabel("What is wrong with the image or the labels.")
        self.follower = SourceFollower(viewer, self._subscribe, no_original("segment"))
        self._without_labels = False  # whether the user wants none
        self._followed: Labels | None = None
        self._seen: tuple[Any, ...] = ()  # where the viewer was when the labels were drawn last
        self._lay_out()
        self._connect()
        self.reset_choices()

    def _lay_out(self) -> None:
        for box in (self.image_box, self.labels_box):
            box.native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        labels_row = QHBoxLayout()
        labels_row.addWidget(self.labels_box.native, 1)
        labels_row.addWidget(self.new_button)
        form = QFormLayout()
        form.setHorizontalSpacing(8)
        form.setVerticalSpacing(4)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Image", self.image_box.native)
        form.addRow("Labels", labels_row)
        problem_row = QHBoxLayout()
        problem_row.addWidget(self.problem, 1)
        problem_row.addWidget(self.lay_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(form)
        layout.addLayout(problem_row)
        self.problem.hide()
        self.lay_button.hide()

    def _connect(self) -> None:
        self.image_box.changed.connect(lambda _: self._on_image_chosen())
        self.labels_box.changed.connect(lambda _: self._on_labels_chosen())
        self.labels_box.native.activated.connect(lambda _: self._note_choice())
        self.new_button.clicked.connect(self.make_labels)
        self.lay_button.clicked.connect(self.lay_labels)
        self.follower.found.connect(self._on_found)
        self.follower.lost.connect(self._on_lost)
        self.state.window_changed.connect(self._on_window)
        layers = self._viewer.layers.events
        for event in (layers.inserted, layers.removed, layers.reordered, layers.renamed):
            self._subscribe(event, self.reset_choices)

    # -- what the dock is told ---------------------------------------------------------------------

    @property
    def image(self) -> Image | None:
        """The chosen image layer."""
        value = self.image_box.value
        return getattr(value, "__wrapped__", value)

    def choose_image(self, layer: Layer) -> None:
        """Choose an image layer of the viewer."""
        self.image_box.value = next(c for c in self.image_box.choices if c.unique_id == layer.unique_id)

    def choose_labels(self, layer: Layer | None) -> None:
        """Choose a Labels layer of the viewer, or none."""
        choices = [choice for choice in self.labels_box.choices if choice is not None]
        self.labels_box.value = next((c for c in choices if layer and c.unique_id == layer.unique_id), None)
        self._note_choice()

    def make_labels(self) -> Labels | None:
        """Make an empty Labels layer for the image and take the brush; None where there is no image."""
        if self.image is None:
            return None
        layer = add_labels(self._viewer, self.image)
        self.choose_labels(layer)
        return layer

    def lay_labels(self) -> None:
        """Lay the labels where the image lies."""
        if self.state.labels is not None and self.image is not None:
            lay_on(self.state.labels, self.image)
            self._show_problem()
            self.state.labels_edited.emit()

    def reset_choices(self, _event: object = None) -> None:
        """Follow the viewer's layer list."""
        self.image_box.reset_choices()
        self.labels_box.reset_choices()
        self._on_image_chosen()
        self._on_labels_chosen()

    def close_down(self) -> None:
        """Let go of the viewer and its layers."""
        super().close_down()
        self.follower.close_down()
        self._follow_labels(None)

    # -- layers ------------------------------------------------------------------------------------

    def _images(self, _widget: Any = None) -> list[Layer]:
        # The topmost first: it is what is seen.
        return [layer for layer in reversed(self._viewer.layers) if is_original(layer)]

    def _labels_layers(self, _widget: Any = None) -> list[Layer]:
        return [layer for layer in reversed(self._viewer.layers) if isinstance(layer, Labels)]

    def _on_image_chosen(self) -> None:
        self.follower.follow(self.image)
        self._propose_labels()

    def _on_found(self, source: SliceSource) -> None:
        self.state.set_source(source)
        self._show_problem()

    def _on_lost(self, sentence: str) -> None:
        if self.state.source is not None:
            self.state.set_source(None)
        self._say(sentence)

    def _on_window(self, window: IntensityWindow | None) -> None:
        if window is not None:
            self.follower.keep_window(window)

    def _note_choice(self) -> None:
        self._without_labels = self.labels_box.value is None

    def _propose_labels(self) -> None:
        """Choose the topmost labels that fit the image, where those chosen do not or there are none."""
        source, chosen = self.state.source, self.state.labels
        if source is None or self._without_labels or (chosen is not None and _fits(chosen, source)):
            return
        for layer in self._labels_layers():
            if not is_result(layer) and _fits(layer, source):
                self.labels_box.value = next(
                    c for c in self.labels_box.choices if c is not None and c.unique_id == layer.unique_id
                )
                return

    def _on_labels_chosen(self) -> None:
        value = self.labels_box.value
        labels = getattr(value, "__wrapped__", value)
        self._follow_labels(labels)
        self.state.set_labels(labels)
        self._show_problem()

    def _follow_labels(self, labels: Labels | None) -> None:
        if labels is self._followed:
            return
        for layer, connects in ((self._followed, False), (labels, True)):
            if layer is None:
                continue
            pairs = (
                (layer.events.paint, self._on_edited),
                (layer.events.data, self._on_data),
                (layer.events.set_data, self._on_drawn),
                (layer.events.scale, self._on_moved),
                (layer.events.translate, self._on_moved),
            )
            for event, slot in pairs:
                (event.connect if connects else event.disconnect)(slot)
        self._followed = labels
        self._seen = self._view()

    def _on_edited(self, _event: object = None) -> None:
        self.state.labels_edited.emit()

    def _on_data(self, _event: object) -> None:
        self._show_problem()  # the shape may be another one
        self.state.labels_edited.emit()

    def _on_drawn(self, _event: object = None) -> None:
        # An undone stroke tells nothing but that the layer was drawn again, as it is for each other slice.
        before, self._seen = self._seen, self._view()
        if before == self._seen:
            self.state.labels_edited.emit()

    def _on_moved(self, _event: object = None) -> None:
        self._show_problem()

    def _view(self) -> tuple[Any, ...]:
        dims = self._viewer.dims
        return dims.point, dims.order, dims.ndisplay

    # -- what is wrong -----------------------------------------------------------------------------

    def _show_problem(self) -> None:
        source, labels = self.state.source, self.state.labels
        if source is None:
            return
        self._say("")
        if labels is not None:
            try:
                check_labels(labels, source)
            except TiqaError as error:
                self._say(str(error), can_be_laid=isinstance(error, LabelsElsewhere))

    def _say(self, sentence: str, *, can_be_laid: bool = False) -> None:
        self.problem.say(sentence, problem=bool(sentence))
        self.problem.setVisible(bool(sentence))
        self.lay_button.setVisible(can_be_laid)


class _OptionalBox(ComboBox):
    null_string = "none"


def _fits(labels: Layer, source: SliceSource) -> bool:
    try:
        check_labels(labels, source)
    except SegmentationError:
        return False
    return True
