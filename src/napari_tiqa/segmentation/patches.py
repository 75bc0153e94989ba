"""Training patches: drawn around labelled pixels, turned, scaled, and, where asked for, distorted."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import keras
import numpy as np

from napari_tiqa.learning.images.distortions import DISTORTIONS, LEVELS, Fields, distort
from napari_tiqa.scoring.network_input import TILE_SIZE
from napari_tiqa.segmentation.classes import NOT_LABELLED, LabelledSlice
from napari_tiqa.segmentation.recipe import SegmentationRecipe

_MILDEST = 0.25  # of level 1


class Patches(keras.utils.PyDataset):
    """The steps of one epoch, from slices that each have a labelled pixel.

    A patch lies around a random labelled pixel of a random class, so that a class of a few strokes is seen as
    often as one that fills the slice.
    """

    def __init__(self, slices: Sequence[LabelledSlice], recipe: SegmentationRecipe, rng: np.random.Generator):
        super().__init__()
        self.slices = slices
        self.recipe = recipe
        self.rng = rng

    def __len__(self) -> int:
        """Count the steps."""
        return max(1, round(self.recipe.patches / self.recipe.batch))

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw a step: images, shape (n, crop, crop, 1), and class indices, shape (n, crop, crop)."""
        drawn = [self._patch() for _ in range(self.recipe.batch)]
        return np.stack([image for image, _ in drawn])[..., None], np.stack([indices for _, indices in drawn])

    def _patch(self) -> tuple[np.ndarray, np.ndarray]:
        item = self.slices[int(self.rng.integers(len(self.slices)))]
        places = item.places[self.rng.integers(len(item.places))]
        row, column = places[self.rng.integers(len(places))]
        crop = self.recipe.crop
        # The labelled pixel may be anywhere in the patch, but in a corner that turning could push out.
        middle = np.array([column, row]) + self.rng.uniform(-0.35, 0.35, 2) * crop
        image, indices = self._cut_out(item, self._placement(middle))
        return self._varied(image, scale=max(1.0, min(item.image.shape) / TILE_SIZE)), indices

    def _placement(self, middle: np.ndarray) -> np.ndarray:
        """Return the affine map from a patch's (x, y) to the slice's, shape (2, 3)."""
        rng, recipe = self.rng, self.recipe
        # Half of the patches keep the slice's own pixels: interpolation smooths noise, and the network is to
        # know the noise of slices as they are.
        exact = bool(rng.integers(2)) or not (recipe.turn or recipe.scale > 1)
        angle = rng.uniform(0, 2 * np.pi) if recipe.turn and not exact else rng.integers(4) * np.pi / 2
        cos, sin = np.cos(angle), np.sin(angle)
        turn = np.array([[cos, -sin], [sin, cos]])
        if rng.integers(2):
            turn[:, 0] *= -1
        centre = np.full(2, (recipe.crop - 1) / 2)
        if exact:
            turn, middle = np.rint(turn), np.rint(middle) + centre % 1
        else:
            turn *= recipe.scale ** rng.uniform(-1, 1)
        return np.column_stack([turn, middle - turn @ centre])

    def _cut_out(self, item: LabelledSlice, placement: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        side = (self.recipe.crop, self.recipe.crop)
        image = cv2.warpAffine(
            item.image,
            placement,
            side,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        indices = cv2.warpAffine(
            item.indices,
            placement,
            side,
            flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=NOT_LABELLED,
        )
        return image, indices

    def _varied(self, image: np.ndarray, scale: float) -> np.ndarray:
        rng, recipe = self.rng, self.recipe
        if rng.random() < recipe.distortions:
            image = _distorted(image, scale, rng)
        contrast = 1 - rng.uniform(0, recipe.contrast)
        black = rng.uniform(0, 1 - contrast)
        return image * np.float32(contrast) + np.float32(black)


def _distorted(image: np.ndarray, scale: float, rng: np.random.Generator) -> np.ndarray:
    """Distort at any strength, each level as likely; the slice is `scale` times as large as they are for."""
    kind = DISTORTIONS[rng.integers(len(DISTORTIONS))]
    steps = np.log([_MILDEST * LEVELS[kind][0], *LEVELS[kind]])
    strength = np.exp(np.interp(rng.uniform(0, len(steps) - 1), range(len(steps)), steps))
    fields = Fields.draw(image.shape, int(rng.integers(2**31)), scale=scale)
    return distort(image, kind, float(strength), replace(fields, noise=fields.noise * np.float32(scale)))
