"""How much of the bare network's speed segmentation keeps, from file to probabilities; its memory.

    python benchmarks/segment_throughput.py [--model model.tiqa] [--slices 40] [--repeats 5]

Prints, from one run: slices/s of the network alone (in a process of its own, 1024 x 1024 in memory);
slices/s of ``predict`` from a TIFF file of float32 slices of 1024 x 1024 to probabilities on disk with their
entropies (read, windowed, sent, seen, sent back, written), as a share of the former; the peak memory of both
processes for the slices and for four times as many; and slices/s of the second pass, which writes
segmentation and uncertainty as images. Bare and whole runs alternate, each figure is a median; a share is
the median of the shares of neighbouring runs.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import scipy.ndimage
import tifffile
from throughput import BareNetwork, peak_memory

from napari_tiqa.jobs.process.client import shared_model_process
from napari_tiqa.jobs.segmentation.images import write_images
from napari_tiqa.jobs.segmentation.predict import segment
from napari_tiqa.segmentation.segmenter import ELECTRODE_MODEL

SIDE = 1024
WINDOW = (0.0, 1.0)
TARGET = 0.8

# The network alone: every line on standard input is one measurement of so many slices.
BARE = """
import sys, time
import numpy as np
from napari_tiqa.segmentation.segmenter import load_segmenter
network = load_segmenter(sys.argv[1]).network
image = np.random.default_rng(0).random((1, 1024, 1024, 1), np.float32)
network.predict_on_batch(image)
print("ready", flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    for _ in range(int(sys.argv[2])):
        network.predict_on_batch(image)
    print(int(sys.argv[2]) / (time.perf_counter() - start), flush=True)
"""


def write_tiff(path: Path, count: int) -> None:
    plane = scipy.ndimage.gaussian_filter(np.random.default_rng(0).random((SIDE, SIDE), np.float32), 3)
    plane = (plane - plane.min()) / np.ptp(plane)
    with tifffile.TiffWriter(path) as tiff:
        for index in range(count):
            tiff.write(np.roll(plane, index), contiguous=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--model", type=Path, default=ELECTRODE_MODEL, help="segmenter's bundle; default: the bundled one"
    )
    parser.add_argument("--slices", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        scan, output = Path(folder, "scan.tif"), Path(folder, "out.zarr")
        write_tiff(scan, 4 * options.slices)

        def slices_per_second(count: int) -> float:
            start = time.perf_counter()
            segment(scan, model=options.model, slices=slice(count), window=WINDOW, output=output, again=True)
            return count / (time.perf_counter() - start)

        bare = BareNetwork(options.model, options.slices, BARE)
        slices_per_second(2)  # starts the model process
        speeds: dict[str, list[float]] = {"bare": [], "predict": []}
        for _ in range(options.repeats):
            speeds["bare"].append(bare.slices_per_second())
            speeds["predict"].append(slices_per_second(options.slices))
        bare.process.kill()

        shares = [whole / alone for whole, alone in zip(speeds["predict"], speeds["bare"], strict=True)]
        median = {kind: statistics.median(values) for kind, values in speeds.items()}
        print(f"device: {shared_model_process().device}; slices of {SIDE} x {SIDE} float32")
        print(f"bare network: {median['bare']:.2f} slices/s")
        print(
            f"predict, file to probabilities: {median['predict']:.2f} slices/s, share "
            f"{statistics.median(shares):.2f} ({min(shares):.2f} to {max(shares):.2f}; target {TARGET})"
        )
        counts, peaks = (options.slices, 4 * options.slices), []
        for count in counts:
            with peak_memory() as peak:
                slices_per_second(count)
            peaks.append(peak[0])
        print(
            f"peak memory of both processes: {peaks[0]:.0f} MiB for {counts[0]} slices, {peaks[1]:.0f} MiB "
            f"for {counts[1]}, ratio {peaks[1] / peaks[0]:.2f}"
        )
        found = segment(scan, model=options.model, window=WINDOW, output=output)
        start = time.perf_counter()
        write_images(found, output, uncertainty=True)
        speed = counts[1] / (time.perf_counter() - start)
        print(
            f"images of segmentation and uncertainty, once the probabilities are there: {speed:.1f} slices/s"
        )


if __name__ == "__main__":
    main()
