"""Distorted textures with labels, and an evaluation of two judges of them."""

import cv2
import numpy as np
import pandas as pd

from napari_tiqa.learning.evaluation.comparison import Evaluation
from napari_tiqa.learning.evaluation.shrink import SHRINK_COLUMNS
from napari_tiqa.learning.images.groups import Group, distortion_group
from napari_tiqa.learning.measures.measures import evaluate, image_rows


def labelled_groups(count: int) -> list[Group]:
    """Return distorted versions of random textures, whose labels fall with the level."""
    groups = []
    for number in range(count):
        texture = np.random.default_rng(number).random((28, 28), np.float32)
        original = cv2.resize(texture, (224, 224), interpolation=cv2.INTER_CUBIC).clip(0, 1)
        group = distortion_group(f"scan {number}", original, seed=number)
        groups.append(group.with_labels(5 - 0.7 * group.levels))
    return groups


def an_evaluation() -> Evaluation:
    """Return an evaluation of a good and a useless judge, as `evaluate_model` would."""
    groups = labelled_groups(4)
    rng = np.random.default_rng(0)
    scores = {
        "good": [group.labels + rng.normal(0, 0.2, 16) for group in groups],
        "useless, with a name that is long": [np.full(16, 7.0) for _ in groups],
    }
    tables = [evaluate(groups, of_judge, resamples=20) for of_judge in scores.values()]
    for title, table in zip(scores, tables, strict=True):
        table.insert(0, "judged", title)
    good, useless = scores
    rows = image_rows(groups, scores[good]).assign(**{useless: np.concatenate(scores[useless])})
    shrink = pd.DataFrame(
        [("a", 300, 400, 3.0, 2.5, 0.2, 2, -0.5), ("b", 600, 600, 3.0, 2.9, 0.2, 9, -0.1)],
        columns=list(SHRINK_COLUMNS),
    )
    return Evaluation((good, useless), pd.concat(tables, ignore_index=True), rows, shrink, ("A note.",), {})
