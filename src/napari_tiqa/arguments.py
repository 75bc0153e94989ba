"""What the verbs take for arguments of one name, and the sentence for what they do not."""

import functools
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any, ParamSpec, TypeVar

from napari_tiqa.errors import ArgumentError

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _is_whole(value: Any) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool)


def _is_pipeline(value: Any) -> bool:
    return hasattr(value, "steps")


def _are_texts(value: Any) -> bool:
    return isinstance(value, Sequence) and all(isinstance(item, str) for item in value)


_WHOLE = (_is_whole, "a whole number")
_TEXT = (lambda value: isinstance(value, str), "a text")
_PATH = (lambda value: isinstance(value, str | os.PathLike) and bool(os.fspath(value)), "a path")

_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "progress": (callable, "a function that is called with the state of the work"),
    "cancel": (lambda value: callable(getattr(value, "is_set", None)), "a threading.Event"),
    "pipeline": (_is_pipeline, "a Pipeline"),
    "pipelines": (
        lambda value: isinstance(value, Mapping) and all(map(_is_pipeline, value.values())),
        "a dict of names and Pipelines",
    ),
    "max_slices": (lambda value: _is_whole(value) and value > 0, "a whole number above 0"),
    "recipe": (is_dataclass, "a recipe"),
    "labels": (lambda value: value is not None, "a label image"),
    "names": (_are_texts, "a list of texts"),
    **dict.fromkeys(("model", "quality_model", "output", "run_folder", "dataset", "resume"), _PATH),
    **dict.fromkeys(("index", "stride", "trials", "seed"), _WHOLE),
    **dict.fromkeys(("unlabelled", "value"), (lambda value: value is None or _is_whole(value), _WHOLE[1])),
    **dict.fromkeys(("view", "aim", "method", "format"), _TEXT),
}


def checked_arguments(verb: Callable[_P, _R]) -> Callable[_P, _R]:
    """Make a verb raise ArgumentError, naming the argument, for one that is not of its kind.

    Arguments that are None where that is their default are left alone, and so are those (volume, slices,
    axis, window, region, labels) that have a reader of their own.
    """
    signature = inspect.signature(verb)

    @functools.wraps(verb)
    def checked(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        for name, value in signature.bind(*args, **kwargs).arguments.items():
            is_such, kind = _KINDS.get(name, (None, ""))
            left_out = value is None and signature.parameters[name].default is None
            if is_such and not left_out and not is_such(value):
                shown = " ".join(repr(value).split())
                raise ArgumentError(f"{name}={shown:.60} is not {kind}: give {verb.__name__} {kind}.")
        return verb(*args, **kwargs)

    return checked
