"""A dock as napari opens it: a light shell that fills itself once its libraries are imported."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from napari.utils import progress
from qtpy.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from qtpy.QtWidgets import QDockWidget, QFrame, QLabel, QMainWindow, QScrollArea, QSizePolicy, QStyle, QWidget

from napari_tiqa.widgets.shared.forms import column

if TYPE_CHECKING:
    import napari

_NARROW, _WIDE = 340, 400  # px
_BORDERS = 2  # px, of napari's style


class DockShell(QWidget):
    """Imports a dock's panel in a thread, then shows it; a window too low for it scrolls it.

    `title` names the dock in a sentence ("the training dock"); `panel_of` is "package.module:Panel". `panel`
    is None until it is built, and is shown once `ready` was emitted; its ``close_down()`` is called when the
    dock is closed, its ``reset_choices()`` when layers change. napari goes by the parameter's name.
    """

    title: str
    panel_of: str
    ready = Signal()

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:
        super().__init__()
        self.panel: Any = None
        self.viewer = napari_viewer
        self._docked = False
        self._closed = False
        self._steps = self._build()
        self._notice = QLabel(f"Loading {self.title}…")
        self._notice.setWordWrap(True)
        self._notice.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._notice.setToolTip("The libraries for plots and tables are being imported.")
        self._layout = column(self._notice, parent=self)
        self.setMinimumSize(QSize(_NARROW, 200))
        # Else napari adds a stretch below the dock's content, which takes half of its height.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self._module, _, self._class = self.panel_of.partition(":")
        self._loading = _Loading(self.title, self._module)
        self._loading.done.connect(self._fill)
        self._loading.failed.connect(self._notice.setText)
        self._loading.start()

    @property
    def module(self) -> Any:
        """The module of the panel; it is imported by the time that the panel is made."""
        return import_module(self._module)

    def _make_panel(self) -> QWidget:
        return getattr(self.module, self._class)(self.viewer)

    def sizeHint(self) -> QSize:
        """Return a third of napari's window, at most 400 px: the picture keeps most of it."""
        return QSize(min(max(self.window().width() // 3, _NARROW), _WIDE), 560)

    def event(self, event: QEvent) -> bool:
        """Notice when napari takes this widget out of its dock, which is how it closes one."""
        if event.type() == QEvent.Type.ParentChange:
            if self.parent() is not None:
                self._docked = True
                QTimer.singleShot(0, self._join_tabs)  # napari adds the dock to its window only now
            elif self._docked:
                self._closed = True
                self._leave_layers()
                if self.panel is not None:
                    self.panel.close_down()
                # Now and here: Python's garbage collector may come in any thread, and Qt's widgets may not.
                self.deleteLater()
        return super().event(event)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Notice when the content needs another width."""
        if event is not None and event.type() == QEvent.Type.LayoutRequest and watched is self.panel:
            self._fit_width()
        return False

    def _fit_width(self) -> None:
        """Be never so narrow that the content is cut off: nothing scrolls to the side."""
        bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
        wanted = self.panel.minimumSizeHint().width() + bar + _BORDERS
        self.setMinimumWidth(min(max(wanted, _NARROW), _WIDE))

    def _join_tabs(self) -> None:
        """Lie as a tab beside the docks of ours that are there, where napari would put a slit below them."""
        window, dock = self.window(), _dock_of(self)
        if dock is None or not isinstance(window, QMainWindow) or window.tabifiedDockWidgets(dock):
            return
        ours = [_dock_of(shell) for shell in window.findChildren(DockShell) if shell is not self]
        area = window.dockWidgetArea(dock)
        beside = [other for other in ours if other is not None and window.dockWidgetArea(other) == area]
        docked = [other for other in beside if other.isVisible() and not other.isFloating()]
        if docked:
            window.tabifyDockWidget(docked[-1], dock)
            dock.show()
            dock.raise_()

    def _leave_layers(self) -> None:
        """Undo what napari does for a dock that has ``reset_choices``: it does not do so itself."""
        events = self.viewer.layers.events
        for emitter in (events.inserted, events.removed, events.reordered, events.renamed):
            emitter.disconnect(self.reset_choices)

    def reset_choices(self) -> None:
        """Follow the viewer's layer list."""
        if self.panel is not None and not self._closed:
            self.panel.reset_choices()

    def _fill(self) -> None:
        """Take the next step of building, each in a turn of the event loop of its own."""
        if not self._closed and next(self._steps, None):
            QTimer.singleShot(0, self._fill)

    def _build(self) -> Iterator[bool]:
        """Build the dock's content in steps, between which napari's window can draw and answer."""
        self.panel = self._make_panel()
        yield True
        # napari's first progress bar takes it twenty times as long as any later one: not when a run begins.
        progress(total=1, desc="TIQA: opening").close()
        yield True
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(self.panel)
        self.panel.installEventFilter(self)
        self._fit_width()
        self._layout.replaceWidget(self._notice, area)
        self._notice.deleteLater()
        self.ready.emit()


def _dock_of(widget: QWidget) -> QDockWidget | None:
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parentWidget()
    return parent


class _Loading(QObject):
    """Imports a dock's libraries in a thread of its own."""

    done = Signal()
    failed = Signal(str)

    def __init__(self, name: str, module: str) -> None:
        super().__init__()
        self._name = name
        self._module = module

    def start(self) -> None:
        threading.Thread(target=self._load, name="napari-tiqa imports", daemon=True).start()

    def _load(self) -> None:
        try:
            # pandas, dask and pyqtgraph take half a second; napari's window must not stand still for it.
            with _no_garbage_collection():
                import_module(self._module)
                # The first time, napari reads the manifests of all plugins for them.
                import_module("napari_tiqa.widgets.host.preferences").preferences()
        except Exception as error:
            name = self._name[0].upper() + self._name[1:]
            self.failed.emit(f"{name} cannot open ({error}); check the installation of napari-tiqa.")
        else:
            self.done.emit()


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Import without a full garbage collection, which would stop napari for a quarter of a second."""
    # An import makes many objects and no garbage. Python collects garbage once enough new objects have come
    # together; freezing and unfreezing puts those of the import among the old ones instead.
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.unfreeze()
        if enabled:
            gc.enable()
