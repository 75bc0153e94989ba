"""Checkpoint: all that a training needs to go on after its last epoch; and the network's best weights."""

import io
import json
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import keras
import numpy as np

from napari_tiqa.errors import TrainingError
from napari_tiqa.json_text import parse_json
from napari_tiqa.whole_file import whole_file

_Reached = TypeVar("_Reached")
"""A dataclass of plain values: which epoch weights come from, and how well it did."""


@dataclass(frozen=True)
class Checkpoint(Generic[_Reached]):
    """State of a training after an epoch: that epoch, the best of its stage so far, and all variables.

    Nothing else has a state: what an epoch draws depends on the recipe's seed and the epoch alone.
    """

    reached: _Reached
    best: _Reached
    weights: list[np.ndarray]
    optimizer: list[np.ndarray]


def save_checkpoint(
    path: Path, network: keras.Model, optimizer: keras.optimizers.Optimizer, reached: Any, best: Any
) -> None:
    """Write a checkpoint as a whole or not at all; raises OSError."""
    arrays = {"weights": network.get_weights(), "optimizer": [np.asarray(v) for v in optimizer.variables]}
    _write(path, arrays, {"reached": asdict(reached), "best": asdict(best)})


def load_checkpoint(path: Path, kind: type[_Reached]) -> Checkpoint[_Reached]:
    """Read a checkpoint whose epochs are of a kind of dataclass; raises TrainingError if it is damaged."""
    arrays, record = _read(path)
    return Checkpoint(kind(**record["reached"]), kind(**record["best"]), **arrays)


def save_weights(path: Path, network: keras.Model, reached: Any) -> None:
    """Write a network's weights as a whole or not at all; raises OSError."""
    _write(path, {"weights": network.get_weights()}, asdict(reached))


def load_weights(path: Path, network: keras.Model, kind: type[_Reached]) -> _Reached:
    """Set a network's weights to what `save_weights` wrote, and return which epoch they are from.

    Raises TrainingError if the file is damaged, or of another network.
    """
    arrays, record = _read(path)
    set_weights(network, arrays["weights"], path)
    return kind(**record)


def set_weights(network: keras.Model, weights: Sequence[np.ndarray], path: Path) -> None:
    """Set a network's weights to those of a file; raises TrainingError for those of another network."""
    try:
        network.set_weights(weights)
    except ValueError as error:
        raise TrainingError(
            f"{path} is of a training that another version of napari-tiqa began, with another network: train "
            "in a new run folder."
        ) from error


def _write(path: Path, arrays: dict[str, Sequence[np.ndarray]], record: dict[str, Any]) -> None:
    named = {
        f"{key}/{number}": value for key, values in arrays.items() for number, value in enumerate(values)
    }
    buffer = io.BytesIO()
    np.savez(buffer, said=np.array(json.dumps(record)), **named)  # type: ignore[arg-type]
    with whole_file(path) as file:
        file.write(buffer.getbuffer())


def _read(path: Path) -> tuple[dict[str, list[np.ndarray]], dict[str, Any]]:
    try:
        # Opened here: np.load leaves a damaged file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            record = parse_json(str(stored["said"]))
            arrays: dict[str, list[np.ndarray]] = {}
            for key in stored.files:  # in the order in which they were written
                if key != "said":
                    arrays.setdefault(key.partition("/")[0], []).append(stored[key])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise TrainingError(
            f"The checkpoint {path} is damaged, so the training cannot be resumed: train in a new run folder."
        ) from error
    return arrays, record
