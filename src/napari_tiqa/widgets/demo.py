"""The demo: napari with a tomogram and the quality dock, every slice scored; without a screen, its picture.

Run as a module, this is the half of the demo that a virtual screen needs: it closes when all is scored.
"""

import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from napari_tiqa.errors import TiqaError
from napari_tiqa.scoring.table import write_scores
from napari_tiqa.volumes.napari_reader import read_layer
from napari_tiqa.volumes.simulation.napari_sample import LayerData, electrode_layers
from napari_tiqa.widgets.quality.score_run import ScoreRun

if TYPE_CHECKING:
    from napari_tiqa.widgets.shared.background_job import JobOutcome

OUTPUT = Path("demo")
_WINDOW = (1600, 900)
_SETTLE = 800  # ms for napari to draw before its picture is taken
_WORST = 5


def main(volume_path: str | None = None) -> int:
    """Open napari with a tomogram and the quality dock, and score every slice.

    With a screen the viewer stays open until it is closed. Without one all is done on a virtual screen
    (Xvfb), which leaves ``demo/scores.csv`` and ``demo/napari.png`` in the current folder.

    Parameters
    ----------
    volume_path : str, optional
        A tomogram that `open_volume` can read; the two scans of the sample electrode where omitted.

    Returns
    -------
    int
        Exit code, 0 where all was scored.

    Raises
    ------
    TiqaError
        The volume cannot be opened or scored, or there is no screen and no Xvfb.
    """
    if _has_screen():
        return _present(volume_path, unattended=False)
    command = [sys.executable, "-m", __spec__.name, *([volume_path] if volume_path else [])]
    with _virtual_screen() as display:
        # Qt reads both when it is imported, which this process has not done and need not do.
        environment = os.environ | {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
        return subprocess.run(command, env=environment, check=False).returncode


def _has_screen() -> bool:
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@contextmanager
def _virtual_screen() -> Iterator[str]:
    """Start Xvfb on a free display, whose name is yielded, and end it afterwards."""
    xvfb = shutil.which("Xvfb")
    if xvfb is None:
        raise TiqaError(
            "There is no screen for the demo: install Xvfb (on Debian: apt install xvfb) or set DISPLAY."
        )
    reading, writing = os.pipe()
    size = "x".join(map(str, _WINDOW))
    command = [xvfb, "-displayfd", str(writing), "-screen", "0", f"{size}x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as pipe:
            number = pipe.readline().strip()
        if not number:
            raise TiqaError("Xvfb could not start: set DISPLAY to a screen that works.")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


def _present(volume_path: str | None, *, unattended: bool) -> int:
    # Not before there is a screen: importing napari asks Qt for one.
    from napari import Viewer, run
    from napari.layers import Layer

    _tell(f"Opening {volume_path or 'the sample tomogram'}.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the reader's copy of the error that ends the demo
        layers = read_layer(volume_path) if volume_path else _sample()
    viewer = Viewer(title="napari-tiqa")
    if unattended:
        viewer.window.resize(*_WINDOW)
    for data, properties, kind in layers:
        viewer.add_layer(Layer.create(data, properties, kind))
    _, dock = viewer.window.add_plugin_dock_widget("napari-tiqa", "Slice quality")
    show = _Show(viewer, dock, unattended)
    dock.ready.connect(show.start)
    run()
    if show.failure:
        raise TiqaError(show.failure)
    return 0


def _sample() -> list[LayerData]:
    with tqdm(desc="Making it, once", unit=" slices", leave=False, delay=0.5) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return electrode_layers(show)


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


class _Show:
    """Scores one layer after the other, goes to the worst slice, and on a virtual screen keeps the result."""

    def __init__(self, viewer: Any, dock: Any, unattended: bool) -> None:
        self._viewer = viewer
        self._dock = dock
        self._unattended = unattended
        self._waiting = [layer for layer in viewer.layers if layer.as_layer_data_tuple()[2] == "image"]
        self.failure = ""

    def start(self) -> None:
        self._viewer.reset_view()  # the dock has taken its room only now
        self._dock.panel.job.ended.connect(self._on_ended)
        self._next()

    def _next(self) -> None:
        panel = self._dock.panel
        layer = self._waiting.pop(0)
        _tell(f"Scoring {layer.name}.")
        panel.form.choose_layer(layer)
        if not panel.score_all():
            self._fail(panel.message.text())

    def _on_ended(self, outcome: "JobOutcome") -> None:
        from qtpy.QtCore import QTimer

        from napari_tiqa.widgets.shared.background_job import JobState

        if outcome.state is not JobState.DONE:
            self._fail(outcome.message)
        elif self._waiting:
            self._next()
        else:
            self._dock.panel.job.ended.disconnect(self._on_ended)
            run = self._dock.panel.results.current.run
            for worst in run.worst(1):
                self._dock.panel.go_to(worst.slice)
            QTimer.singleShot(_SETTLE, self._finish)

    def _fail(self, sentence: str) -> None:
        if self._unattended:
            self.failure = sentence
            self._viewer.close()

    def _finish(self) -> None:
        # The layer on top, whose slices are shown, is scored last and named first.
        runs = [entry.run for entry in self._dock.panel.shelf][::-1]
        for run in runs:
            worst = ", ".join(f"{row.slice} ({row.score:.2f})" for row in run.worst(_WORST))
            mean = run.valid_scores.mean() if run.valid_scores.size else float("nan")
            print(f"{run.name}: mean score {mean:.2f}, worst slices {worst}")
        if self._unattended:
            try:
                self._keep(runs)
            except (OSError, TiqaError) as error:
                self.failure = str(error)
            self._viewer.close()

    def _keep(self, runs: list[ScoreRun]) -> None:
        OUTPUT.mkdir(exist_ok=True)
        picture = OUTPUT / "napari.png"
        self._viewer.screenshot(str(picture), canvas_only=False, flash=False)
        print(f"{picture}: napari with the quality dock")
        for number, run in enumerate(runs, start=1):
            table = OUTPUT / ("scores.csv" if number == 1 else f"scores_{number}.csv")
            write_scores(run.table(), table)
            print(f"{table}: the scores of {run.name}")


if __name__ == "__main__":
    try:
        sys.exit(_present(sys.argv[1] if len(sys.argv) > 1 else None, unattended=True))
    except TiqaError as error:
        print(f"napari-tiqa: {error}", file=sys.stderr)
        sys.exit(2)
