"""The menus that documents and docks name are napari's own."""

import re
from collections.abc import Iterator

from napari import Viewer
from qtpy.QtWidgets import QMenu

from tests.places import ROOT

MENUS = "File|View|Layers|Plugins|Window"
IN_DOCUMENTS = re.compile(rf"\*((?:{MENUS}) > [^*\n]+)\*")
IN_DOCKS = re.compile(rf"((?:{MENUS})(?: › [\w()…]+(?: [\w()…]+)*)+)")
OURS = " (TIQA image quality)"
TEXTS = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]


def paths(menu: QMenu, above: str) -> Iterator[str]:
    """Yield the path of each entry, without the dots and arrows that napari adds."""
    menu.aboutToShow.emit()
    for action in menu.actions():
        path = f"{above} > {plain(action.text())}"
        yield path
        if action.menu() is not None:
            yield from paths(action.menu(), path)


def plain(text: str) -> str:
    """Return an entry without what napari adds: the plugin, where it has entries in several menus."""
    text = text.replace("&", "").replace("…", "").removesuffix(OURS).removesuffix(" (napari builtins)")
    return text.removesuffix("...").strip()


def test_documents_and_docks_name_the_menus_that_there_are(viewer: Viewer) -> None:
    there = set()
    for action in viewer.window._qt_window.menuBar().actions():
        if action.menu() is not None:
            there |= set(paths(action.menu(), plain(action.text())))
    named = {
        (path.name, plain(found)) for path in TEXTS for found in IN_DOCUMENTS.findall(path.read_text("utf-8"))
    }
    for source in (ROOT / "src").rglob("*.py"):
        text = re.sub(r'"\s*\n\s*"', "", source.read_text("utf-8")).replace("<br>", " ")
        for found in IN_DOCKS.findall(text):
            named.add((source.name, plain(" > ".join(part.strip() for part in found.split("›")))))
    assert len(named) > 8
    assert {(name, path) for name, path in named if path not in there} == set()
