"""The epochs of a training: patches, loss, learning rate; each epoch drawn from the seed and its number."""

from collections.abc import Sequence
from typing import Unpack

import keras
import numpy as np

from napari_tiqa.errors import SegmentationError
from napari_tiqa.learning.training.epochs import Watch, run_epochs
from napari_tiqa.segmentation.classes import LabelledSlice
from napari_tiqa.segmentation.dlinknet import LabelledPixels, build_dlinknet
from napari_tiqa.segmentation.encoder_weights import load_encoder
from napari_tiqa.segmentation.patches import Patches
from napari_tiqa.segmentation.recipe import SegmentationRecipe

_DROP = 0.2  # of the learning rate, Zhang et al. 2022


def new_network(classes: int, recipe: SegmentationRecipe, pretrained: bool = True) -> keras.Model:
    """Build the network of a recipe, its encoder with the weights that a training starts from.

    `pretrained` is False where all weights are set anyway. Errors are those of ``build_dlinknet`` and
    ``load_encoder``.
    """
    network = build_dlinknet(classes, recipe.width, recipe.encoder, recipe.fine_detail)
    if pretrained:
        load_encoder(network, recipe)
    return network


def fit(
    network: keras.Model,
    slices: Sequence[LabelledSlice],
    recipe: SegmentationRecipe,
    **watch: Unpack[Watch],
) -> None:
    """Train a network, in place, on slices; those without a labelled pixel are passed over.

    `watch` is as in ``epochs.run_epochs``. A SegmentationError is raised if no pixel is labelled, or the loss
    is not finite.
    """
    labelled = [item for item in slices if item.places]
    if not labelled:
        raise SegmentationError("No pixel is labelled: paint some of each class, then train again.")
    steps = len(Patches(labelled, recipe, np.random.default_rng()))
    rates = [recipe.learning_rate * _DROP**drops for drops in range(len(recipe.drops) + 1)]
    bounds = [round(drop * recipe.epochs) * steps for drop in sorted(recipe.drops)]
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay(bounds, rates)

    def patches(epoch: int) -> Patches:
        return Patches(labelled, recipe, np.random.default_rng([recipe.seed, epoch]))

    def diverged(epoch: int) -> SegmentationError:
        return SegmentationError(
            f"The training diverged in epoch {epoch}: train again with a lower learning rate."
        )

    loss = LabelledPixels(recipe.dice_weight)
    run_epochs(network, patches, recipe.epochs, loss, schedule, diverged, **watch)
