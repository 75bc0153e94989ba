"""Print how much a filter's gain changes under changes of the slice that mean nothing.

    python benchmarks/score_repeatability.py --data ../shared/data

Real slices, as they are and with noise added, are filtered; then the slice and its filtered version are both
mirrored, or both lose a few pixels at their edges. What the gain, in fidelity or in score, changes by is
what the networks alone add to the uncertainty of a gain: ``jobs.filtering.gain.REPEATABILITY`` is its
standard deviation for one slice. The bundled networks have seen these scans in training.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from models.specimens import FIRST as SCANS
from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.jobs.filtering.gain import REPEATABILITY
from napari_tiqa.jobs.filtering.objective import AIMS, FIDELITY, SCORE, score_slices
from napari_tiqa.volumes.open import open_volume
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.volumes.window_estimate import estimate_window

NOISE = (0.0, 0.1)  # standard deviation as a share of the window
SIGMAS = (0.4, 0.7, 1.2, 2.0, 3.5)
BANDS = {FIDELITY: (0, 0.01, 0.03, 0.1, 0.3, 1), SCORE: (0, 0.1, 0.3, 0.6, 1, 4)}  # gained or lost
HANGS = {FIDELITY: "gains of .01 to .03", SCORE: "gains of .1 to .3"}
MEANINGLESS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "as it is": lambda plane: plane,
    "mirrored left to right": lambda plane: plane[:, ::-1],
    "mirrored top to bottom": lambda plane: plane[::-1],
    "mirrored both ways": lambda plane: plane[::-1, ::-1],
    "transposed": lambda plane: plane.T,
    "3 and 5 px cut off at the top left": lambda plane: plane[3:, 5:],
    "7 and 2 px cut off at the bottom right": lambda plane: plane[:-7, :-2],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--model", type=Path, help="a bundle; default: the bundled model")
    options = parser.parse_args()
    rows = []
    for name, plane, window in tqdm(list(slices(options.data)), unit=" slices"):
        for noise in NOISE:
            rng = np.random.default_rng(0)
            noisy = plane + noise * (window.high - window.low) * rng.standard_normal(plane.shape, np.float32)
            planes = [noisy, *(Pipeline([Step("gaussian", {"sigma": s})])(noisy, window) for s in SIGMAS)]
            for change, changed in MEANINGLESS.items():
                versions = [changed(one) for one in planes]
                unfiltered = versions[:1] * len(versions)
                table = score_slices(versions, window, options.model, unfiltered=unfiltered)
                for aim in AIMS:
                    unfiltered, *filtered = table[aim]
                    for sigma, value in zip(SIGMAS, filtered, strict=True):
                        rows.append((aim, name, noise, sigma, change, unfiltered, value - unfiltered))
    table = pd.DataFrame(rows, columns=["aim", "slice", "noise", "sigma", "change", "unfiltered", "gain"])
    for aim in AIMS:
        report(aim, table[table["aim"] == aim].dropna())


def slices(data: Path) -> Iterator[tuple[str, np.ndarray, IntensityWindow]]:
    """Give the middle slice of each scan, float32, and the scan's window."""
    for scan in SCANS:
        volume = open_volume(data / scan.path).tomogram()
        plane = volume.slice(0, volume.slice_count(0) // 2).astype(np.float32)
        yield scan.path, np.nan_to_num(plane), volume.window or estimate_window(volume)


def report(aim: str, rows: pd.DataFrame) -> None:
    """Print the spread of gains by their size, and whether the best of several settings is merely lucky."""
    cells = rows.groupby(["slice", "noise", "sigma"])
    summary = cells.agg(gain=("gain", "mean"), spread=("gain", "std"), of_score=("unfiltered", "std"))
    bands = summary.groupby(pd.cut(summary["gain"].abs(), BANDS[aim], include_lowest=True), observed=True)
    spreads = bands[["spread", "of_score"]].agg(root_mean_square)
    print(f"{aim:<12} cases  sd of the gain  worst  sd of the unfiltered slices ({len(MEANINGLESS)} changes)")
    for band, one in spreads.iterrows():
        cases = bands.get_group(band)["spread"]
        size = f"{max(band.left, 0):.2f} to {band.right:.2f}"
        spread, of_score = one["spread"], one["of_score"]
        print(f"{size} {len(cases):6} {spread:15.3f} {cases.max():6.3f} {of_score:27.3f}")
    print(f"REPEATABILITY is {REPEATABILITY[aim]}; it stands for {HANGS[aim]}, where the verdict hangs")
    at_once = rows[rows["change"] == "as it is"].reset_index()
    best = at_once.loc[at_once.groupby(["slice", "noise"])["gain"].idxmax()]
    again = summary["gain"].loc[list(zip(best["slice"], best["noise"], best["sigma"], strict=True))]
    print(
        f"best of {len(SIGMAS)} settings: {best['gain'].mean():+.3f} on the slices it was chosen on, "
        f"{again.mean():+.3f} on average over the changes\n"
    )


def root_mean_square(values: pd.Series) -> float:
    return float(np.sqrt((values**2).mean()))


if __name__ == "__main__":
    main()
