"""The result of a tuning: the best setting, how sure it is that it is better, how much it matters."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from napari_tiqa.filtering.parameter import Value
from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.jobs.filtering.gain import NOT_SIGNIFICANT, Gain, change, improvement, level, paired_gain
from napari_tiqa.jobs.filtering.trial import Trial
from napari_tiqa.jobs.filtering.variables import Variable
from napari_tiqa.wording import percent


@dataclass(frozen=True)
class Tuning:
    """What a tuning has found.

    Attributes
    ----------
    pipeline : Pipeline
        As given, automatic ring centres settled.
    variables : tuple of Variable
        What was varied.
    method : str
        "optimise" or "sweep".
    aim : str
        What settings were compared by: "fidelity" or "score".
    slices : tuple of int
        Which slices the settings were tried on, indices along the axis.
    nothing : Trial
        The slices unfiltered: the pipeline with all its steps switched off.
    without : Trial or None
        The pipeline with the steps that are tuned switched off; None where no other step is left.
    trials : tuple of Trial
        The settings tried, in order, the pipeline as given first.
    complete : bool
        False where it was cancelled before all settings were tried.
    record : dict
        What it was made with, JSON-able: volume, axis, window, model, slices.
    """

    pipeline: Pipeline
    variables: tuple[Variable, ...]
    method: str
    aim: str
    slices: tuple[int, ...]
    nothing: Trial
    without: Trial | None
    trials: tuple[Trial, ...]
    complete: bool = True
    record: dict[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The variables as they are written: "gaussian.sigma"."""
        return tuple(variable.name(self.pipeline) for variable in self.variables)

    @property
    def leader(self) -> Trial:
        """The setting with the highest objective, whether it is better than nothing or not."""
        return leading(self.trials)

    @cached_property
    def best(self) -> Trial:
        """What to use: the leader, unless something simpler is as good as far as the score can tell.

        Simpler than the leader is the pipeline without the steps that were tuned, and simpler than that
        nothing at all.
        """
        chosen = self.nothing
        for candidate in (self.without, self.leader):
            if candidate and self._gain(candidate, chosen).is_sure:
                chosen = candidate
        return chosen

    def _gain(self, trial: Trial, over: Trial) -> Gain:
        return paired_gain(trial.slice_objectives, over.slice_objectives, self.aim)

    @cached_property
    def _leader_gain(self) -> Gain:
        return self._gain(self.leader, self.nothing)

    @property
    def gain(self) -> float:
        """How much higher the leader's objective is than that of the unfiltered slices."""
        return self._leader_gain.mean

    @property
    def gain_half_width(self) -> float:
        """Half the width of the gain's 90 % interval; ``paired_gain`` says how it is found."""
        return self._leader_gain.half_width

    @cached_property
    def flatness(self) -> tuple[tuple[Value, ...], ...]:
        """The values of each variable with which the leader is matched as far as the score can tell.

        Least and greatest value of a number, each value of a choice. With one variable they are those next
        to the leader's without a worse one between; with more, those of all settings that match it.
        """
        ranges = []
        for place, variable in enumerate(self.variables):
            values = [trial.values[place] for trial in self._as_good(place)]
            every = variable.every_value(self.pipeline)
            if every and isinstance(every[0], (bool, str)):
                ranges.append(tuple(value for value in every if value in values))
            else:
                numbers = [value for value in values if isinstance(value, (int, float))]
                ranges.append((min(numbers), max(numbers)))
        return tuple(ranges)

    def _as_good(self, place: int) -> list[Trial]:
        """Return the trials that match the leader, the leader among them."""
        leader = self.leader
        matches = {
            id(trial) for trial in self.trials if not trial.failure and not self._gain(leader, trial).is_sure
        }
        numbers = isinstance(leader.values[place], float)
        if len(self.variables) > 1 or not (numbers or type(leader.values[place]) is int):
            return [trial for trial in self.trials if id(trial) in matches]
        in_order = sorted(self.trials, key=lambda trial: np.float64(trial.values[place]))
        at = in_order.index(leader)
        found = [leader]
        for way in (in_order[at + 1 :], in_order[:at][::-1]):
            for trial in way:
                if id(trial) not in matches:
                    break
                found.append(trial)
        return found

    def table(self) -> pd.DataFrame:
        """Return a row per trial, the unfiltered slices first.

        Returns
        -------
        pandas.DataFrame
            Columns: setting ("unfiltered", "without the tuned steps", "as given", "tried"), one per variable
            by its name, score and objective (means over the slices), detail_loss (per cent), seconds (per
            slice), score_<index> for each slice, failure. ``attrs`` is the record, with what was varied and
            what came of it.
        """
        named = [("unfiltered", self.nothing), ("without the tuned steps", self.without)]
        given = tuple(variable.value(self.pipeline) for variable in self.variables)
        named += [("as given" if trial.values == given else "tried", trial) for trial in self.trials]
        rows = []
        for setting, trial in named:
            if trial is None:
                continue
            values = trial.values or (None,) * len(self.variables)
            scores = zip(self.slices, trial.slice_scores, strict=True)
            rows.append(
                {"setting": setting}
                | dict(zip(self.names, values, strict=True))
                | {
                    "score": trial.score,
                    "objective": trial.objective,
                    "detail_loss": trial.detail_loss,
                    "seconds": trial.seconds,
                }
                | {f"score_{index}": score for index, score in scores}
                | {"failure": trial.failure}
            )
        table = pd.DataFrame(rows)
        ranges = {name: [item.low, item.high] for name, item in zip(self.names, self.variables, strict=True)}
        table.attrs.update(
            self.record,
            method=self.method,
            aim=self.aim,
            ranges=ranges,
            complete=self.complete,
            best=self.best.pipeline.to_dict(),
            sentence=self.sentence(),
        )
        return table

    def sentence(self) -> str:
        """Return what came of it for people, one sentence."""
        nothing, best, leader = self.nothing, self.best, self.leader
        if best is nothing:
            text = f"Nothing beats leaving the slices unfiltered ({level(nothing, self.aim)}): "
            changed = change(self._leader_gain, self.aim)
            if self.gain < -self.gain_half_width:
                text += f"even {self._described(leader)} changes the {self.aim} by {changed}"
            else:
                text += f"{self._described(leader)} changes the {self.aim} by {changed}: {NOT_SIGNIFICANT}"
        elif best is leader:
            gained = improvement(best, nothing, self._leader_gain, self.aim)
            text = f"Best is {self._described(leader)}: {gained} unfiltered, {_detail(best.detail_loss)}"
            text += self._leeway()
        else:
            titles = (self.pipeline.steps[item.step].definition.title for item in self.variables)
            gained = improvement(best, nothing, self._gain(best, nothing), self.aim)
            text = (
                f"Best without {', '.join(dict.fromkeys(titles))}: {gained} unfiltered; what "
                f"{self._described(leader)} adds is {NOT_SIGNIFICANT}"
            )
        if not self.complete:
            text = f"Stopped after {len(self.trials)} settings. {text}"
        return f"{text}."

    def _described(self, trial: Trial) -> str:
        parts = []
        for variable, value in zip(self.variables, trial.values, strict=True):
            unit = variable.definition(self.pipeline).unit
            parts.append(f"{variable.title(self.pipeline)} = {_number(value)} {unit}".rstrip())
        return ", ".join(parts)

    def _leeway(self) -> str:
        """Say how flat the optimum is, where that is one range of numbers."""
        if len(self.variables) > 1 or type(self.leader.values[0]) not in (int, float):
            return ""
        low, high = self.flatness[0]
        if low == high:
            return ""
        unit = self.variables[0].definition(self.pipeline).unit
        return f"; {_number(low)} to {_number(high)} {unit}".rstrip() + " performs equally well"


def leading(trials: Iterable[Trial]) -> Trial:
    """Return the trial with the highest objective; of equal ones the first."""
    return max((trial for trial in trials if not trial.failure), key=lambda trial: trial.objective)


def _number(value: Value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value).lower()


def _detail(loss: float) -> str:
    if np.isnan(loss):
        return "edges could not be measured"
    return f"edges {percent(abs(loss))} {'less' if round(loss) >= 0 else 'more'} steep"
