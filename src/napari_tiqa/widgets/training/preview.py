"""The sixteen versions of an original as layers, with the scores that a training will teach."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any

import numpy as np
from napari.layers import Image, Layer

from napari_tiqa.learning.training.generation import Preview, preview
from napari_tiqa.learning.training.recipe import TrainingRecipe
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.widgets.shared.result_layers import Result, result_metadata, unwrapped
from napari_tiqa.widgets.training.request import write_layer_slices

_COLUMNS = 4
_GAP, _HEADROOM = 8, 40  # px: between the versions, and above each for its name and score


@dataclass(frozen=True)
class MadePreview:
    """Versions of an original, and what it is called."""

    original: str
    versions: Preview


def make_preview(
    recipe: TrainingRecipe, chosen: int, volumes: Sequence[Volume], _report: object, cancel: Event
) -> MadePreview:
    """Make the versions of the recipe's original, or of the middle slice of the volume, numbered `chosen`."""
    with TemporaryDirectory() as folder:
        if volumes:
            recipe = replace(recipe, originals=write_layer_slices(volumes, 1, Path(folder), cancel))
        original = recipe.originals[chosen]
        name = volumes[chosen].name if volumes else Path(original).stem
        return MadePreview(name, preview(original, recipe))


class PreviewLayers:
    """The two layers of a preview. Until they are removed they hide all others, which would lie across."""

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._layers: list[Layer] = []
        self._hidden: list[Layer] = []
        self._selected: list[Layer] = []
        self._view: tuple[tuple[float, ...], float] | None = None

    @property
    def _camera(self) -> Any:
        return getattr(self._viewer, "scene", self._viewer).camera  # napari moved it in 0.9

    def show(self, made: MadePreview) -> None:
        """Add the layers, in place of those of the preview before."""
        self.remove()
        self._hidden = [layer for layer in self._viewer.layers if layer.visible]
        self._selected = [unwrapped(layer) for layer in self._viewer.layers.selection]
        self._view = self._camera.center, self._camera.zoom
        for layer in self._hidden:
            layer.visible = False
        versions = made.versions
        montage, corners = arrange(versions.images)
        units = self._viewer.layers[-1].units[-2:] if self._hidden else None
        common = {"metadata": result_metadata(Result.TRAINING_PREVIEW, made.original), "units": units}
        picture = Image(montage, name=f"Versions of {made.original}", contrast_limits=(0, 255), **common)
        self._viewer.add_layer(picture)
        side = versions.images.shape[-1]
        frames = [corner + np.array([[0, 0], [0, side], [side, side], [side, 0]]) for corner in corners]
        scores = zip(versions.names, versions.labels, strict=True)
        labels = self._viewer.add_shapes(
            frames,
            shape_type="rectangle",
            face_color="transparent",
            edge_color="gray",
            edge_width=1,
            features={"says": [f"{name}: {_score(label)}" for name, label in scores]},
            text={"string": "{says}", "size": 8, "color": "white", "anchor": "upper_left"},
            name=f"Scores of {made.original}",
            **common,
        )
        labels.editable = False
        self._layers = [picture, labels]
        self._viewer.layers.selection = {picture}
        self._viewer.dims.ndisplay = 2
        self._viewer.reset_view()

    def remove(self) -> None:
        """Take the layers away and show the others again."""
        for layer in self._layers:
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        self._layers = []
        self.show_others()

    def show_others(self) -> None:
        """Show what the preview has hidden, unless the preview is still there."""
        if any(layer in self._viewer.layers for layer in self._layers[:1]):
            return
        hidden, self._hidden = self._hidden, []
        for layer in hidden:
            layer.visible = True
        still_there = {layer for layer in self._selected if layer in self._viewer.layers}
        if hidden and still_there:
            self._viewer.layers.selection = still_there
        if hidden and self._view is not None:
            self._camera.center, self._camera.zoom = self._view


def arrange(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lay out versions, (16, side, side) uint8, in rows of four.

    Returns the 2-D montage, and the row and column of each version's upper left corner, (16, 2).
    """
    count, side = images.shape[:2]
    height, width = side + _HEADROOM, side + _GAP
    corners = np.array([(_HEADROOM + n // _COLUMNS * height, n % _COLUMNS * width) for n in range(count)])
    montage = np.zeros(corners.max(axis=0) + side, np.uint8)
    for (row, column), image in zip(corners, images, strict=True):
        montage[row : row + side, column : column + side] = image
    return montage, corners


def _score(label: float) -> str:
    return f"{label:.1f}" if np.isfinite(label) else "not rated"
