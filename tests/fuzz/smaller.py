"""A finding made smaller: what of its input has no part in it is put back as in the seed, or left out."""

import time
from collections.abc import Callable

from tests.fuzz.seeds import Tree, corpus


def smaller(tree: Tree, target: str, fails: Callable[[Tree], bool], seconds: float = 10.0) -> Tree:
    """Return an input that still fails: files left out or put back, then cut from their end."""
    until = time.monotonic() + seconds
    seeds = [seed for seed in corpus(target) if seed.keys() >= tree.keys()]
    for path in list(tree):
        candidates = [{name: stored for name, stored in tree.items() if name != path}]
        candidates += [tree | {path: seed[path]} for seed in seeds if tree[path] != seed[path]]
        for candidate in candidates:
            if candidate and time.monotonic() < until and fails(candidate):
                tree = candidate
                break
    for path in list(tree):
        for keep in (0, 0.25, 0.5, 0.75, 0.9):
            cut = tree | {path: tree[path][: int(len(tree[path]) * keep)]}
            if cut != tree and time.monotonic() < until and fails(cut):
                tree = cut
                break
    return tree
