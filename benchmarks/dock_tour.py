"""How long each dock takes to open, and how long napari's event loop stands still on a tour of all of them.

Run on a screen, or: xvfb-run -s "-screen 0 1280x720x24" python -m benchmarks.dock_tour
A dock is open once all of it is there to be used; pauses are gaps between two ticks of a 5 ms timer. The tour
opens each dock as a tab beside the others, adds the sample, moves napari's slider, scores a slice and maps
it. What napari itself needs is measured before: its slider, and the same layers added without any dock.
"""

import argparse
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable

import napari
from napari.layers import Layer
from npe2 import PluginManager

from benchmarks.event_loop import Heartbeat, play, seconds, wait_until
from napari_tiqa.jobs.process.client import shared_model_process
from napari_tiqa.volumes.simulation.napari_sample import electrode_layers
from napari_tiqa.widgets.host.remembered import write_now

ALLOWED_OPEN = 0.5  # s
ALLOWED_PAUSE = 0.100  # s beyond napari's own
OF_NAPARI = "napari alone"
ALONE = {"move the slider": "napari alone: slider", "add the sample": "napari alone: sample"}
IDLE = 1.0  # s between two steps: what was put off until then counts, too


class Tour:
    """A viewer, and the pause and the time of each step that was made in it."""

    def __init__(self) -> None:
        self.viewer = napari.Viewer()
        self.viewer.window.resize(1280, 720)
        self.steps: dict[str, tuple[float, float]] = {}
        wait_until(seconds(2))
        self._beat = Heartbeat()

    def step(self, name: str, begin: Callable[[], object], done: Callable[[], bool] = lambda: True) -> None:
        """Make a step and keep how long it took and the longest pause in it, in s."""
        gc.collect()
        self._beat.restart()
        start = time.perf_counter()
        begin()
        wait_until(done)
        taken = time.perf_counter() - start
        wait_until(seconds(IDLE))
        self.steps[name] = taken, self._beat.longest

    def open_dock(self, name: str) -> None:
        """Open a dock of ours and keep how long it took."""
        ready: list[bool] = []

        def begin() -> None:
            dock = self.viewer.window.add_plugin_dock_widget("napari-tiqa", name)[1]
            dock.ready.connect(lambda: ready.append(True))

        self.step(f"open {name}", begin, lambda: bool(ready))

    def add_sample(self) -> None:
        """Add the layers of the sample, one at a time as napari does."""
        for data, keywords, kind in electrode_layers():
            self.viewer.add_layer(Layer.create(data, keywords, kind))


def dock_names() -> list[str]:
    """Return the titles of our docks, as the manifest has them."""
    manifest = PluginManager.instance().get_manifest("napari-tiqa")
    return [widget.display_name for widget in manifest.contributions.widgets or ()]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    electrode_layers()  # made the first time, which is not what is measured
    tour = Tour()
    tour.step(ALONE["move the slider"], lambda: play(tour.viewer), seconds(3))
    tour.step(ALONE["add the sample"], tour.add_sample)
    tour.step("napari alone: remove it", tour.viewer.layers.clear)
    names = dock_names()
    for name in names:
        tour.open_dock(name)
    tour.step("add the sample", tour.add_sample)
    tour.step("move the slider", lambda: play(tour.viewer), seconds(3))
    panel = tour.viewer.window.add_plugin_dock_widget("napari-tiqa", "Slice quality")[1].panel
    process = shared_model_process()
    tour.step("start the network", process.start, lambda: bool(process.device))
    tour.step("score a slice", panel.score_this_slice, lambda: not panel.job.state.busy)
    tour.step("map a slice", panel.map_this_slice, lambda: not panel.job.state.busy)
    tour.step("close all docks", lambda: tour.viewer.window.remove_dock_widget("all"))
    print(f"{'step':30s}{'time':>9s}{'longest pause':>16s}")
    late = []
    for name, (taken, pause) in tour.steps.items():
        slow = name.startswith("open ") and taken > ALLOWED_OPEN
        own = tour.steps[ALONE[name]][1] if name in ALONE else 0.0
        held = not name.startswith(OF_NAPARI) and pause > own + ALLOWED_PAUSE
        late += [name] if slow or held else []
        mark = "   too long" if slow or held else ""
        print(f"{name:30s}{taken * 1000:6.0f} ms{pause * 1000:13.0f} ms{mark}")
    pauses = f"pauses of {ALLOWED_PAUSE * 1000:.0f} ms beyond those of napari alone"
    print(f"Allowed: {ALLOWED_OPEN * 1000:.0f} ms to open a dock, {pauses}.")
    tour.viewer.close()
    return int(bool(late))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_DATA_HOME"] = folder  # docks open as a new user's do
        failed = main()
        write_now()
    sys.exit(failed)
