"""The evaluation dock in a real viewer with a real model process: judge, read, save, cancel, fail well."""

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from napari import Viewer
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QFileDialog, QMessageBox

from napari_tiqa.learning.evaluation.comparison import Evaluation
from napari_tiqa.learning.images.dataset import Dataset, write_dataset
from napari_tiqa.widgets.evaluation.panel import EvaluationPanel
from napari_tiqa.widgets.shared.background_job import JobState
from tests.processes import model_processes
from tests.widgets.evaluation.evaluations import an_evaluation, labelled_groups

WIDGET = ("napari-tiqa", "Evaluate a model")
TIMEOUT = 200_000  # ms, for a model process that has to import Keras on a busy machine


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "dataset"
    groups = labelled_groups(3)
    names = [group.specimen for group in groups]
    files = [[f"{name}_{image}.tif" for image in range(16)] for name in names]
    write_dataset(folder, Dataset(groups, names, files), {})
    return folder


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return an_evaluation()


@pytest.fixture
def panel(viewer: Viewer, qtbot: QtBot) -> EvaluationPanel:
    dock = viewer.window.add_plugin_dock_widget(*WIDGET)[1]
    qtbot.waitUntil(lambda: dock.panel is not None, timeout=TIMEOUT)
    return dock.panel


@pytest.fixture
def no_process_left() -> Iterator[None]:
    yield
    assert not model_processes()


def cell(panel: EvaluationPanel, row: int, column: int) -> str:
    item = panel.results.table.item(row, column)
    assert item is not None
    return item.text()


def clouds(panel: EvaluationPanel) -> dict[str, np.ndarray]:
    """Return the dots of the scatter plot: label and score, by distortion."""
    (axes,) = panel.results.plot.figure().axes
    return {str(cloud.get_label()): np.asarray(cloud.get_offsets()) for cloud in axes.collections}


def boxes(panel: EvaluationPanel) -> int:
    """Return how many boxes there are."""
    return len(panel.results.plot.figure().axes[0].patches)


# -- judging ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_process_left")
def test_a_model_is_judged_beside_a_baseline(
    panel: EvaluationPanel, dataset: Path, untrained_model: Path, qtbot: QtBot
) -> None:
    panel.form.models.tick_only(untrained_model)
    panel.form.dataset.set_path(dataset)
    for name, box in panel.form.baselines.items():
        box.setChecked(name == "lookup")
    stages = []
    panel.job.progressed.connect(lambda progress: stages.append(progress.stage))
    with qtbot.waitSignal(panel.job.ended, timeout=TIMEOUT):
        panel.form.run.start_button.click()
    assert panel.job.state is JobState.DONE, panel.message.text()
    assert panel.message.text() == "Evaluated on 48 images."
    assert "scoring by untrained" in stages
    table = panel.results.table
    rows = [table.verticalHeaderItem(row).text().replace("\n", " ") for row in range(table.rowCount())]
    assert rows == ["blur", "noise", "ring", "all distortions"]
    assert table.columnCount() == 2
    assert re.search(r"\n-?\.\d\d–-?\.\d\d$", cell(panel, 3, 0))  # an interval
    assert sum(len(dots) for dots in clouds(panel).values()) == 48
    assert "keras" not in sys.modules


@pytest.mark.usefixtures("no_process_left")
def test_an_evaluation_can_be_cancelled_and_the_last_result_stays(
    panel: EvaluationPanel, evaluation: Evaluation, dataset: Path, untrained_model: Path, qtbot: QtBot
) -> None:
    panel.results.show_evaluation(evaluation)
    panel.form.models.tick_only(untrained_model)
    panel.form.dataset.set_path(dataset)
    with qtbot.waitSignal(panel.job.ended, timeout=TIMEOUT):
        panel.evaluate()
        assert not panel.form.run.start_button.isEnabled()
        panel.form.run.cancel_button.click()
    assert panel.message.text() == "The evaluation was cancelled."
    assert panel.form.run.start_button.isEnabled()
    assert panel.results.evaluation is evaluation


# -- reading ---------------------------------------------------------------------------------------


def test_the_best_of_each_row_is_bold_and_for_errors_that_is_the_least(
    panel: EvaluationPanel, evaluation: Evaluation
) -> None:
    panel.results.show_evaluation(evaluation)
    for name in ("Rank correlation", "Error"):
        panel.results.measure_box.setCurrentText(name)
        for row in range(4):
            bold = [panel.results.table.item(row, column).font().bold() for column in range(2)]
            assert bold == [True, False]
    assert "Error" in panel.results.table.item(0, 0).toolTip()
    assert "of 4 originals" in panel.results.table.item(0, 0).toolTip()
    assert "Different told from similar" not in [
        panel.results.measure_box.itemText(i) for i in range(panel.results.measure_box.count())
    ]


def test_the_plots_show_whose_scores_are_chosen(panel: EvaluationPanel, evaluation: Evaluation) -> None:
    panel.results.show_evaluation(evaluation)
    noise = evaluation.rows[evaluation.rows["family"] == "noise"]
    expected = np.stack([noise["label"], noise["score"].clip(0.8, 5.2)], axis=1)
    np.testing.assert_allclose(clouds(panel)["noise"], expected)
    panel.results.plot_box.setCurrentText("at each level")
    assert boxes(panel) == 16
    panel.results.plot_box.setCurrentText("against labels")
    assert panel.results.agreement.text().startswith("All distortions: rank correlation 0.9")
    panel.results.judged_box.setCurrentIndex(1)
    assert clouds(panel)["noise"][:, 1].max() == 5.2  # beyond 5: kept at the edge
    assert "rank correlation 0.00" in panel.results.agreement.text()
    assert "A note." in panel.results.notes.text()
    assert "2 large slices score -0.30 points" in panel.results.notes.text()


def test_a_dataset_without_distortions_or_labels_for_all_is_shown(
    panel: EvaluationPanel, evaluation: Evaluation
) -> None:
    rated = evaluation.rows[evaluation.rows["family"] == ""].copy()
    rated.loc[rated.index[0], "label"] = np.nan
    table = evaluation.table[evaluation.table["family"] == "all distortions"].assign(family="all images")
    panel.results.show_evaluation(replace(evaluation, rows=rated, table=table))
    assert panel.results.table.rowCount() == 1
    assert len(clouds(panel)["undistorted"]) == 3
    panel.results.plot_box.setCurrentText("at each level")
    assert boxes(panel) == 1


# -- saving ----------------------------------------------------------------------------------------


def test_tables_and_figures_are_saved(panel: EvaluationPanel, evaluation: Evaluation, tmp_path: Path) -> None:
    panel.results.show_evaluation(evaluation)
    panel.save(tmp_path / "result")
    assert pd.read_csv(tmp_path / "result/table.csv")["judged"].unique().tolist() == list(evaluation.titles)
    assert cv2.imread(str(tmp_path / "result/scatter.png")).std() > 10
    assert "scatter.png" in panel.message.text()


def test_an_earlier_evaluation_is_replaced_only_after_asking(
    panel: EvaluationPanel, evaluation: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel.results.show_evaluation(evaluation)
    (tmp_path / "table.csv").write_text("mine")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    asked = []
    monkeypatch.setattr(QMessageBox, "question", lambda *of: asked.append(of[-1]))  # closed without a yes
    panel.results.save_button.click()
    assert "Replace table.csv" in asked[0]
    assert (tmp_path / "table.csv").read_text() == "mine"


def test_what_cannot_be_saved_is_said(panel: EvaluationPanel, evaluation: Evaluation, tmp_path: Path) -> None:
    panel.results.show_evaluation(evaluation)
    (tmp_path / "file").touch()
    panel.save(tmp_path / "file")
    assert "cannot be written" in panel.message.text()


# -- bad input -------------------------------------------------------------------------------------


def test_what_is_missing_in_the_form_is_said(panel: EvaluationPanel, dataset: Path) -> None:
    assert not panel.evaluate()
    assert "There is no dataset yet" in panel.message.text()
    panel.form.dataset.set_path(dataset)
    panel.form.models.tick_only()
    assert not panel.evaluate()
    assert "No model is ticked" in panel.message.text()


@pytest.mark.usefixtures("no_process_left")
def test_a_folder_that_is_no_dataset_is_said(panel: EvaluationPanel, tmp_path: Path, qtbot: QtBot) -> None:
    panel.form.dataset.set_path(tmp_path)
    with qtbot.waitSignal(panel.job.ended, timeout=TIMEOUT):
        panel.evaluate()
    assert "is not a dataset: choose a folder" in panel.message.text()


def test_models_that_are_added_stay_ticked_and_those_that_are_gone_leave(
    panel: EvaluationPanel, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.tiqa"
    mine.write_bytes(b"")
    panel.form.models.tick_only(mine, None)
    panel.reset_choices()
    assert panel.form.models.ticked() == [mine, None]
    mine.unlink()
    panel.reset_choices()
    assert panel.form.models.ticked() == [None]
