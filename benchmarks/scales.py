"""What a score of every scale costs, relative to the overview alone, for slices of 720 and 2048 px.

    python benchmarks/scales.py [--model model.tiqa] [--repeats 5] [--slices 32]

Prints, for each size, the tiles of a slice; seconds a slice for the overview, for every scale and for every
scale with the overview first, from an array in memory to the table; the second as a multiple of the first,
and when all of the overview's curve is there as a share of the whole run. Views alternate, each figure is a
median; a ratio is the median of those of neighbouring runs.
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import scipy.ndimage

from napari_tiqa.jobs.process.client import shared_model_process
from napari_tiqa.jobs.quality.score import score_overview_first, score_volume
from napari_tiqa.jobs.quality.score_run import ScoreProgress
from napari_tiqa.scoring.bundle import DEFAULT_MODEL
from napari_tiqa.scoring.pyramid import most_tiles
from napari_tiqa.scoring.views import OVERVIEW, PYRAMID

TARGETS = {720: 6, 2048: 12}


def slices(side: int, count: int) -> np.ndarray:
    """Return a volume of smooth texture and noise, shape (count, side, side), float32."""
    rng = np.random.default_rng(0)
    texture = scipy.ndimage.gaussian_filter(rng.random((side, side), np.float32), 4)
    texture = 0.5 + (texture - 0.5) / (8 * texture.std())
    noisy = [np.roll(texture, 5 * i) + rng.normal(0, 0.05, texture.shape) for i in range(count)]
    return np.stack(noisy, dtype="f4", casting="same_kind")


def seconds(volume: np.ndarray, model: Path, view: str) -> float:
    """Score a volume; return seconds a slice."""
    start = time.perf_counter()
    score_volume(volume, model=model, window=(0, 1), view=view)
    return (time.perf_counter() - start) / len(volume)


def overview_first(volume: np.ndarray, model: Path) -> tuple[float, float]:
    """Score a volume, the overview first; return seconds a slice, and the share until that is complete."""
    complete: list[float] = []

    def look(step: ScoreProgress) -> None:
        if step.view == OVERVIEW:
            complete.append(time.perf_counter() - start)

    start = time.perf_counter()
    score_overview_first(volume, model=model, window=(0, 1), progress=look)
    whole = time.perf_counter() - start
    return whole / len(volume), complete[-1] / whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help="default: the bundled one")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--slices", type=int, default=32, help="slices of each size")
    options = parser.parse_args()
    for side, target in TARGETS.items():
        volume = slices(side, options.slices)
        for view in (OVERVIEW, PYRAMID):  # once unmeasured: compiles the network for the sizes of batches
            seconds(volume, options.model, view)
        rows = []
        for _ in range(options.repeats):
            alone, every = (seconds(volume, options.model, view) for view in (OVERVIEW, PYRAMID))
            rows.append((alone, every, *overview_first(volume, options.model), every / alone))
        alone, every, both, share, ratio = (statistics.median(column) for column in zip(*rows, strict=True))
        tiles = sum(most_tiles((side, side)))
        ratios = [row[-1] for row in rows]
        device = shared_model_process().device
        print(f"{side} x {side} float32, {len(volume)} slices, {tiles} tiles each ({device}):")
        print(
            f"  overview {1000 * alone:.1f} ms a slice, every scale {1000 * every:.1f} ms, {ratio:.1f} times "
            f"as long ({min(ratios):.1f} to {max(ratios):.1f}; target {target})"
        )
        print(f"  overview first {1000 * both:.1f} ms, its curve complete after {share:.0%} of that")


if __name__ == "__main__":
    main()
