"""A model bundle: one zip file with the network's weights and a JSON card that says what they are."""

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_tiqa.errors import BundleError, explained
from napari_tiqa.scoring.bundle_file import CARD, NOT_A_BUNDLE, WEIGHTS, read_arrays, read_card, read_members
from napari_tiqa.scoring.calibration import Calibration
from napari_tiqa.scoring.scale import ARTEFACTS
from napari_tiqa.weights import WEIGHTS_FOLDER
from napari_tiqa.whole_file import whole_file

if TYPE_CHECKING:
    import keras

DEFAULT_MODEL = WEIGHTS_FOLDER / "default.tiqa"
"""The bundled default model."""

FORMAT = "napari-tiqa bundle"
FORMAT_VERSION = 2
_CALIBRATION = "calibration"  # where its arrays stand among the weights

SCORE = "quality score"
SEGMENTATION = "segmentation"
"""What a bundle's network is for; the card's "purpose". Bundles from before there were two score quality."""

_MOST_UNITS, _MOST_ARTEFACTS, _WIDEST = 4096, 32, 4

_BUILT_FROM: dict[str, dict[str, Callable[[Any], bool]]] = {
    SCORE: {
        "backbone": lambda name: isinstance(name, str),
        "head_units": lambda units: type(units) is int and 0 < units <= _MOST_UNITS,
        "artefacts": lambda names: (
            names is None or (isinstance(names, list) and len(names) <= _MOST_ARTEFACTS)
        ),
    },
    SEGMENTATION: {
        "encoder": lambda name: isinstance(name, str),
        "width": lambda width: type(width) in (int, float) and 0 < width <= _WIDEST,
        "fine_detail": lambda there: isinstance(there, bool),
        "classes": lambda classes: isinstance(classes, dict),
    },
}
"""What a network is built from, and what it may be: a card cannot ask for one that fills the memory."""


def save_bundle(
    path: str | os.PathLike[str],
    network: "keras.Model",
    card: dict[str, Any],
    calibration: Calibration | None = None,
    backbone: str = "EfficientNet-Lite0",
) -> None:
    """Write a bundle, replacing `path` only when it is complete.

    Kernels are stored as float16, which halves the file and moves a score by less than 0.01; biases as
    float32. The card gains the format, the backbone and the SHA-256 of the weights.

    Parameters
    ----------
    path : path-like
        Where to write, by custom ``*.tiqa``.
    network : keras.Model
        A network of ``backbone.build_network`` or ``fidelity_network.build_fidelity_network``.
    card : dict
        JSON-able: training data and seeds, settings with their reasons, metrics.
    calibration : Calibration, optional
        How far to trust the scores.
    backbone : str
        One of ``backbone.BACKBONES``.

    Raises
    ------
    BundleError
        If a weight is not a finite float16 number, as after a training that diverged; or if the file
        cannot be written.
    """
    arrays = {}
    if calibration:
        stored = calibration.arrays().items()
        arrays = {f"{_CALIBRATION}/{name}": values.astype(np.float32) for name, values in stored}
    described = {"purpose": SCORE, "backbone": backbone, "head_units": network.get_layer("head1").units}
    described["artefacts"] = ARTEFACTS
    write_bundle(path, network, card | described, arrays)


def write_bundle(
    path: str | os.PathLike[str],
    network: "keras.Model",
    card: dict[str, Any],
    others: dict[str, np.ndarray] | None = None,
) -> None:
    """Write the weights of any network with its card, replacing `path` only when all is complete.

    The network's layers' names tell the weights apart. The card, JSON-able, has its "purpose", `SCORE` or
    `SEGMENTATION`, and all that the network is built from; `others` are arrays to keep beside the weights.
    Raises BundleError as ``save_bundle``.
    """
    arrays = dict(others or {})
    for layer in network.layers:
        for variable in layer.weights:
            values = np.asarray(variable)
            stored = values.astype(np.float16 if values.ndim > 1 else np.float32)
            if not np.isfinite(stored).all():
                raise BundleError(
                    f"Layer {layer.name} holds weights that are not finite, so the training diverged: "
                    "train again with a lower learning rate."
                )
            arrays[_key(layer, variable)] = stored
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]  # its stub takes every keyword for allow_pickle
    card = card | {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "weights_sha256": hashlib.sha256(buffer.getvalue()).hexdigest(),
    }
    path = Path(path)
    with explained(
        BundleError,
        f"The model cannot be written to {path}",
        "free some space, or choose another place for it",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(CARD, json.dumps(card, indent=1))
            archive.writestr(WEIGHTS, buffer.getvalue())


def load_card(path: str | os.PathLike[str] | None = None, purpose: str = SCORE) -> dict[str, Any]:
    """Read the card of a bundle, the default model's where `path` is omitted.

    Raises BundleError if the bundle is missing, corrupt, of another program, of a newer version, or for
    another purpose than `purpose`.
    """
    return _read(path, purpose)[0]


def purpose_of(path: str | os.PathLike[str]) -> str:
    """Return what a bundle is for, by its card alone, which is quick; `SCORE` where there is no card."""
    try:
        return str(read_card(path).get("purpose", SCORE))
    except (OSError, AttributeError, *NOT_A_BUNDLE):
        return SCORE


def load_network(
    path: str | os.PathLike[str] | None, purpose: str, build: Callable[[dict[str, Any]], "keras.Model"]
) -> tuple["keras.Model", dict[str, Any], dict[str, np.ndarray]]:
    """Build a bundle's network and set its weights.

    Parameters
    ----------
    path : path-like or None
        The bundle; None is the default model.
    purpose : str
        `SCORE` or `SEGMENTATION`.
    build : callable
        Takes the card and returns the network with random weights.

    Returns
    -------
    network : keras.Model
        The network.
    card : dict
        The bundle's card.
    others : dict
        The arrays of its calibration.

    Raises
    ------
    BundleError
        As ``load_card``, and if the weights do not fit the network.
    """
    card, weights = _read(path, purpose)
    try:
        stored = read_arrays(weights)
        network = build(card)
        for layer in network.layers:
            if layer.weights:
                layer.set_weights([_finite(stored[_key(layer, v)]) for v in layer.weights])
    except (TypeError, *NOT_A_BUNDLE) as error:
        raise BundleError(
            f"The weights of the model bundle {path or DEFAULT_MODEL} do not fit its network: "
            "choose another bundle or train it again."
        ) from error
    others = {key: values for key, values in stored.items() if key.startswith(_CALIBRATION)}
    return network, card, others


def _finite(weights: np.ndarray) -> np.ndarray:
    """Return weights as float32; a network with one that is not a number gives the same score to all."""
    if not np.isfinite(weights).all():
        raise ValueError("it has weights that are not finite")
    return weights.astype(np.float32)


def _key(layer: "keras.Layer", variable: "keras.Variable") -> str:
    """Name a variable the same however many networks were built before."""
    # The one layer of keras.applications' EfficientNets with weights but without a name of its own.
    name = "normalization" if layer.name.startswith("normalization_") else layer.name
    return f"{name}/{variable.name}"


def _read(path: str | os.PathLike[str] | None, purpose: str) -> tuple[dict[str, Any], bytes]:
    path = DEFAULT_MODEL if path is None else Path(path)
    try:
        card, weights = read_members(path)
    except FileNotFoundError as error:
        raise BundleError(f"There is no model bundle at {path}: check the path.") from error
    except IsADirectoryError as error:
        raise BundleError(f"{path} is a folder: choose a model bundle, a .tiqa file.") from error
    except OSError as error:
        raise BundleError(f"The model bundle {path} cannot be read ({error.strerror}).") from error
    except NOT_A_BUNDLE as error:
        raise BundleError(
            f"{path} is not a model bundle or is damaged: copy it again, or choose another .tiqa file."
        ) from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise BundleError(f"{path} was not made by napari-tiqa: choose a .tiqa file that it wrote.")
    version = card.get("format_version")
    if isinstance(version, int) and version != FORMAT_VERSION:
        other = "newer" if version > FORMAT_VERSION else "older"
        remedy = "update napari-tiqa to use it" if other == "newer" else "train the model again"
        raise BundleError(
            f"The model bundle {path} was made by {other} napari-tiqa (format {version}): {remedy}."
        )
    if (own_purpose := card.get("purpose", SCORE)) != purpose:
        raise BundleError(
            f"{path} holds a model for another purpose ({own_purpose}): choose one for {purpose}."
        )
    described = all(fits(card.get(key)) for key, fits in _BUILT_FROM[purpose].items())
    intact = hashlib.sha256(weights).hexdigest() == card.get("weights_sha256")
    if version != FORMAT_VERSION or not described or not intact:
        raise BundleError(f"The model bundle {path} is damaged: copy it again or train it again.")
    return card, weights
