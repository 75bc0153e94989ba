"""Groups with two artefacts at once: upon an original that one artefact has spoilt already, others grow.

Without them a network takes what is unusual for what is bad: noise upon a blurred slice would look sharp.
Strengths lie anywhere between the published levels, so that no level is learned by heart.
"""

from dataclasses import dataclass, replace

import numpy as np

from models.acquisitions import FAULTS, acquisition_with
from napari_tiqa.learning.images.distortions import DISTORTIONS, LEVELS, Fields, distort
from napari_tiqa.learning.images.groups import COUNTERPART, PART, Group
from napari_tiqa.learning.images.labels import LabelProjection, observe
from napari_tiqa.scoring.scale import ARTEFACTS
from napari_tiqa.volumes.simulation.acquisition import Acquisition, acquire

_FAMILIES = 3
_STRENGTHS = 3
# Bases go from hardly visible to about level 2: what is worse hides what comes upon it.
_BASE_STRENGTHS = {"blur": (0.5, 2.2), "noise": (0.0005, 0.02), "ring": (0.05, 0.2)}
_UNSPOILT_SHARE = 0.5


@dataclass(frozen=True)
class Composite:
    """A group without labels, and how its reference came about.

    Attributes
    ----------
    group : Group
        The spoilt reference and its versions.
    base : Group or None
        The original and the reference; None where they are the same.
    """

    group: Group
    base: Group | None

    def labelled(self, projection: LabelProjection) -> Group:
        """Label the group: what each artefact leaves of the quality is multiplied.

        Parameters
        ----------
        projection : LabelProjection
            The scale.
        """
        labels = projection.labels(self.group, observe(self.group))
        if self.base is None:
            return self.group.with_labels(labels)
        kept = projection.labels(self.base, observe(self.base))[1]
        artefact = ARTEFACTS.index(PART[self.base.families[1]])
        spoilt = self.group.with_labels(1 + (kept - 1) * (labels - 1) / 4)
        return replace(spoilt, lost=tuple(5 - kept if i == artefact else 0.0 for i in range(len(ARTEFACTS))))


def composite_group(specimen: str, original: np.ndarray, seed: int, scanned: bool = False) -> Composite:
    """Spoil an original by one artefact, or not, and upon it by others at growing strengths.

    Parameters
    ----------
    specimen : str
        What was scanned.
    original : numpy.ndarray
        Shape (224, 224), float32 in [0, 1].
    seed : int
        Fixes everything.
    scanned : bool
        Whether the artefacts that grow are faults of an acquisition instead of the paper's distortions.
    """
    rng = np.random.default_rng([seed, int(scanned)])
    centre = tuple(rng.uniform(-0.3, 1.3, 2) * original.shape) if rng.random() < 0.5 else None
    fields = Fields.draw(original.shape, seed, centre)
    base_kind = None if rng.random() < _UNSPOILT_SHARE else rng.choice(DISTORTIONS)
    reference = original
    if base_kind is not None:
        reference = distort(original, base_kind, log_uniform(rng, *_BASE_STRENGTHS[base_kind]), fields)
    # What grows may not be what is there: two rings or two noises are one.
    growing = [kind for kind in (FAULTS if scanned else DISTORTIONS) if COUNTERPART[kind] != base_kind]
    chosen = rng.permutation(growing)[:_FAMILIES].tolist()
    again = Fields.draw(original.shape, seed + 1, centre)
    images = [acquire(reference, Acquisition(), seed) if scanned else reference]
    families, levels = [""], [0]
    for family in chosen:
        strengths = _strengths(family, rng)
        for level, strength in enumerate(strengths, start=1):
            if scanned:
                scan = acquisition_with(family, strength)
                version = acquire(reference, scan, seed)
            else:
                version = distort(reference, family, strength, again)
            images.append(version)
            families.append(family)
            levels.append(level)
    base = None
    if base_kind is not None:
        before = acquire(original, Acquisition(), seed) if scanned else original
        base = Group.unlabelled(specimen, [before, images[0]], ["", base_kind], [0, 1])
    return Composite(Group.unlabelled(specimen, images, families, levels), base)


def _strengths(family: str, rng: np.random.Generator) -> list[float]:
    """Draw strengths, mild to strong, one from each third of the published range."""
    published = FAULTS[family][1] if family in FAULTS else LEVELS[family]  # type: ignore[index]
    places = (np.arange(_STRENGTHS) + rng.random(_STRENGTHS)) / _STRENGTHS * (len(published) - 1)
    return np.exp(np.interp(places, np.arange(len(published)), np.log(published))).tolist()


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a strength whose logarithm is uniform between those of `low` and `high`."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
