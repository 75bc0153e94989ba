"""The rating dock's content: how form, session, rating window and results act on one another.

Imported in a background thread (dock_shell.py), since pandas and dask take longer to import than napari's
window may stand still.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QMainWindow,
    QStackedWidget,
    QTabWidget,
    QWidget,
)
from superqt import QElidingLabel

from napari_tiqa.errors import TiqaError
from napari_tiqa.learning.ratings.session import RatingSession, create_session, open_session
from napari_tiqa.progress import Progress
from napari_tiqa.widgets.host.remembered import remember
from napari_tiqa.widgets.rating.form import RatingForm
from napari_tiqa.widgets.rating.results import RatingResults
from napari_tiqa.widgets.rating.window import RatedBar, RatingWindow
from napari_tiqa.widgets.shared.background_job import BackgroundJob, JobOutcome, JobState, Work
from napari_tiqa.widgets.shared.dock_panel import DockPanel, in_other_dock
from napari_tiqa.widgets.shared.forms import (
    DOCK_MARGINS,
    STRETCH,
    TAB_MARGINS,
    button,
    column,
    form_layout,
    line,
    page,
    quietly,
)
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel
from napari_tiqa.wording import counted


class RatingPanel(DockPanel):
    """The rating dock."""

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(viewer, parent)
        self.session: RatingSession | None = None
        self.window_of_rater: RatingWindow | None = None
        self.job = BackgroundJob("preparing the images")
        self.form = RatingForm(viewer)
        self.results = RatingResults()
        self.message = self.form.run.message
        self._make_session_page()
        self._lay_out()
        self._connect()
        form = self.form
        remember("rate", images=form.count_box, crop=form.crop_box, repeated=form.repeat_box)
        self._use_theme()
        self._show_session()

    # -- building ----------------------------------------------------------------------------------

    def _make_session_page(self) -> None:
        self.session_name = QElidingLabel()
        self.session_name.setElideMode(Qt.TextElideMode.ElideMiddle)
        self.other_button = button(
            "Other images…", "Rate other layers or another folder; all ratings are kept.", self.leave_session
        )
        self.rater_box = QComboBox()
        self.rater_box.setEditable(True)
        self.rater_box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.rater_box.lineEdit().setPlaceholderText("type your name")
        self.rater_box.setToolTip("The rater: type a new name, or choose one to continue.")
        self.bar = RatedBar("Images that this rater has rated; some are shown a second time.")
        self.rate_button = button(
            "Rate", "Open the window that shows the images one by one, without their names.", self.rate
        )
        self.rate_button.setMinimumHeight(38)
        self.notes = SentenceLabel("Notes on the images.")

    def _lay_out(self) -> None:
        head = line((self.session_name, 1), self.other_button)
        rater = form_layout(("Rater", self.rater_box), ("Rated", self.bar))
        self._pages = QStackedWidget()
        self._pages.addWidget(page(self.form, STRETCH))
        self._pages.addWidget(page(head, rater, self.rate_button, self.notes, STRETCH))
        self.tabs = QTabWidget()
        self.tabs.addTab(page((self._pages, 1), margins=TAB_MARGINS), "Rate")
        self.tabs.addTab(self.results, "Results")
        # The message stands below both tabs: it also tells of merged ratings.
        column((self.tabs, 1), self.message, parent=self, margins=DOCK_MARGINS)

    def _connect(self) -> None:
        run = self.form.run
        self.form.changed.connect(self.message.retract)
        run.start_clicked.connect(self.begin)
        run.cancel_clicked.connect(self.job.cancel)
        self.job.state_changed.connect(run.show_state)
        self.job.progressed.connect(run.show_progress)
        self.job.ended.connect(self._on_ended)
        self.rater_box.editTextChanged.connect(lambda _: self._show_rater())
        self.tabs.currentChanged.connect(lambda _: self._show_results())
        self.results.image_chosen.connect(self._show_image)
        self.results.merge_clicked.connect(self._ask_merge)
        self.results.train_clicked.connect(self.train_from_these)
        self._end_with_dock(self.job)
        layers = self._viewer.layers.events
        for emitter in (layers.inserted, layers.removed, layers.reordered, layers.renamed):
            self._subscribe(emitter, self.reset_choices)

    def close_down(self) -> None:
        """End what is under way and let go of the viewer: the dock was closed."""
        super().close_down()
        if self.window_of_rater is not None:
            self.window_of_rater.close()

    def reset_choices(self, _event: object = None) -> None:
        """Follow the viewer's layer list."""
        self.form.reset_choices()

    # -- from and to the training dock -------------------------------------------------------------

    def rate_layers(self, layers: Iterable[str]) -> None:
        """Tick the layers with these ``unique_id`` and no others."""
        self.leave_session()
        self.form.choose_layers(layers)

    def train_from_these(self) -> None:
        """Open the training dock with this session's images and ratings chosen."""
        if self.session is not None:
            folder = self.session.folder
            in_other_dock(self._viewer, "Train a model", lambda panel: panel.learn_from_session(folder))

    # -- which images ------------------------------------------------------------------------------

    def begin(self) -> bool:
        """Prepare the images that the form asks for; False where that cannot start."""
        try:
            work = self._work()
        except TiqaError as error:
            self.message.refuse(str(error))
            return False
        self.message.say("Opening the folder…" if self.form.from_folder else "Reading the slices…")
        return self.job.start(work)

    def _work(self) -> Work:
        share = self.form.repeat_share
        if self.form.from_folder:
            folder = self.form.chosen_folder()
            return lambda _progress, _cancel: open_session(folder, repeat_share=share)
        sources = self.form.image_sources()  # first: without images a folder is useless
        folder = self.form.chosen_folder()
        return lambda progress, cancel: create_session(
            folder,
            sources,
            repeat_share=share,
            progress=lambda done, total: progress(Progress(done, total, None)),
            cancel=cancel,
        )

    def _on_ended(self, outcome: JobOutcome) -> None:
        if outcome.state is JobState.DONE:
            self.session = outcome.result
            self.form.suggest_new_place()
            self.message.say("")
            self._show_session()
        elif outcome.state is JobState.FAILED:
            self.message.complain(outcome.message, outcome.error)
        else:
            self.message.say(outcome.message)

    def leave_session(self) -> None:
        """Go back to the form; the session's folder keeps everything."""
        if self.window_of_rater is not None:
            self.window_of_rater.close()
        self.session = None
        self._show_session()

    def _show_session(self) -> None:
        session = self.session
        self._pages.setCurrentIndex(0 if session is None else 1)
        self.tabs.setTabEnabled(1, session is not None)
        if session is None:
            self.tabs.setCurrentIndex(0)
            return
        self.session_name.setText(f"{counted(len(session.images), 'image')} in {session.folder.name}")
        self.session_name.setToolTip(str(session.folder))
        self.notes.warn(session.notes)
        self.results.canvas.set_largest(session.largest)
        self.results.file.setText(f"Kept in {session.ratings_file.name}, in {session.folder}")
        self._offer_raters(self.rater_box.currentText())
        self._show_results()

    # -- rating ------------------------------------------------------------------------------------

    @property
    def rater(self) -> str:
        """The name in the form."""
        return self.rater_box.currentText().strip()

    def rate(self) -> None:
        """Open the window that shows the images to the rater."""
        if self.session is None or not self.rater or self.window_of_rater is not None:
            return
        napari_window = _main_window(self)
        window = RatingWindow(self.session, self.rater, napari_window)
        window.changed.connect(self._on_rated)
        window.closed.connect(self._on_window_closed)
        self.window_of_rater = window
        self._show_rater()
        window.setGeometry(napari_window.geometry())  # nothing bright beside the images
        window.show()
        window.activateWindow()
        window.setFocus()

    def _on_rated(self) -> None:
        self._show_rater()
        self._show_results()

    def _on_window_closed(self) -> None:
        self.window_of_rater = None
        self._offer_raters(self.rater)
        self._show_results()

    def _offer_raters(self, name: str) -> None:
        if self.session is None:
            return
        with quietly(self.rater_box):
            self.rater_box.clear()
            self.rater_box.addItems(self.session.raters())
            self.rater_box.setEditText(name)
        self._show_rater()

    def _show_rater(self) -> None:
        session, rating = self.session, self.window_of_rater is not None
        self.rater_box.setEnabled(not rating)
        self.rate_button.setEnabled(bool(self.rater) and not rating)
        if session is None:
            return
        progress = session.progress(self.rater)
        self.bar.show_progress(progress)
        done = progress.done == progress.total
        self.rate_button.setText(
            "All rated: open again" if done else "Continue rating" if progress.done else "Rate"
        )

    # -- results -----------------------------------------------------------------------------------

    def _show_results(self) -> None:
        if self.session is not None and self.tabs.currentIndex() == 1:
            self.results.show_ratings(self.session.ratings())

    def _show_image(self, name: str) -> None:
        if self.session is None:
            return
        try:
            self.results.canvas.show_image(self.session.image(name))
        except TiqaError as error:
            self.results.canvas.show_text(str(error))

    def merge(self, paths: Iterable[str | Path]) -> None:
        """Take in the ratings of CSV files."""
        if self.session is None:
            return
        try:
            added = self.session.merge(paths)
        except TiqaError as error:
            self.message.complain(str(error))
            return
        self._offer_raters(self.rater)
        self._show_results()
        self.message.say(f"Ratings added: {added}." if added else "All these ratings were there already.")

    def _ask_merge(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "Merge ratings", "", "Ratings (*.csv)")
        if paths:
            self.merge(paths)


def _main_window(widget: QWidget) -> QWidget:
    """Return napari's window, also where the dock floats in one of its own."""
    while not isinstance(widget, QMainWindow) and (parent := widget.parentWidget()) is not None:
        widget = parent
    return widget
