"""The layers of one version of a studied slice: the distorted slice, its segmentation, its uncertainty."""

from typing import Any

from napari.layers import Layer

from napari_tiqa.jobs.study.version import SeenVersion
from napari_tiqa.widgets.segmentation.layers import uncertainty_look
from napari_tiqa.widgets.shared.derived_layer import derived_labels, derived_layer, insert_layer, remove_layer
from napari_tiqa.widgets.shared.result_layers import Result, result_metadata
from napari_tiqa.widgets.shared.slice_source import SliceSource

_IMAGE, _SEGMENTATION, _UNCERTAINTY = "image", "segmentation", "uncertainty"
_OPACITY = 0.5


class StudyLayers:
    """Puts a version's three layers into the viewer, in place of those of the version before."""

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self.layers: dict[str, Layer] = {}

    def show(self, source: SliceSource, name: str, version: SeenVersion) -> None:
        """Show a version of a slice; its name is "blur 3"."""
        visible = {key: layer.visible for key, layer in self.layers.items()}  # as the user has left them
        self.clear()
        layer, at, title = source.layer, source.across, f"{source.layer_name}, {name}"
        metadata = result_metadata(Result.SEGMENTATION, {"version": name})
        image = derived_layer(
            layer,
            version.image,
            title,
            at,
            contrast_limits=layer.contrast_limits,
            colormap=layer.colormap,
            metadata=metadata,
        )
        labels = derived_labels(
            layer,
            version.labels,
            f"segmentation of {title}",
            at,
            opacity=_OPACITY,
            visible=visible.get(_SEGMENTATION, True),
            metadata=metadata,
        )
        labels.editable = False
        uncertainty = derived_layer(
            layer,
            version.uncertainty,
            f"uncertainty of {title}",
            at,
            visible=visible.get(_UNCERTAINTY, False),
            metadata=metadata,
            **uncertainty_look(version.classes),
        )
        self.layers = {_IMAGE: image, _SEGMENTATION: labels, _UNCERTAINTY: uncertainty}
        for made in self.layers.values():
            insert_layer(self._viewer, made)

    def forget(self, layer: Layer) -> None:
        """Let go of a layer that is removed from the viewer."""
        self.layers = {key: ours for key, ours in self.layers.items() if ours is not layer}

    def clear(self) -> None:
        """Take the layers out of the viewer."""
        for layer in list(self.layers.values()):
            self.forget(layer)
            remove_layer(self._viewer, layer)
