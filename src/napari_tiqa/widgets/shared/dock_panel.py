"""What the contents of all docks have in common: letting go of napari and jobs, ways to one another."""

import inspect
import weakref
from collections.abc import Callable
from typing import Any, ClassVar

from napari.utils.theme import Theme, get_theme
from qtpy.QtWidgets import QApplication, QWidget

from napari_tiqa.widgets.host.preferences import (
    AS_LAST_USED,
    apply_to_processes,
    preference_events,
    preferences,
)
from napari_tiqa.widgets.host.shortcuts import serve
from napari_tiqa.widgets.host.task_manager import tell_of
from napari_tiqa.widgets.shared.background_job import BackgroundJob
from napari_tiqa.widgets.shared.result_layers import unwrapped


class DockPanel(QWidget):
    """A dock's content, which follows a viewer until it is closed."""

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._held = _Held()
        self._themed: tuple[Any, ...] = ()
        # napari's closing window deletes its docks; this widget's own methods are not called any more then.
        self.destroyed.connect(self._held.let_go)
        apply_to_processes()
        self._subscribe(viewer.layers.events.removed, self._held.end_jobs_of_removed)

    def close_down(self) -> None:
        """End what is under way and let go of the viewer: the dock was closed."""
        self._held.let_go()

    def _subscribe(self, emitter: Any, callback: Callable[..., None]) -> None:
        """Have napari call back until the dock is closed."""
        emitter.connect(callback)
        self._held.subscriptions.append((emitter, weak(callback)))

    def _prefer(self, name: str, put: Callable[[Any], object]) -> None:
        """Take what the user prefers, by its name in ``Preferences``, now and whenever that changes."""

        def take(_event: object = None) -> None:
            value = getattr(preferences(), name)
            if value not in ("", AS_LAST_USED):
                put(value)

        take()
        if (events := preference_events()) is not None:
            self._subscribe(getattr(events, name), take)

    def _serve_shortcuts(self, dock: str) -> None:
        """Have the shortcuts of the dock of this name act on this panel until it is closed."""
        self._held.ends.append(serve(self._viewer, dock, self))

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

    def _end_with_dock(self, job: BackgroundJob, *, asked_for: bool = True) -> None:
        """Cancel a job when the dock or the job's layer goes, and wait for it where napari quits.

        napari's task manager knows of a job that the user has asked for, and warns of it before the window
        is closed.
        """
        self._held.jobs.append(job)
        if asked_for:
            tell_of(job, self._viewer)
        QApplication.instance().aboutToQuit.connect(job.abandon)


class _Held:
    """What a panel has to let go of when it is closed or deleted.

    It is held from outside of the panel until then. A panel that is garbage takes with it all that only it
    holds, and Python clears that in any order: its jobs might be empty shells before Qt deletes the panel.
    """

    _all: ClassVar[set["_Held"]] = set()

    def __init__(self) -> None:
        self.jobs: list[BackgroundJob] = []
        self.ends: list[Callable[[], None]] = []
        # Weak, since a panel's own methods are among them: they must not keep it from being deleted.
        self.subscriptions: list[tuple[Any, weakref.ref[Any]]] = []
        self._all.add(self)

    def end_jobs_of_removed(self, event: Any) -> None:
        """End the jobs of the layer that napari has just removed."""
        for job in self.jobs:
            job.layer_removed(unwrapped(event.value))

    def let_go(self, *_: object) -> None:
        """Cancel the jobs and have napari call back no more; a second call does nothing."""
        self._all.discard(self)
        for job in self.jobs:
            job.cancel()
        for emitter, callback in self.subscriptions:
            if (alive := callback()) is not None:
                emitter.disconnect(alive)
        for end in self.ends:
            end()
        self.ends.clear()
        self.jobs.clear()
        self.subscriptions.clear()


def weak(callback: Callable[..., None]) -> "weakref.ref[Any]":
    """Return a weak reference to a function, or to an object's method."""
    return weakref.WeakMethod(callback) if inspect.ismethod(callback) else weakref.ref(callback)


def in_other_dock(viewer: Any, name: str, then: Callable[[Any], object]) -> None:
    """Open the dock of this name and call `then` with its panel, once that is there."""
    frame, dock = viewer.window.add_plugin_dock_widget("napari-tiqa", name)
    frame.raise_()  # one that was open may lie behind another tab
    if dock.panel is None:
        dock.ready.connect(lambda: then(dock.panel))
    else:
        then(dock.panel)


def dock_style(theme: Theme) -> str:
    """Return what docks add to napari's style sheet: flat lists and tables, narrower numbers."""
    ground, line = theme.background.as_rgb(), theme.primary.as_rgb()
    return f"""
        QTreeWidget, QTableWidget {{ background: {ground}; border: 1px solid {line}; }}
        QTreeWidget::item {{ padding: 1px 0px; }}
        QTreeWidget::item:selected {{ background: {theme.current.as_rgb()}; color: {theme.text.as_rgb()}; }}
        QTreeWidget > QPushButton {{ border: 1px solid {theme.secondary.as_rgb()}; padding: 0px 6px; }}
        QHeaderView::section {{ border: none; padding: 3px; }}
        QTableCornerButton::section {{ background: {ground}; border: none; }}
        QTableWidget QHeaderView::section {{ background: {ground}; border: none; padding: 4px; }}
        QSpinBox, QDoubleSpinBox {{ min-width: 44px; }}
        QLineEdit:read-only {{ background: transparent; }}
        QSplitter::handle {{ background: transparent; }}
    """
