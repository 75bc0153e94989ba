"""Keras as the networks need it, whatever a user's own ``keras.json`` says."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_NOT_NEEDED = ("matplotlib", "pandas")  # which Keras imports for plots and data frames, a quarter of its time

BACKEND = "tensorflow"
"""Unless the environment variable KERAS_BACKEND names another."""


def configure_keras() -> None:
    """Import Keras with our backend, float type, epsilon and order of axes; call it before any other import.

    The user's Keras folder stays in use: downloaded ImageNet weights are kept there.
    """
    os.environ["KERAS_BACKEND"] = os.environ.get("KERAS_BACKEND") or BACKEND
    with _without(*_NOT_NEEDED):
        import keras

    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")


@contextmanager
def _without(*packages: str) -> Iterator[None]:
    """Let imports within do without packages that they only use where they are there."""
    hidden = [package for package in packages if package not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None is what says that there is none
    try:
        yield
    finally:
        for package in hidden:
            del sys.modules[package]
