"""A pipeline: filters in order, saved as JSON, applied to a slice or lazily to a volume."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from napari_tiqa.errors import FilterError, explained
from napari_tiqa.filtering.catalogue import filter_named
from napari_tiqa.filtering.filter import Filter
from napari_tiqa.filtering.parameter import Value
from napari_tiqa.filtering.slice_frame import filter_slice
from napari_tiqa.json_text import read_json
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.whole_file import write_text

FORMAT = "napari-tiqa pipeline"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Step:
    """One filter of a pipeline with its parameters.

    Attributes
    ----------
    filter : str
        Its name in ``catalogue.FILTERS``.
    parameters : mapping of str to value
        Checked; those not given have their defaults.
    on : bool
        Whether the step is applied; one that is off keeps its place and its parameters.

    Raises
    ------
    FilterError
        If there is no such filter or parameter, or a value is out of range.
    """

    filter: str
    parameters: Mapping[str, Value] = field(default_factory=dict)
    on: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot be applied, and fill in the defaults."""
        object.__setattr__(self, "parameters", self.definition.checked(self.parameters))
        if not isinstance(self.on, bool):
            raise FilterError(f"on of {self.filter} cannot be {self.on!r:.60}: choose true or false.")

    @property
    def definition(self) -> Filter:
        """The filter itself."""
        return filter_named(self.filter)


@dataclass(frozen=True)
class Pipeline:
    """Filters in the order in which they are applied: ``Pipeline([Step("gaussian", {"sigma": 2})])(plane)``.

    Attributes
    ----------
    steps : tuple of Step
        Without any, the pipeline changes nothing.
    """

    steps: tuple[Step, ...] = ()

    def __init__(self, steps: Iterable[Step] = ()) -> None:
        object.__setattr__(self, "steps", tuple(steps))

    def __call__(
        self, plane: np.ndarray, window: IntensityWindow | tuple[float, float] | None = None
    ) -> np.ndarray:
        """Apply the steps that are on to a slice; see ``Filter.__call__``."""
        kernels = [step.definition.kernel(step.parameters) for step in self.steps if step.on]
        return filter_slice(plane, kernels, window)

    def with_parameter(self, step: int, name: str, value: Value) -> Self:
        """Return the pipeline with one parameter set.

        Raises
        ------
        FilterError
            If there is no such step or parameter, or the value is out of range.
        """
        if not 0 <= step < len(self.steps):
            raise FilterError(f"The pipeline has no step {step}: it has {len(self.steps)}, counted from 0.")
        steps = list(self.steps)
        steps[step] = replace(steps[step], parameters={**steps[step].parameters, name: value})
        return type(self)(steps)

    def describe(self) -> str:
        """Return the steps that are on for people: "Gaussian (sigma 2 px), Median (radius 1 px)"."""
        parts = []
        for step in self.steps:
            if step.on:
                known = step.definition.parameters
                values = ", ".join(known[name].in_words(value) for name, value in step.parameters.items())
                parts.append(f"{step.definition.title} ({values})")
        return ", ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        steps = [
            {"filter": step.filter, "parameters": dict(step.parameters), "on": step.on} for step in self.steps
        ]
        return {"format": FORMAT, "format_version": FORMAT_VERSION, "steps": steps}

    @classmethod
    def from_dict(cls, values: Any, source: str = "This") -> Self:
        """Make a pipeline from what ``to_dict`` returned.

        Parameters
        ----------
        values : dict
            As read from JSON.
        source : str
            Names it in the error's sentence.

        Raises
        ------
        FilterError
            If it is not a pipeline, has a newer version, or has an unknown filter or parameter.
        """
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise FilterError(
                f"{source} is not a filter pipeline: choose a file that napari-tiqa saved as one."
            )
        version = values.get("format_version")
        if version != FORMAT_VERSION:
            raise FilterError(
                f"{source} is a pipeline of version {version!r:.20}, this napari-tiqa reads version "
                f"{FORMAT_VERSION}: update napari-tiqa or save the pipeline again."
            )
        try:
            steps = [
                Step(step["filter"], step["parameters"], step.get("on", True)) for step in values["steps"]
            ]
        except (KeyError, TypeError, AttributeError) as error:
            raise FilterError(
                f"{source} has a step without filter or parameters ({error}): save the pipeline again."
            ) from error
        except FilterError as error:
            raise FilterError(f"{source} cannot be used: {error}") from error
        return cls(steps)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the pipeline as JSON, whole or not at all.

        Raises
        ------
        FilterError
            If the file cannot be written.
        """
        text = json.dumps(self.to_dict(), indent=2) + "\n"
        with explained(FilterError, f"The pipeline cannot be written to {path}", "choose another place"):
            write_text(path, text)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a pipeline that ``save`` wrote.

        Raises
        ------
        FilterError
            If the file cannot be read or is not a pipeline of this version.
        """
        try:
            with explained(FilterError, f"The pipeline {path} cannot be read", "check the path"):
                values = read_json(path)
        except ValueError as error:
            raise FilterError(
                f"{path} is not a JSON file ({error}): choose a file that napari-tiqa saved as a pipeline."
            ) from error
        return cls.from_dict(values, str(path))


def holds_pipeline(path: Path) -> bool:
    """Tell whether a file holds a pipeline, of whatever version, and not other JSON."""
    try:
        values = read_json(path)
    except (OSError, ValueError):
        return False
    return isinstance(values, dict) and values.get("format") == FORMAT
