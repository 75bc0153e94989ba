"""What a training of a segmenter is made of, beside its labelled slices: network, patches, losses, epochs."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from napari_tiqa.errors import SegmentationError

Encoder = Literal["ResNet34", "EfficientNet-Lite0"]
ENCODERS: tuple[Encoder, ...] = get_args(Encoder)
"""The paper's, and the one whose ImageNet weights come with the package."""

STRIDE = 32
"""Pixels of the image to one of the encoder's last stage: sides of an input are multiples of it."""

_FORMAT_VERSION = 1


@dataclass(frozen=True)
class SegmentationRecipe:
    """All that the result of a training depends on, beside the labelled slices.

    The defaults train in minutes on two cores; `PAPER` has the paper's settings.

    Attributes
    ----------
    encoder : {"ResNet34", "EfficientNet-Lite0"}
        What sees the image.
    width : float
        Channels as a share of the paper's, above 0 to 1; see ``dlinknet.build_dlinknet``.
    fine_detail : bool
        Lead the image itself to the end of the decoder, for edges to the pixel; the paper's network does not.
    encoder_weights : str
        A safetensors file with ImageNet weights for ResNet34, which then starts from them; empty for random
        ones. EfficientNet-Lite0 always starts from those that come with the package.
    crop : int
        Side of a training patch, px, a multiple of 32.
    batch : int
        Patches a step.
    patches : int
        Patches an epoch.
    epochs : int
        In all.
    learning_rate : float
        Adam's at first; it falls to one fifth after each of `drops`.
    drops : tuple of float
        Shares of the epochs, 0 to 1.
    dice_weight : float
        Weight of the Dice loss beside the cross-entropy.
    turn : bool
        Turn patches by any angle; else by quarter turns and mirroring only.
    scale : float
        Enlarge or shrink patches by up to this factor, at least 1.
    contrast : float
        Take away up to this share of a patch's contrast, 0 to 0.9, as another intensity window would.
    distortions : float
        Share of the patches that get one of TIQA's distortions, at any strength up to its last level, 0 to 1:
        the network learns to see through the milder ones, and to be unsure under the others.
    validation_share : float
        Share of the labelled slices, or of the area of few slices, left out to judge each epoch; 0 to 0.5.
    seed : int
        Fixes initial weights, patches and what is left out.

    Raises
    ------
    SegmentationError
        A value outside these.
    """

    encoder: Encoder = "EfficientNet-Lite0"
    width: float = 0.25
    fine_detail: bool = True
    encoder_weights: str = ""
    crop: int = 256
    batch: int = 8
    patches: int = 64
    epochs: int = 40
    learning_rate: float = 1e-3
    drops: tuple[float, ...] = (0.6, 0.85)
    dice_weight: float = 0.0
    turn: bool = True
    scale: float = 1.25
    contrast: float = 0.2
    distortions: float = 0.0
    validation_share: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        object.__setattr__(self, "drops", tuple(self.drops))
        if self.encoder not in ENCODERS:
            raise SegmentationError(
                f"There is no encoder {self.encoder!r}: choose one of {', '.join(ENCODERS)}."
            )
        in_range = {
            "width": (0 < self.width <= 1, "above 0, up to 1"),
            "crop": (self.crop >= STRIDE and self.crop % STRIDE == 0, f"a multiple of {STRIDE} px"),
            "batch": (self.batch >= 1, "at least 1"),
            "patches": (self.patches >= 1, "at least 1"),
            "epochs": (self.epochs >= 1, "at least 1"),
            "learning_rate": (0 < self.learning_rate < 1, "between 0 and 1"),
            "drops": (all(0 < drop < 1 for drop in self.drops), "shares between 0 and 1"),
            "dice_weight": (self.dice_weight >= 0, "at least 0"),
            "scale": (1 <= self.scale <= 4, "1 to 4"),
            "contrast": (0 <= self.contrast <= 0.9, "0 to 0.9"),
            "distortions": (0 <= self.distortions <= 1, "0 to 1"),
            "validation_share": (0 <= self.validation_share <= 0.5, "0 to 0.5"),
        }
        for setting, (good, span) in in_range.items():
            if not good:
                raise SegmentationError(
                    f"A training cannot have {setting} = {getattr(self, setting)}: choose {span}."
                )
        if self.encoder_weights and (self.encoder != "ResNet34" or self.width != 1):
            raise SegmentationError(
                "A file with ImageNet weights fits a ResNet34 encoder of width 1 only: choose that one, or "
                "train without the file."
            )

    def to_json(self) -> str:
        """Return the recipe as a JSON document."""
        return json.dumps({"format_version": _FORMAT_VERSION} | asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "SegmentationRecipe":
        """Read a recipe back.

        Raises
        ------
        SegmentationError
            If it is no recipe, or one of a newer version.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            version = values.pop("format_version")
            if version == _FORMAT_VERSION:
                return cls(**values)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SegmentationError(
                "This is no recipe of a segmentation: it may be damaged or of another program."
            ) from error
        raise SegmentationError(
            f"This recipe is of format version {version}, this napari-tiqa knows {_FORMAT_VERSION}: update "
            "napari-tiqa to use it."
        )

    def differs_from(self, other: "SegmentationRecipe") -> list[str]:
        """Name the settings that are not the same in both."""
        return [f.name for f in fields(self) if getattr(self, f.name) != getattr(other, f.name)]


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
