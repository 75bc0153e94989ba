"""Changes of an input as a whole: one or several of its files, each as its kind asks for; names and gaps."""

import json
import zlib
from random import Random

from tests.fuzz.mutations import containers, headers, plain, values
from tests.fuzz.seeds import Tree, corpus

_JSON = (".json", ".zattrs", ".zarray", ".zgroup", ".zmetadata", "zarr.json")


def mutated(target: str, seed: int, number: int) -> tuple[Tree, list[str]]:
    """Return an input of a target, the same for a seed and a number, and the files that were changed."""
    rng = Random(f"{target}/{seed}/{number}")
    trees = corpus(target)
    tree = dict(rng.choice(trees))
    touched: list[str] = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        path = rng.choice(_by_weight(tree))
        touched.append(path)
        if len(tree) > 1 and rng.random() < 0.06:
            _move(tree, path, rng)
        else:
            others = [each for each in rng.choice(trees).values() if each]
            tree[path] = _changed(path, tree[path], rng, rng.choice(others) if others else b"")
        if not tree:
            break
    return tree, touched


def _by_weight(tree: Tree) -> list[str]:
    """List the files, those that tell of others more often than chunks."""
    return [path for path in tree for _ in range(6 if path.endswith(_JSON) else 1)]


def _changed(path: str, stored: bytes, rng: Random, other: bytes) -> bytes:
    if rng.random() < 0.3:
        return plain.changed(stored, rng, other)
    if path.endswith(_JSON):
        return values.json_text(stored, rng)
    if path.endswith((".csv", "done.txt")):
        return values.table(stored, rng)
    if path.endswith(".tif"):
        return headers.tiff(stored, rng)
    if path.endswith(".h5"):
        return containers.hdf5(stored, rng)
    if path.endswith(".mrc"):
        return headers.mrc(stored, rng)
    if path.endswith(".npy"):
        return headers.npy(stored, rng)
    if path.endswith((".tiqa", ".npz")):
        return containers.archive(stored, rng)
    if path.endswith(".unfinished"):
        return _pieces(stored, rng)
    if rng.random() < 0.05:
        return containers.trap()  # a chunk that runs code, for a codec that would unpickle it
    return plain.changed(stored, rng, other)


def _pieces(stored: bytes, rng: Random) -> bytes:
    """Return kept work with another value in a line, whose checksum is right."""
    lines = stored.splitlines()
    number = rng.randrange(len(lines))
    text = values.json_text(lines[number][9:], rng).replace(b"\n", b" ")
    lines[number] = b"%08x %s" % (zlib.crc32(text), text)
    return b"\n".join(lines) + b"\n" * rng.randrange(2)


def _move(tree: Tree, path: str, rng: Random) -> None:
    """Take a file away, give it another name, or put it in the place of another."""
    stored = tree.pop(path)
    way = rng.randrange(4)
    if way == 1:
        folder = path.rpartition("/")[0]
        name = rng.choice(
            ("z99.tif", "z-1.tif", "z5²3.tif", ".zarray", ".zattrs", "zarr.json", "0.0.9", "x", "lock")
        )
        tree.setdefault(f"{folder}/{name}".lstrip("/"), stored)
    elif way == 2 and tree:
        tree[rng.choice(list(tree))] = stored
    elif way == 3:
        tree[f"{path}/{rng.choice(('0', '.zarray', 'x.tif'))}"] = stored  # a folder where a file was


def encoded(tree: Tree) -> str:
    """Return an input as text, for a file of findings."""
    return json.dumps({path: stored.hex() for path, stored in tree.items()}, indent=1)


def decoded(text: str) -> Tree:
    """Return an input of a file of findings."""
    return {path: bytes.fromhex(stored) for path, stored in json.loads(text).items()}
