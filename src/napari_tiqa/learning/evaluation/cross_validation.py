"""Cross-validation over specimens: scores from a baseline that has not seen the specimen it judges."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from napari_tiqa.learning.evaluation.baselines import fit
from napari_tiqa.learning.images.groups import Group

FOLDS = 5


def fold_of(groups: Sequence[Group], folds: int = FOLDS) -> np.ndarray:
    """Deal groups to folds by specimen, or one by one with a single specimen; int, shape (groups,)."""
    specimens = [group.specimen for group in groups]
    if len(set(specimens)) == 1:
        return np.arange(len(groups)) % folds
    turn = {specimen: number % folds for number, specimen in enumerate(sorted(set(specimens)))}
    return np.array([turn[specimen] for specimen in specimens])


def cross_validate(
    name: str,
    groups: Sequence[Group],
    training: Sequence[Group],
    advance: Callable[[float], object] | None = None,
) -> tuple[str, list[np.ndarray]]:
    """Score each group by a baseline of ``baselines.BASELINES`` that was fitted on the other folds.

    `training` has the same groups, at least two, with the labels that may be learned; `advance` is called
    with the share done, 0..1, and what it raises ends the work. Returns the baseline's title, and one score
    per image for each group. Raises TrainingError if there is too little to learn from.
    """
    fold = fold_of(groups)
    held_out = np.unique(fold)
    scores: list[np.ndarray] = [np.empty(0)] * len(groups)
    title = ""

    def fitting(number: int, share: float) -> None:
        if advance:
            advance((number + share) / len(held_out))

    for number, held in enumerate(held_out):
        fitting(number, 0)
        others = [group for group, judged_in in zip(training, fold, strict=True) if judged_in != held]
        baseline = fit(name, others, partial(fitting, number))
        title = baseline.title
        for i, group in enumerate(groups):
            if fold[i] == held:
                (scores[i],) = baseline([group])
    return title, scores
