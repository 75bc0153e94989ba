"""What is known of the network without Keras: its encoders and its stride."""

from typing import Literal, get_args

Encoder = Literal["ResNet34", "EfficientNet-Lite0"]
ENCODERS: tuple[Encoder, ...] = get_args(Encoder)
"""The paper's, and the one whose ImageNet weights come with the package."""

STRIDE = 32
"""Pixels of the image to one of the encoder's last stage: sides of an input are multiples of it."""
