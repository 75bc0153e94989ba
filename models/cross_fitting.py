"""Labels for specimens with faults of their own, from a network that no label of theirs has taught.

Only the order of their versions is known: none of them is a 5. A network that learned this order alone, and
the scale from all other specimens, says what the original is worth (cross-fitting).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import keras
import numpy as np

from napari_tiqa.learning.images.groups import Group

MOST = 4.3
"""What an original of a specimen is worth at most whose scans all have visible faults."""

_KNOWN = 300  # references that say what the network calls a 5, enough for a mean
_LEAST_KNOWN = 2.5  # of a reference that was spoilt, below which it says little about its original


def cross_fitted(network: keras.Model, groups: Sequence[Group], faulty: Sequence[str]) -> list[Group]:
    """Relabel the groups whose original is not known to be a 5.

    Parameters
    ----------
    network : keras.Model
        Learned from no label of these groups.
    groups : sequence of Group
        Labelled as if every original were a 5. Those known to be one are returned as they are, and say what
        the network calls a 5.
    faulty : sequence of str
        Specimens whose originals are worth at most `MOST`.

    Returns
    -------
    list of Group
        Where a reference was spoilt too much to know its original's worth, labels are NaN: order alone.
    """
    unspoilt = [group for group in groups if group.clean and group.labels[0] == 5]
    some = unspoilt[:: max(1, len(unspoilt) // _KNOWN)]
    best = float(np.mean([values[0] for values in _of_references(network, some)]))
    unknown = [group for group in groups if not group.clean]
    said = iter(_of_references(network, unknown))
    return [
        group
        if group.clean
        else _relabelled(group, next(said), best, MOST if group.specimen in faulty else 5.0)
        for group in groups
    ]


def _of_references(network: keras.Model, groups: Sequence[Group]) -> Iterator[np.ndarray]:
    """Yield what the network says of each group's reference, (7,): the mean of four orientations."""
    for start in range(0, len(groups), 8):
        references = [group.tiles()[0] for group in groups[start : start + 8]]
        turned = np.stack([np.rot90(tile, turns) for tile in references for turns in range(4)])
        outputs = np.asarray(network.predict_on_batch(turned[..., None]))
        yield from outputs.reshape(len(references), 4, -1).mean(1)


def _relabelled(group: Group, said: np.ndarray, best: float, most: float) -> Group:
    if group.labels[0] < _LEAST_KNOWN:
        return group.with_labels(np.full(len(group.labels), np.nan))
    worth = min(most, 1 + 4 * (said[0] - 1) / (best - 1))
    kept = np.clip((worth - 1) / (group.labels[0] - 1), 0, 1)
    labels = 1 + kept * (group.labels - 1)
    parts = np.maximum(said[1:], 1e-3)
    lost = (5 - labels[0]) * parts / parts.sum()
    return replace(group.with_labels(labels), lost=tuple(lost.tolist()))
