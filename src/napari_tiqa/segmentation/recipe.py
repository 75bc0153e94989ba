"""What a training of a segmenter is made of, beside its labelled slices: network, patches, losses, epochs."""

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from napari_tiqa.errors import SegmentationError, TiqaError
from napari_tiqa.learning.training.settings import Recipe, setting
from napari_tiqa.wording import expanded

Encoder = Literal["ResNet34", "EfficientNet-Lite0"]
ENCODERS: tuple[Encoder, ...] = get_args(Encoder)
"""The paper's, and the one whose ImageNet weights come with the package."""

STRIDE = 32
"""Pixels of the image to one of the encoder's last stage: sides of an input are multiples of it."""


@dataclass(frozen=True)
class SegmentationRecipe(Recipe):
    """All that the result of a training depends on, beside the labelled slices.

    The defaults train in minutes on two cores; `PAPER` has the paper's settings.

    Raises
    ------
    SegmentationError
        A value that a setting does not allow, or weights that do not fit the encoder.
    """

    error: ClassVar[type[TiqaError]] = SegmentationError
    kind: ClassVar[str] = "segmentation recipe"

    encoder: Encoder = setting(
        "EfficientNet-Lite0",
        "Encoder",
        "network that sees the image: ResNet34 is the paper's; EfficientNet-Lite0 is lighter, and its "
        "ImageNet weights come with napari-tiqa",
        choices={name: name for name in ENCODERS},
        advanced=True,
    )
    width: float = setting(
        0.25,
        "Width",
        "channels of the network as a share of the paper's; of EfficientNet-Lite0 only the decoder's",
        above=0,
        high=1,
        advanced=True,
    )
    fine_detail: bool = setting(
        True,
        "Fine detail",
        "lead the image itself to the end of the decoder, for sharp edges; the paper's network does not",
        advanced=True,
    )
    encoder_weights: str = setting(
        "",
        "Weights",
        "safetensors file with ImageNet weights (torchvision's or timm's) that ResNet34 starts from, random "
        "weights where it is missing; EfficientNet-Lite0 always starts from those that come with napari-tiqa",
        advanced=True,
    )
    crop: int = setting(
        256,
        "Patch",
        f"side of a training patch, a multiple of {STRIDE}; a larger one sees more and is slower",
        low=STRIDE,
        multiple=STRIDE,
        step=STRIDE,
        unit="px",
        advanced=True,
    )
    batch: int = setting(8, "Batch", "patches a step; fewer need less memory", low=1, advanced=True)
    patches: int = setting(64, "Patches", "training patches an epoch", low=1, advanced=True)
    epochs: int = setting(
        40,
        "Epochs",
        "passes of the training; the best one, judged by what is left out, is kept",
        low=1,
    )
    learning_rate: float = setting(
        1e-3,
        "Rate",
        "initial learning rate (Adam); lower it where the training diverges",
        above=0,
        below=1,
        step=1e-4,
        decimals=5,
        advanced=True,
    )
    drops: tuple[float, ...] = setting(
        (0.6, 0.85),
        "Drops",
        "shares of the epochs after which the learning rate falls to one fifth",
        above=0,
        below=1,
        advanced=True,
    )
    dice_weight: float = setting(
        0.0,
        "Dice loss",
        "weight of the Dice loss, the overlap of each class, beside the cross-entropy, which counts pixels: "
        "helps where a class is small",
        low=0,
    )
    turn: bool = setting(
        True, "Turn", "turn patches by any angle, not only by quarter turns and mirroring", advanced=True
    )
    scale: float = setting(
        1.25, "Scale", "enlarge or shrink patches by up to this factor", low=1, high=4, advanced=True
    )
    contrast: float = setting(
        0.2,
        "Contrast",
        "share of a patch's contrast that is taken away at most, as another intensity window would",
        low=0,
        high=0.9,
        share=True,
        advanced=True,
    )
    # At any strength up to the last level: the network learns to see through the milder ones, and to be
    # unsure under the others.
    distortions: float = setting(
        0.0,
        "Distortions",
        "share of the training patches that are made worse by rings, noise or blur, so that the model copes "
        "with worse scans than this one",
        low=0,
        high=1,
        share=True,
    )
    validation_share: float = setting(
        0.2,
        "Validate on",
        "share of the labels that is not learned from but judges each epoch: whole slices where five or more "
        "are labelled, else a region of each; 0 judges with nothing and keeps the last epoch",
        low=0,
        high=0.5,
        share=True,
    )
    seed: int = setting(
        0,
        "Seed",
        "random seed: the same seed, labels and settings give the same model again",
        low=0,
        high=2**31 - 1,
        advanced=True,
    )

    def __post_init__(self) -> None:
        """Refuse what cannot work; a training that goes on elsewhere, from its run folder, finds its file."""
        super().__post_init__()
        if self.encoder_weights and (self.encoder != "ResNet34" or self.width != 1):
            raise SegmentationError(
                "A file with ImageNet weights fits a ResNet34 encoder of width 1 only: choose that one, or "
                "train without the file."
            )
        if self.encoder_weights:
            weights = str(expanded(self.encoder_weights).absolute())
            object.__setattr__(self, "encoder_weights", weights)


PAPER = SegmentationRecipe(
    encoder="ResNet34",
    width=1.0,
    fine_detail=False,
    crop=1024,
    batch=4,
    patches=110,
    epochs=200,
    learning_rate=1e-4,
    drops=(0.4, 0.6, 0.8),
    scale=1.1,
)
"""Zhang et al. 2022: D-LinkNet34, 1024 x 1024 px, 110 images, 200 epochs, Adam 1e-4 decayed to one fifth."""
