"""What is in a bundle's zip file, read without trust: bounded in memory and time, and never executed."""

import io
import lzma
import math
import os
import tokenize
import zipfile
import zlib
from typing import Any

import numpy as np

from napari_tiqa.json_text import parse_json

CARD, WEIGHTS = "card.json", "weights.npz"

MOST_OF_CARD, MOST_OF_WEIGHTS = 4 << 20, 512 << 20
"""Bytes: a card has some thousand, the weights of the largest network that we build (D-LinkNet34) 125 MB."""

NOT_A_BUNDLE = (
    zipfile.BadZipFile,
    KeyError,
    ValueError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    RuntimeError,  # encrypted
    TypeError,
    SyntaxError,  # of an array's header, as the next two
    tokenize.TokenError,
    MemoryError,
    NotImplementedError,  # a method of compression that Python does not know
)
"""What reading a file that is not a bundle, or a damaged or hostile one, may raise beside OSError."""


def read_card(path: str | os.PathLike[str]) -> Any:
    """Return the value of a bundle's card; raises OSError and `NOT_A_BUNDLE`."""
    with zipfile.ZipFile(path) as archive:
        return parse_json(_member(archive, CARD, MOST_OF_CARD))


def read_members(path: str | os.PathLike[str]) -> tuple[Any, bytes]:
    """Return the value of a bundle's card and the bytes of its weights; raises as `read_card`."""
    with zipfile.ZipFile(path) as archive:
        return parse_json(_member(archive, CARD, MOST_OF_CARD)), _member(archive, WEIGHTS, MOST_OF_WEIGHTS)


def read_arrays(weights: bytes) -> dict[str, np.ndarray]:
    """Return the arrays of a bundle's weights by name, without pickle.

    Raises `NOT_A_BUNDLE` where a member is not an array of numbers, or has another size than its header says,
    or they have more than `MOST_OF_WEIGHTS` altogether.
    """
    arrays: dict[str, np.ndarray] = {}
    left = MOST_OF_WEIGHTS
    with zipfile.ZipFile(io.BytesIO(weights)) as archive:
        for name in archive.namelist():
            stored = _member(archive, name, left)
            left -= len(stored)
            arrays[name.removesuffix(".npy")] = _array(stored)
    return arrays


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Read a member of at most so many bytes; zipfile stops at the size that is announced."""
    if archive.getinfo(name).file_size > most:
        raise ValueError(f"{name} is larger than {most} bytes")
    try:
        return archive.read(name)
    except OSError as error:  # what bz2 says of bytes that it cannot unpack, among others
        raise ValueError(f"{name} cannot be unpacked") from error


def _array(stored: bytes) -> np.ndarray:
    """Read an array, of numbers, in the form that ``numpy.save`` writes."""
    file = io.BytesIO(stored)
    version = np.lib.format.read_magic(file)
    header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    shape, fortran, dtype = header[version](file)
    # The header is looked at first: NumPy makes an array as large as it says before it reads.
    if dtype.kind not in "fiub" or math.prod(shape) * dtype.itemsize != len(stored) - file.tell():
        raise ValueError("an array is not what its header says")
    return np.frombuffer(stored, dtype, offset=file.tell()).reshape(shape, order="F" if fortran else "C")
