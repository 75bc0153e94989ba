"""Scores of each view of a slice, on the scale that the other specimens teach."""

import numpy as np
import pandas as pd

from models.left_out import on_the_scale_of_others
from napari_tiqa.scoring.combination import combined
from napari_tiqa.scoring.scale import ARTEFACTS, PREDICTED, SCORE_RANGE

VIEWS = ("score", "pyramid", "native", "minimum", "mean")
"""Columns of `with_views`: the overview; the default combination of all levels; the finest level alone; the
lowest level; the mean of all. Where there is no finer level than the overview they are all its score."""


def with_views(images: pd.DataFrame) -> pd.DataFrame:
    """Calibrate the scores of every level by the other specimens, and combine them.

    Parameters
    ----------
    images : pandas.DataFrame
        Rows of ``models.left_out.read``.

    Returns
    -------
    pandas.DataFrame
        The same with calibrated score and parts, with its uncertainty, `VIEWS`, and `scores`: those of all
        levels, finest first, the overview last.
    """
    levels = images["levels"].map(_scores)
    # Levels are put on the scale as further images of their specimen, without labels.
    finer = images.loc[images.index.repeat(levels.map(len))]
    finer = finer.assign(score=np.concatenate([*levels, np.empty(0)]), label=np.nan)
    both = on_the_scale_of_others(pd.concat([images, finer], ignore_index=True))
    overview = both[: len(images)].set_axis(images.index)
    ends = np.cumsum([0, *levels.map(len)])
    known = both["score"].to_numpy()[len(images) :]
    scores = [
        np.append(known[start:end], whole)
        for start, end, whole in zip(ends[:-1], ends[1:], overview["score"], strict=True)
    ]
    lost = SCORE_RANGE[1] - images["score"]
    left = (SCORE_RANGE[1] - overview["score"]) / lost.where(lost > 0, 1)
    return overview.assign(
        scores=scores,
        pyramid=[soft_minimum(one) for one in scores],
        native=[one[0] for one in scores],
        minimum=[one.min() for one in scores],
        mean=[one.mean() for one in scores],
        **{part: images[part] * left for part in ARTEFACTS},
    )


def soft_minimum(scores: np.ndarray) -> float:
    """Combine the scores of levels as the default view does."""
    values = np.zeros((len(scores), len(PREDICTED)))
    values[:, PREDICTED.index("score")] = scores
    return float(combined(values)[PREDICTED.index("score")])


def _scores(levels: str) -> np.ndarray:
    return np.array([float(one.partition(":")[2]) for one in levels.split()])
