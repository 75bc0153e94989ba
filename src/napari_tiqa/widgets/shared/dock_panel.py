"""What the contents of all docks have in common: they let go of napari and of their jobs when they close."""

from collections.abc import Callable
from functools import partial
from typing import Any

from qtpy.QtWidgets import QApplication, QWidget

from napari_tiqa.widgets.shared.background_job import BackgroundJob


class DockPanel(QWidget):
    """A dock's content, which follows a viewer until it is closed.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that the dock works in.
    """

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._subscriptions: list[tuple[Any, Callable[..., None]]] = []
        self._jobs: list[BackgroundJob] = []
        # napari's closing window deletes its docks; this widget's own methods are not called any more then.
        self.destroyed.connect(partial(_let_go, self._jobs, self._subscriptions))

    def close_down(self) -> None:
        """End what is under way and let go of the viewer: the dock was closed."""
        _let_go(self._jobs, self._subscriptions)

    def _subscribe(self, emitter: Any, callback: Callable[..., None]) -> None:
        """Have napari call back until the dock is closed."""
        emitter.connect(callback)
        self._subscriptions.append((emitter, callback))

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
