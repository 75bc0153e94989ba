"""Does tuning find what is really good? Print it, on slices whose truth is known.

    python benchmarks/tuning.py --data ../shared/data

Real slices that the bundled networks have never seen, at their native size and shrunk by two, are scanned by
a simulated acquisition with photon noise, rings or blur, or hardly any fault; one parameter of a filter is
swept; each setting is judged by SSIM and FSIM to the truth, and, without the truth, by the fidelity estimate,
on the tiles that ``tune`` uses. A setting is taken where its objective beats the unfiltered slice's by more
than is needed (``jobs.filtering.gain``). The cases are kept in the work folder and not made again.

A share is what the chosen setting gains over doing nothing, of what the best setting of the sweep gains; it
is not taken where the best gains less than .005. Beside it, in the same run: the filter's fixed default,
scikit-image's calibrate_denoiser (J-invariance, Batson and Royer 2019), and the bundled model's score.
"""

import argparse
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from skimage.restoration import calibrate_denoiser
from tqdm import tqdm

from models.specimens import LEFT_OUT, SCANS, Scan, read_scan
from napari_tiqa.filtering.catalogue import FILTERS
from napari_tiqa.filtering.detail_loss import detail_loss
from napari_tiqa.jobs.filtering.gain import paired_gain
from napari_tiqa.jobs.filtering.objective import DETAIL_WEIGHT, FIDELITY, OBJECTIVE
from napari_tiqa.learning.images.groups import make_all
from napari_tiqa.learning.images.observers import fsim, ssim
from napari_tiqa.scoring.fidelity import FIDELITY_MODEL, FidelityModel, fidelity, load_fidelity_network
from napari_tiqa.scoring.native_tiles import native_places, native_tile
from napari_tiqa.scoring.network_input import prepare_slice, reflected
from napari_tiqa.scoring.predict import load_model, predict
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.simulation.acquisition import Acquisition, acquire, inscribed_circle
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.volumes.window_estimate import estimate_window

SIDES = (400, 320, 512)  # px, in turn from specimen to specimen
SEED = 777
LEAST_GAIN = 0.005
AT_NATIVE_SIZE = "at native size"
AS_TUNED = "as tune chooses"
JUDGES = (OBJECTIVE, "fidelity alone", "score, native tiles", "score, whole slice")
SETTINGS = 12

NOISE = (("gaussian", "sigma", 0.3, 6), ("total_variation", "weight", 0.5, 50), ("median", "radius", 1, 4))
NOISE += (("bilateral", "contrast", 1, 80),)
RINGS = (("ring_removal", "strength", 10, 100), ("ring_removal", "ring_width", 1, 50))
SHARPEN = (("unsharp_mask", "amount", 10, 500), ("richardson_lucy", "passes", 1, 50))
FAULTS = (
    ("photon noise", {"photons": 1_000_000}, NOISE),
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
    parser.add_argument("--network", type=Path, default=FIDELITY_MODEL, help="that judges (bundled)")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)  # cases are made in several threads
    kept = options.work / "cases.pkl"
    if not kept.exists():
        kept.write_bytes(pickle.dumps(make_cases(options.data)))
    cases = pickle.loads(kept.read_bytes())
    report(cases, estimates(cases, FidelityModel(load_fidelity_network(options.network))))


def bar(unit: str) -> Callable[[int, int], None]:
    progress = tqdm(unit=f" {unit}")

    def advance(done: int, total: int) -> None:
        progress.total = total
        progress.update(done - progress.n)

    return advance


def make_cases(data: Path) -> list[Case]:
    truths: dict[str, np.ndarray] = {}
    seen: set[str] = set()
    for scan, side in zip((scan for scan in SCANS if scan.clean and scan.specimen in LEFT_OUT), cycle(SIDES)):
        if scan.specimen not in seen:
            seen.add(scan.specimen)
            truths |= {
                f"{scan.specimen}, {name}": real_slice(data, scan, side, factor)
                for name, factor in ((AT_NATIVE_SIZE, 1), ("shrunk by two", 2))
                if scan.native or factor > 1
            }
    jobs = [
        (specimen, truth, *fault, search)
        for specimen, truth in truths.items()
        if len(truth) >= 256
        for fault in FAULTS
        for search in fault[2]
    ]
    return make_all(lambda number: case(*jobs[number]), len(jobs), bar("cases"))


def real_slice(data: Path, scan: Scan, side: int, factor: int) -> np.ndarray:
    """Cut a square from the middle slice, and shrink it: less noise of its own."""
    volume, window = read_scan(data, scan.path)
    plane = np.nan_to_num(volume.slice(0, volume.slice_count(0) // 2).astype(np.float32))
    plane = np.clip((plane - window.low) / (window.high - window.low), 0, 1)
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


def estimates(cases: Sequence[Case], network: FidelityModel) -> dict[str, list[np.ndarray]]:
    """Judge every setting of every case without the truth: name of the judge -> one array a case."""
    model = load_model()
    said: dict[str, list[np.ndarray]] = {name: [] for name in JUDGES}
    for one in tqdm(cases, unit=" cases judged"):
        estimate = fidelity_of(network, one.native)
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
    choices = {AS_TUNED: [chosen_of(values) for values in said[OBJECTIVE]]} | choices
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
    own = table[table["judge"] == AS_TUNED]
    print("\nAs tuned, by where the slices come from:")
    print(summary(own.assign(source=own["specimen"].str.extract(", (.*)")[0]), ["source"]))
    for columns in (["fault", "strength", "search"], ["specimen"]):
        print(f"\nAs tuned, by {', '.join(columns)}:")
        print(summary(own, columns))


def chosen_of(objectives: np.ndarray) -> int:
    """Choose as ``tune`` does on one slice: the best setting if its gain is sure, else none."""
    best = int(np.argmax(objectives))
    return best if paired_gain(objectives[[best]], objectives[[0]], FIDELITY).is_sure else 0


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
