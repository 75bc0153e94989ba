"""Does tuning find what is really good? Print it, on slices whose truth is known.

    python benchmarks/tuning.py --data ../shared/data

Simulated microstructures and real slices are scanned by a simulated acquisition with photon noise, rings or
blur; one parameter of a filter is swept; each setting is judged by SSIM and FSIM to the truth, and, without
the truth, by the fidelity estimate, on the tiles that ``tune`` uses. Two networks judge, each trained on one
half of the specimens by the bundled one's recipe, and each judges the other half (some 12 minutes a network
on 2 idle cores). What is kept in the work folder is not made again.

A share is what the chosen setting gains over doing nothing, of what the best setting of the sweep gains; it
is not taken where the best gains less than .005. Beside it, in the same run: the filter's fixed default,
scikit-image's calibrate_denoiser (J-invariance, Batson and Royer 2019), and the bundled model's score (which
has seen the real specimens in training).
"""

import argparse
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from skimage.restoration import calibrate_denoiser
from tqdm import tqdm

from models.fidelity import save_fidelity
from models.fidelity_training import train_fidelity
from models.filtered_scans import FilteredScan, filtered_scans
from models.originals import TEXTURES
from models.specimens import FIRST as SCANS
from models.specimens import read_scan
from napari_tiqa.filtering.catalogue import FILTERS
from napari_tiqa.filtering.detail_loss import detail_loss
from napari_tiqa.jobs.filtering.objective import DETAIL_WEIGHT, OBJECTIVE
from napari_tiqa.learning.images.groups import make_all
from napari_tiqa.learning.images.observers import fsim, ssim
from napari_tiqa.scoring.fidelity import FidelityModel, fidelity, load_fidelity_network
from napari_tiqa.scoring.native_tiles import native_places, native_tile
from napari_tiqa.scoring.network_input import prepare_slice, reflected
from napari_tiqa.scoring.predict import load_model, predict
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.simulation.acquisition import Acquisition, acquire, inscribed_circle
from napari_tiqa.volumes.simulation.microstructures import KINDS, microstructure
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.volumes.window_estimate import estimate_window

SIDES = (400, 320, 512)  # px, in turn from specimen to specimen
SEED = 777  # of the microstructures; the training draws its own from 10 000 upwards
LEAST_GAIN = 0.005
JUDGES = (OBJECTIVE, "fidelity alone", "score, native tiles", "score, whole slice")
SETTINGS = 12

NOISE = (("gaussian", "sigma", 0.3, 6), ("total_variation", "weight", 0.5, 50), ("median", "radius", 1, 4))
NOISE += (("bilateral", "contrast", 1, 80),)
RINGS = (("ring_removal", "strength", 10, 100), ("ring_removal", "ring_width", 1, 50))
SHARPEN = (("unsharp_mask", "amount", 10, 500), ("richardson_lucy", "passes", 1, 50))
FAULTS = (
    ("photon noise", {"photons": 30_000}, NOISE),
    ("photon noise", {"photons": 4_000}, NOISE),
    ("photon noise", {"photons": 600}, NOISE),
    ("rings", {"gain_error": 0.01, "photons": 200_000}, RINGS),
    ("rings", {"gain_error": 0.04, "photons": 200_000}, RINGS),
    ("blur", {"blur": 1.2, "photons": 200_000}, (*SHARPEN, NOISE[0])),
    ("blur", {"blur": 2.5, "photons": 200_000}, SHARPEN),
)
"""Name of a fault, settings of the acquisition, and the sweeps tried on it: filter, parameter, range. A
Gaussian on a blurred slice is there to be refused."""


@dataclass
class Case:
    """One sweep on one spoilt slice; place 0 of all is the slice unfiltered."""

    specimen: str
    side: int
    fault: str
    strength: str
    search: str
    values: list[float]
    truth: dict[str, list[float]] = field(default_factory=lambda: {"SSIM": [], "FSIM": []})
    native: list[np.ndarray] = field(default_factory=list)
    whole: list[np.ndarray] = field(default_factory=list)
    detail_loss: list[float] = field(default_factory=list)
    default: int = 0
    calibrated: int | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--work", type=Path, default=Path("build/tuning"))
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)  # cases are made in several threads
    cases = kept(options.work / "cases.pkl", lambda: make_cases(options.data))
    networks = [options.work / f"half_{half}.tiqa" for half in (1, 2)]
    if not all(path.exists() for path in networks):
        scans = kept(options.work / "filtered_scans.pkl", lambda: filtered_scans(options.data, bar("scans")))
        for half, path in enumerate(networks):
            if not path.exists():
                train_without(scans, half, path)
    report(cases, estimates(cases, networks))


def kept(path: Path, make: Callable[[], list]) -> list:
    """Make something once."""
    if not path.exists():
        path.write_bytes(pickle.dumps(make()))
    return pickle.loads(path.read_bytes())


def bar(unit: str) -> Callable[[int, int], None]:
    progress = tqdm(unit=f" {unit}")

    def advance(done: int, total: int) -> None:
        progress.total = total
        progress.update(done - progress.n)

    return advance


def half_of(specimen: str) -> int:
    """Which half a specimen is in: real ones, microstructures and textures are dealt in turn, by name."""
    real = sorted({scan.specimen for scan in SCANS if scan.clean})
    kinds = sorted(f"simulated {kind}" for kind in KINDS)
    textures = sorted(f"texture {name}" for name in TEXTURES)
    return next(names.index(specimen) % 2 for names in (real, kinds, textures) if specimen in names)


def train_without(scans: Sequence[FilteredScan], half: int, path: Path) -> None:
    """Train on the specimens of the other half."""
    training = [scan for scan in scans if half_of(scan.specimen) != half]
    progress = bar(f"epochs, without half {half + 1}")
    network = train_fidelity(training, lambda done, total, loss: progress(done, total))
    save_fidelity(network, training, path)


def make_cases(data: Path) -> list[Case]:
    real = {}
    for scan in SCANS:
        if scan.clean and scan.specimen not in real:
            real[scan.specimen] = partial(real_slice, data, scan.path)
    simulated = {f"simulated {kind}": partial(microstructure, kind) for kind in KINDS}
    jobs = []
    for number, (specimen, make) in enumerate((real | simulated).items()):
        side = SIDES[number % len(SIDES)]
        truth = make((side, side), seed=SEED) if specimen in simulated else make(side)
        if truth.shape[0] >= 256:
            jobs += [(specimen, truth, *fault, search) for fault in FAULTS for search in fault[2]]
    return make_all(lambda number: case(*jobs[number]), len(jobs), bar("cases"))


def real_slice(data: Path, path: str, side: int) -> np.ndarray:
    """Cut a square from the middle slice, shrunk by two where it is large enough: less noise of its own."""
    volume, window = read_scan(data, path)
    plane = np.nan_to_num(volume.slice(0, volume.slice_count(0) // 2).astype(np.float32))
    plane = np.clip((plane - window.low) / (window.high - window.low), 0, 1)
    factor = 2 if min(plane.shape) >= 2 * 320 else 1
    side = min(side, min(plane.shape) // factor)
    top, left = ((length - factor * side) // 2 for length in plane.shape)
    square = plane[top : top + factor * side, left : left + factor * side]
    return cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA)


def case(
    specimen: str, truth: np.ndarray, fault: str, settings: dict, searches: tuple, search: tuple
) -> Case:
    side = len(truth)
    scan = acquire(truth, Acquisition(projections=round(np.pi / 2 * side), **settings), SEED)
    circle = inscribed_circle(side)
    edge = round(side * (1 - np.sqrt(0.5)) / 2) + 2  # the square inside the circle
    square = (slice(edge, side - edge),) * 2
    window = estimate_window(as_volume(scan).tomogram())
    name, parameter, low, high = search
    definition = FILTERS[name].parameters[parameter]
    values = np.geomspace(low, high, SETTINGS)
    values = np.unique(np.rint(values)) if definition.kind is int else values
    swept = [float(value) for value in values]
    made = Case(specimen, side, fault, next(f"{v:g}" for v in settings.values()), f"{name}.{parameter}", [])
    made.values = [0.0, *swept, float(definition.default)]
    made.default = len(made.values) - 1
    reference = grey(truth * circle)[square]
    places = native_places(scan)

    def filtered(pixels: np.ndarray, value: float) -> np.ndarray:
        return FILTERS[name](pixels, window, **{parameter: value})

    for number, value in enumerate(made.values):
        plane = filtered(scan, value) if number else scan
        version = grey(plane)[square]
        made.truth["SSIM"].append(ssim(reference, version))
        made.truth["FSIM"].append(fsim(reference, version))
        made.detail_loss.append(detail_loss(scan, plane, window) if number else 0.0)
        made.native.append(eight_bit(native_tiles(plane, places, window)))
        made.whole.append(eight_bit(prepare_slice(plane, window).tiles))
    if fault == "photon noise":
        _, (settings_tried, losses) = calibrate_denoiser(
            scan, filtered, {"value": swept}, stride=3, approximate_loss=True, extra_output=True
        )
        made.calibrated = 1 + int(np.argmin(losses))
        assert settings_tried[made.calibrated - 1]["value"] == swept[made.calibrated - 1]
    return made


def native_tiles(plane: np.ndarray, places: list[tuple[int, int]], window: IntensityWindow) -> np.ndarray:
    pixels = reflected(plane)
    return np.stack([native_tile(pixels, row, column, window) for row, column in places])


def grey(plane: np.ndarray) -> np.ndarray:
    return np.clip(plane, 0, 1) * 255


def eight_bit(tiles: np.ndarray) -> np.ndarray:
    return np.rint(tiles * 255).astype(np.uint8)


def estimates(cases: Sequence[Case], networks: Sequence[Path]) -> dict[str, list[np.ndarray]]:
    """Judge every setting of every case without the truth: name of the judge -> one array a case."""
    halves = [FidelityModel(load_fidelity_network(path)) for path in networks]
    model = load_model()
    said: dict[str, list[np.ndarray]] = {name: [] for name in JUDGES}
    for one in tqdm(cases, unit=" cases judged"):
        estimate = fidelity_of(halves[half_of(one.specimen)], one.native)
        lost = np.nan_to_num(np.maximum(one.detail_loss, 0)) / 100
        said[OBJECTIVE].append(estimate - DETAIL_WEIGHT * lost)
        said["fidelity alone"].append(estimate)
        said["score, native tiles"].append(mean(one.native, lambda tiles: predict(model, tiles)[:, 0]))
        said["score, whole slice"].append(mean(one.whole, lambda tiles: predict(model, tiles)[:, 0]))
    return said


def fidelity_of(model: FidelityModel, tiles: Sequence[np.ndarray]) -> np.ndarray:
    """Estimate the fidelity of each setting from its tiles, the first being those of no filter."""
    before = np.tile(np.arange(len(tiles[0])), len(tiles))
    return mean(
        tiles, lambda all_tiles: fidelity(model.similarities(all_tiles, all_tiles[: len(tiles[0])], before))
    )


def mean(tiles: Sequence[np.ndarray], judge: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Judge the tiles of all settings at once, and average over each setting's."""
    values = judge(np.concatenate(tiles) / np.float32(255))
    ends = np.cumsum([len(one) for one in tiles])
    return np.array([part.mean() for part in np.split(values, ends[:-1])])


def report(cases: Sequence[Case], said: dict[str, list[np.ndarray]]) -> None:
    choices: dict[str, list[int | None]] = {
        name: [int(np.argmax(values)) for values in per_case] for name, per_case in said.items()
    }
    choices["fixed default"] = [one.default for one in cases]
    choices["calibrate_denoiser"] = [one.calibrated for one in cases]
    rows = []
    for judge, chosen in choices.items():
        for one, place in zip(cases, chosen, strict=True):
            for metric, values in one.truth.items():
                if place is not None:
                    gain, best = values[place] - values[0], max(values) - values[0]
                    share = gain / best if best >= LEAST_GAIN else np.nan
                    rows.append(
                        (judge, one.specimen, one.fault, one.strength, one.search, metric, gain, share)
                    )
    columns = ["judge", "specimen", "fault", "strength", "search", "metric", "gain", "share"]
    table = pd.DataFrame(rows, columns=columns)
    noise = table[table["fault"] == "photon noise"]
    print(f"\n{len(cases)} cases, {len({one.specimen for one in cases})} specimens. All faults:")
    print(summary(table[table["judge"] != "calibrate_denoiser"], ["judge"]))
    print("\nPhoton noise alone:")
    print(summary(noise, ["judge"]))
    own = table[table["judge"] == OBJECTIVE]
    for columns in (["fault", "strength", "search"], ["specimen"]):
        print(f"\nBy the objective, by {', '.join(columns)}:")
        print(summary(own, columns))


def summary(table: pd.DataFrame, by: list[str]) -> str:
    """Return share (median, mean) per metric, and how often a choice is worse than nothing by .01."""
    grouped = table.groupby([*by, "metric"], sort=False)
    figures = pd.DataFrame(
        {
            "median share": grouped["share"].median(),
            "mean share": grouped["share"].mean(),
            "mean gain": grouped["gain"].mean(),
            "worse by .01": grouped["gain"].agg(lambda gain: f"{(gain < -0.01).sum()} of {len(gain)}"),
        }
    )
    return figures.unstack("metric").round(3).to_string()


if __name__ == "__main__":
    main()
