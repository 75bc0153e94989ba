"""Open a tomogram: from a path by what is stored there, or from an array in memory."""

from __future__ import annotations

from typing import Any

import dask.array
import numpy as np

from napari_tiqa.volumes.volume import Volume, check_image

AXES = {2: ("y", "x"), 3: ("z", "y", "x"), 4: ("t", "z", "y", "x"), 5: ("t", "c", "z", "y", "x")}


def as_volume(x: Any) -> Volume:
    """Turn what a caller has into a Volume.

    Parameters
    ----------
    x : Volume, str, path or array-like
        A volume is returned as it is and a path opened. An array (numpy, dask, zarr, h5py) has the
        axes (y, x), (z, y, x), (t, z, y, x) or (t, c, z, y, x) and 1 pixel voxels.

    Returns
    -------
    Volume

    Raises
    ------
    VolumeError
        The file cannot be opened, or the array is no grey tomogram.
    """
    if isinstance(x, Volume):
        return x
    if not hasattr(x, "shape") or not hasattr(x, "dtype"):
        x = np.asarray(x)
    name = str(getattr(x, "name", None) or "array").strip("/")
    check_image(x.shape, x.dtype, name)
    if not isinstance(x, dask.array.Array):
        chunks = getattr(x, "chunks", None) or (1,) * (x.ndim - 2) + tuple(x.shape[-2:])
        # A random name: dask would otherwise hash, and so read, all the data.
        x = dask.array.from_array(x, chunks=chunks, name=False, inline_array=True)
    axes = AXES[x.ndim]
    return Volume(x, axes, (1.0,) * x.ndim, "pixel", name)
