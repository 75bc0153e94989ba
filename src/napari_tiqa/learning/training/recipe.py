"""What a training is made of: originals, ratings, observers, backbone, epochs, seed; to and from JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from napari_tiqa.errors import TrainingError
from napari_tiqa.learning.images.observers import OBSERVER_SETS, OBSERVERS

Scale = Literal["published", "range"]
SCALES: tuple[Scale, ...] = get_args(Scale)

BACKBONES = ("EfficientNet-Lite0", "EfficientNetB0", "EfficientNetB1", "EfficientNetB2")
"""The first comes with its ImageNet weights; Keras downloads those of the others."""

_FORMAT_VERSION = 1


@dataclass(frozen=True)
class TrainingRecipe:
    """All that a training's result depends on. The defaults are the paper's settings.

    Attributes
    ----------
    originals : tuple of str
        Images, tomograms, folders of images, rated session folders, dataset folders; see
        ``learning.images.originals`` and ``learning.images.dataset``. Kept as absolute paths.
    slices : int
        Slices to take from each tomogram, evenly spaced along z.
    ratings : tuple of str
        CSV files of raters (``learning.ratings.table``); with them an original's score is the raters' mean,
        and originals that nobody rated only teach the order of their versions. Kept as absolute paths.
    backbone : str
        One of `BACKBONES`.
    observers : tuple of str
        The full-reference metrics that label the distorted versions; names in ``observers.OBSERVERS``.
    scale : {"published", "range"}
        How damage becomes a label: "published" follows the published human scores of each distortion's
        levels, "range" is the paper's projection (an observer's best value is the best score, its worst 1).
    ranking_epochs, regression_epochs : int
        Passes of the two stages.
    validation_share : float
        Share of the originals left out of training, whole specimens, to judge each epoch; 0 to 0.5.
    seed : int
        Fixes distortions, the split, order and initial weights.

    Raises
    ------
    TrainingError
        A value outside these.
    """

    originals: tuple[str, ...]
    slices: int = 1
    ratings: tuple[str, ...] = ()
    backbone: str = BACKBONES[0]
    observers: tuple[str, ...] = OBSERVER_SETS["paper"]
    scale: Scale = "published"
    ranking_epochs: int = 30
    regression_epochs: int = 20
    validation_share: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        """Make paths absolute, since a training goes on in another process, and refuse what cannot work."""
        for name in ("originals", "ratings"):
            paths = tuple(str(Path(path).expanduser().absolute()) for path in getattr(self, name))
            object.__setattr__(self, name, paths)
        object.__setattr__(self, "observers", tuple(self.observers))
        if not self.originals:
            raise TrainingError("There are no originals to train on: choose at least 5 good images.")
        _check_known("backbone", [self.backbone], BACKBONES)
        _check_known("scale", [self.scale], SCALES)
        _check_known("observer", self.observers, tuple(OBSERVERS))
        if not self.observers:
            raise TrainingError("There is no observer to label the images: choose at least one.")
        for name in ("slices", "ranking_epochs", "regression_epochs"):
            if getattr(self, name) < 1:
                raise TrainingError(f"A training needs {name.replace('_', ' ')} of at least 1.")
        if not 0 <= self.validation_share <= 0.5:
            raise TrainingError("The share of originals for validation must lie between 0 and 0.5.")

    def to_json(self) -> str:
        """Return the recipe as a JSON document."""
        return json.dumps({"format_version": _FORMAT_VERSION} | asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "TrainingRecipe":
        """Read a recipe back.

        Raises
        ------
        TrainingError
            If it is no recipe, or one of a newer version.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            version = values.pop("format_version")
            if version == _FORMAT_VERSION:
                lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
                return cls(**(values | lists))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise TrainingError(
                "This is no training recipe: it may be damaged or of another program."
            ) from error
        raise TrainingError(
            f"This training recipe is of format version {version}, this napari-tiqa knows "
            f"{_FORMAT_VERSION}: update napari-tiqa to use it."
        )

    def differs_from(self, other: "TrainingRecipe") -> list[str]:
        """Name the settings that are not the same in both."""
        return [f.name for f in fields(self) if getattr(self, f.name) != getattr(other, f.name)]


def _check_known(what: str, names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise TrainingError(f"There is no {what} {name!r}: choose from {', '.join(known)}.")
