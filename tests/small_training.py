"""The smallest training that goes through all stages, for tests with and without Keras."""

from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

from napari_tiqa.learning.images.dataset import Dataset, write_dataset
from napari_tiqa.learning.images.groups import distortion_group
from napari_tiqa.learning.training.recipe import TrainingRecipe


def small_recipe(folder: Path) -> TrainingRecipe:
    """Write a dataset of six originals with five noisy versions each, a third of what would be generated."""
    groups = []
    for seed in range(6):
        texture = gaussian_filter(np.random.default_rng(seed).random((224, 224)), 2 + seed / 3)
        whole = distortion_group(f"specimen {seed}", (texture / texture.max()).astype(np.float32), seed)
        noisy = whole.subset(np.flatnonzero(np.isin(whole.families, ["", "noise"])))
        groups.append(noisy.with_labels(5 - 0.8 * noisy.levels))
    files = [[f"{number}_{level}.tif" for level in range(6)] for number in range(6)]
    write_dataset(folder, Dataset(groups, list("abcdef"), files), {})
    return TrainingRecipe((str(folder),), ranking_epochs=2, regression_epochs=1)
