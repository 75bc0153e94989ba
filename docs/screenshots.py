"""Makes the pictures in docs/images, a function for each dock.

Run on a screen of at least 1600 x 900, or: xvfb-run -s "-screen 0 1600x900x24" python docs/screenshots.py
Names of docks ("rating") make only theirs.
"""

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
from napari.layers import Layer
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

from napari_tiqa.jobs.model_process import shared_model_process
from napari_tiqa.volumes.simulation.napari_sample import electrode_layers

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
    """Score the sample: the quality dock with its result, in light and dark, a quality map, a saved plot."""
    viewer, dock = open_sample("Slice quality")
    panel = dock.panel
    wait_until(lambda: bool(shared_model_process().device))
    panel.form.model_box.choose(model or None)

    def score(layer: Layer) -> None:
        panel.form.choose_layer(layer)
        if not panel.score_all():
            raise SystemExit(panel.controls.message.text())
        wait_until(lambda: not panel.job.state.busy)

    better, electrode = viewer.layers
    score(electrode)
    first = panel.results.current
    score(better)
    panel.results.runs.select_run(first.run.key)
    panel.form.choose_layer(electrode)
    panel.go_to(first.run.worst(1)[0].slice)
    panel.score_this_slice()
    wait_until(lambda: not panel.job.state.busy)
    take(viewer, "quality_dock")
    panel.map_this_slice()
    wait_until(lambda: not panel.job.state.busy)
    take(viewer, "quality_map")
    viewer.layers.pop()
    viewer.theme = "light"
    viewer.window.resize(1280, 720)
    viewer.window._qt_window.resizeDocks([dock.parentWidget()], [430], Qt.Orientation.Horizontal)
    settle()
    viewer.reset_view()
    take(viewer, "quality_dock_light")
    panel.results.plot.save_png(str(IMAGES / "plot.png"))
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


DOCKS: dict[str, Callable[[str], None]] = {"quality": take_quality, "rating": take_rating}


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
        DOCKS[dock](options.model)


if __name__ == "__main__":
    main()
