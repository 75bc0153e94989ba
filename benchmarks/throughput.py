"""How much of the bare network's speed a whole run keeps, from file to table, and the memory it takes.

    python benchmarks/throughput.py [--model model.tiqa] [--repeats 5]

Prints, from one run: slices/s of the network alone (in a process of its own, the same batches, tiles in
memory), slices/s from file to table for 594 slices of 720 x 720 uint8 in a TIFF file and for 512 slices of
2048 x 2048 float32 in Zarr (not compressed, so that it is the reading and not a codec that is measured),
each as a share of the former; and the peak memory of both processes for half of the slices and for all.
Slices are scored as a whole, one tile each; what every scale costs is printed by ``scales.py``.
Bare and whole runs alternate, each figure is a median; a share is the median of the shares of neighbouring
runs. A whole run opens the file and estimates its window.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import scipy.ndimage
import tifffile
import zarr

from napari_tiqa import score_volume
from napari_tiqa.jobs.process.client import shared_model_process
from napari_tiqa.scoring.bundle import DEFAULT_MODEL

SLICES = {"tiff": 594, "zarr": 512}
TARGETS = {"tiff": 0.85, "zarr": 0.7}
WHAT = {"tiff": "720 x 720 uint8 TIFF", "zarr": "2048 x 2048 float32 Zarr"}

# The network alone: every line on standard input is one measurement of so many tiles.
BARE = """
import sys, time
import numpy as np
from napari_tiqa.scoring.bundle import load_model
from napari_tiqa.scoring.predict import predict_scores
network = load_model(sys.argv[1]).network
tiles = np.random.default_rng(0).random((int(sys.argv[2]), 224, 224), np.float32)
predict_scores(network, tiles[:64])
print("ready", flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    predict_scores(network, tiles)
    print(len(tiles) / (time.perf_counter() - start), flush=True)
"""


class BareNetwork:
    """The network without anything around it, kept warm in a process of its own."""

    def __init__(self, model: Path, count: int, program: str = BARE) -> None:
        command = [sys.executable, "-c", program, str(model), str(count)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._answer()

    def slices_per_second(self) -> float:
        """Measure once."""
        assert self.process.stdin is not None
        print("go", file=self.process.stdin, flush=True)
        return float(self._answer())

    def _answer(self) -> str:
        assert self.process.stdout is not None
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit("the network alone could not be started")
        return answer


def write_tiff(folder: Path) -> Path:
    path = folder / "stack.tif"
    plane = scipy.ndimage.gaussian_filter(np.random.default_rng(0).random((720, 720)), 3)
    plane = (255 * (plane - plane.min()) / np.ptp(plane)).astype(np.uint8)
    with tifffile.TiffWriter(path) as tiff:
        for index in range(SLICES["tiff"]):
            tiff.write(np.roll(plane, index), contiguous=False)
    return path


def write_zarr(folder: Path) -> Path:
    """Write 128 slices; the chunks of the others are links to theirs, which are read all the same."""
    path = folder / "volume.zarr"
    depth, written = 16, 128
    array = zarr.create_array(
        path, shape=(SLICES["zarr"], 2048, 2048), chunks=(depth, 512, 512), dtype="float32", compressors=None
    )
    plane = scipy.ndimage.gaussian_filter(np.random.default_rng(0).random((2048, 2048), np.float32), 3)
    for start in range(0, written, depth):
        array[start : start + depth] = np.stack([np.roll(plane, start + i) for i in range(depth)])
    for layer in range(written // depth, SLICES["zarr"] // depth):
        for chunk in (path / "c" / str(layer % (written // depth))).glob("*/*"):
            link = path / "c" / str(layer) / chunk.parent.name / chunk.name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.hardlink_to(chunk)
    return path


def slices_per_second(path: Path, model: Path, count: int | None = None) -> float:
    start = time.perf_counter()
    table = score_volume(path, model=model, slices=slice(count), view="overview")
    assert table["score"].notna().all()
    return len(table) / (time.perf_counter() - start)


@contextmanager
def peak_memory() -> Iterator[list[float]]:
    """Sample the memory of this process and the model process; the list gets its peak, MiB.

    Resident memory, less pages shared with the page cache: those of a mapped file are not the program's.
    """
    done, peak = threading.Event(), [0.0]
    processes = [psutil.Process(pid) for pid in (os.getpid(), shared_model_process().pid)]

    def sample() -> None:
        while not done.wait(0.02):
            now = sum(info.rss - info.shared for info in (process.memory_info() for process in processes))
            peak[0] = max(peak[0], now / 2**20)

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield peak
    finally:
        done.set()
        sampler.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--model", type=Path, default=DEFAULT_MODEL, help="model bundle; default: the bundled one"
    )
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        paths = {"tiff": write_tiff(Path(folder)), "zarr": write_zarr(Path(folder))}
        bare = BareNetwork(options.model, SLICES["tiff"])
        speeds: dict[str, list[float]] = {"bare": [], "tiff": [], "zarr": []}
        shares: dict[str, list[float]] = {"tiff": [], "zarr": []}
        for path in paths.values():  # once unmeasured: starts the model process, warms the page cache
            slices_per_second(path, options.model)
        for _ in range(options.repeats):
            for kind, path in paths.items():
                speeds["bare"].append(bare.slices_per_second())
                speeds[kind].append(slices_per_second(path, options.model))
                shares[kind].append(speeds[kind][-1] / speeds["bare"][-1])
        bare.process.kill()

        print(f"device: {shared_model_process().device}")
        print(f"bare network: {statistics.median(speeds['bare']):.1f} slices/s")
        for kind in paths:
            spread = f"{min(shares[kind]):.2f} to {max(shares[kind]):.2f}"
            print(
                f"{WHAT[kind]}, {SLICES[kind]} slices, file to table: "
                f"{statistics.median(speeds[kind]):.1f} slices/s, "
                f"share {statistics.median(shares[kind]):.2f} ({spread}; target {TARGETS[kind]})"
            )
        for kind, path in paths.items():
            counts = SLICES[kind] // 2, SLICES[kind]
            peaks = []
            for count in counts:
                with peak_memory() as peak:
                    slices_per_second(path, options.model, count)
                peaks.append(peak[0])
            print(
                f"{WHAT[kind]}, peak memory of both processes: {peaks[0]:.0f} MiB for {counts[0]} slices, "
                f"{peaks[1]:.0f} MiB for {counts[1]}, ratio {peaks[1] / peaks[0]:.2f}"
            )


if __name__ == "__main__":
    main()
