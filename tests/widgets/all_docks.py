"""All six docks in one viewer: opened, every button that starts work pressed, what they then say."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from napari import Viewer
from napari.utils.notifications import notification_manager
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QPushButton, QTabWidget, QWidget

from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.widgets.shared import background_job
from napari_tiqa.widgets.shared.sentence_label import SentenceLabel
from napari_tiqa.widgets.training.controls import TrainingControls
from napari_tiqa.wording import free_path

NAMES = ("Slice quality", "Filter and tune", "Segment", "Train a model", "Rate images", "Evaluate a model")
TIMEOUT = 300_000  # ms


class AllDocks:
    """The six docks of a viewer, open at once."""

    def __init__(self, viewer: Viewer, qtbot: QtBot, folder: Path) -> None:
        self.viewer, self.qtbot, self.folder = viewer, qtbot, folder
        self.panels: dict[str, Any] = {}
        self.open()

    def open(self) -> None:
        """Open the docks that are not open."""
        for name in NAMES:
            dock = self.viewer.window.add_plugin_dock_widget("napari-tiqa", name)[1]
            if dock.panel is None:
                with self.qtbot.waitSignal(dock.ready, timeout=TIMEOUT):
                    pass
            self.panels[name] = dock.panel

    @property
    def buttons(self) -> Iterator[QPushButton]:
        """What starts work, in all docks and tabs."""
        quality, filters, segment, train, rate, evaluate = (self.panels[name] for name in NAMES)
        tune, compare, apply = filters.tabs.pages[1:]
        yield from (quality.controls.start_button, quality.controls.slice_button, quality.controls.map_button)
        yield from (tune.form.run_row.start_button, compare.form.add_button)
        yield from (compare.form.run_row.start_button, apply.form.show_button)
        yield segment.header.new_button
        yield segment.tabs.pages[0].controls.start_button
        yield from (tab.form.run_row.start_button for tab in segment.tabs.pages[1:])
        yield from (train.preview_button, train.controls.start_button)
        yield from (rate.form.run.start_button, evaluate.form.run.start_button)

    @property
    def filters(self) -> Any:
        """The tabs of the filter dock: steps, tune, compare, apply."""
        return self.panels["Filter and tune"].tabs

    @property
    def segmentation(self) -> Any:
        """The tabs of the segmentation dock: train, segment, quality effect."""
        return self.panels["Segment"].tabs

    def prepare(self) -> None:
        """Give the docks what they need beside layers: a filter, and places of their own to write to."""
        self.panels["Filter and tune"].state.set_pipeline(Pipeline([Step("gaussian")]))
        place = self.panels["Rate images"].form.place
        place.set_path(free_path(self.folder / "rated", "{name} ({number})"))
        place.edited.emit()  # as by a user: else each new layer has another one proposed
        _, _, compare, apply = self.filters.pages
        if not compare.list.pipelines:
            compare.add_present()
        apply.form.place.set_path(free_path(self.folder / "filtered.zarr", "{name} ({number}).zarr"))

    def press_all(self) -> None:
        """Press each button that can be pressed, one after the other, each job's end awaited."""
        self.prepare()
        for each in self.buttons:
            if each.isEnabled():
                each.click()
            self.wait()

    def wait(self, until: Callable[[], bool] | None = None) -> None:
        """Wait until nothing is under way, and what has happened is shown."""
        self.qtbot.wait(20)
        self.qtbot.waitUntil(until or (lambda: not background_job._under_way), timeout=TIMEOUT)

    def problems(self) -> dict[str, set[str]]:
        """Return the problems that are read in each dock with each of its tabs in front.

        What may spoil a training stands apart, before any time is spent on it.
        """
        found: dict[str, set[str]] = {}
        for name, panel in self.panels.items():
            in_tabs: dict[str, set[str]] = {}
            for label in panel.findChildren(SentenceLabel):
                problems = {line for line in label.text().splitlines() if line.startswith("⚠")}
                tab = _tab_of(label, panel)
                if problems and tab is not None and not _is_warning(label):
                    in_tabs.setdefault(tab, set()).update(problems)
            above = in_tabs.pop("", set())
            found |= {f"{name}, {tab}": above | problems for tab, problems in in_tabs.items()}
            if above:
                found[name] = above
        return found


def _is_warning(label: SentenceLabel) -> bool:
    controls = label.parentWidget()
    return isinstance(controls, TrainingControls) and label is controls.warnings


def _tab_of(label: QWidget, panel: QWidget) -> str | None:
    """Return the title of the tab that shows a label, "" for one outside of tabs; None where it is hidden."""
    tab = ""
    each = label
    while each is not panel:
        above = each.parentWidget()
        tabs = above.parentWidget()
        if isinstance(tabs, QTabWidget):
            tab = tabs.tabText(tabs.indexOf(each))
        elif each.isHidden():
            return None
        each = above
    return tab


@contextmanager
def notifications() -> Iterator[list[str]]:
    """Collect what napari would show over its canvas."""
    said: list[str] = []

    def note(event: Any) -> None:
        said.append(str(getattr(event, "message", event)))

    notification_manager.notification_ready.connect(note)
    try:
        yield said
    finally:
        notification_manager.notification_ready.disconnect(note)


def our_threads() -> list[str]:
    """Return the threads of ours that run."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("napari-tiqa")]
