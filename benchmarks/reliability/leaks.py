"""What cycles of open, score, close and of opening and closing each dock leave behind.

    xvfb-run -s "-screen 0 1280x720x24" python -m benchmarks.reliability.leaks

A cycle of the first kind opens a volume of each format, scores two slices, maps one, and lets go of all; one
of the second kind opens each of the docks on a volume in napari and closes it. Prints, per cycle after the
warm-up, the growth of memory (of this process and of the model process), threads, child processes, open
files, Python objects and, of docks, Qt objects and widgets; ends with 1 if a count grows by one or more in
ten cycles, or memory by more than 100 kB a cycle.
"""

import argparse
import gc
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import psutil
import scipy.ndimage
import tifffile
import zarr

from napari_tiqa import open_volume, score_map, score_volume
from napari_tiqa.jobs.process.client import shared_model_process

ALLOWED_COUNT, ALLOWED_BYTES = 0.1, 100_000
SHAPE = (3, 230, 240)

Figures = dict[str, float]


def written(folder: Path) -> list[Path]:
    """Write a volume in each format."""
    noise = scipy.ndimage.gaussian_filter(np.random.default_rng(0).standard_normal(SHAPE), 3)
    pixels = np.where(noise > 0, 180, 60).astype(np.uint8)
    np.save(folder / "a.npy", pixels)
    tifffile.imwrite(folder / "a.tif", pixels, compression="zlib", photometric="minisblack")
    zarr.create_array(folder / "a.zarr", data=pixels, chunks=(1, 230, 240))
    with h5py.File(folder / "a.h5", "w") as file:
        file.create_dataset("data", data=pixels, chunks=(1, 230, 240))
    (folder / "slices").mkdir()
    for number, plane in enumerate(pixels):
        tifffile.imwrite(folder / "slices" / f"{number}.tif", plane)
    return [folder / name for name in ("a.npy", "a.tif", "a.zarr", "a.h5", "slices")]


def score_cycle(paths: list[Path]) -> None:
    """Open, score and let go."""
    for path in paths:
        score_volume(open_volume(path), slices=[0, 2], axis=0)
    score_map(paths[0], 1)


def resources() -> Figures:
    """Count what this process holds, once Python's garbage is collected."""
    for _ in range(2):
        gc.collect()
    process = psutil.Process()
    model = shared_model_process().pid
    return {
        "memory, bytes": process.memory_info().rss,
        "memory of the model process, bytes": psutil.Process(model).memory_info().rss if model else 0,
        "threads": threading.active_count(),
        "child processes": len(process.children(recursive=True)),
        "open files": process.num_fds() if hasattr(process, "num_fds") else len(process.open_files()),
        "Python objects": len(gc.get_objects()),
    }


def growth(cycle: Callable[[], object], count: Callable[[], Figures], cycles: int, warm_up: int) -> Figures:
    """Run cycles and return how much each figure grows in one, after those of the warm-up."""
    for _ in range(warm_up):
        cycle()
    before = count()
    for _ in range(cycles):
        cycle()
    after = count()
    return {name: (after[name] - before[name]) / cycles for name in before}


def leaks(name: str, grown: Figures, objects: float) -> list[str]:
    """Print growths, and return what has grown by more than is allowed: so many Python `objects` a cycle."""
    print(f"{name}: growth per cycle")
    found = []
    for what, each in grown.items():
        allowed = ALLOWED_BYTES if "bytes" in what else objects if what == "Python objects" else ALLOWED_COUNT
        print(f"  {what:38s}{each:12.2f}{'   leaks' if each >= allowed else ''}", flush=True)
        if each >= allowed:
            found.append(what)
    return found


def dock_leaks(path: Path, cycles: int, warm_up: int) -> Figures:
    """Open and close each dock of a viewer so often, and return what grows."""
    import napari
    from qtpy.QtCore import QObject
    from qtpy.QtWidgets import QApplication

    from benchmarks.dock_tour import dock_names
    from benchmarks.event_loop import seconds, wait_until

    viewer = napari.Viewer()
    viewer.window.resize(1280, 720)
    viewer.open(path, plugin="napari-tiqa")

    pixels = np.zeros((8, 8), np.uint8)

    def open_and_close() -> None:
        for name in dock_names():
            dock, shell = viewer.window.add_plugin_dock_widget("napari-tiqa", name)
            wait_until(lambda shell=shell: shell.panel is not None and shell.panel.isVisible())
            viewer.window.remove_dock_widget(dock)
        # napari lets go of who listened to its layers, and is gone, when it next has something to tell.
        viewer.layers.remove(viewer.add_image(pixels))
        wait_until(seconds(0.05))

    def count() -> Figures:
        wait_until(seconds(1))
        figures = resources()  # first, since it has garbage collected
        wait_until(seconds(0.1))
        qt = sum(isinstance(each, QObject) for each in gc.get_objects())
        widgets = len(QApplication.allWidgets())
        return figures | {"Qt objects known to Python": qt, "widgets": widgets}

    grown = growth(open_and_close, count, cycles, warm_up)
    viewer.close()
    return grown


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--warm-up", type=int, default=20)
    parser.add_argument("--only", nargs="+", choices=("score", "docks"), default=("score", "docks"))
    options = parser.parse_args()
    found: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        paths = written(Path(name))
        if "score" in options.only:
            grown = growth(lambda: score_cycle(paths), resources, options.cycles, options.warm_up)
            found += leaks("open, score, map, close", grown, 10)
        if "docks" in options.only:
            grown = dock_leaks(paths[0], options.cycles, options.warm_up)
            found += leaks("open and close each dock", grown, 100)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
