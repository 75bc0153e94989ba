"""Makes the pictures in docs/images, a function for each dock.

Run on a screen of at least 1600 x 900, or: xvfb-run -s "-screen 0 1600x900x24" python docs/screenshots.py
Names of docks ("rating") make only theirs.
"""

import argparse
import os
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
import numpy as np
import tifffile
from napari.layers import Layer
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget
from scipy.ndimage import distance_transform_edt, gaussian_filter

from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.jobs.process.client import shared_model_process
from napari_tiqa.learning.images.dataset import write_dataset
from napari_tiqa.learning.training.generation import generate
from napari_tiqa.learning.training.recipe import TrainingRecipe
from napari_tiqa.volumes.simulation.microstructures import microstructure
from napari_tiqa.volumes.simulation.napari_sample import TRUE_PHASES, electrode_layers
from napari_tiqa.widgets.filtering.apply.tab import FilterApplyTab
from napari_tiqa.widgets.filtering.compare.tab import FilterCompareTab
from napari_tiqa.widgets.filtering.tune.tab import FilterTuneTab
from napari_tiqa.widgets.host.remembered import write_now
from napari_tiqa.widgets.segmentation.layers import SegmentView
from napari_tiqa.widgets.segmentation.predict.tab import SegmentPredictTab
from napari_tiqa.widgets.segmentation.study.tab import SegmentStudyTab
from napari_tiqa.widgets.segmentation.train.tab import SegmentTrainTab
from napari_tiqa.widgets.shared.background_job import JobState
from napari_tiqa.widgets.shared.slider import go_to_slice

IMAGES = Path(__file__).parent / "images"


def wait_until(done: Callable[[], bool], timeout: float = 120) -> None:
    """Let napari work until something is done."""
    end = time.monotonic() + timeout
    while not done():
        if time.monotonic() > end:
            raise SystemExit("napari did not get there in time.")
        QApplication.processEvents()
        time.sleep(0.005)


def settle() -> None:
    """Let napari draw."""
    end = time.monotonic() + 1
    wait_until(lambda: time.monotonic() > end)


def take(viewer: napari.Viewer, name: str) -> None:
    """Save a picture of napari's window."""
    settle()
    path = IMAGES / f"{name}.png"
    viewer.screenshot(str(path), canvas_only=False, flash=False)
    _tell(path)


def take_window(window: QWidget, name: str) -> None:
    """Save a picture of a window of its own."""
    settle()
    path = IMAGES / f"{name}.png"
    window.grab().save(str(path))
    _tell(path)


def open_sample(dock_name: str) -> tuple[napari.Viewer, Any]:
    """Open napari with the sample's two scans and a dock."""
    viewer = napari.Viewer(title="napari-tiqa")
    viewer.window.resize(1600, 900)
    for data, properties, kind in electrode_layers():
        viewer.add_layer(Layer.create(data, properties, kind))
    dock = viewer.window.add_plugin_dock_widget("napari-tiqa", dock_name)[1]
    wait_until(lambda: dock.panel is not None)
    viewer.reset_view()
    return viewer, dock


def _tell(path: Path) -> None:
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def take_quality(model: str) -> None:
    """Score the sample: the quality dock with its result, in light and dark, and a saved plot."""
    viewer, dock = open_sample("Slice quality")
    panel = dock.panel
    wait_until(lambda: bool(shared_model_process().device))
    panel.form.model_box.choose(model or None)

    def score(layer: Layer) -> None:
        panel.form.choose_layer(layer)
        if not panel.score_all():
            raise SystemExit(panel.controls.message.text())
        wait_until(lambda: not panel.job.state.busy)

    better, electrode = viewer.layers["electrode, better acquisition"], viewer.layers["electrode"]
    score(electrode)
    first = panel.results.current
    score(better)
    panel.results.runs.select_run(first.run.key)
    panel.form.choose_layer(electrode)
    panel.go_to(first.run.worst(1)[0].slice)
    panel.score_this_slice()
    wait_until(lambda: not panel.job.state.busy)
    take(viewer, "quality_dock")
    viewer.theme = "light"
    viewer.window.resize(1280, 720)
    viewer.window._qt_window.resizeDocks([dock.parentWidget()], [400], Qt.Orientation.Horizontal)
    settle()
    viewer.reset_view()
    take(viewer, "quality_dock_light")
    panel.results.plot.save_png(str(IMAGES / "plot.png"))
    viewer.close()


def take_map(model: str) -> None:
    """Map a large slice that is noisy on the right and blurred at the bottom."""
    viewer, dock = open_sample("Slice quality")
    panel = dock.panel
    viewer.layers.clear()
    side = 900
    plane = microstructure("electrode", (side, side), 1)
    plane[2 * side // 3 :] = gaussian_filter(plane, 2.5)[2 * side // 3 :]
    plane += np.random.default_rng(0).normal(size=plane.shape) * np.linspace(0, 0.3, side)
    viewer.add_image(plane.astype("f4"), name="electrode, 900 px")
    viewer.reset_view()
    panel.form.model_box.choose(model or None)
    panel.score_this_slice()
    wait_until(lambda: not panel.job.state.busy)
    panel.map_this_slice()
    wait_until(lambda: not panel.job.state.busy)
    take(viewer, "quality_map")
    viewer.close()


def take_rating(model: str) -> None:
    """Rate slices of the sample as two people: form, rating window, results."""
    viewer, dock = open_sample("Rate images")
    panel = dock.panel
    with tempfile.TemporaryDirectory() as folder:
        panel.form.count_box.setValue(10)
        take(viewer, "rating_dock")
        panel.form.place.set_path(Path(folder) / "electrode")
        panel.begin()
        wait_until(lambda: panel.session is not None)
        for rater, keys in (("Anna", "1233454"), ("Ben", "2233445")):
            panel.rater_box.setEditText(rater)
            panel.rate()
            window = panel.window_of_rater
            sources = {source["image"]: source for source in panel.session.sources}
            picture_at = 6
            while (image := window.image) is not None:
                if rater == "Ben" and panel.session.progress(rater).done == picture_at:
                    take_window(window, "rating_window")
                # Neither of the two is a real rater: their scores follow scan and slice, with a whim each.
                better = "better" in sources[image]["specimen"]
                place = 3 * better + sources[image]["slice"] // 20
                place += rater == "Ben" and panel.session.progress(rater).done > 21
                key = keys[place % len(keys)]
                QTest.keyClick(window, key)
                wait_until(lambda w=window: w.image is not None or bool(w.canvas.text))
            window.close()
        panel.tabs.setCurrentIndex(1)
        panel.results.disputed.setCurrentItem(panel.results.disputed.topLevelItem(0))
        panel.results.file.setText("Kept in ratings.csv")  # whose folder is of one machine alone
        take(viewer, "rating_results")
        viewer.close()


def take_training(model: str) -> None:
    """Go through docs/training.md: rate 12 slices as two people, train, evaluate, score with the result."""
    viewer, rating = open_sample("Rate images")
    with tempfile.TemporaryDirectory() as folder:
        session, bundle = Path(folder) / "electrode rated", Path(folder) / "electrode.tiqa"
        rate_twelve(rating.panel, session)
        viewer.window.remove_dock_widget("all")
        # The docks remember models and trainings; those of a picture are none of the user's.
        os.environ["XDG_DATA_HOME"] = folder
        train_on_rated(viewer, session, bundle)
        evaluate_trained(viewer, bundle, Path(folder) / "others")
        score_with_trained(viewer, bundle)
    viewer.close()


def rate_twelve(panel: Any, session: Path) -> None:
    """Rate six slices of each scan. Neither rater is a real one: their scores follow the scan's faults."""
    panel.form.count_box.setValue(6)
    panel.form.place.set_path(session)
    panel.begin()
    wait_until(lambda: panel.session is not None)
    sources = {source["image"]: source for source in panel.session.sources}
    for rater, of_electrode in (("Anna", "324153"), ("Ben", "423243")):
        panel.rater_box.setEditText(rater)
        panel.rate()
        window = panel.window_of_rater
        while (image := window.image) is not None:
            place = sources[image]["slice"] // 16
            QTest.keyClick(window, "5" if "better" in sources[image]["specimen"] else of_electrode[place])
            wait_until(lambda w=window: w.image is not None or bool(w.canvas.text))
        window.close()


def train_on_rated(viewer: napari.Viewer, session: Path, bundle: Path) -> None:
    """Preview and train a short run on the rated session."""
    panel = open_dock(viewer, "Train a model").panel
    form = panel.form
    form.source_box.setCurrentText("Folder or rated session")
    form.folder.set_path(session)
    form.output.set_path(bundle)
    form.settings["ranking_epochs"].setValue(6)
    form.settings["regression_epochs"].setValue(6)
    wait_until(lambda: bool(panel.controls.warnings.text()))
    panel.show_preview()
    wait_until(lambda: not panel.preview_job.state.busy)
    show_short_paths(form)
    take(viewer, "training_preview")
    panel.preview.remove()
    form.folder.set_path(session)
    form.output.set_path(bundle)
    if not panel.train():
        raise SystemExit(panel.controls.message.text())
    show_short_paths(form)
    regression = panel.plot.stages["regress"].points
    wait_until(lambda: len(regression) > 2 or not panel.job.state.busy, timeout=3600)
    take(viewer, "training_dock")
    wait_until(lambda: not panel.job.state.busy, timeout=3600)
    show_short_paths(form)
    take(viewer, "training_done")
    viewer.window.remove_dock_widget("all")


def show_short_paths(form: Any) -> None:
    """Write the names of files without their folders, which are of one machine alone."""
    for row, name in ((form.folder, "electrode rated"), (form.output, "electrode.tiqa")):
        blocked = row.line.blockSignals(True)
        row.set_path(name)
        row.line.blockSignals(blocked)


def evaluate_trained(viewer: napari.Viewer, bundle: Path, folder: Path) -> None:
    """Judge the new model and the default one on specimens that neither has seen."""
    make_other_electrodes(folder)
    panel = open_dock(viewer, "Evaluate a model").panel
    panel.form.models.tick_only(None, bundle)
    panel.form.dataset.set_path(folder / "other electrodes")
    if not panel.evaluate():
        raise SystemExit(panel.message.text())
    wait_until(lambda: not panel.job.state.busy, timeout=3600)
    panel.form.dataset.set_path("other electrodes")
    take(viewer, "training_evaluation")
    viewer.window.remove_dock_widget("all")


def make_other_electrodes(folder: Path) -> None:
    """Simulate electrodes that no model was trained on, and make a dataset of their distorted versions."""
    folder.mkdir()
    for seed in range(6):
        slices = microstructure("electrode", (3, 256, 256), 100 + seed)
        tifffile.imwrite(folder / f"electrode_{seed}.tif", slices[1])
    recipe = TrainingRecipe(originals=tuple(map(str, sorted(folder.glob("*.tif")))))
    write_dataset(folder / "other electrodes", generate(recipe).dataset, {})


def take_evaluation(model: str) -> None:
    """Judge a model on simulated electrodes: the table, and the scores at each level."""
    viewer, dock = open_sample("Evaluate a model")
    panel = dock.panel
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_DATA_HOME"] = folder  # the models that the user remembers are not for a picture
        make_other_electrodes(Path(folder) / "made")
        panel.form.models.tick_only(model or None)
        panel.form.dataset.set_path(Path(folder) / "made" / "other electrodes")
        if not panel.evaluate():
            raise SystemExit(panel.message.text())
        wait_until(lambda: not panel.job.state.busy, timeout=3600)
        panel.form.dataset.set_path("other electrodes")
        take(viewer, "evaluation_table")
        panel.results.tabs.setCurrentIndex(1)
        take(viewer, "evaluation_scatter")
        panel.results.plot_box.setCurrentIndex(1)
        take(viewer, "evaluation_levels")
    viewer.close()


def take_tuning(model: str) -> None:
    """Go through docs/tuning.md: see the rings, tune ring removal, compare, export, score the result."""
    viewer, quality = open_sample("Slice quality")
    electrode = viewer.layers["electrode"]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_DATA_HOME"] = folder  # the models that the user remembers are not for a picture
        worst = score_and_go_to_worst(quality.panel, electrode, model)
        take(viewer, "tuning_scores")
        viewer.window.remove_dock_widget("all")
        panel = open_dock(viewer, "Filter and tune").panel
        panel.choose_layer(electrode)
        panel.model_box.choose(model or None)
        wait_until(lambda: panel.findChild(FilterApplyTab) is not None)  # the last of its tabs
        wait_until(lambda: panel.state.source is not None and panel.state.source.index == worst)
        tune_ring_width(viewer, panel)
        compare_three(viewer, panel)
        exported = apply_to_volume(viewer, panel, Path(folder))
        viewer.window.remove_dock_widget("all")
        quality = open_dock(viewer, "Slice quality")
        score_and_go_to_worst(quality.panel, exported, model)
        go_to_slice(viewer, exported, 0, worst)
        take(viewer, "tuning_after")
    viewer.close()


def score_and_go_to_worst(panel: Any, layer: Layer, model: str) -> int:
    """Score a layer in the quality dock and show its worst slice."""
    panel.form.model_box.choose(model or None)
    panel.form.choose_layer(layer)
    if not panel.score_all():
        raise SystemExit(panel.controls.message.text())
    wait_until(lambda: not panel.job.state.busy)
    worst = panel.results.current.run.worst(1)[0].slice
    panel.go_to(worst)
    return worst


def tune_ring_width(viewer: napari.Viewer, panel: Any) -> None:
    """Start from ring removal, tune the width of the rings on the slice shown, look at what it does."""
    tab = show_tab(panel, FilterTuneTab)
    tab.form.start.choose("ring_removal")
    tab.form.variables.row("ring_removal.strength").tick.setChecked(False)
    tab.form.variables.row("ring_removal.ring_width").set_range(1, 50)
    if not tab.start():
        raise SystemExit(tab.message.text())
    wait_until(lambda: not tab.job.state.busy, timeout=3600)
    print(tab.message.text())
    settle_preview(panel)
    take(viewer, "tuning_sweep")
    panel.tabs.setCurrentIndex(0)
    take(viewer, "tuning_steps")


def compare_three(viewer: napari.Viewer, panel: Any) -> None:
    """Compare the tuned ring removal with two other pipelines on the ringed slices, and use it."""
    tab = show_tab(panel, FilterCompareTab)
    tuned = panel.state.pipeline
    pipelines = {
        "rings": tuned,
        "rings, then noise": Pipeline([*tuned.steps, Step("non_local_means")]),
        "smoothing": Pipeline([Step("gaussian", {"sigma": 2})]),
    }
    for name, pipeline in pipelines.items():
        panel.state.set_pipeline(pipeline)
        tab.form.name.setText(name)
        tab.add_present()
    tab.form.slices.choose("8-23")
    if not tab.start():
        raise SystemExit(tab.message.text())
    wait_until(lambda: not tab.job.state.busy, timeout=3600)
    print(tab.message.text())
    tab.list.choose("rings, then noise")
    tab.use_chosen()
    tab.message.say(tab.comparison.sentence())
    settle_preview(panel)
    take(viewer, "tuning_compare")


def apply_to_volume(viewer: napari.Viewer, panel: Any, folder: Path) -> Layer:
    """Export the filtered volume and open it."""
    tab = show_tab(panel, FilterApplyTab)
    path = folder / "electrode_filtered.zarr"
    tab.form.place.set_path(path)
    settle()
    tab.export()
    wait_until(lambda: tab.export_job.state is JobState.DONE, timeout=3600)
    tab.form.place.line.blockSignals(True)
    tab.form.place.set_path(path.name)  # its folder is of one machine alone
    tab.message.say(tab.message.text().replace(f"{folder}/", ""))
    take(viewer, "tuning_apply")
    before = list(viewer.layers)
    tab.open_result()
    wait_until(lambda: any(layer.name.startswith("electrode_filtered") for layer in viewer.layers))
    return next(layer for layer in viewer.layers if layer not in before)


def show_tab(panel: Any, kind: type[QWidget]) -> Any:
    """Bring a tab of the filter dock to the front."""
    tab = panel.findChild(kind)
    for place in range(panel.tabs.count()):
        page = panel.tabs.widget(place)
        if page is tab or page.isAncestorOf(tab):
            panel.tabs.setCurrentIndex(place)
    return tab


def settle_preview(panel: Any) -> None:
    """Wait until the filtered slice is shown and scored."""
    settle()
    wait_until(lambda: not panel.preview.job.state.busy)
    settle()


def take_segmentation(model: str) -> None:
    """Go through docs/segmentation.md: paint, train, segment, see the uncertainty, study, save."""
    viewer, quality = open_sample("Slice quality")
    electrode, truth = viewer.layers["electrode"], viewer.layers[TRUE_PHASES]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_DATA_HOME"] = folder  # the models that the user remembers are not for a picture
        score_and_go_to_worst(quality.panel, electrode, model)
        viewer.window.remove_dock_widget("all")
        panel = open_dock(viewer, "Segment").panel
        wait_until(lambda: panel.findChild(SegmentStudyTab) is not None)  # the last of its tabs
        panel.header.choose_image(electrode)
        train_on_strokes(viewer, panel, truth.data, Path(folder) / "my electrode.tiqa")
        segment_and_judge(viewer, panel, truth)
        study_quality(viewer, panel, Path(folder))
    viewer.close()


def train_on_strokes(viewer: napari.Viewer, panel: Any, truth: np.ndarray, bundle: Path) -> None:
    """Paint some strokes of each phase in two slices, and train on them."""
    tab = show_tab(panel, SegmentTrainTab)
    labels = panel.header.make_labels()
    labels.brush_size = 4
    for index in (48, 27):
        paint_strokes(labels, truth[index], index)
    go_to_slice(viewer, panel.header.image, 0, 27)
    tab.classes.rename(1, "pores, carbon, binder")
    tab.classes.rename(2, "active material")
    tab.form.output.set_path(bundle.name)  # its folder is of one machine alone
    settle()
    take(viewer, "segmentation_strokes")
    tab.form.output.set_path(bundle)
    if not tab.train():
        raise SystemExit(tab.message.text())
    wait_until(lambda: tab.job.state.busy)
    wait_until(lambda: not tab.job.state.busy, timeout=7200)
    print(tab.message.text())
    take(viewer, "segmentation_training")


def paint_strokes(labels: Layer, truth: np.ndarray, index: int) -> None:
    """Paint as somebody would who knows the phases: short strokes, clear of the edges."""
    rng = np.random.default_rng(index)
    for value in (1, 2):
        depth = distance_transform_edt(truth == value)
        inside = np.argwhere(depth > 4)
        for row, column in inside[rng.choice(len(inside), 10, replace=False)]:
            angle = rng.uniform(0, 2 * np.pi)
            for step in range(18):
                place = round(row + step * np.sin(angle)), round(column + step * np.cos(angle))
                if not all(0 <= at < side for at, side in zip(place, depth.shape, strict=True)):
                    break
                if depth[place] < 3:
                    break
                labels.paint((index, *place), value)


def segment_and_judge(viewer: napari.Viewer, panel: Any, truth: Layer) -> None:
    """Segment every slice with the new model, then compare with the true phases."""
    tab = show_tab(panel, SegmentPredictTab)
    panel.header.choose_labels(truth)
    show_alone(viewer, panel.header.image)
    tab.form.slices.choose()
    tab.start()
    wait_until(lambda: tab.job.state.busy)
    wait_until(lambda: not tab.job.state.busy, timeout=3600)
    wait_until(lambda: not tab.judge.job.state.busy, timeout=600)
    print(tab.message.text(), tab.curves_message.text())
    for index, view, name in (
        (27, SegmentView.SEGMENTATION, "segmentation_volume"),
        (37, SegmentView.UNCERTAINTY, "segmentation_uncertainty"),
        (37, SegmentView.IOU, "segmentation_iou"),
    ):
        go_to_slice(viewer, panel.header.image, 0, index)
        tab.form.views[view].click()
        wait_until(lambda view=view: tab.shown.layers.layer(view) is not None)
        viewer.layers.selection.active = tab.shown.layers.layer(view)
        take(viewer, name)


def show_alone(viewer: napari.Viewer, shown: Layer) -> None:
    """Hide all layers but one."""
    for layer in viewer.layers:
        layer.visible = layer.unique_id == shown.unique_id
    viewer.layers.selection.active = shown


def study_quality(viewer: napari.Viewer, panel: Any, folder: Path) -> None:
    """Distort a good slice, see score and F1 fall together, look at one version, save."""
    electrode = panel.header.image
    go_to_slice(viewer, electrode, 0, 70)
    show_alone(viewer, electrode)
    tab = show_tab(panel, SegmentStudyTab)
    tab.form.slices.choose("3,70,93")  # of everyday quality, and none of those trained on
    if not tab.start():
        raise SystemExit(tab.message.text())
    wait_until(lambda: not tab.job.state.busy, timeout=3600)
    print(tab.results.sentence.text())
    tab.results.slice_box.setCurrentIndex(0)
    take(viewer, "segmentation_study")
    tab.look_at("noise", 3)
    wait_until(lambda: not tab.looking.state.busy)
    viewer.layers.selection.active = electrode
    for number, name in ((1, "segmentation_f1"), (2, "segmentation_two_point")):
        tab.results.tabs.setCurrentIndex(number)
        take(viewer, name)
    tab.save(folder / "study")
    wait_until(lambda: not tab.saving.state.busy)
    print(tab.message.text())


def score_with_trained(viewer: napari.Viewer, bundle: Path) -> None:
    """Score the worse scan with the default model and with the new one."""
    panel = open_dock(viewer, "Slice quality").panel
    panel.form.choose_layer(viewer.layers["electrode"])
    for model in (None, bundle):
        panel.form.model_box.choose(model)
        panel.score_all()
        wait_until(lambda: not panel.job.state.busy, timeout=3600)
    take(viewer, "training_scores")


def open_dock(viewer: napari.Viewer, name: str) -> Any:
    """Open a dock and wait until it shows its content."""
    dock = viewer.window.add_plugin_dock_widget("napari-tiqa", name)[1]
    wait_until(lambda: dock.panel is not None)
    return dock


DOCKS: dict[str, Callable[[str], None]] = {
    "quality": take_quality,
    "map": take_map,
    "rating": take_rating,
    "training": take_training,
    "evaluation": take_evaluation,
    "tuning": take_tuning,
    "segmentation": take_segmentation,
}


def main() -> None:
    """Take the pictures of all docks, or of those named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dock", nargs="*", choices=[*DOCKS, []], help="whose pictures; default: all")
    parser.add_argument("--model", default="", help="a bundle; default: the bundled model")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # what napari and Qt say of a screen without a window manager
    IMAGES.mkdir(exist_ok=True)
    for dock in options.dock or DOCKS:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["XDG_DATA_HOME"] = folder  # what the user's docks remember is not for a picture
            DOCKS[dock](options.model)
            write_now()


if __name__ == "__main__":
    main()
