"""The choice of a layer of the viewer."""

from collections.abc import Callable
from typing import Any

from magicgui.widgets import ComboBox
from napari.layers import Layer
from qtpy.QtWidgets import QSizePolicy

from napari_tiqa.widgets.shared.result_layers import is_original, unwrapped


class LayerBox(ComboBox):
    """Offers layers of the viewer, the topmost first, as it is what is seen; never widens the dock."""

    null_string = "none"

    def __init__(
        self,
        viewer: Any,
        tooltip: str,
        offers: Callable[[Layer], bool] = is_original,
        *,
        nullable: bool = False,
        lowest_first: bool = False,
    ) -> None:
        def choices(_widget: object = None) -> list[Layer]:
            offered = [layer for layer in viewer.layers if offers(layer)]
            return offered if lowest_first else offered[::-1]

        super().__init__(choices=choices, nullable=nullable, tooltip=tooltip)
        self.native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    @property
    def layer(self) -> Any:
        """The chosen layer, None where there is none."""
        return unwrapped(self.value)

    def choose(self, layer: Layer | None) -> None:
        """Choose a layer of those offered, or none."""
        if layer is None:
            self.value = None
            return
        for choice in self.choices:  # napari wraps those it offers
            if choice is not None and choice.unique_id == layer.unique_id:
                self.value = choice
