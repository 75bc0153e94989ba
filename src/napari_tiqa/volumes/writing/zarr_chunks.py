"""Planes of a Zarr 2 array as files, past zarr, through which they take twice the time or more."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import zarr

# For float32 nearly as fast as no compression, and padding takes no room.
COMPRESSOR = {"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 2}  # 2: by bits


def store_plane(folder: Path, array: zarr.Array, where: Sequence[int | None], plane: np.ndarray) -> None:
    """Write the chunks of a plane; each is there as a whole or not at all, also if the process is killed.

    `folder` is that of the array: Zarr 2, one compressor, no filters, "/" between the numbers of a chunk,
    chunks 1 long along all axes but the plane's two. `where` has the plane's index along each axis, None
    for those two.
    """
    compressor = array.metadata.compressor
    height, width = (array.chunks[axis] for axis, index in enumerate(where) if index is None)
    for row in range(0, plane.shape[0], height):
        for column in range(0, plane.shape[1], width):
            part = plane[row : row + height, column : column + width]
            if array.fill_value == 0 and not part.any():
                continue  # what is not there is read as 0
            if part.shape != (height, width):
                part = np.pad(part, [(0, height - part.shape[0]), (0, width - part.shape[1])])
            within = iter((row // height, column // width))
            key = [str(next(within) if index is None else index) for index in where]
            path = folder.joinpath(*key)
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f"{path.name}.partial")
            partial.write_bytes(compressor.encode(np.ascontiguousarray(part)))
            os.replace(partial, path)
