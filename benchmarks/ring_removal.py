"""What ring removal takes off simulated rings, what it does to clean slices, against algotom, and how long.

Each specimen is scanned by simulation (volumes/simulation/acquisition.py) with and without gain errors of the
detector, over a full and a half turn: microstructures, and real slices projected again. All filters have
their default parameters. Real rings, whose truth nobody knows, are judged by how strong the median over the
angle still is. Run on an idle machine:

    pip install algotom
    python benchmarks/ring_removal.py --data ../shared/data --table rings.csv
    python benchmarks/ring_removal.py --data ../shared/data --real --pictures rings
"""

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import tifffile
from scipy.ndimage import median_filter

from napari_tiqa.filtering.polar import SAMPLES_PER_PIXEL, polar_grid
from napari_tiqa.filtering.ring_centre import find_ring_centre
from napari_tiqa.filtering.ring_profile import Slopes
from napari_tiqa.filtering.ring_removal import ring_removal
from napari_tiqa.filtering.wavelet_fourier import wavelet_fourier
from napari_tiqa.learning.images.observers import ssim
from napari_tiqa.scoring.native_tiles import content
from napari_tiqa.volumes.simulation.acquisition import (
    Acquisition,
    detect,
    filtered_back_projection,
    inscribed_circle,
    project,
)
from napari_tiqa.volumes.simulation.microstructures import KINDS, microstructure

SIDE = 288
SEED = 11  # none that the defaults were chosen on
GAIN_ERRORS = (0.003, 0.01, 0.03)
PHOTONS = 50_000
REAL = {
    "jelly roll": ("li_ion_cylindrical_cell/jellyroll_z060-099.tif", 20),
    "winding, real": ("li_ion_cylindrical_cell/winding_im_1.tif", None),
    "NMC cathode": ("nmc_cathode_txm/tomo_00087_nmc_941proj.tif", None),
    "CNT cathode": ("lio2_cnt_cathode_txm/tomo_00096_cnt_cycled.tif", None),
    "wood stick": ("wood_stick/tomo_00088_wood.tif", None),
    "shale B1": ("shale_roundrobin/tomo_00001_B1_aps.tif", None),
    "shale N1": ("shale_roundrobin/tomo_00002_N1_aps.tif", None),
    "core in holder": ("core_in_holder/Initial_1_00000-00001.tif", 0),
    "grains in tube": ("grains_in_tube/samba_3_phase.tif", None),
    "leaf": ("leaf_gridrec_vs_paganin/slice0440_paganin.tif", None),
    "beads": ("bead_pack_als/slice_129.tif", None),
    "fly": ("qim3d_examples/fly_150x256x256.tif", 75),
    "cement": ("qim3d_examples/cement_128x128x128.tif", 60),
    "fibres, real": ("qim3d_examples/fibers_150x150x150.tif", 70),
    "shell": ("qim3d_examples/shell_225x128x128.tif", 100),
}

# Path, ring width in px, and the rings' centre (down, right) where it is not found.
REAL_RINGS: dict[str, tuple[str, float, tuple[float, float] | None]] = {
    "coal 00102": ("coal_methane_hydrate/tomo_00102_stable.tif", 60, None),
    "soft tissue 00076": ("rings_aps2bm/tomo_00076_soft_tissue_whitebeam.tif", 12, None),
    "soft tissue 00072": ("collected/tomobank_00072_softtissue/tomo_00072.tif", 12, None),
    "xlearn particles, 1": ("collected/xlearn_particles/test_input.tif", 20, None),
    "xlearn particles, 2": ("collected/xlearn_particles/train_input.tif", 20, None),
    "sarepy core, 1": ("collected/sarepy_ring_core/fitting_fig1_c.tif", 20, (28, -2)),
    "sarepy core, 2": ("collected/sarepy_ring_core/sec2_fig6_c.tif", 20, (33, -28)),
    "pores in rock": ("collected/httomo_pores_rock/FBP3D_tomobar_filter03.tif", 5, None),
    "limestone, partial rings": ("collected/sarepy_fig0_sample/fig0_a.tif", 5, None),
}

Method = Callable[[np.ndarray], np.ndarray]


def methods() -> dict[str, Method]:
    """Return filters of a slice in a window of 0..1, by name."""
    found: dict[str, Method] = {
        "ring_removal": lambda plane: ring_removal(plane, (0, 1)),
        "wavelet_fourier": lambda plane: wavelet_fourier(plane, (0, 1)),
    }
    try:
        from algotom.post.postprocessing import remove_ring_based_fft, remove_ring_based_wavelet_fft
    except ImportError as error:
        print(f"Without algotom, which cannot be imported ({error}): pip install algotom")
    else:
        found["algotom fft"] = remove_ring_based_fft
        found["algotom wavelet"] = remove_ring_based_wavelet_fft
    return found


def specimens(data: Path | None) -> Iterator[tuple[str, np.ndarray]]:
    """Yield names and square slices with values 0..1."""
    for kind in KINDS:
        yield kind, microstructure(kind, (SIDE, SIDE), SEED)
    for name, (path, index) in REAL.items() if data else ():
        plane = tifffile.imread(data / path).astype(np.float32)
        plane = plane if index is None else plane[index]
        side = min(plane.shape)
        top, left = (plane.shape[0] - side) // 2, (plane.shape[1] - side) // 2
        plane = plane[top : top + side, left : left + side]
        small = min(side, SIDE)
        plane = cv2.resize(plane, (small, small), interpolation=cv2.INTER_AREA)
        low, high = np.percentile(plane, (0.5, 99.5))
        yield name, np.clip((plane - low) / (high - low), 0, 1)


def ring_index(
    plane: np.ndarray, inside: np.ndarray, ring_width: float, centre: tuple[float, float]
) -> float:
    """Return the root mean square of what goes round a half turn and is narrower than the width, in windows.

    That is the profile along the radius whose steps are the medians over the angle, less its running median.
    """
    grid = polar_grid(plane.shape, *centre)
    halves = Slopes.of(plane, inside, grid).halves(0)
    energy = weight = 0.0
    for half in halves:
        slope, counts = half.medians(1)
        known = counts[:, 0] >= half.values.shape[1] / 4
        profile = np.cumsum(np.where(known, slope[:, 0], 0))
        profile -= median_filter(profile, 2 * round(ring_width * SAMPLES_PER_PIXEL) + 1, mode="nearest")
        circumference = np.arange(len(profile)) * known
        energy += (circumference * profile**2).sum()
        weight += circumference.sum()
    return float(np.sqrt(energy / weight))


def real_rings(data: Path, pictures: Path | None) -> pd.DataFrame:
    """Return a table of the ring index of real slices before and after, and draw them where asked."""
    table = []
    for name, (path, ring_width, centre) in REAL_RINGS.items():
        stored = tifffile.imread(data / path)
        inside = content(stored)
        low, high = np.percentile(stored[inside], (0.5, 99.5))
        plane = np.where(inside, (stored - low) / (high - low), 0).astype(np.float32)
        where = centre or find_ring_centre(plane, inside)
        at = {"centre_y": where[0], "centre_x": where[1]}
        masked = np.where(inside, plane, np.nan)
        plain, fitted = (
            np.nan_to_num(ring_removal(masked, (0, 1), **at, **given))
            for given in ({}, {"ring_width": ring_width, "threshold": 1.0})
        )
        before, default, after = (
            100 * ring_index(item, inside, ring_width, where) for item in (plane, plain, fitted)
        )
        table.append(
            {
                "slice": name,
                "ring width, px": ring_width,
                "centre": f"{where[0]:.0f}, {where[1]:.0f}" + ("" if centre is None else " (given)"),
                "index before, %": before,
                "default parameters": default,
                "that width, threshold 1": after,
                "removed": 1 - (after / before) ** 2,
            }
        )
        if pictures:
            pictures.mkdir(parents=True, exist_ok=True)
            drawn = np.hstack([plane, fitted, 0.5 + 2 * (plane - fitted)])
            cv2.imwrite(str(pictures / f"{name}.png"), np.rint(255 * np.clip(drawn, 0, 1)).astype(np.uint8))
    return pd.DataFrame(table)


def likeness(clean: np.ndarray, other: np.ndarray) -> float:
    return ssim(*(np.clip(plane, 0, 1) * 255 for plane in (clean, other)))


def rows(name: str, plane: np.ndarray, arc: int, seed: int, filters: dict[str, Method]) -> Iterator[dict]:
    """Yield a row per gain error and filter."""
    inside = inscribed_circle(len(plane))
    settings = {"projections": int(1.6 * len(plane)), "arc": arc, "blur": 0.4, "photons": PHOTONS}
    lines = project(plane, Acquisition(**settings))
    clean = filtered_back_projection(detect(lines, Acquisition(**settings), seed), arc)
    low, high = np.percentile(clean[inside], (0.5, 99.5))

    def in_window(values: np.ndarray) -> np.ndarray:
        return np.where(inside, (values - low) / (high - low), 0).astype(np.float32)

    kept = {method: likeness(in_window(clean), apply(in_window(clean))) for method, apply in filters.items()}
    for gain_error in GAIN_ERRORS:
        scan = Acquisition(**settings, gain_error=gain_error)
        ringed = in_window(filtered_back_projection(detect(lines, scan, seed), arc))
        truth = in_window(clean)
        added = np.square(ringed - truth)[inside].sum()
        for method, apply in filters.items():
            result = apply(ringed)
            yield {
                "specimen": name,
                "arc": arc,
                "gain error": gain_error,
                "filter": method,
                "removed": 1 - np.square(result - truth)[inside].sum() / added,
                "SSIM ringed": likeness(truth, ringed),
                "SSIM filtered": likeness(truth, result),
                "SSIM clean": kept[method],
            }


def milliseconds(work: Callable[[], object], repeats: int = 5) -> float:
    work()
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="folder with the real slices")
    parser.add_argument("--table", type=Path, help="write every case to this CSV file")
    parser.add_argument("--real", action="store_true", help="the real rings only")
    parser.add_argument("--pictures", type=Path, help="draw the real rings before and after into this folder")
    parser.add_argument("--speed", action="store_true", help="the times only")
    arguments = parser.parse_args()
    if arguments.data and not arguments.speed:
        print("Root mean square of what goes round the centre, narrower than the ring width, % of the window")
        print(real_rings(arguments.data, arguments.pictures).round(2).to_string(index=False))
    if arguments.real:
        return
    filters = methods()
    if not arguments.speed:
        cases = pd.DataFrame(
            [
                row
                for seed, (name, plane) in enumerate(specimens(arguments.data), start=1000)
                for arc in (360, 180)
                for row in rows(name, plane, arc, seed, filters)
            ]
        )
        if arguments.table:
            cases.to_csv(arguments.table, index=False)
        report(cases)

    plane = microstructure("powder", (1024, 1024), SEED)
    ringed = np.tile(plane, (2, 2)) + np.random.default_rng(0).normal(0, 0.02, (2048, 2048)).astype(
        np.float32
    )
    print("2048 x 2048 (to reach: 200 ms):")
    for arc in ("full", "half", "auto"):
        work = lambda arc=arc: ring_removal(ringed, (0, 1), arc=arc, centre_y=0, centre_x=0)  # noqa: E731
        print(f"  ring_removal, {arc:15} {milliseconds(work):6.0f} ms")
    damp = milliseconds(lambda: wavelet_fourier(ringed, (0, 1), centre_y=0, centre_x=0))
    print(f"  wavelet_fourier               {damp:6.0f} ms")
    print(f"  find_ring_centre, once a volume {milliseconds(lambda: find_ring_centre(ringed), 2):4.0f} ms")
    for name in [name for name in filters if name.startswith("algotom")]:
        print(f"  {name:29} {milliseconds(lambda name=name: filters[name](ringed), 1):6.0f} ms")


def report(cases: pd.DataFrame) -> None:
    pd.set_option("display.width", 200)
    print("Share of the squared error that gain errors added which each filter removes (to reach: .60)")
    shares = cases.pivot_table(index=["specimen", "arc", "gain error"], columns="filter", values="removed")
    print(shares[cases["filter"].unique()].round(2).to_string())
    print("SSIM of a clean slice with its filtered self (to reach: .99)")
    clean = cases.pivot_table(index=["specimen", "arc"], columns="filter", values="SSIM clean")
    print(clean[cases["filter"].unique()].round(4).to_string())
    for (method, arc, gain_error), some in cases.groupby(["filter", "arc", "gain error"], sort=False):
        print(
            f"{method:16} {arc} degrees, gain error {gain_error:g}: "
            f"removed mean {some['removed'].mean():.2f}, median {some['removed'].median():.2f}, "
            f"least {some['removed'].min():.2f}, "
            f"at least .60 in {(some['removed'] >= 0.6).mean():.0%}; "
            f"SSIM {some['SSIM ringed'].median():.3f} -> {some['SSIM filtered'].median():.3f} (medians)"
        )
    for method, some in cases.groupby("filter", sort=False):
        kept = some.drop_duplicates(["specimen", "arc"])["SSIM clean"]
        print(
            f"{method:16} clean slices: SSIM mean {kept.mean():.4f}, median {kept.median():.4f}, "
            f"least {kept.min():.4f}, at least .99 in {(kept >= 0.99).mean():.0%}"
        )


if __name__ == "__main__":
    main()
