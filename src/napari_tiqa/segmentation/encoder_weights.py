"""ImageNet weights that an encoder starts from: the package's, or a file of torchvision's or timm's."""

import keras
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from napari_tiqa.errors import SegmentationError
from napari_tiqa.scoring.backbone import IMAGENET_WEIGHTS, LITE0
from napari_tiqa.segmentation.recipe import SegmentationRecipe

_MEAN = np.array([0.485, 0.456, 0.406])
_DEVIATION = np.array([0.229, 0.224, 0.225])
_EPSILON = 1e-5  # of torch's batch normalisation


def load_encoder(network: keras.Model, recipe: SegmentationRecipe) -> None:
    """Set the encoder of a new network to what its training starts from; all other layers stay as they are.

    EfficientNet-Lite0 starts from the ImageNet weights of the package, ResNet34 from those of
    `recipe.encoder_weights` or, where that is empty, from its random ones. A SegmentationError is raised if
    the file cannot be read, or does not hold a ResNet34.

    The file has the names of torchvision and timm (``conv1.weight``, ``layer1.0.bn1.running_var``,
    ``layer2.0.downsample.0.weight``). The stem's kernels of the three colours are added up, as for grey
    images, and ImageNet's mean and standard deviation are folded into stem and batch normalisation. One
    difference remains: a border of 3 px is black where the file's network saw ImageNet's mean grey.
    """
    if recipe.encoder == LITE0:
        _load_lite0(network)
    elif recipe.encoder_weights:
        _load_resnet34(network, recipe.encoder_weights)


def _load_lite0(network: keras.Model) -> None:
    own = {layer.name for layer in network.layers}
    with np.load(IMAGENET_WEIGHTS, allow_pickle=False) as stored:
        # The file also has the classifier's last layers, which this network lacks.
        for name in {key.rpartition("/")[0] for key in stored.files} & own:
            kernel = stored[f"{name}/kernel"].astype(np.float32)
            network.get_layer(name).set_weights([kernel, stored[f"{name}/bias"]])


def _load_resnet34(network: keras.Model, path: str) -> None:
    try:
        weights = load_file(path)
    except FileNotFoundError as error:
        raise SegmentationError(
            f"There is no file {path} with weights of the encoder: check the path, or train without it."
        ) from error
    except (OSError, SafetensorError) as error:
        raise SegmentationError(
            f"{path} cannot be read as a safetensors file ({error}): download it again, or train without it."
        ) from error
    try:
        for layer in network.layers:
            if (source := _source(layer.name)) and layer.weights:
                layer.set_weights(_of_layer(layer, source, weights))
    except (KeyError, ValueError) as error:
        raise SegmentationError(
            f"{path} does not hold a ResNet34 ({error}): choose weights of torchvision's or timm's resnet34, "
            "or train without them."
        ) from error


def _source(name: str) -> str | None:
    """Translate the name of an encoder's layer: "stage2_0_1_bn" is "layer2.0.bn1"; None for any other."""
    normalised = name.endswith("_bn")
    match name.removesuffix("_bn").split("_"):
        case ["stem"]:
            return "bn1" if normalised else "conv1"
        case [stage, block, "shortcut"]:
            return f"layer{stage[-1]}.{block}.downsample.{int(normalised)}"
        case [stage, block, number] if stage.startswith("stage") and number.isdigit():
            return f"layer{stage[-1]}.{block}.{'bn' if normalised else 'conv'}{number}"
    return None


def _of_layer(layer: keras.Layer, source: str, weights: dict[str, np.ndarray]) -> list[np.ndarray]:
    if not isinstance(layer, keras.layers.BatchNormalization):
        kernel = weights[f"{source}.weight"].astype(np.float64)
        if source == "conv1":
            kernel = (kernel / _DEVIATION[:, None, None]).sum(1, keepdims=True)
        return [kernel.transpose(2, 3, 1, 0)]
    scale, shift, mean, variance = (
        weights[f"{source}.{kind}"].astype(np.float64)
        for kind in ("weight", "bias", "running_mean", "running_var")
    )
    if source == "bn1":
        stem = weights["conv1.weight"].astype(np.float64)
        mean = mean + (stem * (_MEAN / _DEVIATION)[:, None, None]).sum((1, 2, 3))
    # Keras adds a larger epsilon to the variance.
    scale = scale * np.sqrt((variance + layer.epsilon) / (variance + _EPSILON))
    return [scale, shift, mean, variance]
