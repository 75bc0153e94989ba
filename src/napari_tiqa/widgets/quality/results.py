"""The lower half of the quality dock: plot, run list, worst slices, and the files that scores are kept in."""

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QLabel,
    QMessageBox,
    QSizePolicy,
    QSplitter,
    QStackedLayout,
    QWidget,
)

from napari_tiqa.errors import TiqaError
from napari_tiqa.scoring.table import read_scores, write_scores
from napari_tiqa.widgets.host.shortcuts import key_of
from napari_tiqa.widgets.quality.plot import Curve, ScorePlot
from napari_tiqa.widgets.quality.plotted import PLOTTED, Plotted
from napari_tiqa.widgets.quality.run_list import RunList, WorstSlices
from napari_tiqa.widgets.quality.run_shelf import RunShelf, ShelvedRun
from napari_tiqa.widgets.quality.score_run import run_of_table, run_sentence
from napari_tiqa.widgets.shared.forms import STRETCH, ask_save_path, button, choice_box, column, line, page

_NEXT_KEY = key_of("next_worst")
_PLOTTED_WIDTH, _PLOTTED_LIST_WIDTH = 116, 170  # px
_REDRAW_EVERY = 100  # ms; faster is not seen and takes time from napari's own drawing
_HINT = (
    "<b>No scores yet</b><br>Choose a layer and press “Score all slices”.<br>"
    "Every slice gets a score from 1 (worst) to 5 (best).<br><br>"
    "Noise, resolution and other figures, in the box above, are measured without a score.<br>"
    "Scores kept as CSV can be loaded below."
)
_NO_LAYER_HINT = (
    "<b>No image layer</b><br>"
    "1. Open a tomogram with File › Open File(s)…, or the sample.<br>"
    "2. Press “Score all slices”: each gets 1 (worst) to 5 (best).<br>"
    "3. Click a dip of the curve to see that slice, and why."
)


class ResultsView(QWidget):
    """Shows the runs of a shelf and lets a user compare, select, export, load and remove them."""

    slice_clicked = Signal(int)  # of the current run
    current_changed = Signal()
    sample_clicked = Signal()
    notified = Signal(str)
    problem = Signal(str)
    plotted_chosen = Signal()  # also where the same is chosen again
    shown_changed = Signal()  # other runs are ticked or selected
    forgotten = Signal(object)  # ShelvedRun

    def __init__(self, shelf: RunShelf, plot: ScorePlot, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shelf = shelf
        self._current_key: str | None = None
        self.plot = plot
        self.hint = QLabel(_HINT)
        self.hint.setToolTip("The curve of scores appears here.")
        self.sample_button = button(
            "Open the sample",
            "Open a simulated battery electrode, scanned twice, in which it is known where each fault is;\n"
            "it is made the first time, and kept.",
            self.sample_clicked.emit,
        )
        self.runs = RunList()
        self.worst = WorstSlices()
        self.next_button = button(
            "Next worst",
            "Go to the slice that comes after the one shown in the list of worst slices.\n"
            f"Press {_NEXT_KEY} over the picture for the same.",
            self.next_worst,
        )
        self.plotted_box = choice_box(
            [(plotted.title, plotted, plotted.meaning) for plotted in PLOTTED],
            "What is plotted and listed: the score, or a physical figure.\n"
            "Once one is chosen, all figures of the ticked runs' slices are measured, where no run is there\n"
            "those of all slices of the layer. Cancel keeps what is done.",
        )
        self.plotted_box.setFixedWidth(_PLOTTED_WIDTH)
        self.plotted_box.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.plotted_box.view().setMinimumWidth(_PLOTTED_LIST_WIDTH)
        self._redraw = QTimer(self, singleShot=True, interval=_REDRAW_EVERY)
        self._redraw.timeout.connect(self._draw)
        self._buttons = {
            "csv": button(
                "Save CSV…",
                "Save the selected run as a table: score, uncertainty and parts of each slice,\n"
                "and its physical figures where they are measured.",
                lambda: self._ask_path("Save scores", "csv", "Score table (*.csv)", self.export_csv),
            ),
            "png": button(
                "Save plot…",
                "Save the plot as a PNG picture, large enough to print.",
                lambda: self._ask_path("Save plot", "png", "Picture (*.png)", self.export_png),
            ),
            "load": button(
                "Load CSV…",
                "Load scores that were saved before, to see and compare them.",
                self._ask_saved_path,
            ),
            "remove": button(
                "Remove",
                "Remove the selected run from the list and from its layer; asks first.",
                self._ask_remove,
            ),
        }
        self._lay_out()
        self.plotted_box.activated.connect(self._on_plotted)
        self.runs.changed.connect(self._on_list_changed)
        self.plot.slice_clicked.connect(self.slice_clicked)
        self.worst.slice_clicked.connect(self.slice_clicked)
        self._draw()

    def _lay_out(self) -> None:
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hint.setWordWrap(True)
        self.worst.put_in_header(self.next_button)
        below = page(self.runs, (self.worst, 1))
        scored = QSplitter(Qt.Orientation.Vertical)
        for part in (self.plot, below):
            scored.addWidget(part)
        scored.setChildrenCollapsible(False)
        scored.handle(1).setToolTip("Drag to make the plot taller or shorter.")
        scored.setStretchFactor(0, 1)
        scored_or_hint = QWidget()
        self._stack = QStackedLayout(scored_or_hint)
        self._stack.addWidget(page(STRETCH, self.hint, line(STRETCH, self.sample_button, STRETCH), STRETCH))
        self._stack.addWidget(scored)
        # Two lines, whatever they say: the last word, which names the artefact, is what matters.
        self.plot.readout.setWordWrap(True)
        self.plot.readout.setFixedHeight(2 * self.plot.readout.fontMetrics().lineSpacing() + 2)
        head = line(self.plotted_box, (self.plot.readout, 1))
        column(head, (scored_or_hint, 1), line(*self._buttons.values()), parent=self)

    # -- runs --------------------------------------------------------------------------------------

    @property
    def current(self) -> ShelvedRun | None:
        """The selected run."""
        return self._shelf.get(self._current_key)

    @property
    def plotted(self) -> Plotted:
        """What is plotted."""
        chosen: Plotted = self.plotted_box.currentData()
        return chosen

    def shown(self) -> list[ShelvedRun]:
        """Return the ticked runs, the selected one first."""
        ticked = [entry for key in self.runs.shown_keys() if (entry := self._shelf.get(key))]
        return sorted(ticked, key=lambda entry: entry is not self.current)

    def choose_plotted(self, key: str) -> None:
        """Plot "score", or one of ``physics.figures.FIGURES``, as where a user chooses it."""
        keys = [plotted.key for plotted in PLOTTED]
        self.plotted_box.setCurrentIndex(keys.index(key))
        self._on_plotted()

    def _on_plotted(self) -> None:
        self.plot.set_plotted(self.plotted)
        self._draw()
        self.plotted_chosen.emit()

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

    def forget(self, entry: ShelvedRun) -> None:
        """Take a run off the shelf and out of the list; its layer keeps it."""
        self._shelf.remove(entry.run.key)
        self.runs.remove_run(entry.run.key)
        self._on_list_changed()
        self.forgotten.emit(entry)

    def remove_run(self, entry: ShelvedRun) -> None:
        """Remove a run from the list and from its layer's metadata."""
        self.forget(entry)
        if entry.layer is not None:
            self._shelf.save(entry.layer)

    def next_worst(self) -> None:
        """Go to the next of the worst slices of the current run, from the one that napari shows."""
        self.worst.next_worst(self.plot.marked)

    def show_hint(self, *, any_layer: bool) -> None:
        """Choose what an empty dock says."""
        self.hint.setText(_HINT if any_layer else _NO_LAYER_HINT)
        self.sample_button.setVisible(not any_layer)

    def _on_list_changed(self) -> None:
        key = self.runs.current_key()
        changed = key != self._current_key
        self._current_key = key
        self._draw()
        if changed:
            self.current_changed.emit()
        self.shown_changed.emit()

    def _draw(self) -> None:
        self._redraw.stop()
        current = self.current
        shown = [entry for key in self.runs.shown_keys() if (entry := self._shelf.get(key))]
        self._stack.setCurrentIndex(1 if len(self._shelf) else 0)
        self.plot.show_runs(
            [Curve(entry.run, entry.colour) for entry in shown], current.run if current else None
        )
        self.worst.show_run(current.run if current else None, self.plotted)
        self.next_button.setEnabled(bool(self.worst.items()))
        for name in ("csv", "png", "remove"):
            self._buttons[name].setEnabled(current is not None)

    # -- files -------------------------------------------------------------------------------------

    def export_csv(self, path: str) -> None:
        """Write the current run as a score table; a file of that name is replaced."""
        if self.current is None:
            return
        try:
            write_scores(self.current.run.table(), path)
        except TiqaError as error:
            self.problem.emit(str(error))
        else:
            self.notified.emit(f"Scores saved to {path}.")

    def export_png(self, path: str) -> None:
        """Write the plot as a picture; a file of that name is replaced."""
        try:
            self.plot.save_png(path)
        except OSError as error:
            self.problem.emit(f"The plot could not be saved ({error}); choose another place.")
        else:
            self.notified.emit(f"Plot saved to {path}.")

    def load_csv(self, path: str) -> None:
        """Show a saved score table beside the other runs."""
        try:
            run = run_of_table(read_scores(path), Path(path).stem)
        except TiqaError as error:
            self.problem.emit(str(error))
            return
        run.name = self._shelf.free_name(run.name)
        self.add(self._shelf.add(run, None))
        self.notified.emit(run_sentence(run))

    def _ask_path(self, title: str, suffix: str, kind: str, save: Callable[[str], None]) -> None:
        stem = entry.run.name if (entry := self.current) else "scores"
        if path := ask_save_path(self, title, f"{stem}.{suffix}", kind):
            save(path)

    def _ask_saved_path(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Load scores", "", "Score table (*.csv)")
        if path:
            self.load_csv(path)

    def _ask_remove(self) -> None:
        entry = self.current
        if entry is None or not entry.run.ended:  # a run under way is cancelled instead
            return
        question = f"Remove the scores of '{entry.run.name}'? This cannot be undone."
        if QMessageBox.question(self, "Remove scores", question) == QMessageBox.StandardButton.Yes:
            self.remove_run(entry)
