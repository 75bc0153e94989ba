"""Two-point correlation of 1024 x 1024 px: against a direct count and PoreSpy, and how long it takes.

PoreSpy (pip install porespy) is compared where it is installed; napari-tiqa does not need it. Its curve is an
average over all directions, so that it is given single lines, in which there is one direction only.

python benchmarks/two_point.py
"""

import argparse
import statistics
import time

import numpy as np

from napari_tiqa.segmentation.two_point import two_point_correlation
from napari_tiqa.volumes.simulation.microstructures import KINDS, microstructure

try:
    from porespy.metrics import two_point_correlation as of_porespy
except ImportError:
    of_porespy = None

SIDE = 1024
REPEATS = 20
TARGET_MS = 100
LINES = 50  # of each slice, for PoreSpy


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    print("largest difference, S2 along y and x, 0 to 512 px")
    for seed, kind in enumerate(KINDS):
        material = microstructure(kind, (SIDE, SIDE), seed)
        phase = material > np.median(material)
        counted = max(
            np.abs(two_point_correlation(phase, axis, normalised=False) - direct_count(phase, axis)).max()
            for axis in (0, 1)
        )
        lines = f"; PoreSpy {difference_to_porespy(phase):.1e}" if of_porespy else ""
        print(f"{kind:8} direct count {counted:.1e}{lines}")
    if not of_porespy:
        print("PoreSpy is not installed: pip install porespy to compare with it too.")
    print_time(phase)


def direct_count(phase: np.ndarray, axis: int) -> np.ndarray:
    """Count pairs of pixels one distance after the other."""
    lines = np.moveaxis(phase, axis, -1)
    distances = range(SIDE // 2 + 1)
    return np.array([np.mean(lines[:, : SIDE - r] & lines[:, r:]) for r in distances])


def difference_to_porespy(phase: np.ndarray) -> float:
    """Compare lines spread over a slice, along both axes."""
    edges = np.arange(SIDE // 2 + 2, dtype=float)
    largest = 0.0
    for lines in (phase, phase.T):
        for line in lines[:: SIDE // LINES]:
            if line.any():  # PoreSpy divides by the share of the phase
                theirs = of_porespy(line[None], bins=edges).probability_scaled
                ours = two_point_correlation(line[None], 1, normalised=False)
                largest = max(largest, float(np.abs(ours - theirs).max()))
    return largest


def print_time(phase: np.ndarray) -> None:
    both_axes, count = [], []
    for repeat in range(REPEATS):
        start = time.perf_counter()
        for axis in (0, 1):
            two_point_correlation(phase, axis)
        both_axes.append(time.perf_counter() - start)
        if repeat < 2:
            start = time.perf_counter()
            for axis in (0, 1):
                direct_count(phase, axis)
            count.append(time.perf_counter() - start)
    ours, direct = 1000 * statistics.median(both_axes), 1000 * min(count)
    print(
        f"{SIDE} x {SIDE} px along both axes: {ours:.0f} ms (to reach: {TARGET_MS}), "
        f"{direct / ours:.0f} times as fast as the direct count"
    )


if __name__ == "__main__":
    main()
