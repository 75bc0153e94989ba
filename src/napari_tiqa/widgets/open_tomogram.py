"""File > IO Utilities: open a tomogram by our reader, a TIFF too, without napari asking by which.

The manifest leaves TIFF to napari: where two readers take a file, napari asks with a dialog each time.
"""

import napari
from napari.layers import Layer
from napari.utils.notifications import show_error
from qtpy.QtWidgets import QFileDialog

from napari_tiqa.errors import TiqaError
from napari_tiqa.volumes.napari_reader import layers_of
from napari_tiqa.volumes.open import SINGLE, WITH_DATASETS

_KINDS = f"Tomograms ({' '.join(f'*{ending}' for ending in (*SINGLE, *WITH_DATASETS))});;All files (*)"


def open_tomogram(viewer: napari.viewer.Viewer) -> None:
    """Ask for files and add each as a lazy layer, with its voxel size, unit and axis names."""
    paths, _ = QFileDialog.getOpenFileNames(viewer.window._qt_window, "Open a tomogram", "", _KINDS)
    add_tomograms(viewer, paths)


def add_tomograms(viewer: napari.viewer.Viewer, paths: list[str]) -> None:
    """Add files as layers; one that cannot be read is told of in one sentence."""
    for path in paths:
        try:
            for data, keywords, kind in layers_of(path):
                viewer.add_layer(Layer.create(data, keywords, kind))
        except TiqaError as error:
            show_error(str(error))
