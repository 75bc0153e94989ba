"""Which settings a tuning tries, one after the other: a regular grid, or what an optimiser asks for."""

import itertools
import math
from collections.abc import Iterator
from typing import Any, Protocol

from napari_tiqa.errors import FilterError
from napari_tiqa.filtering.parameter import Value
from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.jobs.filtering.variables import Variable

METHODS = ("optimise", "sweep")
"""Ways to search; the first is the default."""

_MOST_SWEPT = 2  # variables: a curve or a map
_SEED = 0
_RANDOM_TRIALS = 10  # with which an optimiser of several variables begins
_LEAST_GRID = 3
_SHARE_OF_GRID = 1 / 3  # of the trials, to find the neighbourhood of the best before it is refined
_REPEATS = 20  # proposals of settings already tried, after which there is nothing new to try

Values = tuple[Value, ...]


class Search(Protocol):
    """Asked for settings and told what they are worth; `total` is how many there will be, if known."""

    total: int

    def settings(self) -> Iterator[Values]:
        """Yield the values to try next; a setting may be asked for before the last one is told."""

    def tell(self, values: Values, objective: float) -> None:
        """Say what a setting is worth; NaN if it failed."""


def search(method: str, pipeline: Pipeline, varied: tuple[Variable, ...], trials: int) -> Search:
    """Make a search of at most that many settings, which begins with the pipeline as given.

    Raises FilterError if there is no such method, too few trials, or a sweep over more than two variables.
    """
    if method not in METHODS:
        raise FilterError(f"Unknown tuning method '{method}': choose {' or '.join(METHODS)}.")
    if method == "sweep":
        if len(varied) > _MOST_SWEPT:
            names = ", ".join(variable.name(pipeline) for variable in varied)
            raise FilterError(
                f"A sweep goes over one or two parameters, not {len(varied)} ({names}): "
                "name fewer, or let them be optimised."
            )
        if trials < 2 ** len(varied):
            least = 2 ** len(varied)
            raise FilterError(
                f"A sweep over that many parameters needs {least} trials or more, not {trials}."
            )
        count = math.isqrt(trials) if len(varied) > 1 else trials
        return _Grid(itertools.product(*(variable.grid(pipeline, count) for variable in varied)))
    if trials < 2:
        raise FilterError(f"Optimising needs 2 trials or more, not {trials}.")
    every = [variable.every_value(pipeline) for variable in varied]
    known = [values for values in every if values is not None]
    if len(known) == len(every) and math.prod(map(len, known)) <= trials:
        return _Grid(itertools.product(*known))
    return _Optimiser(pipeline, varied, trials)


class _Grid:
    """Every setting of a list."""

    def __init__(self, settings: "itertools.product[Values]") -> None:
        self._settings = list(settings)
        self.total = len(self._settings)

    def settings(self) -> Iterator[Values]:
        return iter(self._settings)

    def tell(self, values: Values, objective: float) -> None:
        """Nothing to learn: the settings are fixed."""


class _Optimiser:
    """Optuna's tree-structured Parzen estimator (Bergstra et al. 2011), seeded, in memory.

    It begins with the setting given and, for one variable, a coarse grid, which finds the neighbourhood of
    the best more surely than random settings do.
    """

    def __init__(self, pipeline: Pipeline, varied: tuple[Variable, ...], trials: int) -> None:
        # Only a tuning waits for its import.
        import optuna

        self.total = trials
        self._pipeline, self._varied = pipeline, varied
        self._names = [variable.name(pipeline) for variable in varied]
        self._ranges = {
            name: _distribution(pipeline, variable)
            for name, variable in zip(self._names, varied, strict=True)
        }
        self._asked: dict[Values, Any] = {}
        self._grid = _coarse_grid(pipeline, varied, trials)
        sampler = optuna.samplers.TPESampler(
            n_startup_trials=len(self._grid) or _RANDOM_TRIALS, multivariate=True, seed=_SEED
        )
        verbosity = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)  # it announces every study
        try:
            self._study = optuna.create_study(direction="maximize", sampler=sampler)
        finally:
            optuna.logging.set_verbosity(verbosity)
        self._ignored = optuna.trial.TrialState.FAIL
        self._bad = optuna.trial.TrialState.PRUNED  # counts among the worst

    def settings(self) -> Iterator[Values]:
        given = tuple(variable.value(self._pipeline) for variable in self._varied)
        if _is_in_range(self._varied, given):
            self._enqueue(given)
        else:  # worth a trial, but nothing that the optimiser could learn from
            self._asked[given] = None
            yield given
        for values in self._grid:
            self._enqueue(values)
        repeats = 0
        while len(self._asked) < self.total and repeats < _REPEATS:
            trial = self._study.ask(self._ranges)
            values = tuple(
                variable.rounded(self._pipeline, trial.params[name])
                for variable, name in zip(self._varied, self._names, strict=True)
            )
            if values in self._asked:
                self._study.tell(trial, state=self._ignored)
                repeats += 1
                continue
            repeats = 0
            self._asked[values] = trial
            yield values
        self.total = len(self._asked)

    def tell(self, values: Values, objective: float) -> None:
        trial = self._asked[values]
        if trial is None:
            return
        if math.isnan(objective):
            self._study.tell(trial, state=self._bad)
        else:
            self._study.tell(trial, objective)

    def _enqueue(self, values: Values) -> None:
        self._study.enqueue_trial(dict(zip(self._names, values, strict=True)))


def _coarse_grid(pipeline: Pipeline, varied: tuple[Variable, ...], trials: int) -> list[Values]:
    """Return the settings that an optimiser of one variable begins with; none for several."""
    if len(varied) > 1:
        return []
    count = max(_LEAST_GRID, round(trials * _SHARE_OF_GRID))
    return [(value,) for value in varied[0].grid(pipeline, count)]


def _is_in_range(varied: tuple[Variable, ...], values: Values) -> bool:
    """Tell whether an optimiser may begin with a setting: its numbers lie within the ranges."""
    numbers = [
        (variable.low, value, variable.high)
        for variable, value in zip(varied, values, strict=True)
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    ]
    return None not in values and all(low <= value <= high for low, value, high in numbers)


def _distribution(pipeline: Pipeline, variable: Variable) -> Any:
    """Return what Optuna calls the range of a variable."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    every = variable.every_value(pipeline)
    logarithmic = variable.definition(pipeline).logarithmic and variable.low > 0
    if every is None:
        return FloatDistribution(variable.low, variable.high, log=logarithmic)
    if isinstance(every[0], (bool, str)):
        return CategoricalDistribution(every)
    return IntDistribution(every[0], every[-1], log=logarithmic)
