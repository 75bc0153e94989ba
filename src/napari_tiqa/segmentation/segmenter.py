"""A trained segmenter, network and classes, in a bundle; the task of the model process that runs it."""

import os
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_tiqa.errors import BundleError
from napari_tiqa.scoring.bundle import SEGMENTATION, load_card, load_network, write_bundle
from napari_tiqa.segmentation.classes import MOST_CLASSES, Classes
from napari_tiqa.segmentation.network_input import in_tiles
from napari_tiqa.segmentation.recipe import SegmentationRecipe
from napari_tiqa.weights import WEIGHTS_FOLDER

if TYPE_CHECKING:
    import keras

ELECTRODE_MODEL = WEIGHTS_FOLDER / "electrode_segmenter.tiqa"
"""The bundled light model: active material and the rest of a battery electrode."""

_KEPT = 2
_LARGEST = 2**63 - 1  # label value


@dataclass(frozen=True)
class Segmenter:
    """A trained network and its classes, in the order of the network's outputs."""

    network: "keras.Model"
    classes: Classes

    def probabilities(self, image: np.ndarray) -> np.ndarray:
        """Return the probability of each class at each pixel of a ``network_image``.

        Shape (classes, rows, columns), float32; adds up to 1 over the classes.
        """
        return in_tiles(image, self._see)

    def _see(self, tile: np.ndarray) -> np.ndarray:
        logits = self.network.predict_on_batch(tile[None, ..., None])[0]
        # Class by class in memory, the softmax takes a twentieth of the time: NumPy goes along long lines.
        planes = np.ascontiguousarray(np.moveaxis(logits, -1, 0))
        planes -= planes.max(0)
        np.exp(planes, out=planes)
        planes /= planes.sum(0)
        return planes


def save_segmenter(
    path: str | os.PathLike[str],
    segmenter: Segmenter,
    card: dict[str, Any],
    recipe: SegmentationRecipe,
) -> None:
    """Write a segmenter's bundle (``*.tiqa``) with its card, replacing `path` only when it is complete.

    A BundleError is raised if a weight is not finite, or the file cannot be written.
    """
    classes = segmenter.classes
    described = {
        "purpose": SEGMENTATION,
        "encoder": recipe.encoder,
        "width": recipe.width,
        "fine_detail": recipe.fine_detail,
        "classes": {
            "values": list(classes.values),
            "names": list(classes.names),
            "unlabelled": classes.unlabelled,
        },
    }
    write_bundle(path, segmenter.network, card | described)


def segmenter_card(path: str | os.PathLike[str] | None = None) -> dict[str, Any]:
    """Read the card of a segmenter's bundle; the bundled one where omitted. Needs no Keras.

    A BundleError is raised if the file has no segmenter.
    """
    return load_card(ELECTRODE_MODEL if path is None else path, SEGMENTATION)


def classes_of(card: dict[str, Any]) -> Classes:
    """Return the classes that a segmenter's card names; raises BundleError where it does not."""
    try:
        classes = card["classes"]
        values, names = tuple(map(int, classes["values"])), tuple(map(str, classes["names"]))
        rising = sorted(set(values)) == [*values] and min(values) >= -_LARGEST and max(values) <= _LARGEST
        if not (rising and 2 <= len(values) == len(names) <= MOST_CLASSES):
            raise ValueError("other than 2 to 32 classes, each with a label value and a name")
        return Classes(values, names, classes["unlabelled"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise BundleError(
            "The model's card does not name its classes: copy the model again or train it again."
        ) from error


def load_segmenter(path: str | os.PathLike[str] | None = None) -> Segmenter:
    """Build the network of a segmenter's bundle; the bundled one where omitted.

    A BundleError is raised if the file is missing, damaged or holds no segmenter.
    """
    from napari_tiqa.segmentation.dlinknet import build_dlinknet

    def build(card: dict[str, Any]) -> "keras.Model":
        return build_dlinknet(len(classes_of(card)), card["width"], card["encoder"], card["fine_detail"])

    network, card, _ = load_network(ELECTRODE_MODEL if path is None else path, SEGMENTATION, build)
    return Segmenter(network, classes_of(card))


@lru_cache(_KEPT)
def _kept(path: str, modified_ns: int) -> Segmenter:
    return load_segmenter(path)


def segment_image(path: str, image: np.ndarray, report: object = None) -> np.ndarray:
    """Segment an image in the model process, which keeps the networks of the last bundles (absolute paths).

    The probabilities are ``Segmenter.probabilities`` in float16: they need no more digits, and take half the
    time on their way. `report`, which the model process gives to each task, is not used.
    """
    return _kept(path, os.stat(path).st_mtime_ns).probabilities(image).astype(np.float16)
