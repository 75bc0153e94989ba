"""HDF5 files: opened for one look, also while another program writes; datasets by name; links."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from napari_tiqa.errors import VolumeError

_MOST_NODES = 100_000  # a file with more is not one that anybody chooses a dataset from by its list


@dataclass(frozen=True)
class Entry:
    """A dataset under the name that leads to it, which may be a link's; for lists."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """Open a file for reading, also one that is written in SWMR mode meanwhile.

    Raises VolumeError where another program has it open for writing in any other way, or did not close it.
    """
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        try:
            file = h5py.File(path, "r", swmr=True)
        except (OSError, ValueError):
            # HDF5 tells a lock, a flag in the file and another handle in this process apart in words only.
            text = str(error)
            if any(sign in text for sign in ("lock file", "open for write", "open for read-only")):
                raise VolumeError(
                    f"'{path}' is open for writing, or was not closed by the program that wrote it: wait "
                    "until it is written, or, where nobody writes it any more, run 'h5clear -s' on it."
                ) from error
            raise error from None
    with file:
        yield file


def dataset_at(file: h5py.File, name: str, path: Path) -> h5py.Dataset | None:
    """Return the dataset that a name leads to; None for no dataset, VolumeError for a link into the void."""
    node = _node(file, name)
    if node is None:
        parts = name.strip("/").split("/")
        for count in range(1, len(parts) + 1):
            # The link on the way that leads nowhere; what lies behind it cannot be asked for.
            step = "/" + "/".join(parts[:count])
            if _node(file, step) is None:
                lost = _lost(file, step)
                if lost:
                    raise VolumeError(f"'{path}' cannot be opened: {lost}.")
                break
    return node if isinstance(node, h5py.Dataset) else None


def entries(file: h5py.File) -> tuple[list[Entry], list[str]]:
    """List the datasets, each once under its first name, own ones before linked; and links into the void.

    The latter are phrases: "the link '/a' leads to '/b' in 'c.h5', which ...".
    """
    found: list[Entry] = []
    lost: list[str] = []
    seen: set[tuple[int, int]] = set()
    own: deque[str] = deque("/")
    linked: deque[str] = deque()
    while (own or linked) and len(seen) < _MOST_NODES:
        name = own.popleft() if own else linked.popleft()
        node = _node(file, name)
        if node is None:
            if phrase := _lost(file, name):
                lost.append(phrase)
            continue
        about = h5py.h5o.get_info(node.id)
        if (about.fileno, about.addr) in seen:
            continue
        seen.add((about.fileno, about.addr))
        if isinstance(node, h5py.Dataset):
            found.append(Entry(name, node.shape or (), node.dtype))
        elif isinstance(node, h5py.Group):
            for key in node:
                member = f"{name.rstrip('/')}/{key}"
                (own if _is_own(node, key) else linked).append(member)
    return found, lost


def attribute_text(node: Any, name: str) -> str | None:
    """Return an attribute as text: str, bytes or an array of one of them; "" for any other, None for none."""
    try:
        value = node.attrs.get(name)
        return None if value is None else text_of(value)
    except Exception:  # of a type that h5py cannot read
        return ""


def text_of(value: Any) -> str:
    """Return a name as text, of whatever type it was stored; "" where it is empty."""
    values: Any = [] if isinstance(value, h5py.Empty) else np.ravel(value)
    if not len(values):
        return ""
    return values[0].decode(errors="replace") if isinstance(values[0], bytes) else str(values[0])


def _node(file: h5py.File, name: str) -> Any:
    try:
        return file[name]
    except (KeyError, OSError, ValueError, RuntimeError):
        return None


def _is_own(group: h5py.Group, key: str) -> bool:
    return isinstance(group.get(key, getlink=True), h5py.HardLink)


def _lost(file: h5py.File, name: str) -> str:
    """Say where a link leads that cannot be followed; empty where there is no link."""
    try:
        link = file.get(name, getlink=True)
    except (KeyError, OSError, ValueError, RuntimeError):
        return ""
    if isinstance(link, h5py.ExternalLink):
        return (
            f"the link '{name}' leads to '{link.path}' in '{link.filename}', which is missing or cannot be "
            "read: put that file where the link looks for it"
        )
    if isinstance(link, h5py.SoftLink):
        return f"the link '{name}' leads to '{link.path}', which is not there: the file is incomplete"
    return ""
