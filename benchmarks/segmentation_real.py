"""Segmentation of real slices with known phases: our training with its defaults against a random forest.

Three specimens of ../shared/data, each trained on one part and judged on another:

- winding: a jelly roll whose foil is labelled densely; trained on the left half, judged on the right half.
- leaf: tissue against the air in it, smooth (Paganin) and noisy (gridrec); trained on the left half, judged
  on the right half. Tissue are mesophyll, epidermis, bundle sheath and veins of the hand-made labels, air
  their intercellular air. Nothing outside the leaf is judged, since the labels call the medium around it and
  the air below it alike. The hand-made outlines are coarse: where the binary image of the same authors finds
  air in "tissue", nothing is learned, and F1 is printed with and without these pixels.
- beads: beads in a medium, trained on some strokes in slices 0 and 129, judged on the strokes in slice 2, and
  to be looked at: --pictures leaves a picture of each result in a folder.

The random forest sees scikit-image's multi-scale features, by its trainable segmentation; it needs
scikit-learn, which napari-tiqa itself does not.

python benchmarks/segmentation_real.py [winding] [leaf] [leaf-gridrec] [beads]
"""

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tifffile
from matplotlib.figure import Figure
from skimage.feature import multiscale_basic_features
from skimage.future.trainable_segmentation import fit_segmenter

from napari_tiqa.segmentation.agreement import accuracy, agreement_table
from napari_tiqa.segmentation.classes import Classes, LabelledSlice
from napari_tiqa.segmentation.fitting import fit, new_network
from napari_tiqa.segmentation.network_input import network_image
from napari_tiqa.segmentation.recipe import SegmentationRecipe
from napari_tiqa.segmentation.segmenter import Segmenter
from napari_tiqa.segmentation.uncertainty import found_errors, uncertainty_map
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.window_estimate import estimate_window

try:
    from sklearn.ensemble import RandomForestClassifier
except ImportError:
    raise SystemExit(
        "The random forest needs scikit-learn, which napari-tiqa does not: pip install scikit-learn"
    ) from None

DATA = Path(__file__).parents[2] / "shared" / "data"
FOREST_PIXELS = (
    100_000  # labelled pixels that the forest learns from, at most: more take minutes, gain nothing
)


@dataclass(frozen=True)
class Specimen:
    """What is learned from, and what is judged.

    Attributes
    ----------
    training : list of (image, labels)
        Images in [0, 1]; labels 0 where not labelled.
    image : numpy.ndarray
        To segment.
    truths : dict
        Labels of `image` by a name: what it is judged with, the first of them first.
    classes : Classes
        What there is.
    """

    training: list[tuple[np.ndarray, np.ndarray]]
    image: np.ndarray
    truths: dict[str, np.ndarray]
    classes: Classes


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("specimen", nargs="*", choices=[*SPECIMENS, []], help="default: all")
    parser.add_argument("--epochs", type=int, default=SegmentationRecipe().epochs)
    parser.add_argument("--pictures", type=Path, help="a folder for a picture of each result")
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit(f"There is no folder {DATA} with real tomograms: nothing can be measured.")
    recipe = SegmentationRecipe(epochs=options.epochs)
    for name in options.specimen or SPECIMENS:
        compare(name, SPECIMENS[name](), recipe, options.pictures)


def compare(name: str, specimen: Specimen, recipe: SegmentationRecipe, pictures: Path | None) -> None:
    """Print how both methods do on a specimen."""
    methods: dict[str, Callable[[], np.ndarray]] = {
        "D-LinkNet": lambda: by_network(specimen, recipe),
        "random forest": lambda: by_forest(specimen),
    }
    rows, segmentations = [], {}
    for method, segment in methods.items():
        start = time.perf_counter()
        probabilities = segment()
        seconds = time.perf_counter() - start
        segmentation = specimen.classes.label_values(probabilities.argmax(0))
        segmentations[method] = segmentation
        for truth_name, truth in specimen.truths.items():
            rows.append(
                {"judged on": truth_name, "by": method}
                | figures(segmentation, probabilities, truth, specimen.classes)
                | {"seconds": round(seconds)}
            )
    print(f"\n{name}: {recipe.epochs} epochs")
    print(pd.DataFrame(rows).to_string(index=False, float_format="{:.4f}".format))
    if os.getloadavg()[0] > os.cpu_count() + 1:
        print("(measured beside other work: seconds are no figures)")
    if pictures:
        picture(specimen, segmentations, pictures / f"{name}.png")


def figures(
    segmentation: np.ndarray, probabilities: np.ndarray, truth: np.ndarray, classes: Classes
) -> dict[str, float]:
    """Judge a segmentation where it is known."""
    table = agreement_table(segmentation, truth, classes)
    known = truth != classes.unlabelled
    found = found_errors(uncertainty_map(probabilities)[known], (segmentation != truth)[known])
    return {f"F1 {name}": table.f1[name] for name in table.index} | {
        "mean IoU": table.iou["mean"],
        "accuracy": accuracy(segmentation, truth),
        "errors found": found,
        "wrong pixels": int((segmentation != truth)[known].sum()),
    }


def by_network(specimen: Specimen, recipe: SegmentationRecipe) -> np.ndarray:
    """Train with the recipe and return the probabilities."""
    classes = specimen.classes
    keras.utils.set_random_seed(recipe.seed)
    network = new_network(len(classes), recipe)
    fit(
        network,
        [LabelledSlice(image, classes.indices(labels)) for image, labels in specimen.training],
        recipe,
    )
    return Segmenter(network, classes).probabilities(specimen.image)


def by_forest(specimen: Specimen) -> np.ndarray:
    """Train a random forest on multi-scale features and return the probabilities."""
    rng = np.random.default_rng(0)
    samples, answers = [], []
    for image, labels in specimen.training:
        known = np.flatnonzero(labels)
        drawn = rng.permutation(known)[: FOREST_PIXELS // len(specimen.training)]
        samples.append(features(image).reshape(image.size, -1)[drawn])
        answers.append(labels.ravel()[drawn])
    forest = RandomForestClassifier(100, n_jobs=-1, random_state=0)
    fit_segmenter(np.concatenate(answers), np.concatenate(samples), forest)
    shares = forest.predict_proba(features(specimen.image).reshape(specimen.image.size, -1))
    return shares.T.reshape(-1, *specimen.image.shape)


def features(image: np.ndarray) -> np.ndarray:
    """Return intensity, edges and texture at scales of 0.5 to 16 px, shape (rows, columns, features)."""
    return multiscale_basic_features(image)


def winding() -> Specimen:
    folder = DATA / "li_ion_cylindrical_cell"
    image = seen(tifffile.imread(folder / "winding_im_1.tif"))
    labels = np.where(tifffile.imread(folder / "winding_im_1_label.tif"), np.uint8(2), np.uint8(1))
    return halves(image, {"dense labels": labels}, Classes((1, 2), ("rest", "winding")))


def leaf(reconstruction: str = "paganin") -> Specimen:
    stem = str(DATA / "leaf_gridrec_vs_paganin" / "slice0440_")
    image = seen(tifffile.imread(f"{stem}{reconstruction}.tif"))
    parts = tifffile.imread(f"{stem}labelled.tif")
    air = tifffile.imread(f"{stem}binary.tif") > 0
    # 0 mesophyll, 85 epidermis, 128 veins, 152 bundle sheath, 255 air, 170 outside the leaf
    by_hand = np.select([np.isin(parts, (0, 85, 128, 152)), parts == 255], [1, 2], 0).astype(np.uint8)
    agreed = np.where((by_hand == 2) == air, by_hand, np.uint8(0))
    truths = {"labels and binary alike": agreed, "all labels": by_hand}
    return halves(image, truths, Classes((1, 2), ("tissue", "air")))


def beads() -> Specimen:
    folder = DATA / "bead_pack_als"
    slices = {
        number: (
            seen(tifffile.imread(folder / f"slice_{number}.tif")),
            tifffile.imread(folder / f"slice_{number}_sparse_label.tif"),
        )
        for number in (0, 129, 2)
    }
    image, strokes = slices.pop(2)
    return Specimen(list(slices.values()), image, {"strokes": strokes}, Classes((1, 2), ("bead", "medium")))


SPECIMENS: dict[str, Callable[[], Specimen]] = {
    "winding": winding,
    "leaf": leaf,
    "leaf-gridrec": lambda: leaf("gridrec"),
    "beads": beads,
}


def seen(plane: np.ndarray) -> np.ndarray:
    """Map a slice to [0, 1] as our training does; the forest sees the same."""
    return network_image(plane, estimate_window(as_volume(plane)))


def halves(image: np.ndarray, truths: dict[str, np.ndarray], classes: Classes) -> Specimen:
    """Learn from the left half with the first truth; the right half is judged, and seen by nobody before."""
    middle = image.shape[1] // 2
    labels = next(iter(truths.values()))
    judged = {name: truth[:, middle:] for name, truth in truths.items()}
    return Specimen([(image[:, :middle], labels[:, :middle])], image[:, middle:], judged, classes)


def picture(specimen: Specimen, segmentations: dict[str, np.ndarray], path: Path) -> None:
    """Save the image, its first truth and the segmentations side by side."""
    panels = {"image": specimen.image, "known": next(iter(specimen.truths.values())), **segmentations}
    figure = Figure((4 * len(panels), 4.4), layout="constrained")
    for axes, (title, panel) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        axes.imshow(panel, cmap="gray" if title == "image" else "viridis", interpolation="nearest")
        axes.set(title=title, xticks=[], yticks=[])
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    print(f"picture: {path}")


if __name__ == "__main__":
    main()
