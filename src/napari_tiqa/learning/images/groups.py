"""A group: versions of one original whose quality is ordered; what ranking and regression learn from."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from napari_tiqa.learning.images.distortions import Distortion, distorted_versions, version_names
from napari_tiqa.scoring.scale import ARTEFACTS
from napari_tiqa.volumes.simulation.acquisition import Acquisition, acquire

COUNTERPART: dict[str, Distortion] = {
    "blur": "blur",
    "noise": "noise",
    "ring": "ring",
    "gain rings": "ring",
    "half rings": "ring",
    "photon noise": "noise",
    "few projections": "noise",
    "detector blur": "blur",
    "axis offset": "blur",
}
"""The distortion that an acquisition fault is most like: whose scale it is labelled on, since nobody has
rated the faults, and whose part of the lost score it is counted as."""


MIN_ORIGINALS = 5
"""Fewer groups than that are too few to learn from."""

Made = TypeVar("Made")


@dataclass(frozen=True)
class Group:
    """Versions of one original.

    Attributes
    ----------
    specimen : str
        What was scanned. Groups of one specimen are never split between training and test.
    images : numpy.ndarray
        Shape (n, 224, 224), uint8: [0, 1] times 255. The first image is the reference.
    families : tuple of str
        Distortion or acquisition fault of each image; the reference's is "".
    levels : numpy.ndarray
        Shape (n,), int: 0 for the reference, then 1 (mild) upwards.
    labels : numpy.ndarray
        Shape (n,), float: scores on 1..5, NaN where there is none.
    clean : bool
        Whether the reference is fit to be called a 5.
    lost : tuple of float
        Points that the reference itself has lost to each of `scoring.predict.ARTEFACTS`.
    """

    specimen: str
    images: np.ndarray
    families: tuple[str, ...]
    levels: np.ndarray
    labels: np.ndarray
    clean: bool = True
    lost: tuple[float, ...] = (0.0, 0.0, 0.0)

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
        """Which image is known to be better than which.

        Returns
        -------
        numpy.ndarray
            Shape (n, n), bool: [i, j] where i is of a lower level than j in the family of j. The
            reference is better than all. The paper's sixteen images have 45 such pairs.
        """
        family = np.array(self.families)
        same = (family[:, None] == family[None]) | (family[:, None] == "")
        return same & (self.levels[:, None] < self.levels[None])

    def parts(self) -> np.ndarray:
        """Points that each image has lost to each artefact, known from how it was made.

        Returns
        -------
        numpy.ndarray
            Shape (n, 3), float, in the order of `scoring.predict.ARTEFACTS`; NaN without a label.
        """
        parts = np.tile(np.asarray(self.lost, float), (len(self.families), 1))
        further = self.labels[0] - self.labels
        for image, family in enumerate(self.families):
            if family:
                parts[image, ARTEFACTS.index(COUNTERPART[family])] += further[image]
        parts[~np.isfinite(self.labels)] = np.nan
        return parts

    def subset(self, kept: np.ndarray) -> "Group":
        """Return the group with some of its images: those numbered in `kept`, the reference first."""
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
    """Make the paper's sixteen versions of an original, without labels.

    Parameters
    ----------
    specimen : str
        What was scanned.
    original : numpy.ndarray
        Shape (224, 224), float32 in [0, 1].
    seed : int
        Fixes rings and noise.
    off_centre : bool
        Put the rings' centre anywhere within half a side of the image's centre, as in a crop of a slice.
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


FAULTS: dict[str, tuple[str, tuple[float, ...]]] = {
    "gain rings": ("gain_error", (0.004, 0.01, 0.02, 0.04, 0.08)),
    "half rings": ("gain_drift", (0.006, 0.015, 0.03, 0.06, 0.12)),
    "photon noise": ("photons", (30_000, 8_000, 2_000, 500, 120)),
    "few projections": ("projections", (150, 100, 66, 44, 28)),
    "detector blur": ("blur", (0.7, 1.2, 2.0, 3.5, 7.0)),
    "axis offset": ("axis_offset", (0.6, 1.2, 2.4, 4.5, 8.0)),
}
"""Acquisition faults: the setting of `Acquisition` that makes each, and its levels 1 to 5."""


def acquisition_group(specimen: str, original: np.ndarray, seed: int) -> Group:
    """Scan an original again, once well and with each fault at five levels.

    Parameters
    ----------
    specimen : str
        What was scanned.
    original : numpy.ndarray
        Shape (224, 224), float32 in [0, 1], taken as attenuation.
    seed : int
        Fixes the fields of gain errors and photon noise; only their strength changes with the level.

    Returns
    -------
    Group
        31 images: the fault-free scan, then the faults in the order of `FAULTS`. Half rings need a scan
        over 180 degrees; they are compared with the same reference.
    """
    images, families, levels = [acquire(original, Acquisition(), seed)], [""], [0]
    for fault, (_, strengths) in FAULTS.items():
        for level, strength in enumerate(strengths, start=1):
            images.append(acquire(original, acquisition_with(fault, strength), seed))
            families.append(fault)
            levels.append(level)
    return Group.unlabelled(specimen, images, families, levels)


def acquisition_with(fault: str, strength: float) -> Acquisition:
    """Return the settings of a scan with one of `FAULTS`, at any strength within its levels."""
    setting = FAULTS[fault][0]
    value = round(strength) if setting == "projections" else strength
    return Acquisition(**{setting: value}, arc=180 if fault == "half rings" else 360)  # type: ignore[arg-type]


def make_all(
    make: Callable[[int], Made], count: int, advance: Callable[[int, int], None] | None = None
) -> list[Made]:
    """Make something of each number from 0 to `count` - 1, in several threads, in order.

    Parameters
    ----------
    make : callable
        Takes the number.
    count : int
        How many.
    advance : callable, optional
        Called, in this thread, with the number done and `count`; what it raises ends the work.
    """
    made = []
    pool = ThreadPoolExecutor()
    try:
        for one in pool.map(make, range(count)):
            made.append(one)
            if advance:
                advance(len(made), count)
    finally:
        pool.shutdown(cancel_futures=True)
    return made
