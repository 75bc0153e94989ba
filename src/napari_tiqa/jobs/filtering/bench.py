"""Try pipelines on a few slices: filter on all cores, score in one call, measure what it costs in detail.

Filters run one pipeline ahead of the scoring.
"""

import hashlib
import json
import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import numpy as np
import pandas as pd

from napari_tiqa.errors import FilterError, TiqaError, VolumeError
from napari_tiqa.filtering.parameter import Value
from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.filtering.settled import settled
from napari_tiqa.jobs.filtering.objective import DETAIL_LOSS, OBJECTIVE, SCORE, check_aim, score_slices
from napari_tiqa.jobs.filtering.trial import Trial
from napari_tiqa.jobs.process.client import shared_model_process
from napari_tiqa.jobs.process.cluster import Cluster
from napari_tiqa.jobs.process.kept_work import KeptWork
from napari_tiqa.jobs.process.record import checked_model, run_record
from napari_tiqa.jobs.process.waiting import Answer, wait_for
from napari_tiqa.scoring.views import PYRAMID
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.slice_grammar import Slices
from napari_tiqa.volumes.slices import chosen_slices, evenly, map_slices
from napari_tiqa.volumes.threads import CORES
from napari_tiqa.volumes.window import IntensityWindow, as_window
from napari_tiqa.volumes.window_estimate import volume_window

DEFAULT_SLICES = 5
"""Slices that stand for a volume where none are named, evenly spread, the ends left out."""

Setting = tuple[tuple[Value, ...], Pipeline]
"""The values of a tuning's variables, none outside a tuning, and the pipeline that has them."""

_FIGURES = ("slice_scores", "slice_objectives", "slice_detail_losses", "slice_seconds", "failure")
"""What is kept of a trial beside its setting."""

_Filtered = tuple[np.ndarray, float]  # slice, seconds
_Judged = tuple[pd.DataFrame, float]  # what is said of a slice, seconds
_Begun = Answer[_Filtered] | Answer[_Judged]


class TrialBench:
    """Slices of a volume with what it takes to try pipelines on them; made, it has checked all its arguments.

    The arguments are those of `compare`; `DEFAULT_SLICES` where no slices are named. `cancel` ends every
    wait, within a second. `indices` are the slices along the axis, `unfiltered` is their trial as they are,
    and `record` says what the trials are made with: ``run_record``, the slices and the aim. Raises
    FilterError if there is no such aim, else what ``score_volume`` raises, and VolumeError also if a slice
    that was named cannot be scored, or none can.
    """

    def __init__(
        self,
        volume: Any,
        slices: Slices,
        axis: int | str,
        model: str | os.PathLike[str] | None,
        window: IntensityWindow | tuple[float, float] | None,
        aim: str,
        cancel: threading.Event,
        resume: str | os.PathLike[str] | None = None,
        client: Any = None,
    ) -> None:
        check_aim(aim)
        tomogram = as_volume(volume).tomogram()
        axis = tomogram.axis_number(axis)
        window = as_window(window)
        count = tomogram.slice_count(axis)
        if slices is None:
            indices = evenly(min(DEFAULT_SLICES, count), count)
        else:
            indices = chosen_slices(tomogram, slices, axis)
        bundle = checked_model(model)
        shared_model_process().start()  # Keras is imported while the slices are read
        self.window = volume_window(tomogram, window)
        self._volume, self._axis, self._model = tomogram, axis, model
        self._aim, self._cancel = aim, cancel
        self._planes = [plane for _, plane in map_slices(tomogram, axis, indices, np.copy, cancel=cancel)]
        self.indices = tuple(indices)
        self.unfiltered = self._without_filters(named=slices is not None)
        device = shared_model_process().device
        self.record = run_record(tomogram, axis, self.window, bundle, device)
        self.record |= {"slices": list(self.indices), "aim": aim, "view": PYRAMID}
        self.kept = KeptWork(resume, self._plan())
        self._threads = ThreadPoolExecutor(CORES, thread_name_prefix="filter to be tried")
        self._cluster = None if client is None else Cluster(client)
        if self._cluster is not None:
            self._shared = self._cluster.share((self._planes, self.window, model, aim))

    def __enter__(self) -> Self:
        """Return the bench."""
        self.kept.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        """Begin no filter any more; nobody waits for one under way but Python itself, when it ends."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.kept.__exit__()
        if self._cluster is not None:
            self._cluster.__exit__()

    def settled(self, pipeline: Pipeline) -> Pipeline:
        """Return a pipeline whose automatic ring centres are those of the middle slice."""
        middle = self.indices[len(self.indices) // 2]
        return settled(pipeline, self._volume, self.window, middle, self._axis)

    def tried(self, settings: Iterable[Setting]) -> Iterator[Trial]:
        """Try pipelines in order; a lazy setting is asked for before the trial of the last but one is given.

        A pipeline that cannot be applied to one of the slices, or leaves one that cannot be scored, gives a
        trial that says so. Raises BundleError, ModelProcessError and Cancelled, as ``score_slices``.
        """
        begun: deque[tuple[Setting, list[_Begun]]] = deque()
        for setting in settings:
            known = _name(setting[1]) in self.kept.pieces
            places = range(0 if known else len(self._planes))
            begun.append((setting, [self._begin(setting[1], place) for place in places]))
            if len(begun) > 1:
                yield self._kept(*begun.popleft())
        while begun:
            yield self._kept(*begun.popleft())

    def _kept(self, setting: Setting, filtering: list[_Begun]) -> Trial:
        """Return a trial that a run before has made, or finish it."""
        name = _name(setting[1])
        if name not in self.kept.pieces:
            trial = self._finished(setting, filtering)
            self.kept.add(name, [getattr(trial, figure) for figure in _FIGURES])
            return trial
        scores, objectives, losses, seconds, failure = self.kept.pieces[name]
        return Trial(*setting, tuple(scores), tuple(objectives), tuple(losses), tuple(seconds), failure)

    def _plan(self) -> dict[str, Any]:
        """Return all that decides a trial: only the same may be resumed."""
        return {
            "slices_sha256": [hashlib.sha256(plane.tobytes()).hexdigest() for plane in self._planes],
            "slices": self.indices,
            "axis": self._axis,
            "model": self.record["model"]["weights_sha256"],
            "window": [self.window.low, self.window.high],
            "aim": self._aim,
        }

    def _without_filters(self, named: bool) -> Trial:
        """Score the slices as they are; those nobody named are left out where they have no score."""
        table = self._scored(self._planes)
        seen = table[OBJECTIVE].notna().to_numpy()
        if not seen.all() and (named or not seen.any()):
            missing = int(np.flatnonzero(~seen)[0])
            raise VolumeError(
                f"Slice {self.indices[missing]} of '{self._volume.name}' cannot be judged "
                f"({_reason(table, missing)}): choose other slices."
            )
        self._planes = [plane for plane, has_score in zip(self._planes, seen, strict=True) if has_score]
        self.indices = tuple(np.array(self.indices)[seen].tolist())
        scores, objectives = (tuple(table[column][seen].tolist()) for column in ("score", OBJECTIVE))
        zeros = (0.0,) * len(scores)
        return Trial((), Pipeline(), scores, objectives, zeros, zeros)

    def _begin(self, pipeline: Pipeline, place: int) -> _Begun:
        piece = pipeline, place, self.indices[place]
        if self._cluster is not None:
            return self._cluster.begin(_judged, self._shared, piece)
        return self._threads.submit(
            _filtered, self._planes[place], self.window, pipeline, self.indices[place]
        )

    def _finished(self, setting: Setting, filtering: list[_Begun]) -> Trial:
        values, pipeline = setting
        try:
            parts = [wait_for(item.result, TimeoutError, self._cancel) for item in filtering]
        except FilterError as error:
            return self._failed(setting, str(error))
        finally:
            for item in filtering:
                item.cancel()
        seen, seconds = zip(*parts, strict=True)
        table = self._scored(seen) if self._cluster is None else pd.concat(seen, ignore_index=True)
        if table[OBJECTIVE].isna().any():
            place = int(np.flatnonzero(table[OBJECTIVE].isna())[0])
            return self._failed(
                setting,
                f"{pipeline.describe()} leaves nothing to judge of slice {self.indices[place]} "
                f"({_reason(table, place)}): choose milder values.",
            )
        scores, objectives, losses = (
            tuple(table[column].tolist()) for column in (SCORE, OBJECTIVE, DETAIL_LOSS)
        )
        return Trial(values, pipeline, scores, objectives, losses, tuple(seconds))

    def _scored(self, planes: Sequence[np.ndarray]) -> pd.DataFrame:
        return score_slices(
            planes, self.window, self._model, unfiltered=self._planes, aim=self._aim, cancel=self._cancel
        )

    def _failed(self, setting: Setting, sentence: str) -> Trial:
        unknown = (np.nan,) * len(self.indices)
        return Trial(*setting, unknown, unknown, unknown, unknown, sentence)


def _filtered(plane: np.ndarray, window: IntensityWindow, pipeline: Pipeline, index: int) -> _Filtered:
    begin = time.perf_counter()
    try:
        filtered = pipeline(plane, window)
        return filtered, time.perf_counter() - begin
    except TiqaError as error:
        raise FilterError(f"{pipeline.describe()} cannot be applied to slice {index}: {error}") from error
    except Exception as error:  # a library's filter may fail in its own way on some values
        raise FilterError(
            f"{pipeline.describe()} failed on slice {index} ({error}): choose other values or another filter."
        ) from error


def _judged(
    work: tuple[list[np.ndarray], IntensityWindow, str | os.PathLike[str] | None, str],
    piece: tuple[Pipeline, int, int],
) -> _Judged:
    """Filter a slice, and score it, on a worker of a cluster."""
    (planes, window, model, aim), (pipeline, place, index) = work, piece
    filtered, seconds = _filtered(planes[place], window, pipeline, index)
    return score_slices([filtered], window, model, unfiltered=[planes[place]], aim=aim), seconds


def _name(pipeline: Pipeline) -> str:
    """Name the trial of a pipeline among those that are kept."""
    return json.dumps(pipeline.to_dict()["steps"])


def _reason(table: pd.DataFrame, place: int) -> str:
    """Say why a slice has no objective; one that has a score can still lack a place for a native tile."""
    return str(table["reason"].iloc[place]) or "no place with content as large as a tile of 224 px"
