"""The lower half of the quality dock: plot, run list, worst slices, and the buttons that export and load."""

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from napari_tiqa.widgets.quality.plot import Curve, ScorePlot
from napari_tiqa.widgets.quality.run_list import RunList
from napari_tiqa.widgets.quality.run_shelf import RunShelf, ShelvedRun
from napari_tiqa.widgets.quality.worst_slices import WorstSlices

_REDRAW_EVERY = 100  # ms; faster is not seen and takes time from napari's own drawing
_HINT = (
    "<b>No scores yet</b><br>Choose a layer and press “Score all slices”.<br>"
    "Every slice gets a score from 1 (worst) to 5 (best).<br><br>"
    "Scores kept as CSV can be loaded below."
)
_NO_LAYER_HINT = (
    "<b>No image layer</b><br>Open a tomogram with File › Open, or try the one in<br>"
    "File › Open Sample › TIQA image quality.<br><br>"
    "Scores kept as CSV can be loaded below."
)


class ResultsView(QWidget):
    """Shows the runs of a shelf and lets a user compare, select, export and remove them."""

    slice_clicked = Signal(int)  # of the current run
    current_changed = Signal()
    export_csv_clicked = Signal()
    export_png_clicked = Signal()
    load_csv_clicked = Signal()
    remove_clicked = Signal()

    def __init__(self, shelf: RunShelf, plot: ScorePlot, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shelf = shelf
        self._current_key: str | None = None
        self.plot = plot
        self.hint = QLabel(_HINT)
        self.hint.setToolTip("The curve of scores appears here.")
        self.runs = RunList()
        self.worst = WorstSlices()
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.setInterval(_REDRAW_EVERY)
        self._redraw.timeout.connect(self._draw)
        self._buttons = self._make_buttons()
        self._lay_out()
        self.runs.changed.connect(self._on_list_changed)
        self.plot.slice_clicked.connect(self.slice_clicked)
        self.worst.slice_clicked.connect(self.slice_clicked)
        self._draw()

    def _make_buttons(self) -> dict[str, QPushButton]:
        described = (
            (
                "csv",
                "Save CSV…",
                "Save the selected run as a table: score, uncertainty and parts of each slice.",
            ),
            ("png", "Save plot…", "Save the plot as a PNG picture, large enough to print."),
            ("load", "Load CSV…", "Load scores that were saved before, to see and compare them."),
            ("remove", "Remove", "Remove the selected run from the list and from its layer; asks first."),
        )
        clicked = (
            self.export_csv_clicked,
            self.export_png_clicked,
            self.load_csv_clicked,
            self.remove_clicked,
        )
        buttons = {}
        for (name, text, tooltip), signal in zip(described, clicked, strict=True):
            buttons[name] = QPushButton(text)
            buttons[name].setToolTip(tooltip)
            buttons[name].clicked.connect(signal)
        return buttons

    def _lay_out(self) -> None:
        self.hint.setAlignment(self.hint.alignment().AlignCenter)
        self.hint.setWordWrap(True)
        lists = QSplitter(Qt.Orientation.Horizontal)
        lists.addWidget(self.runs)
        lists.addWidget(self.worst)
        for column in (0, 1):
            lists.setStretchFactor(column, 1)
        lists.setChildrenCollapsible(False)
        lists.handle(1).setToolTip("Drag to make the list of runs wider or narrower.")
        scored = QSplitter(Qt.Orientation.Vertical)
        scored.addWidget(self.plot)
        scored.addWidget(lists)
        scored.setStretchFactor(0, 1)
        scored.setChildrenCollapsible(False)
        scored.handle(1).setToolTip("Drag to make the plot higher or lower.")
        scored_or_hint = QWidget()
        self._stack = QStackedLayout(scored_or_hint)
        self._stack.addWidget(self.hint)
        self._stack.addWidget(scored)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        for button in self._buttons.values():
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(scored_or_hint, 1)
        layout.addLayout(buttons)

    # -- runs --------------------------------------------------------------------------------------

    @property
    def current(self) -> ShelvedRun | None:
        """The selected run."""
        return self._shelf.get(self._current_key)

    def add(self, entry: ShelvedRun, *, select: bool = True) -> None:
        """Show a run that the shelf has taken in."""
        self.runs.add_run(entry.run, entry.colour)
        if select or self._current_key is None:
            self.runs.select_run(entry.run.key)
        self._draw()

    def refresh(self, entry: ShelvedRun) -> None:
        """Show a run's new rows, soon: rows may come faster than a plot is worth drawing."""
        self.runs.update_run(entry.run)
        if not self._redraw.isActive():
            self._redraw.start()

    def finish(self, entry: ShelvedRun) -> None:
        """Show a run that has ended, at once."""
        self.runs.update_run(entry.run)
        self._draw()

    def remove(self, entry: ShelvedRun) -> None:
        """Take out a run that the shelf has forgotten."""
        self.runs.remove_run(entry.run.key)
        self._on_list_changed()

    def show_hint(self, *, any_layer: bool) -> None:
        """Choose what an empty dock says."""
        self.hint.setText(_HINT if any_layer else _NO_LAYER_HINT)

    def _on_list_changed(self) -> None:
        key = self.runs.current_key()
        changed = key != self._current_key
        self._current_key = key
        self._draw()
        if changed:
            self.current_changed.emit()

    def _draw(self) -> None:
        self._redraw.stop()
        current = self.current
        shown = [entry for key in self.runs.shown_keys() if (entry := self._shelf.get(key))]
        self._stack.setCurrentIndex(1 if len(self._shelf) else 0)
        self.plot.show_runs(
            [Curve(entry.run, entry.colour) for entry in shown], current.run if current else None
        )
        self.worst.show_run(current.run if current else None)
        for name in ("csv", "png", "remove"):
            self._buttons[name].setEnabled(current is not None)
