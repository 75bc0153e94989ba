"""Physical figures in the quality dock: measured once chosen, plotted and listed in their units, kept."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from napari import Viewer
from napari.layers import Image
from pytestqt.qtbot import QtBot

from napari_tiqa import measure_volume, read_scores
from napari_tiqa.physics.figures import FIGURES
from napari_tiqa.volumes.region import as_region
from napari_tiqa.volumes.simulation.microstructures import microstructure
from napari_tiqa.widgets.docks import QualityDock
from napari_tiqa.widgets.quality.panel import QualityPanel
from napari_tiqa.widgets.quality.run_shelf import KeptScores, ShelvedRun
from napari_tiqa.widgets.quality.score_run import load_runs
from napari_tiqa.widgets.shared.background_job import JobState
from tests.widgets.quality.runs import shelve

TIMEOUT = 300_000  # ms
SCORES = [4.0, 3.0, 2.0, 4.5]


@pytest.fixture
def panel(viewer: Viewer, qtbot: QtBot) -> QualityPanel:
    dock: QualityDock = viewer.window.add_plugin_dock_widget("napari-tiqa", "Slice quality")[1]
    qtbot.waitUntil(lambda: dock.panel is not None, timeout=TIMEOUT)
    made: QualityPanel = dock.panel
    return made


@pytest.fixture(scope="module")
def foam() -> np.ndarray:
    """Return slices of foam with growing noise, shape (4, 200, 200), uint16."""
    noise = np.random.default_rng(0).standard_normal((4, 200, 200))
    grown = np.array([400, 1600, 800, 3200])[:, None, None] * noise
    return (10_000 + 20_000 * microstructure("foam", (200, 200), 3) + grown).clip(0).astype(np.uint16)


@pytest.fixture
def scan(viewer: Viewer, foam: np.ndarray) -> Image:
    return viewer.add_image(foam, name="scan", scale=(2, 0.5, 0.5), units="um")


@pytest.fixture
def scored(panel: QualityPanel, scan: Image) -> ShelvedRun:
    entry = shelve(panel, scan, SCORES)
    entry.run.unit, entry.run.spacing = "µm", 2.0
    panel.shelf.save(scan)
    return entry


def plot(panel: QualityPanel, qtbot: QtBot, key: str) -> None:
    with qtbot.waitSignal(panel.measuring.ended, timeout=TIMEOUT):
        panel.results.choose_plotted(key)


def test_a_chosen_figure_is_measured_plotted_and_listed(
    viewer: Viewer, panel: QualityPanel, scored: ShelvedRun, foam: np.ndarray, qtbot: QtBot
) -> None:
    plot(panel, qtbot, "noise_level")
    expected = measure_volume(foam)
    view = panel.results.plot
    (curve,) = view._curves.values()
    np.testing.assert_allclose(curve.getData()[1], expected["noise_level"], rtol=1e-6)
    low, high = view._curve_plot.getViewBox().viewRange()[1]
    assert low < expected["noise_level"].min() < expected["noise_level"].max() < high
    assert "grey values" in view._curve_plot.getAxis("left").labelText
    items = panel.results.worst.items()
    assert [item.text(0).split()[0] for item in items] == ["3", "1", "2", "0"]
    assert panel.results.worst.headerItem().text(1) == "grey values"
    assert items[0].text(1) == f"{expected['noise_level'][3]:.0f}"
    assert items[0].text(3) == "4.5 ± 0.2"
    viewer.dims.set_current_step(0, 0)
    panel.results.next_button.click()  # from the last to the first
    assert viewer.dims.current_step[0] == 3
    value = f"{expected['noise_level'][3]:.0f} grey values"
    assert view.readout.text() == f"slice 3: {value}, score 4.5 ± 0.2"
    assert panel.message.text().startswith("Noise of scan, axis z: median ")
    # All are measured at once: another is there without a job.
    panel.results.choose_plotted("edge_width")
    assert panel.measuring.job.state is JobState.DONE
    assert "µm" in view._curve_plot.getAxis("left").labelText
    (curve,) = view._curves.values()
    np.testing.assert_allclose(curve.getData()[1], 0.5 * expected["edge_width"], rtol=1e-6)
    panel.results.choose_plotted("score")
    assert next(iter(view._curves.values())).getData()[1].tolist() == SCORES
    assert view._curve_plot.getViewBox().viewRange()[1] == [0.75, 5.4]


def test_figures_are_kept_with_the_layer_and_in_one_table(
    panel: QualityPanel, scan: Image, scored: ShelvedRun, qtbot: QtBot, tmp_path: Path
) -> None:
    path = str(tmp_path / "scores.csv")
    panel.results.export_csv(path)
    assert not set(FIGURES) & set(pd.read_csv(path).columns)
    plot(panel, qtbot, "saturated")
    ((run,), unreadable) = load_runs(json.loads(json.dumps(scan.metadata)))
    assert unreadable == 0
    for name in FIGURES:
        np.testing.assert_array_equal(run.figure(name), scored.run.figure(name))
    panel.results.export_csv(path)
    table = read_scores(path)
    assert table["score"].tolist() == SCORES
    assert table["noise"].tolist() == [0, 0, 0, 0]  # the points lost to it, which are not a figure
    np.testing.assert_allclose(table["edge_width"], scored.run.figure("edge_width"))
    panel.results.load_csv(path)
    loaded = panel.results.current.run
    assert loaded is not scored.run
    for name in FIGURES:
        np.testing.assert_allclose(loaded.figure(name), scored.run.figure(name))


def test_cancel_keeps_what_is_measured_until_the_figure_is_chosen_again(
    viewer: Viewer, panel: QualityPanel, scan: Image, qtbot: QtBot
) -> None:
    scan.data = np.repeat(scan.data, 8, axis=0)
    entry = shelve(panel, scan, SCORES * 8)
    with qtbot.waitSignal(panel.measuring.measured, timeout=TIMEOUT):
        panel.results.choose_plotted("noise_level")
    assert not panel.score_this_slice()
    assert "still in progress" in panel.message.text()
    with qtbot.waitSignal(panel.measuring.ended, timeout=TIMEOUT):
        panel.controls.cancel_button.click()
    done = len(entry.run.figures)
    assert 0 < done < 32
    assert panel.message.text() == f"Cancelled; the figures of {done} of 32 slices are kept."
    other = shelve(panel, scan, [])
    panel.results.runs.select_run(entry.run.key)
    panel.results.forget(other)
    assert not panel.measuring.job.state.busy  # it is not begun again by itself
    plot(panel, qtbot, "resolution")
    assert len(entry.run.figures) == 32


def test_measuring_ends_with_its_layer_and_nothing_is_lost(
    viewer: Viewer, panel: QualityPanel, scan: Image, scored: ShelvedRun, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(panel.measuring.ended, timeout=TIMEOUT):
        panel.results.choose_plotted("noise_level")
        viewer.layers.remove(scan)
    assert panel.message.text() == "'scan' was removed, so measuring was stopped."
    assert len(panel.shelf) == 0
    viewer.layers.append(scan)
    (entry,) = panel.shelf
    assert entry.run.scores.tolist() == SCORES


def test_scores_of_former_data_get_no_figures_of_the_present_ones(
    panel: QualityPanel, scan: Image, scored: ShelvedRun
) -> None:
    scan.data = scan.data[::-1].copy()
    panel.results.choose_plotted("noise_level")
    assert "'scan' has other data than when it was scored: score it again." in panel.message.text()
    assert scored.run.figures == {}


def test_the_figures_of_a_run_in_a_region_are_those_of_the_region(
    panel: QualityPanel, scan: Image, scored: ShelvedRun, foam: np.ndarray, qtbot: QtBot
) -> None:
    mask = np.zeros((200, 200), bool)
    mask[20:150, 30:160] = True
    run = scored.run
    run.region = as_region(mask, panel.state.source.volume, 0, "drawn")
    run.record["region"] = run.region.record()
    plot(panel, qtbot, "noise_level")
    expected = measure_volume(foam, region=mask)["noise_level"]
    np.testing.assert_allclose(run.figure("noise_level"), expected, rtol=1e-6)
    run.figures, run.region = {}, None  # as in another session
    panel.results.choose_plotted("noise_level")
    assert "The region 'drawn' of scan, axis z is not known any more" in panel.message.text()


def test_without_a_run_all_slices_are_measured_and_no_model_is_asked(
    panel: QualityPanel, scan: Image, foam: np.ndarray, qtbot: QtBot
) -> None:
    plot(panel, qtbot, "contrast_to_noise")
    (entry,) = panel.shelf
    assert entry.run.name == "scan, axis z, not scored"
    expected = measure_volume(foam)["contrast_to_noise"]
    np.testing.assert_allclose(entry.run.figure("contrast_to_noise"), expected, rtol=1e-6)
    assert panel.results.runs.topLevelItem(0).text(1) == "-"
    item = panel.results.worst.topLevelItem(0)
    assert (item.text(0).split()[0], item.text(3)) == (str(expected.argmin()), "-")
    assert KeptScores().of(panel.state.source) == {}  # other docks ask for scores
    panel.results.choose_plotted("score")
    assert panel.results.worst.items() == []
    panel.results.remove_run(entry)
    assert not panel.measuring.job.state.busy
