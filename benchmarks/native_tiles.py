"""How well a part stands for a slice: few native tiles for all of them, a region for the box around it.

python benchmarks/native_tiles.py --data ../shared/data
python benchmarks/native_tiles.py --data ../shared/data --regions
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from napari_tiqa import open_volume, score_map, score_volume
from napari_tiqa.jobs.process.client import shared_model_process
from napari_tiqa.jobs.process.messages import ModelFile
from napari_tiqa.scoring.combination import slice_prediction
from napari_tiqa.scoring.inside_fill import mirrored, nearest_inside
from napari_tiqa.scoring.native_tiles import spread
from napari_tiqa.scoring.pyramid import view_slice
from napari_tiqa.scoring.views import PYRAMID
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.volumes.window_estimate import volume_window

SLICES = (
    "coal_methane_hydrate/tomo_00102_stable.tif",
    "coal_methane_hydrate/tomo_00103_unstable.tif",
    "wood_stick/tomo_00088_wood.tif",
    "leaf_gridrec_vs_paganin/slice0440_gridrec.tif",
    "leaf_gridrec_vs_paganin/slice0440_paganin.tif",
    "nmc_cathode_txm/tomo_00086_nmc_sparse_202proj.tif",
    "nmc_cathode_txm/tomo_00087_nmc_941proj.tif",
    "lio2_cnt_cathode_txm/tomo_00095_cnt_pristine.tif",
    "lio2_cnt_cathode_txm/tomo_00096_cnt_cycled.tif",
    "core_in_holder/Initial_1_00000-00001.tif",
)
BANDS = (1, 2, 3, 4, 5)
BOX = 0.62  # of the shorter side of a slice: the box that regions are drawn in


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, help="a bundle; default: the bundled model")
    parser.add_argument("--regions", action="store_true", help="regions instead of tiles")
    options = parser.parse_args()
    if options.regions:
        compare_fills(options.data, ModelFile.of(options.model))
        return
    print(
        "slice                                       px  tiles  shrunk  score  mean   sd   off with "
        + "  ".join(f"{bands**2:>4}" for bands in BANDS)
    )
    errors = []
    for name in SLICES:
        volume = open_volume(options.data / name)
        shrunk = score_volume(volume, model=options.model, slices=[0], view="overview")["score"][0]
        every = score_map(volume, model=options.model)
        scores = every.values[:, 0]
        score_of = {tuple(corner): score for corner, score in zip(every.corners, scores, strict=True)}
        few = [np.mean([score_of[tuple(c)] for c in spread(every.corners, bands)]) for bands in BANDS]
        errors.append(np.abs(few - scores.mean()))
        print(
            f"{Path(name).stem:<40} {max(every.map.shape):>5} {len(scores):>6}  {shrunk:6.2f}  "
            f"{every.slice_row.score:5.2f}  "
            f"{scores.mean():4.2f} {scores.std():4.2f}           "
            + "  ".join(f"{error:4.2f}" for error in errors[-1])
        )
    print(f"{'median':<90} " + "  ".join(f"{error:4.2f}" for error in np.median(errors, axis=0)))
    print(f"{'worst':<90} " + "  ".join(f"{error:4.2f}" for error in np.max(errors, axis=0)))


def compare_fills(data: Path, model: ModelFile) -> None:
    """Print by how much the score of a region is off that of its box, for four ways to fill the rest."""
    rng = np.random.default_rng(0)
    errors: dict[tuple[str, str], list[float]] = {}
    for name in SLICES:
        volume = open_volume(data / name).tomogram()
        plane = np.nan_to_num(volume.slice(0, volume.slice_count(0) // 2).astype(np.float32))
        window = volume_window(volume)
        side = int(BOX * min(plane.shape))
        box = tuple(slice((length - side) // 2, (length + side) // 2) for length in plane.shape)
        own = np.ascontiguousarray(plane[box])
        noise = 0.12 * (window.high - window.low) * rng.standard_normal(own.shape)
        for version in (own, cv2.GaussianBlur(own, (0, 0), 2), own + noise.astype(np.float32)):
            whole = score_of(version, None, window, model)
            for shape, inside in shapes(*version.shape).items():
                for way, filled in fills(version, inside, window).items():
                    known = np.where(inside, version, np.nan)
                    error = abs(score_of(filled, known, window, model) - whole)
                    errors.setdefault((shape, way), []).append(error)
    print("points by which a region's score differs from that of its box: means over the slices, each of")
    print("them as it is, blurred and noisy")
    for shape in shapes(9, 9):
        means = {way: np.nanmean(found) for (of, way), found in errors.items() if of == shape}
        print(f"{shape:<10}" + "".join(f"  {way} {mean:.2f}" for way, mean in means.items()))


def score_of(
    pixels: np.ndarray, known: np.ndarray | None, window: IntensityWindow, model: ModelFile
) -> float:
    viewed = view_slice(pixels, window, known=known)
    values = shared_model_process().submit(viewed.tiles, model).result()
    return float(slice_prediction(values, viewed.factors, PYRAMID).values[0])


def shapes(height: int, width: int) -> dict[str, np.ndarray]:
    """Return regions that a user may draw, each touching the sides of its box."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    corner = np.ones((height, width), bool)
    corner[: height // 2, width // 2 :] = False
    return {"ellipse": x**2 + y**2 <= 1, "diamond": abs(x) + abs(y) <= 1, "L": corner}


def fills(version: np.ndarray, inside: np.ndarray, window: IntensityWindow) -> dict[str, np.ndarray]:
    """Return a box with what lies outside of a region filled in four ways."""
    nearest = version.copy()
    outside, source = nearest_inside(inside)
    nearest.reshape(-1)[outside] = nearest.reshape(-1)[source]
    return {
        "reflection": mirrored(version, inside),
        "mean": np.where(inside, version, version[inside].mean()),
        "black": np.where(inside, version, np.float32(window.low)),
        "nearest": nearest,
    }


if __name__ == "__main__":
    main()
