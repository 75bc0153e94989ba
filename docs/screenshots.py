"""Makes the pictures in docs/images: the quality dock with its result, in light and dark, and a saved plot.

Run on a screen of at least 1600 x 900, or: xvfb-run -s "-screen 0 1600x900x24" python docs/screenshots.py
"""

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import napari
from napari.layers import Layer
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

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
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def main() -> None:
    """Score the sample and take the pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="", help="a bundle; default: the bundled model")
    model = parser.parse_args().model
    warnings.simplefilter("ignore")  # what napari and Qt say of a screen without a window manager
    IMAGES.mkdir(exist_ok=True)
    viewer = napari.Viewer(title="napari-tiqa")
    viewer.window.resize(1600, 900)
    for data, properties, kind in electrode_layers():
        viewer.add_layer(Layer.create(data, properties, kind))
    dock = viewer.window.add_plugin_dock_widget("napari-tiqa", "Slice quality")[1]
    wait_until(lambda: dock.panel is not None)
    panel = dock.panel
    wait_until(lambda: bool(shared_model_process().device))
    viewer.reset_view()
    panel.form.model_file.line_edit.value = model

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
    panel.form.model_file.line_edit.value = ""  # whose path would be of one machine alone
    take(viewer, "quality_dock")
    viewer.theme = "light"
    viewer.window.resize(1280, 720)
    viewer.window._qt_window.resizeDocks([dock.parentWidget()], [430], Qt.Orientation.Horizontal)
    settle()
    viewer.reset_view()
    take(viewer, "quality_dock_light")
    panel.results.plot.save_png(str(IMAGES / "plot.png"))
    viewer.close()


if __name__ == "__main__":
    main()
