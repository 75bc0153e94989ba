"""Files dragged onto napari's picture that a dock takes, before napari asks its readers."""

from collections.abc import Callable
from pathlib import Path

from napari.qt import QtViewer
from qtpy.QtCore import QEvent, QObject
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QMainWindow, QWidget


class FileDrop(QObject):
    """Hands files with an ending to a dock that is open; files of other kinds go to napari as ever.

    Parameters
    ----------
    panel : QWidget
        The dock's content; its napari window is found when it is shown.
    suffix : str
        The ending, with its dot: ".csv".
    load : callable
        Called with the path of each file.
    takes : callable, optional
        Called with a path: whether the file is one of those; all where omitted.
    """

    def __init__(
        self,
        panel: QWidget,
        suffix: str,
        load: Callable[[str], None],
        takes: Callable[[Path], bool] = lambda _path: True,
    ) -> None:
        super().__init__(panel)
        self._suffix, self._load, self._takes = suffix, load, takes
        self._watched = False
        panel.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Watch the picture once the dock is shown, and take what is dropped on it."""
        if event.type() == QEvent.Type.Show and watched is self.parent() and not self._watched:
            self._watch(watched)
        if event.type() == QEvent.Type.Drop and isinstance(event, QDropEvent):
            paths = [Path(url.toLocalFile()) for url in event.mimeData().urls()]
            if paths and all(self._is_ours(path) for path in paths):
                for path in paths:
                    self._load(str(path))
                event.acceptProposedAction()
                return True
        return super().eventFilter(watched, event)

    def _watch(self, panel: QObject) -> None:
        window = panel.parent()
        while window is not None and not isinstance(window, QMainWindow):
            window = window.parent()
        if window is None:
            return
        self._watched = True
        for picture in window.findChildren(QtViewer):
            for each in (picture, *picture.findChildren(QWidget)):
                if each.acceptDrops():
                    each.installEventFilter(self)

    def _is_ours(self, path: Path) -> bool:
        return path.suffix.lower() == self._suffix and path.is_file() and self._takes(path)
