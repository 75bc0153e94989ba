"""What the calling process and the model process say to each other: one pickled dataclass per message."""

import os
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from napari_tiqa.errors import BundleError, TiqaError
from napari_tiqa.scoring.bundle import DEFAULT_MODEL


class ModelFile(NamedTuple):
    """A model bundle as it was when a run began; a bundle that is written anew is another model."""

    path: str
    modified_ns: int

    @classmethod
    def of(cls, path: str | os.PathLike[str] | None) -> "ModelFile":
        """Look up a bundle; None is the default model. Raises BundleError if there is none."""
        # Absolute: the model process stays in the folder that it was started in.
        bundle = Path(DEFAULT_MODEL if path is None else path).absolute()
        try:
            return cls(str(bundle), bundle.stat().st_mtime_ns)
        except OSError as error:
            raise BundleError(f"There is no model bundle at {bundle}: check the path.") from error


@dataclass(frozen=True)
class Predict:
    """To the model process: score `tiles`, shape (n, 224, 224), float32 in [0, 1]."""

    request: int
    model: ModelFile
    tiles: np.ndarray


@dataclass(frozen=True)
class Run:
    """To the model process: call ``task``, "module:function", with `arguments` and a ``report`` to call.

    What needs Keras and is more than scoring (training, the baselines of an evaluation) runs this way.
    Each ``report(value)`` of the function arrives as Progress; it raises Cancelled once `request` is.
    The arguments travel pickled: unpacking them imports modules, which only the thread that works may do,
    as two threads that import at once can fail.
    """

    request: int
    task: str
    arguments: bytes


@dataclass(frozen=True)
class Cancel:
    """To the model process: the answer to `request` is no longer wanted."""

    request: int


@dataclass(frozen=True)
class Ready:
    """From the model process, once: Keras is imported; `device` is where it runs, in words."""

    device: str


@dataclass(frozen=True)
class Predicted:
    """From the model process: what ``predict.predict`` says of each tile of `request`, shape (n, 6)."""

    request: int
    values: np.ndarray


@dataclass(frozen=True)
class Progress:
    """From the model process: what the task of `request` reports on its way."""

    request: int
    value: Any


@dataclass(frozen=True)
class Returned:
    """From the model process: what the task of `request` returned."""

    request: int
    value: Any


@dataclass(frozen=True)
class Failed:
    """From the model process: why `request` has no answer."""

    request: int
    error: TiqaError


@dataclass(frozen=True)
class Skipped:
    """From the model process: `request` was cancelled, before its turn came or on the way."""

    request: int


Message = Predict | Run | Cancel | Ready | Predicted | Progress | Returned | Failed | Skipped


def write_message(pipe: IO[bytes], message: Message) -> None:
    """Send one message, whole."""
    pickle.dump(message, pipe, protocol=5)
    pipe.flush()


def read_message(pipe: IO[bytes]) -> Message:
    """Wait for one message; raises EOFError if the other process has ended, also halfway through one."""
    try:
        message: Message = pickle.load(pipe)
    except (pickle.UnpicklingError, OSError) as error:
        raise EOFError("the message is cut short") from error
    return message
