"""A filter: a function of a slice with the parameters, names and source that docks and files need."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from napari_tiqa.errors import FilterError
from napari_tiqa.filtering.parameter import Parameter, Value
from napari_tiqa.filtering.slice_frame import Kernel, filter_slice
from napari_tiqa.volumes.window import IntensityWindow

GROUPS = ("Ring removal", "Denoise", "Deblur", "Contrast")
"""Headings under which filters are offered, in the order in which they are usually applied."""


@dataclass(frozen=True)
class Filter:
    """One way to change a slice. Call it with the slice: ``gaussian(plane, sigma=2)``.

    Attributes
    ----------
    name : str
        In files and in Python: "gaussian".
    title : str
        For people: "Gaussian".
    group : str
        One of `GROUPS`.
    function : callable
        The kernel: takes pixels of shape (rows, columns), float32, all finite, the intensity window mapped
        to 0..1 and nothing clipped, and the parameters by name; returns pixels of the same shape. One that
        has an argument ``inside`` is given the mask of the pixels that are content, bool; all others hold
        the value of the nearest content pixel.
    parameters : mapping of str to Parameter
        By name, in the order of the sliders.
    main : str
        The parameter that matters most: what is tuned unless something else is chosen.
    """

    name: str
    title: str
    group: str
    function: Callable[..., np.ndarray]
    parameters: Mapping[str, Parameter]
    main: str

    def __call__(
        self,
        plane: np.ndarray,
        window: IntensityWindow | tuple[float, float] | None = None,
        **parameters: Any,
    ) -> np.ndarray:
        """Filter a slice.

        Parameters
        ----------
        plane : numpy.ndarray
            Shape (rows, columns), any real dtype. Pixels that are not finite, and the constant padding
            around the reconstruction circle, stay as they are and do not leak into the others.
        window : IntensityWindow or (low, high), optional
            What parameters "% of the window" refer to; estimated from the slice where omitted.
        **parameters : float, int, bool or str
            By name; the default where omitted.

        Returns
        -------
        numpy.ndarray
            Shape and dtype of `plane`; integers are rounded and clipped to their type's range.

        Raises
        ------
        FilterError
            If a parameter is unknown or out of range, or the slice is not 2-D or is too small.
        """
        return filter_slice(plane, [self.kernel(parameters)], window)

    @cached_property
    def summary(self) -> str:
        """What it does, in a sentence: the first line of its function's docstring."""
        return (inspect.getdoc(self.function) or "").split("\n")[0]

    def checked(self, parameters: Mapping[str, Any]) -> dict[str, Value]:
        """Return all parameters with those given; FilterError where one is unknown or out of range."""
        unknown = [name for name in parameters if name not in self.parameters]
        if unknown:
            raise FilterError(
                f"{self.name} has no parameter '{unknown[0]}': it has {', '.join(self.parameters) or 'none'}."
            )
        return {
            name: parameter.checked(parameters.get(name, parameter.default), f"{name} of {self.name}")
            for name, parameter in self.parameters.items()
        }

    def kernel(self, parameters: Mapping[str, Any]) -> Kernel:
        """Return the function of a slice's pixels and the mask of its content; raises as ``checked``."""
        values = self.checked(parameters)
        if "inside" in inspect.signature(self.function).parameters:
            return lambda pixels, inside: self.function(pixels, inside=inside, **values)
        return lambda pixels, inside: self.function(pixels, **values)


def slice_filter(
    title: str, group: str, main: str, /, **parameters: Parameter
) -> Callable[[Callable[..., np.ndarray]], Filter]:
    """Make a filter of the function below it, which gives the filter its name and its documentation.

    `parameters` have the names of the function's arguments; `group` is one of `GROUPS`,
    `main` the name of the parameter that matters most.
    """

    def make(function: Callable[..., np.ndarray]) -> Filter:
        made = Filter(function.__name__, title, group, function, parameters, main)
        # For help() and Sphinx; a frozen dataclass has to be told.
        object.__setattr__(made, "__doc__", function.__doc__)
        return made

    return make
