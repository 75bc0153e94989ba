"""Keras as in the model process, before any test imports it."""

from napari_tiqa.scoring.keras_configuration import configure_keras

configure_keras()
