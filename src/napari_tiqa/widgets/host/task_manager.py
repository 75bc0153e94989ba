"""napari's task manager: it knows of each long job of ours, so that closing napari warns and cancels it.

napari has no public call for it yet, and older ones have none at all.
"""

import weakref
from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QTimer

PROVIDER = "TIQA image quality"
LONG_AFTER = 1000
"""ms that a job works before it is told of: napari keeps all it was told, and short ones are many."""

_told: "weakref.WeakKeyDictionary[Any, weakref.WeakSet[Any]]" = weakref.WeakKeyDictionary()


def tell_of(job: Any, viewer: Any, cancel: Callable[[], None] | None = None) -> None:
    """Have a window's task manager know of each run of a job that takes long; once for each window.

    napari then asks before the user closes the window, and cancels the job where the answer is yes.

    Parameters
    ----------
    job : BackgroundJob
        What it does and the name of its layer stand in the question.
    viewer : napari.Viewer
        In whose window the job can be started.
    cancel : bound method, optional
        What is called then; ``job.cancel`` where omitted.
    """
    window = getattr(viewer, "__wrapped__", viewer).window  # napari hands plugins a proxy of the viewer
    windows = _told.setdefault(job, weakref.WeakSet())
    if window not in windows and hasattr(window, "_register_task_status"):
        windows.add(window)
        task = _Task(job, window, cancel or job.cancel)
        # A lambda, since Qt does not keep the object of a bound method alive.
        job.state_changed.connect(lambda state: task.follow(state))


class _Task:
    """What a window's task manager knows of a job."""

    def __init__(self, job: Any, window: Any, cancel: Callable[[], None]) -> None:
        self._job = weakref.ref(job)
        self._window = weakref.ref(window)
        self._cancel = weakref.WeakMethod(cancel)
        self._known: Any = None  # napari's key of the run under way
        self._run = 0

    def follow(self, state: Any) -> None:
        """Tell what has become of the job; one that is being cancelled holds nobody up any more."""
        from napari.utils.task_status import Status

        if state.value == "starting":
            self._run += 1
            run = self._run
            QTimer.singleShot(LONG_AFTER, lambda: self._tell(run))
        elif not state.cancellable and self._known is not None:
            ends = {"done": Status.COMPLETED, "failed": Status.FAILED}
            window, known, self._known = self._window(), self._known, None
            if window is not None:
                window._update_task_status(known, ends.get(state.value, Status.CANCELLED))

    def _tell(self, run: int) -> None:
        from napari.utils.task_status import Status

        job, window = self._job(), self._window()
        if job is not None and window is not None and run == self._run and job.state.cancellable:
            layer = f" ({job.layer.name})" if job.layer is not None else ""
            self._known = window._register_task_status(PROVIDER, Status.BUSY, f"{job.name}{layer}", self._end)

    def _end(self) -> bool:
        """Cancel the job, since napari closes; napari asks this of all runs that it was ever told of."""
        job, cancel = self._job(), self._cancel()
        if job is None or cancel is None or not job.state.cancellable:
            return False
        cancel()
        return True
