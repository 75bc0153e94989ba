"""Every shortcut of the docks, defined once: napari lists them and can give them other keys.

They stand in *Preferences > Shortcuts* among those of the viewer, from the first dock of ours that is opened
on, and in napari's command palette (napari.yaml names the commands). A key works while its dock is open.
"""

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from napari.components import ViewerModel
from napari.settings import get_settings
from napari.utils.action_manager import action_manager

PLUGIN = "napari-tiqa"


@dataclass(frozen=True)
class Shortcut:
    """A key over the picture, and what it does in a dock.

    Attributes
    ----------
    name : str
        Of the command, after the plugin's name.
    title : str
        For people; that of the command in napari.yaml.
    key : str
        As napari and Qt write it: "Shift+H".
    dock : str
        The display name of the dock.
    action : str
        Where the dock's panel has the method to call: "results.next_worst".
    """

    name: str
    title: str
    key: str
    dock: str
    action: str


_QUALITY, _FILTER = "Slice quality", "Filter and tune"
SHORTCUTS = {
    each.name: each
    for each in (
        Shortcut("score_slice", "Score this slice", "S", _QUALITY, "score_this_slice"),
        Shortcut("score_all", "Score all slices", "Shift+S", _QUALITY, "score_all"),
        Shortcut("next_worst", "Next worst slice", "N", _QUALITY, "results.next_worst"),
        Shortcut("side_by_side", "Compare side by side", "Shift+G", _QUALITY, "side_by_side.toggle"),
        Shortcut("flip", "Before or after", "Shift+H", _FILTER, "layers.flip"),
        Shortcut("next_view", "Next view of the filters", "H", _FILTER, "layers.next_view"),
        Shortcut("undo", "Undo a change of the filters", "Ctrl+Z", _FILTER, "state.undo"),
        Shortcut("redo", "Redo a change of the filters", "Ctrl+Shift+Z", _FILTER, "state.redo"),
    )
}
"""By name, in the order in which they are listed."""

# Panels by window and name of the dock; weak, since a dock may just be deleted.
_open: "weakref.WeakKeyDictionary[Any, dict[str, weakref.ref[Any]]]" = weakref.WeakKeyDictionary()


def key_of(name: str) -> str:
    """Return the key of a shortcut as it is when nobody has changed it: "Shift+H"."""
    return SHORTCUTS[name].key


def keys_in_use(name: str) -> str:
    """Return the keys that a shortcut has now, which the user may have changed; "none" for none."""
    _register()
    bound = action_manager._shortcuts.get(f"{PLUGIN}:{name}", [])
    return ", ".join(str(key) for key in bound) or "none"


def serve(viewer: Any, dock: str, panel: Any) -> Callable[[], None]:
    """Have the shortcuts of a dock act on its panel, which was just opened; return what ends that."""
    _register()
    viewer = getattr(viewer, "__wrapped__", viewer)  # napari hands plugins a proxy of it
    panels, mine = _open.setdefault(viewer.window, {}), weakref.ref(panel)
    panels[dock] = mine

    def end() -> None:
        if panels.get(dock) is mine:
            del panels[dock]

    return end


def act(panel: Any, shortcut: Shortcut) -> None:
    """Do in a dock's panel what a shortcut is for."""
    attrgetter(shortcut.action)(panel)()


def _register() -> None:
    """Put the actions into napari's list, and bind keys to those to which the user has given none."""
    if f"{PLUGIN}:{next(iter(SHORTCUTS))}" in action_manager._actions:
        return
    chosen = get_settings().shortcuts.shortcuts
    for shortcut in SHORTCUTS.values():
        name = f"{PLUGIN}:{shortcut.name}"
        action_manager.register_action(name, _pressed(shortcut), f"TIQA: {shortcut.title}", ViewerModel)
        if name not in chosen:
            action_manager.bind_shortcut(name, shortcut.key)


def _pressed(shortcut: Shortcut) -> Callable[[ViewerModel], None]:
    def pressed(viewer: ViewerModel) -> None:
        viewer = getattr(viewer, "__wrapped__", viewer)
        docks = _open.get(getattr(viewer, "window", None), {})
        panel = docks[shortcut.dock]() if shortcut.dock in docks else None
        if panel is None:
            viewer.status = f"{shortcut.title}: the dock {shortcut.dock} is not open."
        else:
            act(panel, shortcut)

    pressed.__name__ = f"tiqa_{shortcut.name}"  # napari tells actions apart by it
    return pressed
