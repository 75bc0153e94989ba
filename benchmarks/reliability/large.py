"""Volumes of 100 GB and folders of 20,000 files: what opening, reading along each axis and scoring them take.

    python -m benchmarks.reliability.large [--gigabytes 100] [--files 20000] [--only zarr hdf5 tiff memory]
    xvfb-run -s "-screen 0 1280x720x24" python -m benchmarks.reliability.large --only events

A large Zarr array is stored by a few chunks with many names (hard links), so that all of it is there to be
read and decompressed though it takes no room; a TIFF folder likewise. Prints the time to open each, then the
time of a slice along each axis beside that along axis 0, of 64 neighbouring slices at a chunk's border (all
slices would take hours, and each further 64 take as long); the peak memory of scoring 32 slices of 1 GB and
64 of the large volume, each in a process of its own, with that of its model process; and how long napari's
event loop stands still while the large volume is scored in the dock. Ends with 1 if an axis takes over 5
times as long as axis 0, or memory differs by over 10 %.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path

import h5py
import numpy as np
import psutil
import scipy.ndimage
import tifffile
import zarr

from napari_tiqa import open_volume, score_volume
from napari_tiqa.jobs.process.client import shared_model_process
from napari_tiqa.volumes.slices import map_slices

CHUNK = 64  # voxels a side
SIDE = 4096  # px a side of a slice
PATTERNS = 6
SLICES = 64
ALLOWED_AXIS, ALLOWED_MEMORY = 5.0, 1.10
PARTS = ("zarr", "hdf5", "tiff", "memory")


def texture(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Return noise with structure, uint16, which compresses as a tomogram does."""
    noise = np.random.default_rng(seed).standard_normal(shape, np.float32)
    smooth = scipy.ndimage.gaussian_filter(noise, 3, mode="wrap")
    return (2000 * np.digitize(smooth / smooth.std(), [-0.5, 0.5]) + 8 * np.round(noise) + 500).astype("u2")


def large_zarr(path: Path, gigabytes: float, axis_chunks: tuple[int, ...] = (CHUNK,) * 3) -> Path:
    """Write a Zarr array of so many GB, uint16, slices of 4096 x 4096, from a few chunks with many names."""
    depth = round(gigabytes * 2**30 / (2 * SIDE**2))
    shape = (depth, SIDE, SIDE)
    array = zarr.create_array(path, shape=shape, chunks=axis_chunks, dtype="u2")
    patterns = []
    for number in range(PATTERNS):
        one = zarr.create_array(
            path.with_name(f"pattern{number}.zarr"), shape=axis_chunks, chunks=axis_chunks, dtype="u2"
        )
        one[...] = texture(axis_chunks, number)
        patterns.append(Path(one.store.root) / "c" / "0" / "0" / "0")
    counts = [-(-length // side) for length, side in zip(array.shape, axis_chunks, strict=True)]
    for z, y in product(*map(range, counts[:2])):
        row = path / "c" / str(z) / str(y)
        row.mkdir(parents=True)
        for x in range(counts[2]):
            os.link(patterns[(z + 3 * y + 5 * x) % PATTERNS], row / str(x))
    return path


def large_hdf5(path: Path, chunks: tuple[int, int, int], shape: tuple[int, int, int]) -> Path:
    """Write an HDF5 dataset, uint16, gzip, from a few chunks that are compressed once."""
    with h5py.File(path.with_name("patterns.h5"), "w") as file:
        coded = []
        for number in range(PATTERNS):
            one = file.create_dataset(str(number), shape=chunks, dtype="u2", chunks=chunks, compression=1)
            one[...] = texture(chunks, number)
            coded.append(one.id.read_direct_chunk((0, 0, 0))[1])
    with h5py.File(path, "w") as file:
        whole = file.create_dataset("data", shape=shape, dtype="u2", chunks=chunks, compression=1)
        places = product(*(range(0, length, side) for length, side in zip(shape, chunks, strict=True)))
        for number, place in enumerate(places):
            whole.id.write_direct_chunk(place, coded[(number + number // 7) % PATTERNS])
    return path


def many_files(folder: Path, count: int) -> Path:
    """Write a folder of TIFF files, 512 x 512 uint8: a few files with many names."""
    folder.mkdir()
    kept = folder.with_name("patterns")
    kept.mkdir()
    for number in range(PATTERNS):
        pixels = (texture((512, 512), number) // 20).astype(np.uint8)
        tifffile.imwrite(kept / f"{number}.tif", pixels)
    for number in range(count):
        os.link(kept / f"{number % PATTERNS}.tif", folder / f"slice_{number:05d}.tif")
    return folder


def seconds_of(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def axes_table(name: str, path: Path, slices: int = SLICES) -> float:
    """Print the time of a slice along each axis, per megapixel; return the worst axis beside axis 0."""
    took = seconds_of(lambda: open_volume(path))
    volume = open_volume(path)
    size = volume.data.nbytes / 2**30
    print(f"{name}: {size:.1f} GB, opened in {took:.2f} s")
    paces = []
    for axis in range(3):
        begin = volume.data.shape[axis] // 2 // CHUNK * CHUNK
        chosen = range(begin, min(begin + slices, volume.data.shape[axis]))

        def read(axis: int = axis, chosen: range = chosen) -> None:
            for _ in map_slices(volume, axis, chosen, lambda plane: plane[0, 0]):
                pass

        pixels = len(chosen) * np.prod(volume.slice_shape(axis)) / 1e6
        paces.append(seconds_of(read) / pixels)
        print(
            f"  axis {axis}: {1000 * paces[-1]:5.2f} ms a megapixel, {paces[-1] / paces[0]:4.2f} x axis 0",
            flush=True,
        )
    return max(paces[1:]) / paces[0]


def peak_memory(path: Path, slices: int) -> tuple[float, float, float]:
    """Score slices in a process of its own; return its peak and its model process' in GB, and the time."""
    here = [sys.executable, "-m", "benchmarks.reliability.large"]
    command = [*here, "--score", str(path), "--slices", str(slices)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    own, model, took = map(float, printed.split())
    return own, model, took


def score(path: Path, slices: int) -> None:
    """Score the first slices and print the peak memory of both processes in GB, and the seconds it took."""
    most = [0.0]
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.1):
            if pid := shared_model_process().pid:
                most[0] = max(most[0], psutil.Process(pid).memory_info().rss / 2**30)

    watcher = threading.Thread(target=watch)
    watcher.start()
    took = seconds_of(lambda: score_volume(path, slices=slice(0, slices)))
    ended.set()
    watcher.join()
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(own, most[0], took)


def memory_table(small: Path, large: Path) -> float:
    """Print the peak memory of scoring both; return their ratio."""
    figures = {}
    for name, path, slices in (("1 GB", small, 32), ("large", large, SLICES)):
        own, model, took = peak_memory(path, slices)
        figures[name] = own
        print(
            f"score {slices} slices, {name}: {own:.2f} GB at most, model process {model:.2f} GB, "
            f"{took / slices:.2f} s a slice",
            flush=True,
        )
    ratio = figures["large"] / figures["1 GB"]
    print(f"memory of the large volume: {ratio:.2f} x that of 1 GB, allowed {ALLOWED_MEMORY:.2f} x")
    return ratio


def tiff_table(folder: Path) -> None:
    took = seconds_of(lambda: open_volume(folder))
    volume = open_volume(folder)
    count = volume.slice_count(0)
    few = range(0, count, max(1, count // 200))

    def look() -> None:
        score_volume(volume, slices=few, view="overview")

    print(f"{count} TIFF files: opened in {took:.1f} s; {len(few)} slices scored in {seconds_of(look):.1f} s")


def events(path: Path) -> float:
    """Print how long napari's event loop stands still while a large volume is scored; return the worst."""
    import napari

    from benchmarks.event_loop import Heartbeat, play, seconds, wait_until

    viewer = napari.Viewer()
    viewer.window.resize(1280, 720)
    viewer.open(path, plugin="napari-tiqa")
    wait_until(seconds(3))
    beat = Heartbeat()
    gaps: dict[str, float] = {}

    def phase(name: str, begin: Callable[[], object], duration: float) -> None:
        beat.restart()
        begin()
        wait_until(seconds(duration))
        gaps[name] = beat.longest
        print(f"{name:40s}{1000 * beat.longest:6.0f} ms", flush=True)

    phase("napari alone, idle", lambda: None, 3)
    phase("napari alone, slider moved", lambda: play(viewer), 4)
    dock = viewer.window.add_plugin_dock_widget("napari-tiqa", "Slice quality")[1]
    wait_until(lambda: dock.panel is not None)
    wait_until(lambda: bool(shared_model_process().device))
    phase("scoring, 20 s", dock.panel.score_all, 20)
    if not dock.panel.job.state.busy:
        raise SystemExit(f"Not scoring: {dock.panel.controls.message.text()}")
    phase("scoring, slider moved", lambda: play(viewer), 4)
    phase("cancel", dock.panel.job.cancel, 2)
    wait_until(lambda: not dock.panel.job.state.busy)
    viewer.close()
    return statistics.fmean([gaps["scoring, 20 s"]])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gigabytes", type=float, default=100)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--only", nargs="+", choices=(*PARTS, "events"), default=PARTS)
    parser.add_argument("--score", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--slices", type=int, default=SLICES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.score:
        score(options.score, options.slices)
        return 0
    missed = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        large, small = folder / "large" / "v.zarr", folder / "small" / "v.zarr"
        if {"zarr", "memory", "events"} & set(options.only):
            large_zarr(large, options.gigabytes)
        if "zarr" in options.only:
            missed |= axes_table(f"Zarr, chunks of {CHUNK} a side", large) > ALLOWED_AXIS
        if "hdf5" in options.only:
            for chunks in ((CHUNK,) * 3, (512, 8, 512)):
                path = large_hdf5(folder / f"{chunks[1]}.h5", chunks, (2048, 1024, 1024))
                missed |= axes_table(f"HDF5, gzip, chunks of {chunks}", path) > ALLOWED_AXIS
        if "memory" in options.only:
            large_zarr(small, 1)
            missed |= memory_table(small, large) > ALLOWED_MEMORY
        if "tiff" in options.only:
            tiff_table(many_files(folder / "files", options.files))
        if "events" in options.only:
            events(large)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
