"""What the contents of all docks have in common: they let go of napari and of their jobs when they close."""

from collections.abc import Callable
from functools import partial
from typing import Any

from napari.utils.theme import Theme, get_theme
from qtpy.QtWidgets import QApplication, QWidget

from napari_tiqa.widgets.shared.background_job import BackgroundJob


class DockPanel(QWidget):
    """A dock's content, which follows a viewer until it is closed."""

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._subscriptions: list[tuple[Any, Callable[..., None]]] = []
        self._jobs: list[BackgroundJob] = []
        self._themed: tuple[Any, ...] = ()
        # napari's closing window deletes its docks; this widget's own methods are not called any more then.
        self.destroyed.connect(partial(_let_go, self._jobs, self._subscriptions))

    def close_down(self) -> None:
        """End what is under way and let go of the viewer: the dock was closed."""
        _let_go(self._jobs, self._subscriptions)

    def _subscribe(self, emitter: Any, callback: Callable[..., None]) -> None:
        """Have napari call back until the dock is closed."""
        emitter.connect(callback)
        self._subscriptions.append((emitter, callback))

    def _use_theme(self, *plots: Any) -> None:
        """Take napari's colours now and whenever its theme changes; so do the plots, by ``set_theme``."""
        self._themed = plots
        self._subscribe(self._viewer.events.theme, self._take_theme)
        self._take_theme()

    def _take_theme(self, _event: object = None) -> None:
        theme = get_theme(self._viewer.theme)
        self.setStyleSheet(dock_style(theme))
        for plot in self._themed:
            plot.set_theme(theme)

    def _end_with_dock(self, job: BackgroundJob) -> None:
        """Cancel a job when the dock is closed, and wait for it where napari quits."""
        self._jobs.append(job)
        QApplication.instance().aboutToQuit.connect(job.abandon)


def _let_go(
    jobs: list[BackgroundJob], subscriptions: list[tuple[Any, Callable[..., None]]], *_: object
) -> None:
    for job in jobs:
        job.cancel()
    for emitter, callback in subscriptions:
        emitter.disconnect(callback)
    subscriptions.clear()


def dock_style(theme: Theme) -> str:
    """Return what docks add to napari's style sheet: lists and tables as flat as napari's own lists."""
    ground, line = theme.background.as_rgb(), theme.primary.as_rgb()
    return f"""
        QTreeWidget, QTableWidget {{ background: {ground}; border: 1px solid {line}; }}
        QTreeWidget::item {{ padding: 1px 0px; }}
        QTreeWidget::item:selected {{ background: {theme.current.as_rgb()}; color: {theme.text.as_rgb()}; }}
        QHeaderView::section {{ border: none; padding: 3px; }}
        QTableCornerButton::section {{ background: {ground}; border: none; }}
        QTableWidget QHeaderView::section {{ background: {ground}; border: none; padding: 4px; }}
        QLineEdit:read-only {{ background: transparent; }}
        QSplitter::handle {{ background: transparent; }}
    """
