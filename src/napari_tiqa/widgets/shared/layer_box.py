"""The choice of a layer of the viewer, which follows the layer that the user works on."""

from collections.abc import Callable
from typing import Any

from magicgui.widgets import ComboBox
from napari.layers import Layer
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QHBoxLayout, QSizePolicy

from napari_tiqa.widgets.shared.forms import button, line, quietly
from napari_tiqa.widgets.shared.result_layers import is_original, is_result, unwrapped

Subscribe = Callable[[Any, Callable[..., None]], None]
"""``DockPanel._subscribe``: has napari call back until the dock is closed."""


class LayerBox(ComboBox):
    """Offers layers of the viewer, the topmost first, as it is what is seen; never widens the dock.

    A box that is given `subscribe` follows the viewer: it chooses the active layer, else the topmost visible
    one of those offered. One that the user chooses here is pinned: it stays until it is unpinned or removed.
    One that was active stays, too, while a layer of another kind is (labels painted on it, points, shapes, a
    result of ours). `row` is the box with its button to pin, for a form. What happens in one go, such as
    several layers opened, is followed once; ``catch_up`` does so at once.
    """

    null_string = "none"
    _follows = False  # until the box is made

    def __init__(
        self,
        viewer: Any,
        tooltip: str,
        offers: Callable[[Layer], bool] = is_original,
        *,
        nullable: bool = False,
        subscribe: Subscribe | None = None,
    ) -> None:
        def choices(_widget: object = None) -> list[Layer]:
            return [layer for layer in reversed(viewer.layers) if offers(layer)]

        self._offers: Callable[[], list[Layer]] = choices
        super().__init__(choices=choices, nullable=nullable, tooltip=tooltip)
        self.native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._viewer = viewer
        self._follows = subscribe is not None
        self._pinned = ""  # the unique_id of the layer to stay with
        self._was_active = ""  # that of the layer chosen because it was active
        self.pin = button(
            "Pin",
            "Stay with this layer. Else the dock follows the active layer and, where that is not an image to "
            "work on,\nthe topmost visible one.",
        )
        self.pin.setCheckable(True)
        self.pin.toggled.connect(self._on_pin)
        self.native.activated.connect(lambda _: self._note_choice())
        self._soon = QTimer(self.native, singleShot=True, interval=0)
        self._soon.timeout.connect(self.catch_up)
        if subscribe is not None:
            subscribe(viewer.layers.selection.events.active, self._catch_up_soon)
            subscribe(viewer.layers.events, self._on_layers_event)
            self.catch_up()

    @property
    def layer(self) -> Any:
        """The chosen layer, None where there is none."""
        return unwrapped(self.value)

    @property
    def row(self) -> QHBoxLayout:
        """The box with its button to pin, for a form."""
        return line((self.native, 1), self.pin)

    def choose(self, layer: Layer | None) -> None:
        """Choose a layer of those offered, as a user would, or none."""
        if layer is None:
            self.value = None
            return
        self._choose(layer)
        self._note_choice()

    def reset_choices(self, *_: object) -> None:
        """Offer the viewer's layers as they are now."""
        before = self.layer
        with self.changed.blocked():
            super().reset_choices()
            self._sort()
            offered = self._offered()
            if before in offered:  # else a layer that is renamed would not be the chosen one any more
                self._choose(before)
            elif self._follows:
                self._set_pinned(None)
                self._choose(self._wanted(offered))
        if self.layer is not before:
            self.changed.emit(self.value)
        if self._follows:
            self._soon.start()

    def _sort(self) -> None:
        """List the layers in the order they lie in: magicgui puts new ones last."""
        box, wanted = self.native, [layer.unique_id for layer in self._offered()]
        with quietly(box):
            for place, name in enumerate(wanted, start=int(self._nullable)):
                ids = [getattr(box.itemData(row), "unique_id", None) for row in range(box.count())]
                if ids[place] != name and name in ids:
                    row, current = ids.index(name), ids[box.currentIndex()]
                    text, layer = box.itemText(row), box.itemData(row)
                    box.removeItem(row)
                    box.insertItem(place, text, layer)
                    ids.insert(place, ids.pop(row))
                    box.setCurrentIndex(ids.index(current))

    def catch_up(self) -> None:
        """Choose the layer that the user works on; one that is pinned stays."""
        self._soon.stop()
        if not self._follows or self._pinned:
            return
        wanted = self._wanted(self._offered())
        if wanted is not self.layer:
            self._choose(wanted)
        if wanted is not None and wanted is unwrapped(self._viewer.layers.selection.active):
            self._was_active = wanted.unique_id

    def _offered(self) -> list[Layer]:
        return [unwrapped(layer) for layer in self._offers()]

    def _wanted(self, offered: list[Layer]) -> Layer | None:
        active, chosen = unwrapped(self._viewer.layers.selection.active), self.layer
        if active in offered:
            return active
        visible = [layer for layer in offered if layer.visible]
        if chosen in offered and (not visible or (active is not None and is_result(active))):
            return chosen
        if chosen in visible and active is not None and chosen.unique_id == self._was_active:
            return chosen
        return next(iter(visible or offered), None)

    def _choose(self, layer: Layer | None) -> None:
        for choice in self.choices:  # napari wraps those it offers
            if choice is not None and layer is not None and choice.unique_id == layer.unique_id:
                self.value = choice

    def _note_choice(self) -> None:
        """Pin a layer that would not be chosen by itself."""
        if self._follows:
            self._set_pinned(None if self.layer is self._wanted(self._offered()) else self.layer)

    def _set_pinned(self, layer: Layer | None) -> None:
        self._pinned = "" if layer is None else layer.unique_id
        with quietly(self.pin):
            self.pin.setChecked(bool(self._pinned))

    def _on_pin(self, pinned: bool) -> None:
        self._set_pinned(self.layer if pinned else None)
        self.catch_up()

    def _on_layers_event(self, event: Any) -> None:
        if event.type == "visible":
            self._soon.start()

    def _catch_up_soon(self, _event: object = None) -> None:
        self._soon.start()
