"""What a training is made of: originals, ratings, observers, backbone, epochs, seed."""

from dataclasses import dataclass
from typing import Literal, get_args

from napari_tiqa.errors import TrainingError
from napari_tiqa.learning.images.observers import OBSERVER_SETS, OBSERVERS
from napari_tiqa.learning.training.settings import Recipe, setting
from napari_tiqa.wording import expanded

Scale = Literal["published", "range"]
SCALES: tuple[Scale, ...] = get_args(Scale)

BACKBONES = ("EfficientNet-Lite0", "EfficientNetB0", "EfficientNetB1", "EfficientNetB2")
"""The first comes with its ImageNet weights; Keras downloads those of the others."""


@dataclass(frozen=True)
class TrainingRecipe(Recipe):
    """All that a training's result depends on. The defaults are the paper's settings.

    Attributes
    ----------
    originals : tuple of str
        Images, tomograms, folders of images, rated session folders, dataset folders; see
        ``learning.images.originals`` and ``learning.images.dataset``. Kept as absolute paths, as are ratings.

    Raises
    ------
    TrainingError
        No originals, no observers, or a value that a setting does not allow.
    """

    originals: tuple[str, ...]
    slices: int = setting(
        1, "Slices of each", "slices to take from each tomogram, evenly spaced along its first axis", low=1
    )
    ratings: tuple[str, ...] = setting(
        (),
        "Ratings",
        "CSV tables of people's ratings of the originals (image, rater, score, time): an original's score is "
        "its raters' mean, and unrated originals only teach the order of their versions",
    )
    backbone: str = setting(
        BACKBONES[0],
        "Backbone",
        f"network that sees the images; {BACKBONES[0]} comes with its ImageNet weights, those of the others "
        "are downloaded once",
        choices={name: name for name in BACKBONES},
        advanced=True,
    )
    observers: tuple[str, ...] = setting(
        OBSERVER_SETS["paper"],
        "Observers",
        "full-reference metrics that label the distorted images in place of people",
        choices={name: name for name in OBSERVERS},
        advanced=True,
    )
    scale: Scale = setting(
        SCALES[0],
        "Scale",
        "how damage becomes a score: along the published human scores of rings, noise and blur, or as in the "
        "paper, where each observer's range is spread over 1 to 5",
        choices={"published": "published human scores", "range": "range of each observer (paper)"},
        advanced=True,
    )
    ranking_epochs: int = setting(
        30, "Ranking epochs", "passes of the first stage, which learns what is better", low=1, advanced=True
    )
    regression_epochs: int = setting(
        20,
        "Regression epochs",
        "passes of the second stage, which learns how good it is",
        low=1,
        advanced=True,
    )
    validation_share: float = setting(
        0.2,
        "Validation share",
        "share of the originals, whole specimens, that each epoch is judged on and none is trained on",
        low=0,
        high=0.5,
        share=True,
        advanced=True,
    )
    seed: int = setting(
        0,
        "Seed",
        "random seed: the same seed and choices give the same model again",
        low=0,
        high=2**31 - 1,
        advanced=True,
    )

    def __post_init__(self) -> None:
        """Make paths absolute, since a training goes on in another process, and refuse what cannot work."""
        for name in ("originals", "ratings"):
            paths = tuple(str(expanded(path).absolute()) for path in getattr(self, name))
            object.__setattr__(self, name, paths)
        super().__post_init__()
        if not self.originals:
            raise TrainingError("There are no originals to train on: choose at least 5 good images.")
        if not self.observers:
            raise TrainingError("There is no observer to label the images: choose at least one.")
