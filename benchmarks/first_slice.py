"""Time from a path to the first slice of a 2048 x 2048 x 2048 Zarr, against its bare reading.

Run: python benchmarks/first_slice.py
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import zarr

from napari_tiqa.volumes.napari_reader import read_layer
from napari_tiqa.volumes.open import open_volume

SIDE = 2048
LIMIT = 1.0  # s


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def show_first_slice(folder: Path) -> None:
    data, _, _ = read_layer(str(folder))[0]
    np.asarray(data[0])


def main() -> None:
    for chunks in ((64, 64, 64), (128, 128, 128), (1, SIDE, SIDE)):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "sparse.zarr"
            array = zarr.create_array(folder, shape=(SIDE,) * 3, chunks=chunks, dtype="float32")
            middle = slice(SIDE // 2 - 256, SIDE // 2 + 256)
            array[0, middle, middle] = np.random.default_rng(0).normal(size=(512, 512))
            show_first_slice(folder)  # imports and zarr's own start are no part of it
            bare = seconds(lambda folder=folder: zarr.open(folder, mode="r")[0])
            opened = seconds(lambda folder=folder: open_volume(folder).slice(0, 0))
            shown = seconds(lambda folder=folder: show_first_slice(folder))
            print(
                f"chunks {chunks}: open_volume and first slice {opened:.3f} s, "
                f"{opened / bare:.2f} x the bare zarr read; napari's reader with contrast limits "
                f"and first slice {shown:.3f} s, {shown / bare:.2f} x; under {LIMIT:.0f} s: "
                f"{'yes' if max(opened, shown) < LIMIT else 'NO'}"
            )


if __name__ == "__main__":
    main()
