"""The figures of docs/tuning.md: tune ring removal on the sample tomogram, compare, export, score again.

python benchmarks/tuning_story.py [--model bundle.tiqa]
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from skimage.metrics import structural_similarity

from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.jobs.filtering.compare import compare
from napari_tiqa.jobs.filtering.export import export
from napari_tiqa.jobs.filtering.tune import tune
from napari_tiqa.jobs.quality.score import score_volume
from napari_tiqa.volumes.open import open_volume
from napari_tiqa.volumes.simulation.electrode_sample import electrode_sample
from napari_tiqa.volumes.volume import Volume

RINGED = range(8, 24)  # slices with strong detector gain errors: docs/sample.md
TRIALS = 24
WIDTHS = "ring_removal.ring_width=1:50"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", help="a bundle; default: the bundled model")
    model = parser.parse_args().model
    electrode, better = electrode_sample()
    before = score_volume(electrode, model=model)
    worst = int(before["score"].idxmin())
    print(f"Unfiltered: {summary(before)}; worst slice {worst}: {before['score'][worst]:.2f}.")

    rings = Pipeline([Step("ring_removal")])
    tuning = tune(electrode, rings, WIDTHS, slices=[worst], method="sweep", trials=TRIALS, model=model)
    print(f"\nTuned on slice {worst}: {tuning.sentence()}")
    print(
        tuning.table()[[*tuning.names, "score", "objective", "detail_loss"]].round(3).to_string(index=False)
    )

    tuned = tuning.best.pipeline
    pipelines = {
        "rings": tuned,
        "rings, then noise": Pipeline([*tuned.steps, Step("non_local_means")]),
        "smoothing": Pipeline([Step("gaussian", {"sigma": 2})]),
    }
    comparison = compare(electrode, pipelines, slices=RINGED, model=model)
    print(f"\nCompared on slices {RINGED[0]} to {RINGED[-1]}: {comparison.sentence()}")
    print(comparison.table().round(3).to_string(index=False))

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "electrode_filtered.zarr"
        export(electrode, pipelines["rings, then noise"], path)
        filtered = open_volume(path)
        after = score_volume(filtered, model=model)
        print(f"\nFiltered: {summary(after)}; slice {worst}: {after['score'][worst]:.2f}.")
        print(
            f"SSIM of the ringed slices to the better scan of the same electrode: "
            f"{similarity(electrode, better):.3f} unfiltered, {similarity(filtered, better):.3f} filtered."
        )


def summary(table: pd.DataFrame) -> str:
    """Return the mean score of all slices and of the ringed ones."""
    return f"mean score {table['score'].mean():.2f}, ringed slices {table['score'][RINGED].mean():.2f}"


def similarity(volume: Volume, truth: Volume) -> float:
    """Return the mean SSIM of the ringed slices to the same slices of another volume."""
    values = []
    for index in RINGED:
        plane, true = (np.asarray(one.slice(0, index)).astype(float) for one in (volume, truth))
        values.append(structural_similarity(plane, true, data_range=np.ptp(true)))
    return float(np.mean(values))


if __name__ == "__main__":
    main()
