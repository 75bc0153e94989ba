"""How many images that are not slices are flagged, and how many slices of specimens left out.

    python benchmarks/what_is_not_a_slice.py --data ../shared/data

prints the table of docs/validity.md: what the model flags of each sort of image, and what is flagged of real
slices by rules that were learned from the other specimens' slices (the network itself may have seen them).
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from benchmarks.left_out.strangers import strangers
from models.default import PER_SORT
from models.originals import real_sources
from models.specimens import SCANS, Scan, read_scan
from napari_tiqa.learning.images.distortions import Fields, distort
from napari_tiqa.learning.training.calibration import KNOTS
from napari_tiqa.learning.training.familiarity import image_features, learned_rule
from napari_tiqa.learning.training.foreign import foreign_images, foreign_tiles
from napari_tiqa.scoring.calibration import Calibration
from napari_tiqa.scoring.native_tiles import prepare_native_tiles
from napari_tiqa.scoring.network_input import prepare_slice
from napari_tiqa.scoring.predict import load_model

FOLDS = 5
SIDES = (224, 320, 640) * 3  # px, of pieces of each scan that are learned from too
MILD = (("blur", 1.2), ("noise", 0.006), ("ring", 0.1), ("noise", 0.022))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--model", type=Path, help="a bundle; default: the bundled model")
    parser.add_argument("--more", type=Path, help="a folder with more pictures, in folders named by sort")
    options = parser.parse_args()
    model, rng = load_model(options.model), np.random.default_rng(0)
    rows = [row for scan in SCANS for row in slices_of(options.data, scan)]
    table = pd.DataFrame([row[:2] for row in rows], columns=["specimen", "seen as"])
    tiles = np.stack([row[2] for row in rows])
    own = image_features(model.network, tiles)
    overviews = [tile for specimen, kind, tile in rows if kind == "overview"]
    taught = foreign_images(overviews[::2], per_sort=PER_SORT)
    drawn = [source(side, rng) for source in real_sources(options.data) for side in SIDES]
    pieces = [foreign_tiles(original.image) for original in drawn]
    piece_of = np.repeat([original.specimen for original in drawn], [len(piece) for piece in pieces])
    varied = image_features(model.network, np.concatenate(pieces))
    sorts = {sort: image_features(model.network, images) for sort, images in taught.items()}
    strange = {
        sort: image_features(model.network, images)
        for sort, images in strangers(options.data, overviews[1::2], options.more).items()
    }
    names = rng.permutation(table["specimen"].unique())
    table["flagged"] = False
    of_sort = {sort: [] for sort in strange}
    for fold in range(FOLDS):
        left_out = table["specimen"].isin(names[fold::FOLDS]).to_numpy()
        others = ~np.isin(piece_of, names[fold::FOLDS])
        features = np.concatenate([own[~left_out], varied[others]])
        of = np.concatenate([table["specimen"][~left_out], piece_of[others]])
        rule = learned_rule(features, sorts, of)
        calibration = Calibration(KNOTS, KNOTS, KNOTS, *rule)
        table.loc[left_out, "flagged"] = calibration.novelty(own[left_out], tiles[left_out]) > 1
        for sort, features in strange.items():
            of_sort[sort].append(np.mean(calibration.novelty(features, tiles) > 1))
    print("| | images | flagged |\n|---|---|---|")
    for sort, shares in of_sort.items():
        print(f"| {sort} | {len(strange[sort])} | {np.mean(shares):.0%} |")
    print(f"| **slices of specimens left out** | {len(table)} | {table['flagged'].mean():.1%} |")
    for kind, some in table.groupby("seen as", sort=False)["flagged"]:
        print(f"| seen as {kind} | {len(some)} | {some.mean():.1%} |")
    worst = table.groupby("specimen")["flagged"].mean().sort_values(ascending=False)
    print("most often:", ", ".join(f"{name} {share:.0%}" for name, share in worst.head(8).items()))


def slices_of(data: Path, scan: Scan) -> list[tuple[str, str, np.ndarray]]:
    """Return tiles of a scan, each with its specimen and how it is seen."""
    volume, window = read_scan(data, scan.path)
    count = volume.slice_count(0)
    found: list[tuple[str, str, np.ndarray]] = []
    for number in range(min(3, count)):
        plane = volume.slice(0, int((number + 0.5) / min(3, count) * count))
        whole = prepare_slice(plane, window).tiles[:1]
        found += [("overview", tile) for tile in whole]
        found += [("its own pixels", tile) for tile in prepare_native_tiles(plane, window).tiles[:4]]
        if number == 0 and len(whole):
            fields = Fields.draw(whole[0].shape, 0, None)
            found += [("mildly spoilt", distort(whole[0], kind, strength, fields)) for kind, strength in MILD]
            found += [("8 bit, JPEG, 16 levels", _stored(whole[0], how)) for how in ("jpeg", "levels")]
    return [(scan.specimen, kind, np.rint(tile * 255) / np.float32(255)) for kind, tile in found]


def _stored(tile: np.ndarray, how: str) -> np.ndarray:
    if how == "levels":
        return (np.floor(tile * 15.99) / 15).astype(np.float32)
    _, coded = cv2.imencode(".jpg", (tile * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 50])
    return (cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE) / 255).astype(np.float32)


if __name__ == "__main__":
    main()
