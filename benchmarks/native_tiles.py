"""How many native tiles stand for a large slice: the mean of few against the mean of all.

python benchmarks/native_tiles.py --data ../shared/data
"""

import argparse
from pathlib import Path

import numpy as np

from napari_tiqa import open_volume, score_map, score_volume
from napari_tiqa.scoring.native_tiles import spread

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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, help="a bundle; default: the bundled model")
    options = parser.parse_args()
    print(
        "slice                                       px  tiles  shrunk  mean   sd   off with "
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
            f"{scores.mean():4.2f} {scores.std():4.2f}           "
            + "  ".join(f"{error:4.2f}" for error in errors[-1])
        )
    print(f"{'median':<83} " + "  ".join(f"{error:4.2f}" for error in np.median(errors, axis=0)))
    print(f"{'worst':<83} " + "  ".join(f"{error:4.2f}" for error in np.max(errors, axis=0)))


if __name__ == "__main__":
    main()
