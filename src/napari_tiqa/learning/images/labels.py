"""Labels in place of people: full-reference observers, projected to the score's scale 1..5."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from napari_tiqa.learning.images.distortions import DISTORTIONS, Distortion
from napari_tiqa.learning.images.groups import COUNTERPART, Group, make_all
from napari_tiqa.learning.images.observers import LOWER_IS_BETTER, OBSERVER_SETS, compare

PUBLISHED_QUALITY_KEPT: dict[Distortion, tuple[float, ...]] = {
    "blur": (0.60, 0.22, 0.00, 0.00, 0.00),
    "noise": (0.97, 0.85, 0.57, 0.35, 0.00),
    "ring": (0.76, 0.60, 0.48, 0.38, 0.38),
}
"""Share of an original's quality, (score - 1) / (original's score - 1), that people still saw at levels 1
to 5: means over contents of the human scores published with the authors' code (kai-zhang-er/TomoIQA,
commit eb77bc5). Nobody rated blur at level 5; it cannot be better than level 4."""


def observe(group: Group, observers: Sequence[str] = OBSERVER_SETS["paper"]) -> np.ndarray:
    """Compare the n images of a group with its reference.

    Returns the damage that each of `observers` (names of `observers.OBSERVERS`) sees, float, shape (n,
    observers): 0 for the reference, growing as quality falls.
    """
    values = compare(group.images[0], group.images, observers)
    signs = [1 if name in LOWER_IS_BETTER else -1 for name in observers]
    return signs * (values - values[0])


def make_and_observe(
    make: Callable[[int], Group],
    count: int,
    advance: Callable[[int, int], None] | None = None,
    observers: Sequence[str] = OBSERVER_SETS["paper"],
) -> tuple[list[Group], list[np.ndarray]]:
    """Make groups of the numbers 0 to `count` - 1 and ``observe`` them, in several threads.

    `advance` is called in this thread with the groups done and `count`; what it raises ends the work.
    """

    def made(number: int) -> tuple[Group, np.ndarray]:
        group = make(number)
        return group, observe(group, observers)

    pairs = make_all(made, count, advance)
    return [group for group, _ in pairs], [damage for _, damage in pairs]


Curve = tuple[np.ndarray, np.ndarray]
"""Damage, rising, and the score it leaves, never rising; each of shape (knots,)."""


@dataclass(frozen=True)
class LabelProjection:
    """How much of the score each amount of damage costs, as each observer sees it.

    Each observer votes like a rater: its damage is mapped to a score by a falling, piecewise linear curve,
    one for each distortion, and the label is the mean of the votes. Structural metrics rate rings as far
    milder than people do, hence a curve for each distortion: `curves` has one `Curve` for each observer.
    """

    curves: dict[Distortion, list[Curve]]

    @classmethod
    def from_levels(
        cls, groups: Sequence[Group], damages: Sequence[np.ndarray], best: float = 5.0
    ) -> "LabelProjection":
        """Follow the published human scale: a level's median damage costs what it costs people.

        The observers then give what the level does not know: that one image suffers more than another. The
        groups are of ``distortion_group``, the damages their ``observe``; `best` is the score of an
        undistorted original, 1..5.
        """

        def curve(kind: Distortion, damage: np.ndarray, level: np.ndarray) -> Curve:
            medians = [0.0, *(np.median(damage[level == i]) for i in range(1, 6))]
            kept = [1.0, *PUBLISHED_QUALITY_KEPT[kind]]
            # Nobody has rated worse than level 5 (such as a detector's worst rings): beyond it the score
            # goes on falling, down to 1, along the line from the original through level 5.
            medians.append(medians[-1] / (1 - kept[-1]))
            kept.append(0.0)
            # A metric may saturate: knots must rise for the curve to be a function.
            knots = np.maximum.accumulate(medians) + 1e-9 * np.arange(len(medians))
            return knots, 1 + (best - 1) * np.array(kept)

        return cls(_for_each_curve(groups, damages, curve))

    @classmethod
    def from_range(cls, groups: Sequence[Group], damages: Sequence[np.ndarray]) -> "LabelProjection":
        """Follow the paper: for each distortion an observer's best value is 5, its worst 1, linearly."""

        def curve(kind: Distortion, damage: np.ndarray, level: np.ndarray) -> Curve:
            return np.array([0.0, max(damage.max(), 1e-9)]), np.array([5.0, 1.0])

        return cls(_for_each_curve(groups, damages, curve))

    def labels(self, group: Group, damage: np.ndarray) -> np.ndarray:
        """Label a group of n images: (n,), in 1..5, within a family never rising with the level.

        Its families are of `COUNTERPART`; `damage`, shape (n, observers), is ``observe(group)``.
        """
        family = np.array(group.families)
        labels = np.full(len(family), max(scores[0] for _, scores in self.curves["blur"]))
        for name in sorted(set(group.families) - {""}):
            votes = [
                np.interp(damage[family == name, observer], knots, scores)
                for observer, (knots, scores) in enumerate(self.curves[COUNTERPART[name]])
            ]
            # Levels stand in rising order: nothing may gain by being distorted more.
            labels[family == name] = np.minimum.accumulate(np.mean(votes, axis=0))
        return labels


def _for_each_curve(
    groups: Sequence[Group],
    damages: Sequence[np.ndarray],
    curve: Callable[[Distortion, np.ndarray, np.ndarray], Curve],
) -> dict[Distortion, list[Curve]]:
    """Make each distortion's curve of each observer from all damage seen, and the levels it was seen at."""
    damage = np.concatenate(damages)
    family = np.concatenate([np.array(group.families) for group in groups])
    level = np.concatenate([group.levels for group in groups])
    return {
        kind: [
            curve(kind, damage[family == kind, observer], level[family == kind])
            for observer in range(damage.shape[1])
        ]
        for kind in DISTORTIONS
    }
