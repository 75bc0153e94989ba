"""Ratings of images: read, merge and write them, and tell how far to trust them.

Ratings are kept as a CSV file with the header ``image,rater,score,time``, for any program to read and for
raters to send to one another.
"""

import csv
import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import krippendorff
import numpy as np
import pandas as pd

from napari_tiqa.errors import RatingError, explained
from napari_tiqa.whole_file import write_text
from napari_tiqa.wording import some

LEVELS: dict[int, str] = {1: "terrible", 2: "bad", 3: "average", 4: "good", 5: "excellent"}
"""The five scores a rater can give, in words."""

FEWEST_IMAGES = 20
"""With fewer rated images a model learns the images instead of what people think of them."""

ALPHA_RELIABLE, ALPHA_TENTATIVE = 0.8, 0.667
"""Krippendorff's own bounds (Content Analysis, 2004, ch. 11): what raters agree on to the first can be relied
on, and below the second no conclusion should be drawn."""

SAVE_REMEDY = "free some space or make the folder writable, and try again"
"""What to do where ratings or their session cannot be saved."""

_COLUMNS = ("image", "rater", "score", "time")
_NARROWEST = 2.0  # points between the best and the worst image
_UNSTEADY = 1.0  # points between a rater's two scores of one image, on average


class Rating(NamedTuple):
    """One click of one rater; a score is 1 (terrible) to 5 (excellent).

    `image` is a file name; `time`, in UTC, ISO 8601, may be empty in files from elsewhere.
    """

    image: str
    rater: str
    score: int
    time: str


def rating_table(ratings: Iterable[Rating]) -> pd.DataFrame:
    """Return ratings as a table with the columns image, rater, score (int) and time, in the order given."""
    table = pd.DataFrame(list(ratings), columns=list(_COLUMNS))
    return table.astype({"image": "str", "rater": "str", "score": "int64", "time": "str"})


def read_ratings(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> pd.DataFrame:
    """Read ratings and merge those of several files.

    Parameters
    ----------
    paths : path-like or iterable of path-like
        CSV files. A rating that stands in several of them, with the same time, counts once; so files that
        were merged before may be merged again.

    Returns
    -------
    pandas.DataFrame
        Columns image, rater, score (int, 1 to 5) and time, oldest first. A rater who was shown an image
        twice has two rows of it.

    Raises
    ------
    RatingError
        A file cannot be read or is not a table of ratings, names no image or no rater, or has a score that is
        not one of 1 to 5; says which file and line.
    """
    if isinstance(paths, str | os.PathLike):
        paths = [paths]
    rows = [rating for path in paths for rating in _read_file(Path(path))]
    return rating_table(sorted(dict.fromkeys(rows), key=lambda rating: rating.time))


def write_ratings(ratings: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write ratings as a CSV file, as a whole or not at all; a file of that name is replaced.

    Raises RatingError where it cannot be written; what was there before is left as it was.
    """
    text = ratings[list(_COLUMNS)].to_csv(index=False, lineterminator="\n")
    with explained(RatingError, f"The ratings cannot be saved as {path}", SAVE_REMEDY):
        write_text(path, text)


def check_images(ratings: pd.DataFrame, images: Iterable[str], where: str | os.PathLike[str]) -> None:
    """Refuse ratings of images that are not among `images`, the files of the folder `where`.

    Raises RatingError, which names the first image that is missing and says how many there are.
    """
    gone = sorted(set(ratings["image"]) - set(images))
    if gone:
        raise RatingError(
            f"The ratings name images that are not in {where} ({some(gone, 1)}): put the images back, or "
            "take their lines out of the CSV file."
        )


# -- what the ratings say --------------------------------------------------------------------------


def mean_scores(ratings: pd.DataFrame) -> pd.Series:
    """Return the mean score of each image over its raters, what a model is to learn.

    Every rater counts once, also one who was shown the image twice.

    Returns
    -------
    pandas.Series
        Index: image; values: float, 1 to 5.
    """
    return _by_rater(ratings).mean(axis=1).rename("score")


def krippendorff_alpha(ratings: pd.DataFrame) -> float:
    """Return how far the raters agree beyond chance: Krippendorff's alpha for ordinal scores.

    Of a rater who was shown an image twice the first score counts.

    Returns
    -------
    float
        1: full agreement; 0: no more than by chance; below 0: they contradict each other. NaN where no
        image has two raters, or all scores are the same.

    References
    ----------
    K. Krippendorff, Content Analysis, 2nd ed., Sage 2004, ch. 11.
    """
    first = ratings.drop_duplicates(["image", "rater"])
    by_rater = first.pivot(index="rater", columns="image", values="score").astype(float)
    shared = by_rater.loc[:, by_rater.notna().sum() > 1].to_numpy()
    if not shared.size or np.nanmin(shared) == np.nanmax(shared):
        return np.nan
    return float(krippendorff.alpha(shared, value_domain=list(LEVELS), level_of_measurement="ordinal"))


def agreement_in_words(alpha: float) -> str:
    """Say what a value of Krippendorff's alpha means: "Agreement: good"."""
    if np.isnan(alpha):
        return "not known until two raters have rated the same images"
    if alpha >= ALPHA_RELIABLE:
        return "good"
    if alpha >= ALPHA_TENTATIVE:
        return "enough to learn from, with caution"
    return "too little to learn from"


def self_consistency(ratings: pd.DataFrame) -> pd.DataFrame:
    """Compare each rater's two scores of the images that were shown twice.

    Index: rater. Columns: ``rated``, images rated; ``twice``, images rated twice; ``same``, the share of
    those that got the same score again; ``difference``, mean absolute difference of the two scores in points.
    The last two are NaN for a rater who has rated no image twice.
    """
    shown_before = ratings.groupby(["rater", "image"]).cumcount()
    scores = ratings.assign(showing=shown_before)[shown_before < 2]
    scores = scores.pivot(index=["rater", "image"], columns="showing", values="score").reindex(columns=[0, 1])
    difference = (scores[1] - scores[0]).abs()
    of_rater = difference.groupby("rater")
    return pd.DataFrame(
        {
            "rated": of_rater.size(),
            "twice": of_rater.count(),
            "same": difference.dropna().eq(0).groupby("rater").mean(),
            "difference": of_rater.mean(),
        }
    )


def most_disputed(ratings: pd.DataFrame, count: int | None = None) -> pd.DataFrame:
    """List the `count` images (all where omitted) that raters, two or more, disagree on, most disputed first.

    Index: image. Columns: ``difference``, highest less lowest score in points; ``mean``; ``scores``, for
    people: "Anna 2, Ben 5". Images that all agree on are left out.
    """
    by_rater = _by_rater(ratings)
    table = pd.DataFrame(
        {
            "difference": by_rater.max(axis=1) - by_rater.min(axis=1),
            "mean": by_rater.mean(axis=1),
            "spread": by_rater.std(axis=1),
            "scores": [
                ", ".join(f"{rater} {score:g}" for rater, score in row.dropna().items())
                for _, row in by_rater.iterrows()
            ],
        },
        index=by_rater.index,
    )
    disputed = table[table["difference"] > 0].sort_values(["difference", "spread"], ascending=False)
    return disputed.drop(columns="spread").head(len(disputed) if count is None else count)


def rating_warnings(ratings: pd.DataFrame) -> list[str]:
    """Return what speaks against learning from these ratings, a sentence each."""
    if ratings.empty:
        return ["No image has been rated yet."]
    warnings = []
    means, raters = mean_scores(ratings), sorted(set(ratings["rater"]))
    if len(means) < FEWEST_IMAGES:
        warnings.append(
            f"Only {len(means)} image{'s are' if len(means) > 1 else ' is'} rated: rate {FEWEST_IMAGES} or "
            "more, so that a model can learn from them."
        )
    if len(raters) == 1:
        warnings.append(
            f"All ratings are by {raters[0]}: a second rater would show how far they can be trusted."
        )
    else:
        warnings += _warnings_of_agreement(ratings)
    for rater, steadiness in self_consistency(ratings).iterrows():
        if steadiness["difference"] > _UNSTEADY:
            warnings.append(
                f"{rater}'s two scores of one image are {steadiness['difference']:.1f} points apart on "
                "average: ask for a second look."
            )
    if np.ptp(means) < _NARROWEST:
        warnings.append(
            f"The images are rated {means.min():.1f} to {means.max():.1f}: add better and worse ones, so "
            "that a model can learn the difference."
        )
    return warnings


def _warnings_of_agreement(ratings: pd.DataFrame) -> list[str]:
    raters_of_image = ratings.groupby("image")["rater"].nunique()
    alpha = krippendorff_alpha(ratings)
    if (raters_of_image < 2).all():
        return [
            "No image was rated by two raters, so their agreement is unknown: let them rate the same images."
        ]
    if alpha < ALPHA_TENTATIVE:
        return [
            f"The raters agree too little to learn from (alpha {alpha:.2f}, needed {ALPHA_TENTATIVE:g}): "
            "talk about the images they disagree on most, and rate again."
        ]
    return []


def _by_rater(ratings: pd.DataFrame) -> pd.DataFrame:
    """Return a row per image and a column per rater, with the mean of a rater's scores of the image."""
    return ratings.pivot_table(index="image", columns="rater", values="score", aggfunc="mean")


# -- one file --------------------------------------------------------------------------------------


def _read_file(path: Path) -> list[Rating]:
    try:
        # "-sig": Excel puts a mark before the first column's name.
        reader = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")), strict=True)
        if tuple(reader.fieldnames or ()) != _COLUMNS:
            raise RatingError(
                f"{path} is not a table of ratings: choose a CSV file whose first line is "
                f"{','.join(_COLUMNS)}."
            )
        return [_rating(row, path, reader.line_num) for row in reader]
    except OSError as error:
        raise RatingError(f"The ratings in {path} cannot be read ({error.strerror}).") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise RatingError(
            f"{path} is not a table of ratings ({error}): choose a CSV file in UTF-8 whose first line is "
            f"{','.join(_COLUMNS)}."
        ) from error


def _rating(row: dict[str, str | None], path: Path, line: int) -> Rating:
    image, rater, score, time = ((row[column] or "").strip() for column in _COLUMNS)
    for value, what in ((image, "image"), (rater, "rater")):
        if not value:
            raise RatingError(f"Line {line} of {path} names no {what}: fill it in, or take the line out.")
    if score not in map(str, LEVELS):
        raise RatingError(
            f"Line {line} of {path} gives '{image:.100}' the score '{score:.20}', which is not one of "
            f"{', '.join(map(str, LEVELS))}: correct it, or take the line out."
        )
    return Rating(image, rater, int(score), time)
