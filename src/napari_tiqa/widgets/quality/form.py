"""The form of the quality dock: which layer, axis, intensity window, model and view."""

from pathlib import Path
from typing import Any

from magicgui.widgets import ComboBox
from napari.layers import Image, Layer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_tiqa.scoring.views import NATIVE, OVERVIEW, PYRAMID
from napari_tiqa.volumes.region import Region
from napari_tiqa.widgets.host.shortcuts import key_of
from napari_tiqa.widgets.quality.region_box import RegionBox
from napari_tiqa.widgets.quality.window_boxes import WindowBoxes
from napari_tiqa.widgets.shared.forms import button, form_layout, line, row
from napari_tiqa.widgets.shared.layer_box import LayerBox, Subscribe
from napari_tiqa.widgets.shared.model_box import ModelBox
from napari_tiqa.widgets.shared.read_layer import axis_names
from napari_tiqa.widgets.shared.slice_source import SliceSource
from napari_tiqa.widgets.shared.slider import layer_shape

VIEW_WORDS = {PYRAMID: "every scale", OVERVIEW: "overview", NATIVE: "native tiles"}
"""What the views are called in the dock."""


class ScoreForm(QWidget):
    """Choices that a scoring run is started with; `subscribe` is ``DockPanel._subscribe``."""

    axis_changed = Signal()  # the axis, or the layer
    changed = Signal()  # anything

    def __init__(self, viewer: Any, subscribe: Subscribe, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        tooltip = "The image layer to score: a 2-D image, a tomogram, or a series of tomograms."
        self.layer_box = LayerBox(viewer, tooltip, subscribe=subscribe)
        self.axis_box = ComboBox(
            choices=[],
            tooltip="Slices are cut across this axis; the tomogram's own slices lie across z.\n"
            "Time and channel stay where napari's sliders are.",
        )
        self.model_box = ModelBox(
            "What scores the slices: the default model, or one trained on your own images.\n"
            "Score a layer once with each to compare them in the plot."
        )
        self.model_box.button.setText("…")  # there is room for no more
        self.view_box = ComboBox(
            choices=[(words, view) for view, words in VIEW_WORDS.items()],
            tooltip="Which scales of a slice the score is of.\n"
            "Every scale: from its own pixels to the whole of it, a few tiles each; the lowest counts most.\n"
            "Overview: all of it, shrunk to 224 px, as in the paper; quick, but fine noise, thin rings and\n"
            "slight blur of a large slice vanish.\n"
            "Native tiles: up to nine tiles of its own pixels alone.",
        )
        self.region_box = RegionBox(viewer)
        self.window_boxes = WindowBoxes()
        self._axes: list[str] = []  # that are offered, and of which layer
        self._axes_layer: Layer | None = None
        self.compare_button = button(
            "Side by side",
            "Show the images selected in napari's layer list, else those visible, beside one another,\n"
            f"each with its score above it ({key_of('side_by_side')}). Press again to go back.",
        )
        self.compare_button.setCheckable(True)
        self._lay_out()
        self.layer_box.changed.connect(self._on_layer)
        self.axis_box.changed.connect(lambda _: self.axis_changed.emit())
        for field in (self.layer_box, self.axis_box, self.view_box):
            field.changed.connect(lambda _: self.changed.emit())
        self.region_box.changed.connect(lambda _: self.changed.emit())
        self.window_boxes.changed.connect(self.changed)
        self.model_box.changed.connect(self.changed)
        self._offer_axes()  # of a layer that was there before the dock
        self.region_box.offer(self.layer)

    def _lay_out(self) -> None:
        for box in (self.axis_box, self.view_box):
            box.native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        form_layout(
            ("Layer", line((self.layer_box.row, 1), self.compare_button)),
            ("Slices", row(self.axis_box.native, self.region_box.box)),
            ("Window", self.window_boxes),
            ("Model", line((self.model_box, 3), (self.view_box.native, 2))),
            parent=self,
        )

    # -- what the form says ------------------------------------------------------------------------

    @property
    def layer(self) -> Image | None:
        """The chosen layer."""
        return self.layer_box.layer

    @property
    def dimension(self) -> int:
        """The layer dimension to score along."""
        return 0 if self.axis_box.value is None else int(self.axis_box.value)

    @property
    def model(self) -> Path | None:
        """The bundle file, None for the default model."""
        return self.model_box.path

    @property
    def view(self) -> str:
        """Which scales are looked at, one of ``scoring.views.VIEWS``."""
        return str(self.view_box.value)

    def region(self, source: SliceSource) -> Region | None:
        """Return what counts of a source's slices, None for all of them.

        Raises VolumeError where that is hardly a pixel.
        """
        return self.region_box.region(source)

    # -- what the dock tells the form --------------------------------------------------------------

    def reset_choices(self) -> None:
        """Follow the viewer's layer list."""
        self.layer_box.reset_choices()
        self.region_box.offer(self.layer)

    def choose_layer(self, layer: Layer) -> None:
        """Choose a layer of the viewer."""
        self.layer_box.choose(layer)

    def follow_data(self) -> None:
        """Offer the axes of the layer's data, which may be others than before."""
        if self._axes != _axes_of(self.layer):
            self._offer_axes()

    def choose_view(self, words: str) -> None:
        """Choose what is looked at, by what the dock calls it."""
        self.view_box.value = next(view for view, named in VIEW_WORDS.items() if named == words)

    def _on_layer(self) -> None:
        self._offer_axes()
        self.region_box.offer(self.layer)
        self.axis_changed.emit()

    def _offer_axes(self) -> None:
        layer = self.layer
        before, self._axes = len(self._axes), _axes_of(layer)
        chosen = self.axis_box.value
        with self.axis_box.changed.blocked():
            self.axis_box.choices = []  # else magicgui puts those that are new behind those that stay
            self.axis_box.choices = [(text, d) for d, text in enumerate(self._axes)]
        if layer is not None and layer.ndim > 2:
            same = before == layer.ndim and layer is self._axes_layer and chosen is not None
            self.axis_box.value = chosen if same else layer.ndim - 3
        self._axes_layer = layer
        self.axis_box.enabled = layer is not None and layer.ndim > 2
        self.window_boxes.show_type(None if layer is None else layer.dtype)


def _axes_of(layer: Layer | None) -> list[str]:
    """Return what each axis that slices can be cut across is called."""
    if layer is None:
        return []
    if layer.ndim == 2:
        return ["single image"]
    return [f"{name}, {n} slices" for name, n in zip(axis_names(layer), layer_shape(layer), strict=True)]
