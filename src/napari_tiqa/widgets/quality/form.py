"""The form of the quality dock: which layer, axis, intensity window, model and view."""

from pathlib import Path
from typing import Any

from magicgui.widgets import CheckBox, ComboBox, LineEdit
from napari.layers import Image, Layer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget

from napari_tiqa.errors import VolumeError
from napari_tiqa.scoring.views import NATIVE, OVERVIEW, PYRAMID
from napari_tiqa.volumes.region import Region
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.widgets.quality.region_box import RegionBox
from napari_tiqa.widgets.shared.forms import form_layout, line, row
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
        self.auto_window = CheckBox(
            text="Auto",
            value=True,
            tooltip="Find the grey values of black and white from a few slices of the whole volume.\n"
            "They are in the units of the layer's voxels; its contrast limits never change a score.",
        )
        self.low = LineEdit(tooltip="Voxel value that counts as black; untick Auto to type it.")
        self.high = LineEdit(tooltip="Voxel value that counts as white; untick Auto to type it.")
        self._lay_out()
        self.layer_box.changed.connect(self._on_layer)
        self.axis_box.changed.connect(lambda _: self.axis_changed.emit())
        self.auto_window.changed.connect(self._on_auto_window)
        for field in (self.layer_box, self.axis_box, self.view_box, self.auto_window, self.low, self.high):
            field.changed.connect(lambda _: self.changed.emit())
        self.region_box.changed.connect(lambda _: self.changed.emit())
        self.model_box.changed.connect(self.changed)
        self._on_auto_window(True)
        self._offer_axes()  # of a layer that was there before the dock
        self.region_box.offer(self.layer)

    def _lay_out(self) -> None:
        for box in (self.axis_box, self.view_box):
            box.native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        window = line(
            self.auto_window.native,
            *(QLabel("black"), (self.low.native, 1)),
            *(QLabel("white"), (self.high.native, 1)),
        )
        form_layout(
            ("Layer", self.layer_box.row),
            ("Slices", row(self.axis_box.native, self.region_box.box)),
            ("Window", window),
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

    def typed_window(self) -> IntensityWindow | None:
        """Return the typed window, None for an automatic one.

        Raises VolumeError where the fields hold no numbers, or low is not below high.
        """
        if self.auto_window.value:
            return None
        try:
            low, high = float(self.low.value), float(self.high.value)
        except ValueError:
            sentence = "The window needs two numbers, black and white: type them or tick Auto."
            raise VolumeError(sentence) from None
        return IntensityWindow(low, high, "typed")

    # -- what the dock tells the form --------------------------------------------------------------

    def reset_choices(self) -> None:
        """Follow the viewer's layer list."""
        self.layer_box.reset_choices()
        self.region_box.offer(self.layer)

    def choose_layer(self, layer: Layer) -> None:
        """Choose a layer of the viewer."""
        self.layer_box.choose(layer)

    def show_window(self, window: IntensityWindow | None) -> None:
        """Show the numbers of an automatic window; typed ones are left alone."""
        if self.auto_window.value:
            self.low.value = "" if window is None else f"{window.low:.6g}"
            self.high.value = "" if window is None else f"{window.high:.6g}"

    def _on_layer(self) -> None:
        self._offer_axes()
        self.region_box.offer(self.layer)
        self.axis_changed.emit()

    def _offer_axes(self) -> None:
        layer = self.layer
        if layer is None:
            self.axis_box.choices = []
        elif layer.ndim == 2:
            self.axis_box.choices = [("single image", 0)]
        else:
            shape, names = layer_shape(layer), axis_names(layer)
            self.axis_box.choices = [(f"{names[d]}, {shape[d]} slices", d) for d in range(layer.ndim)]
            self.axis_box.value = layer.ndim - 3
        self.axis_box.enabled = layer is not None and layer.ndim > 2

    def _on_auto_window(self, automatic: bool) -> None:
        for field in (self.low, self.high):
            # Not disabled, which is grey on grey: the window that was found is there to be read.
            field.native.setReadOnly(automatic)
            field.native.setPlaceholderText("found at scoring" if automatic else "type it")
