"""The quality dock as napari opens it: a light shell that fills itself once its libraries are imported."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

import napari
from napari.utils import progress
from qtpy.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from qtpy.QtWidgets import QFrame, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from napari_tiqa.widgets.quality_panel import QualityPanel

_NARROW, _WIDE = 430, 560  # px


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Import without a full garbage collection, during which napari stands still for a quarter of a second.

    An import makes many objects and no garbage. Python collects garbage once enough new objects have come
    together; freezing and unfreezing puts those of the import among the old ones instead.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.unfreeze()
        if enabled:
            gc.enable()


class _Loading(QObject):
    """Imports the dock's libraries and starts the model process, in a thread of its own."""

    done = Signal()
    failed = Signal(str)

    def start(self) -> None:
        threading.Thread(target=self._load, name="napari-tiqa imports", daemon=True).start()

    def _load(self) -> None:
        try:
            # pandas, dask and pyqtgraph take half a second; napari's window must not stand still for it.
            with _no_garbage_collection():
                import_module("napari_tiqa.widgets.quality_panel")
                process = import_module("napari_tiqa.jobs.model_process")
            process.shared_model_process().start()
        except Exception as error:
            self.failed.emit(
                f"The quality dock cannot open ({error}); check the installation of napari-tiqa."
            )
        else:
            self.done.emit()


class QualityDock(QWidget):
    """Score the slices of a tomogram and see where it is bad.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer whose layers are scored; napari passes it in.

    Attributes
    ----------
    panel : QualityPanel or None
        The dock's content, None until it is built; it is shown once `ready` was emitted.
    """

    ready = Signal()

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:
        super().__init__()
        self.panel: QualityPanel | None = None
        self._viewer = napari_viewer
        self._steps = self._build()
        self._docked = False
        self._closed = False
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._notice = QLabel("Loading the quality dock…")
        self._notice.setWordWrap(True)
        self._notice.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._notice.setToolTip("The libraries for plots and tables are being imported.")
        self._layout.addWidget(self._notice)
        self.setMinimumSize(QSize(340, 200))
        # Else napari adds a stretch below the dock's content, which takes half of its height.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self._loading = _Loading()
        self._loading.done.connect(self._fill)
        self._loading.failed.connect(self._notice.setText)
        self._loading.start()

    def sizeHint(self) -> QSize:
        """Return a third of napari's window: the picture keeps most of it, a wide window shows long names."""
        third = self.window().width() // 3
        return QSize(min(max(third, _NARROW), _WIDE), 560)

    def event(self, event: QEvent) -> bool:
        """Notice when napari takes this widget out of its dock, which is how it closes one."""
        if event.type() == QEvent.Type.ParentChange:
            if self.parent() is not None:
                self._docked = True
            elif self._docked:
                self._closed = True
                if self.panel is not None:
                    self.panel.close_down()
        return super().event(event)

    def reset_choices(self) -> None:
        """Follow the viewer's layer list."""
        if self.panel is not None:
            self.panel.form.reset_choices()

    def _fill(self) -> None:
        """Take the next step of building, each in a turn of the event loop of its own."""
        if not self._closed and next(self._steps, None):
            QTimer.singleShot(0, self._fill)

    def _build(self) -> Iterator[bool]:
        """Build the dock's content in steps, between which napari's window can draw and answer."""
        from napari_tiqa.widgets.quality_panel import QualityPanel
        from napari_tiqa.widgets.score_plot import ScorePlot

        plot = ScorePlot()
        yield True
        panel = QualityPanel(self._viewer, plot)
        self.panel = panel
        yield True
        # napari's first progress bar takes it twenty times as long as any later one: not when a run begins.
        progress(total=1, desc="TIQA: opening").close()
        yield True
        # A window too low for the dock scrolls it, instead of being pushed taller.
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(panel)
        self._layout.replaceWidget(self._notice, area)
        self._notice.deleteLater()
        self.ready.emit()
