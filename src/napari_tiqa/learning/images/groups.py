"""A group: versions of one original whose quality is ordered; what ranking and regression learn from."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from napari_tiqa.learning.images.distortions import Distortion, distorted_versions, version_names
from napari_tiqa.scoring.scale import ARTEFACTS

FAMILIES: dict[str, tuple[Distortion, str]] = {
    "blur": ("blur", "blur"),
    "noise": ("noise", "noise"),
    "ring": ("ring", "ring"),
    "gain rings": ("ring", "ring"),
    "half rings": ("ring", "ring"),
    "photon noise": ("noise", "noise"),
    "zingers": ("noise", "noise"),
    "few projections": ("noise", "streaks"),
    "limited angle": ("blur", "streaks"),
    "metal": ("noise", "streaks"),
    "detector blur": ("blur", "blur"),
    "axis offset": ("blur", "blur"),
    "motion": ("blur", "blur"),
    "fringes": ("blur", "blur"),
    "cupping": ("ring", "shading"),
    "truncation": ("ring", "shading"),
    "denoised": ("blur", "smoothing"),
    "compressed": ("blur", "smoothing"),
    "posterised": ("blur", "smoothing"),
}
"""Families of distortions and faults, each with the distortion that it resembles most, on whose scale it is
labelled, since nobody has rated faults; and the one of `scale.ARTEFACTS` that its lost points count as."""

COUNTERPART: dict[str, Distortion] = {family: distortion for family, (distortion, _) in FAMILIES.items()}
"""The distortion on whose scale each family is labelled."""

PART: dict[str, str] = {family: part for family, (_, part) in FAMILIES.items()}
"""The artefact that each family's lost points count as."""


MIN_ORIGINALS = 5
"""Fewer groups than that are too few to learn from."""

T = TypeVar("T")


@dataclass(frozen=True)
class Group:
    """Versions of one original; groups of one specimen are never split between training and test.

    `images`, shape (n, 224, 224), uint8, are [0, 1] times 255, the first of them the reference. `families`
    names the distortion or acquisition fault of each, "" for the reference; `levels`, shape (n,), int, are 0
    for the reference, then 1 (mild) upwards; `labels`, shape (n,), scores on 1..5, NaN where there is none.
    `clean` says whether the reference is fit to be called a 5, `lost` which points it has itself lost to each
    of `scale.ARTEFACTS`.
    """

    specimen: str
    images: np.ndarray
    families: tuple[str, ...]
    levels: np.ndarray
    labels: np.ndarray
    clean: bool = True
    lost: tuple[float, ...] = (0.0,) * len(ARTEFACTS)

    @classmethod
    def unlabelled(
        cls,
        specimen: str,
        images: Sequence[np.ndarray] | np.ndarray,
        families: Sequence[str],
        levels: Sequence[int],
    ) -> "Group":
        """Make a group of images in [0, 1], clipped to that, without labels."""
        grey = np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)
        return cls(specimen, grey, tuple(families), np.array(levels), np.full(len(grey), np.nan))

    def tiles(self) -> np.ndarray:
        """Return the images as the network takes them: shape (n, 224, 224), float32 in [0, 1]."""
        return self.images / np.float32(255)

    def better(self) -> np.ndarray:
        """Which image is known to be better than which, shape (n, n), bool.

        [i, j] where i is of a lower level than j in the family of j. The reference is better than all. The
        paper's sixteen images have 45 such pairs.
        """
        family = np.array(self.families)
        same = (family[:, None] == family[None]) | (family[:, None] == "")
        return same & (self.levels[:, None] < self.levels[None])

    def parts(self) -> np.ndarray:
        """Points that each image has lost to each artefact, known from how it was made: (n, 6), float.

        They are in the order of `scale.ARTEFACTS`; NaN without a label.
        """
        parts = np.tile(np.asarray(self.lost, float), (len(self.families), 1))
        further = self.labels[0] - self.labels
        for image, family in enumerate(self.families):
            if family:
                parts[image, ARTEFACTS.index(PART[family])] += further[image]
        parts[~np.isfinite(self.labels)] = np.nan
        return parts

    def subset(self, kept: np.ndarray) -> "Group":
        """Return the group with some of its images: those with the indices `kept`, the reference first."""
        return replace(
            self,
            images=self.images[kept],
            families=tuple(np.array(self.families)[kept].tolist()),
            levels=self.levels[kept],
            labels=self.labels[kept],
        )

    def with_labels(self, labels: np.ndarray) -> "Group":
        """Return the group with other labels."""
        return replace(self, labels=np.asarray(labels, float))


def distortion_group(specimen: str, original: np.ndarray, seed: int, off_centre: bool = False) -> Group:
    """Make the paper's sixteen versions of an original, (224, 224), float32 in [0, 1], without labels.

    `seed` fixes rings and noise; `off_centre` puts the rings' centre anywhere within half a side of the
    image's centre, as in a crop of a slice.
    """
    centre = None
    if off_centre:
        row, column = np.random.default_rng([seed, 1]).uniform(-0.5, 0.5, 2) + 0.5
        centre = (row * original.shape[0], column * original.shape[1])
    names = version_names()
    versions = distorted_versions(original, seed, centre)
    return Group.unlabelled(
        specimen, versions, [kind or "" for kind, _ in names], [level for _, level in names]
    )


def make_all(
    make: Callable[[int], T], count: int, advance: Callable[[int, int], None] | None = None
) -> list[T]:
    """Call a function with each number from 0 to `count` - 1, in several threads; the results in order.

    `advance` is called in this thread with the number done and `count`; what it raises ends the work.
    """
    made = []
    pool = ThreadPoolExecutor()
    try:
        for result in pool.map(make, range(count)):
            made.append(result)
            if advance:
                advance(len(made), count)
    finally:
        pool.shutdown(cancel_futures=True)
    return made
