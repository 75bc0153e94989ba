"""How long the simulated scans take: one slice against scikit-image, the whole sample tomogram, its cache.

Run on an idle machine: python benchmarks/sample_time.py
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from skimage.transform import iradon, radon

from napari_tiqa.volumes.simulation.acquisition import (
    Acquisition,
    filtered_back_projection,
    inscribed_circle,
    project,
)
from napari_tiqa.volumes.simulation.electrode_sample import electrode_sample
from napari_tiqa.volumes.simulation.microstructures import KINDS, microstructure

SIDE, PROJECTIONS = 255, 256  # odd: scikit-image then turns about the same point


def seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """Return the shortest of a few runs, after one that does not count."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    plane = microstructure("electrode", (SIDE, SIDE), 0) * inscribed_circle(SIDE)
    four = np.stack([plane] * 4, axis=-1)
    scan = Acquisition(projections=PROJECTIONS, arc=180)
    degrees = np.linspace(0, 180, PROJECTIONS, endpoint=False)

    reference = seconds(lambda: iradon(radon(plane, degrees), degrees), repeats=3)
    alone = seconds(lambda: filtered_back_projection(project(plane, scan), 180))
    of_four = seconds(lambda: filtered_back_projection(project(four, scan), 180)) / 4
    print(f"{SIDE} x {SIDE}, {PROJECTIONS} projections, project and reconstruct, per slice:")
    print(f"  scikit-image {reference * 1e3:7.1f} ms")
    print(f"  one slice    {alone * 1e3:7.1f} ms, {reference / alone:.1f} times as fast")
    print(f"  four at once {of_four * 1e3:7.1f} ms, {reference / of_four:.1f} times as fast")

    print(f"one microstructure, {SIDE} x {SIDE}:")
    for kind in KINDS:
        taken = seconds(lambda kind=kind: microstructure(kind, (SIDE, SIDE), 1), repeats=3)
        print(f"  {kind:12} {taken * 1e3:7.1f} ms")

    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        electrode_sample(directory=Path(folder))
        made = time.perf_counter()
        electrode_sample(directory=Path(folder))
        cached = time.perf_counter()
    print(f"sample tomogram: made in {made - start:.1f} s (to reach: under 10 s), ", end="")
    print(f"from the cache in {(cached - made) * 1e3:.0f} ms")


if __name__ == "__main__":
    main()
