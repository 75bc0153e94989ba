"""How long napari's event loop stands still while the quality dock opens, starts the network and scores.

Run on a screen, or: xvfb-run -s "-screen 0 1280x720x24" python benchmarks/event_loop.py
Prints the longest gap between two ticks of a 5 ms timer in each phase, and ends with 1 if one is over 100 ms.
A first pass without the dock says how long the loop stands still by itself on this machine.
"""

import argparse
import gc
import sys
import time
from collections.abc import Callable

import napari
import numpy as np
from qtpy.QtCore import QEventLoop, QTimer

ALLOWED = 0.100  # s
TICK = 5  # ms
SLICES = 200
SIDE = 512  # px


class Heartbeat:
    """Ticks every 5 ms in napari's event loop and keeps the longest pause."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.timeout.connect(self._tick)
        self._timer.start(TICK)

    def _tick(self) -> None:
        now = time.perf_counter()
        self.longest = max(self.longest, now - self._last)
        self._last = now

    def restart(self) -> None:
        """Forget the pauses so far."""
        self.longest = 0.0
        self._last = time.perf_counter()


def wait_until(done: Callable[[], bool], timeout: float = 120) -> None:
    """Run Qt's event loop itself (processEvents in a loop would tick where napari stands still)."""
    loop = QEventLoop()
    poll = QTimer()
    poll.timeout.connect(lambda: loop.quit() if done() else None)
    poll.start(TICK)
    QTimer.singleShot(int(timeout * 1000), loop.quit)
    loop.exec()
    poll.stop()
    if not done():
        raise SystemExit("A phase did not end in time.")


def seconds(duration: float) -> Callable[[], bool]:
    end = time.perf_counter() + duration
    return lambda: time.perf_counter() > end


def measure(model: str | None) -> dict[str, float]:
    rng = np.random.default_rng(0)
    volume = rng.integers(0, 256, (SLICES, SIDE, SIDE), dtype=np.uint8)
    viewer = napari.Viewer()
    viewer.window.resize(1280, 720)
    viewer.add_image(volume, name="noise")
    wait_until(seconds(2))
    beat = Heartbeat()
    gaps = {}

    def phase(name: str, begin: Callable[[], object], done: Callable[[], bool]) -> None:
        gc.collect()
        beat.restart()
        begin()
        wait_until(done)
        gaps[name] = beat.longest

    phase("napari alone", lambda: None, seconds(2))
    docks = []

    def open_dock() -> None:
        docks.append(viewer.window.add_plugin_dock_widget("napari-tiqa", "Slice quality")[1])

    phase("open the dock", open_dock, lambda: docks[0].panel is not None)
    panel = docks[0].panel
    if model:
        panel.form.model_file.line_edit.value = model
    idle = lambda: not panel.job.state.busy  # noqa: E731
    # The network is still importing Keras now: the first score waits for it.
    phase("first slice, cold network", panel.score_this_slice, idle)
    phase(f"score {SLICES} slices", panel.score_all, idle)
    phase("score this slice, warm", panel.score_this_slice, idle)
    print(panel.controls.message.text())
    assert "tensorflow" not in sys.modules
    viewer.close()
    return gaps


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", help="a bundle; default: the bundled model")
    gaps = measure(parser.parse_args().model)
    for name, gap in gaps.items():
        print(f"{name:28s} longest gap {gap * 1000:6.0f} ms   {'ok' if gap <= ALLOWED else 'TOO LONG'}")
    return int(max(gaps.values()) > ALLOWED)


if __name__ == "__main__":
    sys.exit(main())
