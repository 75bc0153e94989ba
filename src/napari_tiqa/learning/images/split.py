"""The split of groups into those to train on and those to validate with; a specimen is never in both."""

from collections.abc import Sequence

import numpy as np

from napari_tiqa.learning.images.groups import MIN_ORIGINALS, Group


def split(groups: Sequence[Group], share: float, seed: int) -> tuple[list[Group], list[Group]]:
    """Leave out a share of the labelled groups for validation: returns training and validation groups.

    Where there are several specimens, whole ones are left out, drawn at random (by `seed`) as long as they
    fit into the share; if none does, the smallest. Of a single specimen, single groups are left out. At least
    5 groups, one of them labelled, stay for training; validation may be empty.
    """
    labelled = [number for number, group in enumerate(groups) if np.isfinite(group.labels).any()]
    specimens = list(dict.fromkeys(groups[number].specimen for number in labelled))
    if len(specimens) > 1:
        units = [
            [n for n, group in enumerate(groups) if group.specimen == specimen] for specimen in specimens
        ]
    else:
        units = [[number] for number in labelled]
    most = min(len(groups) - MIN_ORIGINALS, len(labelled) - 1)
    wanted = min(round(share * len(labelled)), most)
    drawn = [units[place] for place in np.random.default_rng(seed).permutation(len(units))]
    held: set[int] = set()
    for unit in drawn:
        if len(held) + len(unit) <= wanted:
            held.update(unit)
    if not held and share > 0 and units:
        smallest = min(drawn, key=len)
        if len(smallest) <= most and len(units) > 1:
            held.update(smallest)
    return (
        [group for number, group in enumerate(groups) if number not in held],
        [group for number, group in enumerate(groups) if number in held],
    )
