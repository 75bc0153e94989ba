"""A model and the baselines judged on the same images of a dataset, in one run. Needs Keras when it runs."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_tiqa.errors import TrainingError
from napari_tiqa.learning.evaluation.cross_validation import FOLDS, cross_validate
from napari_tiqa.learning.evaluation.residuals import residual_table
from napari_tiqa.learning.evaluation.shrink import SHRINK_COLUMNS, large_slices, shrink_effect
from napari_tiqa.learning.images.dataset import Dataset
from napari_tiqa.learning.images.groups import Group
from napari_tiqa.learning.measures.krasula import RatedPairs
from napari_tiqa.learning.measures.measures import evaluate, image_rows
from napari_tiqa.progress import Progress
from napari_tiqa.scoring.bundle import load_card
from napari_tiqa.scoring.predict import load_model, predict
from napari_tiqa.scoring.scale import PREDICTED
from napari_tiqa.volumes.digest import slice_digest
from napari_tiqa.wording import free_name

RESAMPLES = 1000
"""Resamples of the bootstrap."""

# Milliseconds an image on 2 cores. Only their ratios matter: they turn images done into a share of the work.
_COST = {"model": 5, "brisque": 10, "ridge": 30, "lookup": 0.1, "rankiqa": 5000}
_COST_OF_INTERVALS = 0.7  # a resample of a row of the table
_ROWS = 4
_PARTS = 1000  # of the work, as progress counts it


@dataclass(frozen=True)
class EvaluationProgress(Progress):
    """Progress of an evaluation, in thousandths of the whole work.

    Attributes
    ----------
    stage : str
        What is being done, in words.
    """

    stage: str


@dataclass(frozen=True)
class Evaluation:
    """The measures of a model on a dataset, beside other models and the baselines.

    Attributes
    ----------
    titles : tuple of str
        Names of what was judged: the model first, then other models, then the baselines.
    table : pandas.DataFrame
        A row for each of `titles` (column ``judged``) and family; the other columns are those of
        ``learning.measures.measures.evaluate``, with intervals.
    rows : pandas.DataFrame
        A row per judged image: file, original, specimen, family, level, label (NaN where there is none),
        raters (how many), the model's score, uncertainty, ring, blur, noise, novelty (see
        ``scoring.predict``), then the score of each other of `titles` in a column of that name.
    shrink : pandas.DataFrame
        A row per large slice, see ``learning.evaluation.shrink.shrink_effect``; empty where there is none.
    notes : tuple of str
        Notes for reading the table, a sentence each.
    record : dict
        What was judged on what and how, JSON-able.
    """

    titles: tuple[str, ...]
    table: pd.DataFrame
    rows: pd.DataFrame
    shrink: pd.DataFrame
    notes: tuple[str, ...]
    record: dict[str, Any]

    @property
    def residuals(self) -> pd.DataFrame:
        """How far the model's scores are off for each specimen and artefact: ``residuals.residual_table``."""
        return residual_table(self.rows)

    def scores(self, title: str) -> pd.Series:
        """Return the score of each image by one of `titles`."""
        return self.rows["score" if title == self.titles[0] else title]


def compare(
    models: Sequence[str],
    dataset: Dataset,
    folder: str,
    baselines: Sequence[str],
    report: Callable[[EvaluationProgress], object],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Evaluation:
    """Judge models (paths of bundles, the one to be judged first) and baselines on a dataset.

    Specimens that one of the models was trained on are left out, unless nothing would remain. Baselines (keys
    of ``baselines.BASELINES``) that learn are fitted by cross-validation over the dataset's specimens (over
    its originals where there is only one), so that none has seen the images it is judged on. `dataset` is
    what ``read_dataset`` made of `folder`; `report` is called with the progress, and what it raises ends the
    work; `resamples` and `seed` are of the bootstrap over originals. Raises BundleError if a model cannot be
    used, TrainingError if none of the images has a label.
    """
    report(EvaluationProgress(0, _PARTS, None, "reading the models"))
    cards = [load_card(model) for model in models]
    images = sum(len(group.images) for group in dataset.groups)
    if not any(np.isfinite(group.labels).any() for group in dataset.groups):
        raise TrainingError(
            f"None of the images of {folder} has a label, so there is nothing to judge by: rate them first."
        )
    chosen, notes = not_trained_on(dataset, cards)
    groups = [dataset.groups[i] for i in chosen]
    large = large_slices(Path(folder))
    costs = [_COST["model"] * images] * len(models) + [_COST[name] * images for name in baselines]
    costs += [_COST_OF_INTERVALS * resamples * _ROWS] * len(costs) + [_COST["model"] * 10 * len(large)]
    work = _Work(costs, report)
    titles: list[str] = []
    scores: list[list[np.ndarray]] = []
    values = np.empty((0, len(PREDICTED)))
    for model, card in zip(models, cards, strict=True):
        title = free_name(str(card.get("name") or Path(model).stem), titles)
        found = _predict(model, groups, partial(work.at, f"scoring by {title}"))
        if not titles:
            values = np.concatenate(found)
        titles.append(title)
        scores.append([of_group[:, 0] for of_group in found])
        work.next()
    for name in baselines:
        if len(dataset.groups) > 1:
            try:
                title, all_scores = cross_validate(
                    name, dataset.groups, _teachable(name, dataset), partial(work.at, f"baseline {name}")
                )
            except TrainingError as error:
                notes.append(f"The baseline {name} could not be fitted. {error}")
            else:
                titles.append(title)
                scores.append([all_scores[i] for i in chosen])
        work.next()
    notes += _notes_on(dataset, titles[len(models) :])
    pairs = _rated_pairs(dataset, chosen)
    tables = []
    for title, of_title in zip(titles, scores, strict=True):
        work.at(f"intervals of {title}", 0)
        table = evaluate(groups, of_title, pairs=pairs, resamples=resamples, seed=seed)
        table.insert(0, "judged", title)
        tables.append(table)
        work.next()
    shrink = pd.DataFrame(columns=list(SHRINK_COLUMNS))
    if large:
        shrink = shrink_effect(models[0], large, partial(work.at, "effect of shrinking"))
    return Evaluation(
        titles=tuple(titles),
        table=pd.concat(tables, ignore_index=True),
        rows=_rows(dataset, chosen, titles, scores, values),
        shrink=shrink,
        notes=tuple(notes),
        record={
            "models": [
                {"path": m, "sha256": c["weights_sha256"]} for m, c in zip(models, cards, strict=True)
            ],
            "dataset": folder,
            "baselines": list(baselines),
            "folds": FOLDS,
            "resamples": resamples,
            "seed": seed,
        },
    )


class _Work:
    """Turns what is done of each step, whose costs are known roughly, into a share and the time left."""

    def __init__(self, costs: Sequence[float], report: Callable[[EvaluationProgress], object]) -> None:
        self._ends = np.cumsum([0.0, *costs]) / max(sum(costs), 1e-9)
        self._step = 0
        self._began = time.monotonic()
        self._report = report

    def at(self, stage: str, share: float) -> None:
        start, end = self._ends[self._step : self._step + 2]
        done = float(start + share * (end - start))
        passed = time.monotonic() - self._began
        left = passed / done * (1 - done) if done > 0.02 else None
        self._report(EvaluationProgress(round(done * _PARTS), _PARTS, left, stage))

    def next(self) -> None:
        self._step += 1


def _predict(model: str, groups: Sequence[Group], advance: Callable[[float], object]) -> list[np.ndarray]:
    """Return for each group what the model says of its images, shape (n, 6)."""
    network = load_model(model)
    found = []
    for number, group in enumerate(groups):
        advance(number / len(groups))
        found.append(predict(network, group.tiles()))
    return found


def not_trained_on(dataset: Dataset, cards: Sequence[dict[str, Any]]) -> tuple[list[int], list[str]]:
    """Choose the groups that none of the models was trained on, or all where that leaves none."""
    seen, digests = set(), set()
    for card in cards:
        training = card.get("training") or {}
        digests |= set(training.get("digests", ()))
        seen |= set(training.get("scans", ())) - set(training.get("left_out", ()))
    # A card names whole paths, or their ends where it must be true on every machine.
    by_name = (any(g.specimen == s or g.specimen.endswith(f"/{s}") for s in seen) for g in dataset.groups)
    # A copy of an original, such as one written from a layer again, is the same wherever it lies.
    by_content = (slice_digest(group.images[0]) in digests for group in dataset.groups)
    trained = [one or other for one, other in zip(by_name, by_content, strict=True)]
    specimens = {group.specimen for group in dataset.groups}
    known = {group.specimen for group, flag in zip(dataset.groups, trained, strict=True) if flag}
    if not known:
        return list(range(len(trained))), []
    if len(known) == len(specimens):
        sentence = "All of these specimens were used in training: the figures are better than on others."
        return list(range(len(trained))), [sentence]
    sentence = (
        f"Judged on the {len(specimens) - len(known)} specimens of {len(specimens)} that were not used in "
        "training."
    )
    return [i for i, flag in enumerate(trained) if not flag], [sentence]


def _teachable(name: str, dataset: Dataset) -> list[Group]:
    """RankIQA learns from human labels alone, where there are any."""
    if name != "rankiqa" or dataset.ratings is None:
        return dataset.groups
    rated = set(dataset.ratings["image"])
    return [
        group.with_labels(np.where(np.isin(files, list(rated)), group.labels, np.nan))
        for group, files in zip(dataset.groups, dataset.files, strict=True)
    ]


def _notes_on(dataset: Dataset, baselines: Sequence[str]) -> list[str]:
    images = sum(len(group.images) for group in dataset.groups)
    rated = 0 if dataset.ratings is None else dataset.ratings["image"].nunique()
    notes = [
        f"{rated} of {images} labels are means of people's ratings, the others were projected from metrics."
        if rated < images
        else "All labels are means of people's ratings."
    ]
    specimens = len({group.specimen for group in dataset.groups})
    if len(dataset.groups) < 2:
        notes.append("There is only one original, so no baseline could be fitted.")
    elif baselines:
        over = f"{specimens} specimens" if specimens > 1 else "originals of its one specimen"
        notes.append(
            f"Baselines were fitted by cross-validation over the dataset's {over}, {FOLDS} folds, and never "
            "saw the images they were judged on; BRISQUE is as its authors trained it."
        )
    return notes


def _rated_pairs(dataset: Dataset, chosen: Sequence[int]) -> RatedPairs | None:
    """Compare the rated images of the chosen groups; None where no image has two raters."""
    if dataset.ratings is None:
        return None
    files = [file for i in chosen for file in dataset.files[i]]
    # A rater who saw an image twice has one opinion of it.
    opinions = dataset.ratings.groupby(["image", "rater"])["score"].mean().unstack()
    pairs = RatedPairs.from_ratings(opinions.reindex(files).to_numpy(float))
    return pairs if len(pairs.z) else None


def _rows(
    dataset: Dataset,
    chosen: Sequence[int],
    titles: Sequence[str],
    scores: Sequence[Sequence[np.ndarray]],
    values: np.ndarray,
) -> pd.DataFrame:
    rows = image_rows([dataset.groups[i] for i in chosen], scores[0]).drop(columns="score")
    rows["original"] = [dataset.originals[chosen[number]] for number in rows["original"]]
    rows.insert(0, "file", [file for i in chosen for file in dataset.files[i]])
    raters = pd.Series(dtype=int)
    if dataset.ratings is not None:
        raters = dataset.ratings.groupby("image")["rater"].nunique()
    rows["raters"] = rows["file"].map(raters).fillna(0).astype(int)
    rows[list(PREDICTED)] = values
    for title, of_title in zip(titles[1:], scores[1:], strict=True):
        rows[title] = np.concatenate(of_title)
    return rows
