"""How much of the bare filters' speed is kept when a volume is filtered and stored, and the memory it takes.

    python benchmarks/filter_throughput.py [--filters gaussian median ...] [--repeats 5] [--folder FOLDER]

Prints, from one run, for 720 x 720 uint8 and 2048 x 2048 float32 slices and each filter with its defaults:
slices/s of the bare filter (slices in memory, a pool with a thread per core, results thrown away), and as
shares of it the speed of its kernel alone (prepared float32 pixels), of applying it to a volume (read from an
uncompressed TIFF file, filtered, thrown away), and of an export of that file to one TIFF file and to
OME-Zarr. All take turns; each share is the median of the shares of neighbouring runs. An export's share of a
fast filter says how long the disk and the compression take. Then the peak memory of an export, in a process
of its own, for a volume of n and of 4 n slices.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import scipy.ndimage
import tifffile

from napari_tiqa.filtering.catalogue import FILTERS
from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.filtering.settled import settled
from napari_tiqa.jobs.filtering.export import export
from napari_tiqa.volumes.open import open_volume
from napari_tiqa.volumes.slices import map_slices
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.volumes.window_estimate import estimate_window

TARGET = 0.8
CORES = os.cpu_count() or 1
SECONDS = 3.0  # of one measurement, about
VOLUMES = {"720 x 720 uint8": (720, "uint8"), "2048 x 2048 float32": (2048, "float32")}
OUTPUTS = {"TIFF": "better.tif", "OME-Zarr": "better.zarr"}
MEASURED = ("gaussian", "median", "bilateral", "ring_removal", "non_local_means", "unsharp_mask", "clahe")
MEMORY_SLICES = 60

# Resident memory, less pages shared with the page cache: those of a file that is read are not the program's.
PEAK_MEMORY = """
import sys, threading
import psutil
from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.jobs.filtering.export import export
done, peak = threading.Event(), [0]

def sample():
    while not done.wait(0.01):
        now = psutil.Process().memory_info()
        peak[0] = max(peak[0], now.rss - now.shared)

sampler = threading.Thread(target=sample)
sampler.start()
export(sys.argv[1], Pipeline([Step("gaussian")]), sys.argv[2], window=(0.0, 255.0))
done.set()
sampler.join()
print(peak[0] / 2**20)
"""


def write_volume(path: Path, side: int, dtype: str, count: int) -> np.ndarray:
    """Write a file of slices; returns ten of them, which repeat."""
    plane = scipy.ndimage.gaussian_filter(np.random.default_rng(0).random((side, side), np.float32), 2)
    plane = 255 * (plane - plane.min()) / np.ptp(plane)
    planes = np.stack([np.roll(plane, shift, 1) for shift in range(10)]).astype(dtype)
    with tifffile.TiffWriter(path) as tiff:
        for index in range(count):
            tiff.write(planes[index % 10], contiguous=True, photometric="minisblack")
    return planes


def per_second(count: int, work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def measure(name: str, path: Path, planes: np.ndarray, repeats: int) -> None:
    """Print the speed of a filter and the shares of it."""
    volume = open_volume(path)
    window = estimate_window(volume)
    pipeline = settled(Pipeline([Step(name)]), volume, window, 0)
    (step,) = pipeline.steps
    kernel = step.definition.kernel(step.parameters)
    span = window.high - window.low
    prepared = [((plane.astype(np.float32) - window.low) / span).astype(np.float32) for plane in planes]
    inside = np.ones(planes[0].shape, bool)

    def alone(index: int) -> None:
        kernel(prepared[index % 10], inside)

    def filtered(index: int) -> None:
        pipeline(planes[index % 10], window)

    with ThreadPoolExecutor(CORES) as pool:

        def in_memory(work: Callable[[int], None]) -> None:
            for _ in pool.map(work, range(count)):
                pass

        count = 2 * CORES
        in_memory(filtered)  # imports and tables are not what is measured
        count = max(
            min(volume.data.shape[0], round(per_second(count, lambda: in_memory(filtered)) * SECONDS)), count
        )
        part = path.parent / "part.tif"
        write_volume(part, planes.shape[1], planes.dtype.name, count)
        ways: dict[str, Callable[[], object]] = {
            "bare": lambda: in_memory(filtered),
            "kernel alone": lambda: in_memory(alone),
            "applied": lambda: applied(part, pipeline, window),
        }
        for kind, output in OUTPUTS.items():
            ways[f"to {kind}"] = partial(export, part, pipeline, path.parent / output, window=window)
        speeds: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(repeats):
            for way, work in ways.items():
                speeds[way].append(per_second(count, work))
                remove(path.parent, OUTPUTS.values())
    shares = {way: statistics.median(np.divide(speeds[way], speeds["bare"])) for way in ways if way != "bare"}
    text = ", ".join(f"{way} {share:.2f}" for way, share in shares.items())
    print(
        f"  {name}, {count} slices: {statistics.median(speeds['bare']):.1f} slices/s; shares: {text}",
        flush=True,
    )


def applied(path: Path, pipeline: Pipeline, window: IntensityWindow) -> None:
    """Read and filter all slices of a file, and throw them away."""
    volume = open_volume(path)
    for _ in map_slices(volume, 0, range(volume.data.shape[0]), lambda plane: pipeline(plane, window).shape):
        pass


def remove(folder: Path, names: Iterable[str]) -> None:
    """Remove what was exported."""
    for path in (folder / name for name in names):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def peak_memory(path: Path, output: Path) -> float:
    """Return the peak memory of an export, MiB."""
    command = [sys.executable, "-c", PEAK_MEMORY, str(path), str(output)]
    peak = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    remove(output.parent, [output.name])
    return peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--filters", nargs="+", choices=list(FILTERS), default=MEASURED)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="on the disk to write to; default: for temporary files")
    options = parser.parse_args()
    busy = os.getloadavg()[0] > 0.5
    print(
        f"{CORES} cores{', measured beside other work' if busy else ''}; target: {TARGET} of the bare filters"
    )
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        for title, (side, dtype) in VOLUMES.items():
            path = folder / "scan.tif"
            planes = write_volume(path, side, dtype, 600 if side == 720 else 60)
            print(title)
            for one in options.filters:
                measure(one, path, planes, options.repeats)
            for kind, output in OUTPUTS.items():
                peaks = []
                for count in (MEMORY_SLICES, 4 * MEMORY_SLICES):
                    write_volume(path, side, dtype, count)
                    peaks.append(peak_memory(path, folder / output))
                print(
                    f"  peak memory, to {kind}: {peaks[0]:.0f} MiB for {MEMORY_SLICES} slices, "
                    f"{peaks[1]:.0f} MiB for {4 * MEMORY_SLICES}, ratio {peaks[1] / peaks[0]:.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
