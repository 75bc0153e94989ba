"""D-LinkNet: an encoder, a centre of dilated convolutions, a decoder that adds its stages; the loss."""

import keras
from keras import ops

from napari_tiqa.errors import SegmentationError
from napari_tiqa.scoring.backbone import lite0
from napari_tiqa.segmentation.classes import NOT_LABELLED
from napari_tiqa.segmentation.recipe import ENCODERS, Encoder

_BLOCKS = (3, 4, 6, 3)
_CHANNELS = (64, 128, 256, 512)
_DILATIONS = (1, 2, 4, 8)
_HEAD_CHANNELS = 32
_FINE_CHANNELS = 16
_LEAST_CHANNELS = 8  # of any layer, however narrow the network
_LITE0_STAGES = (
    "stage1_0_project",
    "stage2_1_add",
    "stage3_1_add",
    "stage5_2_add",
    "stage7_0_project",
)  # strides 2 to 32
# A network trained on a few scribbles sees some hundred steps: running means must follow within them.
_MOMENTUM = 0.9
_SMOOTH = 1.0  # px; a class without a labelled pixel in a batch then costs nothing in the Dice loss


def build_dlinknet(
    classes: int, width: float = 1.0, encoder: Encoder = "ResNet34", fine_detail: bool = False
) -> keras.Model:
    """Build the network with random weights.

    Parameters
    ----------
    classes : int
        At least 2.
    width : float
        Channels of each layer as a share of the paper's, above 0 to 1. With the encoder EfficientNet-Lite0,
        whose width is fixed, it is the width of the decoder.
    encoder : {"ResNet34", "EfficientNet-Lite0"}
        What sees the image.
    fine_detail : bool
        Also lead what the encoder has at half the image's resolution, and a convolution of the image itself,
        to the end of the decoder. The paper's network has neither: it places edges from what it has at a
        quarter of the resolution.

    Returns
    -------
    keras.Model
        Grey images, shape (n, rows, columns, 1), float32 in [0, 1], rows and columns multiples of 32, to
        shape (n, rows, columns, classes), float32: logits, whose softmax is the probability of each class.

    Raises
    ------
    SegmentationError
        Fewer than two classes, a width outside (0, 1], or no such encoder.

    Notes
    -----
    Zhou, Zhang, Wu, D-LinkNet, CVPR Workshops 2018: ResNet34 without its last two layers; convolutions of
    dilation 1, 2, 4, 8 one after the other, their outputs and their input added up; decoder blocks of a
    1 x 1 convolution to a quarter of the channels, a transposed one of stride 2, and a 1 x 1 convolution. The
    centre has ReLU after each convolution and no batch normalisation, as in the authors' code.
    """
    if classes < 2:
        raise SegmentationError("A segmentation needs at least two classes: label pixels of a second one.")
    if not 0 < width <= 1:
        raise SegmentationError(f"A network cannot be {width:g} wide: choose a width above 0, up to 1.")
    if encoder not in ENCODERS:
        raise SegmentationError(f"There is no encoder {encoder!r}: choose one of {', '.join(ENCODERS)}.")
    image = keras.Input((None, None, 1), name="image")
    stages = _resnet34(image, width) if encoder == "ResNet34" else _lite0_stages(image)
    x = _dilated_centre(stages[-1])
    for level in (4, 3, 2):
        skip = stages[level - 1]
        x = _decoder_block(x, skip.shape[-1], f"decoder{level}")
        x = keras.layers.Add(name=f"skip{level - 1}")([x, skip])
    head = _scaled(_HEAD_CHANNELS, width)
    if fine_detail:
        head = max(head, _FINE_CHANNELS)
        x = _decoder_block(x, stages[0].shape[-1], "decoder1")
        x = keras.layers.Add(name="skip_half")([x, stages[0]])
    else:
        x = _decoder_block(x, _scaled(_CHANNELS[0], width), "decoder1")
    x = keras.layers.Conv2DTranspose(head, 4, 2, "same", activation="relu", name="head_up")(x)
    if fine_detail:
        x = keras.layers.Concatenate(name="skip_image")([x, _conv(image, _FINE_CHANNELS, 3, "fine")])
    x = keras.layers.Conv2D(head, 3, padding="same", activation="relu", name="head")(x)
    logits = keras.layers.Conv2D(classes, 3, padding="same", dtype="float32", name="logits")(x)
    return keras.Model(image, logits, name="dlinknet")


class LabelledPixels(keras.losses.Loss):
    """Cross-entropy, and optionally the Dice loss, of the labelled pixels of a batch.

    `dice_weight` is that of the Dice loss: 0 in the TIQA paper, 1 in its authors' report. With two classes,
    the softmax of two logits is the sigmoid of their difference, so this is the binary cross-entropy of the
    paper. Dice: Milletari et al., V-Net, 3DV 2016, equation 3, with probabilities not squared, over all
    labelled pixels of the batch, averaged over the classes.
    """

    def __init__(self, dice_weight: float = 0.0):
        super().__init__(name="labelled_pixels")
        self.dice_weight = dice_weight

    def call(self, y_true, y_pred):  # type: ignore[no-untyped-def]
        """Compare class indices, shape (n, rows, columns), with logits, shape (n, rows, columns, classes)."""
        known = ops.cast(y_true != NOT_LABELLED, "float32")[..., None]
        one_hot = ops.one_hot(ops.maximum(ops.cast(y_true, "int32"), 0), y_pred.shape[-1]) * known
        loss = -ops.sum(one_hot * ops.log_softmax(y_pred)) / ops.maximum(ops.sum(known), 1.0)
        if self.dice_weight:
            probability = ops.softmax(y_pred) * known
            both = ops.sum(one_hot * probability, (0, 1, 2))
            either = ops.sum(one_hot + probability, (0, 1, 2))
            dice = (2 * both + _SMOOTH) / (either + _SMOOTH)
            loss = loss + self.dice_weight * (1 - ops.mean(dice))
        return loss


def _scaled(channels: int, width: float) -> int:
    return max(_LEAST_CHANNELS, round(channels * width / _LEAST_CHANNELS) * _LEAST_CHANNELS)


def _resnet34(image: keras.KerasTensor, width: float) -> list[keras.KerasTensor]:
    """He et al., CVPR 2016, Table 1: the outputs of its stem and its four stages, strides 2, 4, 8, 16, 32."""
    x = _conv(image, _scaled(_CHANNELS[0], width), 7, "stem", stride=2)
    stages = [x]
    x = keras.layers.ZeroPadding2D(1, name="stem_pool_pad")(x)
    x = keras.layers.MaxPooling2D(3, 2, name="stem_pool")(x)
    for stage, (blocks, channels) in enumerate(zip(_BLOCKS, _CHANNELS, strict=True), start=1):
        for block in range(blocks):
            stride = 2 if stage > 1 and block == 0 else 1
            x = _residual_block(x, _scaled(channels, width), stride, f"stage{stage}_{block}")
        stages.append(x)
    return stages


def _residual_block(x: keras.KerasTensor, channels: int, stride: int, name: str) -> keras.KerasTensor:
    y = _conv(x, channels, 3, f"{name}_1", stride=stride)
    y = _conv(y, channels, 3, f"{name}_2", relu=False)
    if stride > 1 or x.shape[-1] != channels:
        x = _conv(x, channels, 1, f"{name}_shortcut", stride=stride, relu=False)
    return keras.layers.ReLU(name=f"{name}_relu")(keras.layers.Add(name=f"{name}_add")([x, y]))


def _lite0_stages(image: keras.KerasTensor) -> list[keras.KerasTensor]:
    whole = keras.Model(image, lite0(image))
    return [whole.get_layer(name).output for name in _LITE0_STAGES]


def _dilated_centre(x: keras.KerasTensor) -> keras.KerasTensor:
    added = [x]
    for dilation in _DILATIONS:
        name = f"centre_dilation{dilation}"
        y = keras.layers.Conv2D(
            x.shape[-1], 3, padding="same", dilation_rate=dilation, activation="relu", name=name
        )(added[-1])
        added.append(y)
    return keras.layers.Add(name="centre")(added)


def _decoder_block(x: keras.KerasTensor, channels: int, name: str) -> keras.KerasTensor:
    quarter = max(_LEAST_CHANNELS, x.shape[-1] // 4)
    x = _conv(x, quarter, 1, f"{name}_in")
    x = keras.layers.Conv2DTranspose(quarter, 3, 2, "same", use_bias=False, name=f"{name}_up")(x)
    x = keras.layers.BatchNormalization(momentum=_MOMENTUM, name=f"{name}_up_bn")(x)
    x = keras.layers.ReLU(name=f"{name}_up_relu")(x)
    return _conv(x, channels, 1, f"{name}_out")


def _conv(
    x: keras.KerasTensor, channels: int, kernel: int, name: str, stride: int = 1, relu: bool = True
) -> keras.KerasTensor:
    padding = "same"
    if stride > 1 and kernel > 1:
        # As far on each side as ImageNet weights were trained with, and as the shortcut of stride 2 lies;
        # "same" would shift a side of even length by a pixel.
        x = keras.layers.ZeroPadding2D(kernel // 2, name=f"{name}_pad")(x)
        padding = "valid"
    x = keras.layers.Conv2D(channels, kernel, stride, padding, use_bias=False, name=name)(x)
    x = keras.layers.BatchNormalization(momentum=_MOMENTUM, name=f"{name}_bn")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x) if relu else x
