"""Keras as the networks need it, whatever a user's own ``keras.json`` says."""

import os

BACKEND = "tensorflow"
"""Unless the environment variable KERAS_BACKEND names another."""


def configure_keras() -> None:
    """Import Keras with our backend, float type, epsilon and order of axes; call it before any other import.

    The user's Keras folder stays in use: downloaded ImageNet weights are kept there.
    """
    os.environ["KERAS_BACKEND"] = os.environ.get("KERAS_BACKEND") or BACKEND
    import keras

    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
