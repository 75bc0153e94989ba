"""No dock shows tags or entities of HTML: in none of its texts, with and without results."""

import numpy as np
import pytest
from napari import Viewer
from npe2 import PluginManifest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.scoring.table import ScoredSlice
from napari_tiqa.widgets.filtering.figures import FilterScore
from napari_tiqa.widgets.filtering.trial import Judged, SliceTrial
from tests.places import ROOT
from tests.widgets.label_texts import as_shown, markup_shown, texts_shown

TIMEOUT = 300_000  # ms
MANIFEST = PluginManifest.from_file(ROOT / "napari.yaml")
DOCKS = [widget.display_name for widget in MANIFEST.contributions.widgets or ()]
ODD = "scan <b>1</b> &amp; 2"


@pytest.mark.parametrize("dock_name", DOCKS)
def test_docks_show_no_markup(dock_name: str, viewer: Viewer, qtbot: QtBot) -> None:
    dock = viewer.window.add_plugin_dock_widget("napari-tiqa", dock_name)[1]
    opened: list[bool] = []
    dock.ready.connect(lambda: opened.append(True))
    qtbot.waitUntil(lambda: bool(opened), timeout=TIMEOUT)
    assert len(set(texts_shown(dock))) > 10
    assert markup_shown(dock) == []
    viewer.add_image(np.random.default_rng(0).random((3, 48, 48)), name="scan")
    viewer.add_labels(np.zeros((3, 48, 48), int), name="labels")
    qtbot.wait(50)
    assert markup_shown(dock) == []


@pytest.mark.parametrize("filtered", [True, False])
def test_the_filter_figures_show_no_markup(filtered: bool, qtbot: QtBot) -> None:
    score = FilterScore()
    qtbot.addWidget(score)
    pipeline = Pipeline([Step("gaussian")])
    artefacts = {"ring": 0.4, "blur": 1.2}
    before = Judged(ScoredSlice(0, 0.0, 3.0, 0.3, **artefacts), 0.6, 0.0)
    after = Judged(ScoredSlice(0, 0.0, 3.4, 0.3, **artefacts), 0.7, 3.0) if filtered else before
    score.show_trial(SliceTrial(pipeline, before, after))
    assert markup_shown(score) == []
    assert "ring" in as_shown(score.parts.text(), score.parts.textFormat())
    nothing = Judged(ScoredSlice(0, 0.0, np.nan, np.nan, reason=ODD), np.nan, np.nan)
    score.show_trial(SliceTrial(pipeline, nothing, nothing))
    assert as_shown(score.score.text(), score.score.textFormat()) == f"none: {ODD}"


def test_the_scan_finds_markup_that_is_shown(qtbot: QtBot) -> None:
    label = QLabel("ring 0.4 &nbsp;·&nbsp; blur 1.2")
    qtbot.addWidget(label)
    assert markup_shown(label) == [label.text()]
    label.setText("<b>ring 0.4</b> &nbsp; blur")
    assert markup_shown(label) == []
    label.setTextFormat(Qt.TextFormat.PlainText)
    assert markup_shown(label) == [label.text()]
