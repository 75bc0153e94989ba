"""The head of the segmentation dock: the choice of image and labels, and the state that all tabs share."""

from typing import Any

from napari.layers import Image, Labels, Layer
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QWidget

from napari_tiqa.errors import TiqaError
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.widgets.segmentation.labels_layer import (
    LabelsElsewhere,
    add_labels,
    align_with,
    check_labels,
)
from napari_tiqa.widgets.shared.dock_panel import DockPanel
from napari_tiqa.widgets.shared.forms import button, column, form_layout, line
from napari_tiqa.widgets.shared.layer_box import LayerBox
from napari_tiqa.widgets.shared.result_layers import is_result, no_original
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel
from napari_tiqa.widgets.shared.slice_source import SliceSource
from napari_tiqa.widgets.shared.source_follower import SourceFollower
from napari_tiqa.widgets.shared.source_state import SourceState


class SegmentState(SourceState):
    """The source, the labels and the model: the header sets them, every tab may set the model and follows."""

    labels_changed = Signal(object)  # napari.layers.Labels or None: another layer
    labels_edited = Signal()  # the same layer, painted on, filled, undone, or given other data

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._labels: Labels | None = None

    @property
    def labels(self) -> Labels | None:
        """The chosen Labels layer, to learn from and to compare with; it need not fit the image."""
        return self._labels

    def set_labels(self, labels: Labels | None) -> None:
        """Choose another Labels layer, or none."""
        if labels is not self._labels:
            self._labels = labels
            self.labels_changed.emit(labels)


class SegmentHeader(DockPanel):
    """Chooses the image and the labels of a ``SegmentState``, and tells it what is painted on them."""

    def __init__(self, state: SegmentState, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(viewer, parent)
        self.state = state
        self.image_box = LayerBox(
            viewer,
            "The image to segment and to learn from; it is never changed.",
            subscribe=self._subscribe,
        )
        self.labels_box = LayerBox(
            viewer,
            "What is known: a Labels layer with a number for each class, such as pore and grain.\n"
            "Train learns from it; Segment and Study compare with it.",
            lambda layer: isinstance(layer, Labels) and not is_result(layer),  # nobody's truth
            nullable=True,
        )
        self.new_button = button(
            "New layer",
            "Make an empty Labels layer with the image's shape and scale and activate the brush:\n"
            "paint some strokes of each class, in one slice or in several.",
            self.make_labels,
        )
        self.align_button = button(
            "Align with image",
            "Give the Labels layer the image's scale, position and units.",
            self.align_labels,
        )
        self.problem = SentenceLabel("Problems with the image or the labels.")
        self.follower = SourceFollower(viewer, self._subscribe, no_original("segment"))
        self._without_labels = False  # whether the user has chosen none
        self._followed: Labels | None = None
        self._view: tuple[Any, ...] = ()  # of the viewer, when the labels were last drawn
        form = form_layout(
            ("Image", self.image_box.row),
            ("Labels", line((self.labels_box.native, 1), self.new_button)),
        )
        column(form, line((self.problem, 1), self.align_button), parent=self)
        self.problem.hide()
        self.align_button.hide()
        self._connect()
        self.reset_choices()

    def _connect(self) -> None:
        self.image_box.changed.connect(lambda _: self._on_image_chosen())
        self.labels_box.changed.connect(lambda _: self._on_labels_chosen())
        self.labels_box.native.activated.connect(lambda _: self._note_choice())
        self.follower.found.connect(self._on_found)
        self.follower.lost.connect(self._on_lost)
        self.state.window_changed.connect(self._on_window)
        layers = self._viewer.layers.events
        for event in (layers.inserted, layers.removed, layers.reordered, layers.renamed):
            self._subscribe(event, self.reset_choices)

    # -- choosing ----------------------------------------------------------------------------------

    @property
    def image(self) -> Image | None:
        """The chosen image layer."""
        return self.image_box.layer

    def choose_image(self, layer: Layer) -> None:
        """Choose an image layer of the viewer."""
        self.image_box.choose(layer)

    def choose_labels(self, layer: Layer | None) -> None:
        """Choose a Labels layer of the viewer, or none."""
        self.labels_box.choose(layer)
        self._note_choice()

    def make_labels(self) -> Labels | None:
        """Make an empty Labels layer for the image and activate the brush; None where there is no image."""
        if self.image is None:
            return None
        layer = add_labels(self._viewer, self.image)
        self.choose_labels(layer)
        return layer

    def align_labels(self) -> None:
        """Move the labels to where the image lies."""
        if self.state.labels is not None and self.image is not None:
            align_with(self.state.labels, self.image)
            self._show_problem()
            self.state.labels_edited.emit()

    def reset_choices(self, _event: object = None) -> None:
        """Follow the viewer's layer list."""
        self.labels_box.reset_choices()  # first: another image looks for labels among them
        self.image_box.reset_choices()
        self._on_image_chosen()
        self._on_labels_chosen()

    def close_down(self) -> None:
        """Let go of the viewer and its layers."""
        super().close_down()
        self.follower.close_down()
        self._follow_labels(None)

    # -- layers ------------------------------------------------------------------------------------

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
        for layer in filter(None, self.labels_box.choices):
            if not is_result(layer) and _fits(layer, source):
                self.labels_box.choose(layer)
                return

    def _on_labels_chosen(self) -> None:
        labels = self.labels_box.layer
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
                (layer.events.scale, self._show_problem),
                (layer.events.translate, self._show_problem),
            )
            for event, slot in pairs:
                (event.connect if connects else event.disconnect)(slot)
        self._followed = labels
        self._view = self._current_view()

    def _on_edited(self, _event: object = None) -> None:
        self.state.labels_edited.emit()

    def _on_data(self, _event: object) -> None:
        self._show_problem()  # the shape may have changed
        self.state.labels_edited.emit()

    def _on_drawn(self, _event: object = None) -> None:
        # An undone stroke only has the layer drawn again, which happens for each other slice too.
        before, self._view = self._view, self._current_view()
        if before == self._view:
            self.state.labels_edited.emit()

    def _current_view(self) -> tuple[Any, ...]:
        dims = self._viewer.dims
        return dims.point, dims.order, dims.ndisplay

    # -- problems ----------------------------------------------------------------------------------

    def _show_problem(self, _event: object = None) -> None:
        source, labels = self.state.source, self.state.labels
        if source is None:
            return
        self._say("")
        if labels is not None:
            try:
                check_labels(labels, source)
            except TiqaError as error:
                self._say(str(error), can_be_aligned=isinstance(error, LabelsElsewhere))

    def _say(self, sentence: str, *, can_be_aligned: bool = False) -> None:
        self.problem.say(sentence, problem=bool(sentence))
        self.problem.setVisible(bool(sentence))
        self.align_button.setVisible(can_be_aligned)


def _fits(labels: Layer, source: SliceSource) -> bool:
    try:
        check_labels(labels, source)
    except TiqaError:
        return False
    return True
