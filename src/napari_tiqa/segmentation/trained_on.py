"""Which slices a segmenter was trained on: compared with these, it agrees better than on others."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from napari_tiqa.volumes.digest import slice_digest
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.wording import some

_SHOWN = 5  # slices that a sentence names


class TrainedSlices:
    """Tells whether a slice of a volume is one that a segmenter was trained on; each is read once.

    It is where the image or its labels have the same pixels as one trained on (another scan of the same
    material shares its labels), or where the volume comes from the same file and the slice has the same
    number (a filtered volume does). A card of a version without digests names files and slices only.

    Parameters
    ----------
    card : mapping
        Of the segmenter's bundle.
    volume : Volume
        Shape (z, y, x) or (y, x).
    axis : int
        Along which its slices are cut.
    """

    def __init__(self, card: Mapping[str, Any], volume: Volume, axis: int) -> None:
        training = card.get("training") or {}
        digests = training.get("digests") or {}
        self._images, self._labels = (frozenset(digests.get(kind, ())) for kind in ("images", "labels"))
        self._volume, self._axis = volume, axis
        scans = training.get("scans", ())
        names = {volume.source} if digests else {volume.source, volume.name}
        same_scan = isinstance(scans, list) and not names.isdisjoint({*scans} - {""})
        numbers = training.get("slices", ()) if same_scan and training.get("axis") == axis else ()
        self._numbers = frozenset(numbers)
        self._found: dict[int, bool] = {}  # by the image alone

    def holds(self, index: int, labels: np.ndarray) -> bool:
        """Tell whether slice `index` was trained on; `labels`, (rows, columns), are what it is compared with.

        Raises VolumeError where the slice cannot be read.
        """
        if not (self._images or self._numbers):
            return False
        if index not in self._found:
            by_number = index in self._numbers
            self._found[index] = by_number or slice_digest(self._slice(index)) in self._images
        return self._found[index] or slice_digest(labels) in self._labels

    def _slice(self, index: int) -> np.ndarray:
        return np.asarray(self._volume.slice(self._axis, index))


def trained_sentence(trained: Sequence[int], compared: int) -> str:
    """Return the warning where some of the slices compared are trained on; empty where none is."""
    if not trained:
        return ""
    numbers = some([str(index) for index in sorted(trained)], _SHOWN)
    if len(trained) == compared:
        which = f"slice {numbers}" if compared == 1 else f"all of these slices ({numbers})"
    else:
        which = f"{len(trained)} of these {compared} slices ({numbers})"
    return f"The model was trained on {which}: on others it agrees less well."
