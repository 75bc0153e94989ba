"""Changes of files that hold others: members of zip archives; attributes, links, datasets of HDF5."""

import hashlib
import io
import json
import pickle
import zipfile
from random import Random
from typing import Any

import h5py
import numpy as np

from tests.fuzz.mutations import plain, values
from tests.fuzz.mutations.headers import array_member

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


class Trap:
    """Makes a folder where it is unpickled, which is seen by the limits."""

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os.mkdir, ("fuzz-outside",)


def trap() -> bytes:
    """Return a pickle that runs code."""
    return pickle.dumps(Trap())


def archive(stored: bytes, rng: Random) -> bytes:
    """Return a zip archive with members changed, its checksums right, or its own structure damaged."""
    try:
        with zipfile.ZipFile(io.BytesIO(stored)) as file:
            members = {name: file.read(name) for name in file.namelist()}
    except Exception:
        return stored
    name = rng.choice(list(members))
    way = rng.randrange(10)
    if name == "card.json" and way < 7:
        members[name] = values.json_text(members[name], rng)
    elif name.endswith(".npz") and way < 7:
        members[name] = archive(members[name], rng) if way < 5 else plain.changed(members[name], rng)
    elif name.endswith(".npy") and way < 7:
        members[name] = array_member(rng)
    elif way == 7:
        members[rng.choice(("../fuzz-outside", "/tmp/fuzz-outside", "code.py", "x/.npy"))] = trap()
    elif way == 8:
        members[name] = rng.choice((trap(), b"", bytes(rng.choice((10**5, 3 * 10**7))), b"\x93NUMPY"))
    else:
        del members[name]
    if "card.json" in members and "weights.npz" in members and rng.random() < 0.8:
        members["card.json"] = _with_checksum(members["card.json"], members["weights.npz"])
    file_like = io.BytesIO()
    with zipfile.ZipFile(file_like, "w", rng.choice(_METHODS)) as file:
        for member, text in members.items():
            file.writestr(member, text)
    if rng.random() < 0.2:
        return plain.changed(file_like.getvalue(), rng)
    return file_like.getvalue()


def _with_checksum(card: bytes, weights: bytes) -> bytes:
    try:
        found = json.loads(card)
        found["weights_sha256"] = hashlib.sha256(weights).hexdigest()
        return json.dumps(found).encode()
    except (ValueError, TypeError, RecursionError):
        return card


def hdf5(stored: bytes, rng: Random) -> bytes:
    """Return an HDF5 file with attributes, links and datasets changed by HDF5 itself; sound but strange."""
    memory = io.BytesIO(stored)
    try:
        with h5py.File(memory, "r+") as file:
            nodes: list[Any] = [file]
            file.visititems(lambda _, node: nodes.append(node))
            for _ in range(rng.choice((1, 1, 2, 3))):
                _change_hdf5(file, rng.choice(nodes), rng)
    except Exception:  # what cannot be made is passed over
        return stored
    return memory.getvalue()


def _change_hdf5(file: h5py.File, node: Any, rng: Random) -> None:
    names = [
        "exchange/data",
        "a",
        "b",
        "entry/data/pixels",
        "entry/data/z",
        "whole",
        "part",
        "new/one",
        "/",
        ".",
    ]
    name, other, way = rng.choice(names), rng.choice(names), rng.randrange(12)
    if way < 3:
        key = rng.choice(("signal", "axes", "default", "units", "NX_class", "_FillValue"))
        node.attrs[key] = rng.choice(
            (
                rng.choice(values.NAMES),
                ["z", "y", "x"],
                ["", "y", "."],
                h5py.Empty("f"),
                np.nan,
                7,
                b"\xff",
                [],
                other,
            )
        )
    elif way == 3:
        file[name] = h5py.SoftLink(rng.choice((other, "/" + name, "..", "/no", "x" * 5000)))
    elif way == 4:
        file[name] = h5py.ExternalLink(rng.choice(("in.h5", "no.h5", "/dev/null", "..", "")), other)
    elif way == 5:
        del file[name]
    elif way == 6:
        file[name] = file[other]
    elif way == 7:
        shape = tuple(rng.choice((0, 1, 2, 30, 10**6, 2**40)) for _ in range(rng.randrange(6)))
        file.create_dataset(
            name, shape, rng.choice(("u2", ">f8", "?", "S3", h5py.string_dtype(), "c8")), chunks=True
        )
    elif way == 8:
        layout = h5py.VirtualLayout((6, 20, 24), "u2")
        layout[:3] = h5py.VirtualSource(rng.choice((".", "in.h5", "no.h5", "part%b.h5")), other, (3, 20, 24))
        file.create_virtual_dataset(name, layout)
    elif way == 9:
        file.create_dataset(
            name, (6, 20), "u1", external=[(rng.choice(("in.h5", "no.raw", "/dev/zero")), 0, 120)]
        )
    elif way == 10:
        if isinstance(node, h5py.Dataset) and node.dtype.kind in "fiu":
            node[...] = rng.choice((0, np.nan, np.inf, 1e300, -1))
    else:
        file.create_dataset(name, data=np.array(["text", b"x"], h5py.string_dtype()))
