"""Groups in a file, so that a training that goes on for hours need not make them again."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_tiqa.learning.images.groups import Group


def write_groups(path: Path, groups: Sequence[Group]) -> None:
    """Write groups of whatever sizes to one file, ``.npz``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        counts=[len(group.images) for group in groups],
        specimens=[group.specimen for group in groups],
        clean=[group.clean for group in groups],
        lost=[group.lost for group in groups],
        families=[family for group in groups for family in group.families],
        levels=np.concatenate([group.levels for group in groups]),
        labels=np.concatenate([group.labels for group in groups]),
        images=np.concatenate([group.images for group in groups]),
    )


def read_groups(path: Path) -> list[Group]:
    """Read groups back as they were written."""
    with np.load(path, allow_pickle=False) as stored:
        kept = {name: stored[name] for name in stored.files}
    ends = np.cumsum(kept["counts"])
    groups = []
    for number, (end, count) in enumerate(zip(ends, kept["counts"], strict=True)):
        own = slice(end - count, end)
        group = Group(
            str(kept["specimens"][number]),
            kept["images"][own],
            tuple(kept["families"][own].tolist()),
            kept["levels"][own],
            kept["labels"][own],
            bool(kept["clean"][number]),
        )
        groups.append(replace(group, lost=tuple(kept["lost"][number].tolist())))
    return groups
