"""Detail loss against the truth: correlation and bias over simulated specimens, noise and filters.

The true loss of a filtered slice is the same ratio, taken at the edges of the specimen without noise, found
there at 1 px: where they are depends on no noise, so that noise cancels. Further: what removing rings costs,
and how long the figure takes beside a Gaussian of the same slice.

python benchmarks/detail_loss.py
"""

import argparse
import time
from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter

from napari_tiqa.filtering.catalogue import FILTERS
from napari_tiqa.filtering.detail_loss import detail_loss
from napari_tiqa.volumes.simulation.acquisition import Acquisition, acquire
from napari_tiqa.volumes.simulation.microstructures import KINDS, microstructure

SIDE = 384
WINDOW = (0.0, 1.0)
NOISES = (0.02, 0.05, 0.1, 0.2)  # of the window, white
PHOTONS = (30_000, 5_000, 1_500)
GAIN_ERRORS = (0.003, 0.01, 0.03)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    rows = []
    for seed, kind in enumerate(KINDS):
        for scan, truth, before in scans(kind, seed):
            true_edges = edges(truth)
            for name, after in filtered(before, np.std(before - truth)):
                loss = 100 * (1 - steepness(after, true_edges) / steepness(truth, true_edges))
                rows.append((kind, scan, name, loss, detail_loss(before, after, WINDOW)))
    table = pd.DataFrame(rows, columns=["specimen", "scan", "filter", "true", "estimated"])
    for by in ("specimen", "scan", "filter"):
        print(summary(table.groupby(by, sort=False)).to_string(), "\n")
    print(summary(table.groupby(lambda _: "all")).to_string(), "\n")
    print_rings()
    print_time()


def scans(kind: str, seed: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield name, slice without noise, slice with it."""
    specimen = microstructure(kind, (SIDE, SIDE), 40 + seed)
    rng = np.random.default_rng(seed)
    for sigma in NOISES:
        noise = rng.normal(0, sigma, specimen.shape)
        yield f"white noise {sigma:.0%}", specimen, (specimen + noise).astype(np.float32)
    clean = acquire(specimen, Acquisition(projections=600))
    for photons in PHOTONS:
        yield f"{photons} photons", clean, acquire(specimen, Acquisition(projections=600, photons=photons))


def filtered(plane: np.ndarray, noise: float) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each filter's name and result, at strengths around the noise's standard deviation."""
    sigma = 100 * noise
    settings: dict[str, list[dict[str, float]]] = {
        "gaussian": [{"sigma": value} for value in (0.5, 0.8, 1.2, 2)],
        "median": [{"radius": 1}, {"radius": 2}],
        "bilateral": [{"contrast": min(100, value * sigma)} for value in (1.5, 3, 6)],
        "non_local_means": [{"sigma": min(50, value * sigma)} for value in (0.7, 1.2, 2)],
        "total_variation": [{"weight": min(50, value * sigma)} for value in (0.5, 1, 2)],
        "wavelet": [{"sigma": min(50, value * sigma)} for value in (0.7, 1.5)],
        "anisotropic_diffusion": [{"contrast": min(100, value * sigma)} for value in (1.5, 3)],
        "unsharp_mask": [{"amount": 50}, {"amount": 100}],
        "richardson_lucy": [{}],
        "wiener": [{}],
    }
    for name, choices in settings.items():
        for parameters in choices:
            yield name, FILTERS[name](plane, WINDOW, **parameters)


def edges(plane: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where the gradient at 1 px is greatest across edges, and its direction, all of plane's shape."""
    down, right = gradient(plane, 1.0)
    size = np.maximum(np.hypot(down, right), 1e-9)
    down, right = down / size, right / size
    rows, columns = np.indices(plane.shape)
    ridge = size > 0.02
    for sign in (-1, 1):
        near = (
            np.clip(rows + sign * np.rint(down).astype(int), 0, len(plane) - 1),
            np.clip(columns + sign * np.rint(right).astype(int), 0, plane.shape[1] - 1),
        )
        ridge &= size >= size[near]
    y, x = rows - (len(plane) - 1) / 2, columns - (plane.shape[1] - 1) / 2
    ridge &= np.hypot(y, x) < len(plane) / 2 - 8
    return ridge, down, right


def steepness(plane: np.ndarray, true_edges: tuple[np.ndarray, np.ndarray, np.ndarray]) -> float:
    ridge, edge_down, edge_right = true_edges
    down, right = gradient(plane, 0.7)
    return float((down * edge_down + right * edge_right)[ridge].mean())


def gradient(plane: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    return gaussian_filter(plane, scale, order=(1, 0)), gaussian_filter(plane, scale, order=(0, 1))


def summary(groups: "pd.core.groupby.DataFrameGroupBy") -> pd.DataFrame:
    """Per group, in points of per cent where it is no count or correlation."""

    def of(group: pd.DataFrame) -> pd.Series:
        known = group.dropna()
        off = known["estimated"] - known["true"]
        return pd.Series(
            {
                "slices": len(group),
                "no figure": len(group) - len(known),
                "correlation": known["true"].corr(known["estimated"]),
                "bias": off.mean(),
                "mean error": off.abs().mean(),
                "95 % below": off.abs().quantile(0.95),
            }
        )

    table = groups[["true", "estimated"]].apply(of)
    return table.round(3 if len(table) == 1 else 2).astype({"slices": int, "no figure": int})


def print_rings() -> None:
    """Print what removing all rings of a gain error is taken to cost; nothing would be right."""
    print("gain error  rings' standard deviation, % of the window  'detail loss' by taking them away, %")
    for gain_error in GAIN_ERRORS:
        losses, sizes = [], []
        for seed, kind in enumerate(KINDS):
            specimen = microstructure(kind, (SIDE, SIDE), 40 + seed)
            settings = {"projections": 600, "photons": 30_000}
            clean = acquire(specimen, Acquisition(**settings))
            ringed = acquire(specimen, Acquisition(gain_error=gain_error, **settings))
            losses.append(detail_loss(ringed, clean, WINDOW))
            sizes.append(100 * np.std(ringed - clean))
        print(
            f"{gain_error:10.3f}  {np.mean(sizes):42.1f}  {np.nanmean(losses):.2f} ± {np.nanstd(losses):.2f}"
        )
    print()


def print_time() -> None:
    for side in (720, 2048):
        plane = np.tile(microstructure("electrode", (256, 256), 1), (8, 8))[:side, :side].copy()
        after = FILTERS["gaussian"](plane, WINDOW)
        took = {"detail loss": np.inf, "gaussian": np.inf}
        for _ in range(5):
            begun = time.perf_counter()
            detail_loss(plane, after, WINDOW)
            took["detail loss"] = min(took["detail loss"], time.perf_counter() - begun)
            begun = time.perf_counter()
            FILTERS["gaussian"](plane, WINDOW, sigma=1)
            took["gaussian"] = min(took["gaussian"], time.perf_counter() - begun)
        print(
            f"{side} x {side}: {1e3 * took['detail loss']:.0f} ms, "
            f"{took['detail loss'] / took['gaussian']:.1f} times a Gaussian filter"
        )


if __name__ == "__main__":
    main()
