"""The stages of the default model's training; what each makes is kept in a work folder.

1. Groups of versions of every original, made at native size and labelled (``training_groups``).
2. A start, on what holds no real scan: simulated microstructures and other textures.
3. From there one training for each fold of specimens left out. These models judge the recipe
   (benchmarks/validity.py), and tell what a slice with faults of its own is worth: they have not seen it.
4. From there the default network, on all specimens.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from models.group_store import read_groups, write_groups
from models.score_training import SETTINGS, new_network, train
from models.specimens import folds
from models.training_groups import Advance, made_groups, real_groups
from napari_tiqa.learning.images.groups import Group
from napari_tiqa.learning.measures.measures import srocc
from napari_tiqa.scoring.bundle import save_bundle
from napari_tiqa.scoring.predict import load_model
from napari_tiqa.scoring.scale import ARTEFACTS, SCORE_RANGE

STEPS = {"start": 900, "fold": 450, "default": 1200}
"""How long each training is, in steps."""

FOLDS = 3

_WATCHED = 200  # groups left out that are scored now and then
_EVERY = 100  # steps

Report = Callable[[str, int, int, str], object]
"""Called with the name of a training, the steps done and in all, and figures."""


@dataclass(frozen=True)
class Stages:
    """The stages, for the scans in the folder `data`, with the work folder `work`."""

    data: Path
    work: Path
    advance: Advance | None = None
    report: Report | None = None

    def made(self) -> list[Group]:
        """Return the groups that hold no real scan."""
        return self._kept("made", lambda: made_groups(self.advance))

    def real(self) -> list[Group]:
        """Return the groups of the real scans, labelled as if every original were a 5."""
        return self._kept("real", lambda: real_groups(self.data, self.advance))

    def start(self) -> Path:
        """Return the bundle that all others go on from."""
        return self._trained("start", None, self.made)

    def fold(self, number: int) -> Path:
        """Return the bundle of a fold, from 0: trained without its specimens."""
        left_out = set(folds(FOLDS)[number])

        def groups() -> list[Group]:
            start = load_model(self.start()).network
            own = [group for group in self.real() if group.specimen not in left_out]
            return [*self.made(), *taught(own, [start] * len(own))]

        return self._trained(f"fold_{number + 1}", self.start(), groups, self._watched(left_out))

    def default(self) -> Path:
        """Return the bundle of the default network, which is not calibrated yet."""

        def groups() -> list[Group]:
            networks = [load_model(self.fold(number)).network for number in range(FOLDS)]
            number_of = {name: number for number, names in enumerate(folds(FOLDS)) for name in names}
            real = self.real()
            return [*self.made(), *taught(real, [networks[number_of[g.specimen]] for g in real])]

        return self._trained("default", self.start(), groups)

    def _kept(self, name: str, make: Callable[[], list[Group]]) -> list[Group]:
        path = self.work / f"{name}.npz"
        if not path.exists():
            write_groups(path, make())
        return read_groups(path)

    def _watched(self, specimens: set[str]) -> list[Group]:
        own = [group for group in self.real() if group.specimen in specimens and group.clean]
        return own[:: max(1, len(own) // _WATCHED)]

    def _trained(
        self,
        name: str,
        start: Path | None,
        groups: Callable[[], list[Group]],
        watched: Sequence[Group] = (),
    ) -> Path:
        path = self.work / f"{name}.tiqa"
        if path.exists():
            return path
        network = new_network()
        if start:
            network.set_weights(load_model(start).network.get_weights())
        steps = STEPS[name.partition("_")[0]]
        history = []

        def after(done: int, loss: float) -> None:
            order = order_of(network, watched) if watched else np.nan
            history.append({"training": name, "steps": done, "loss": loss, "order": order})
            pd.DataFrame(history).round(4).to_csv(self.work / f"{name}.csv", index=False)
            if self.report:
                self.report(name, done, steps, f"loss {loss:.3f}, order of specimens left out {order:.3f}")

        training = groups()
        train(network, training, steps, every=_EVERY, after=after)
        save_bundle(path, network, {"name": name, "settings": SETTINGS, "steps": steps})
        return path


def order_of(network: keras.Model, groups: Sequence[Group]) -> float:
    """Return the SROCC of scores and labels over all images of groups."""
    said = np.concatenate([outputs(network, group.tiles())[:, 0] for group in groups])
    return srocc(np.concatenate([group.labels for group in groups]), said)


def outputs(network: keras.Model, tiles: np.ndarray) -> np.ndarray:
    """Return what a network says of tiles, (n, 224, 224), float32: shape (n, 7)."""
    return np.asarray(network.predict_on_batch(tiles[..., None]))


def taught(groups: Sequence[Group], networks: Sequence[keras.Model]) -> list[Group]:
    """Label groups whose original is not known to be a 5 by what a network says of it that has not seen it.

    `networks` has one for each group. What each fault leaves of the quality is multiplied with what the
    network says of the original (cross-fitting). Networks are too moderate about slices that they have not
    seen, so what they say is put on the scale on which they call originals a 5 that are one.
    """
    clean = [outputs(n, g.tiles()[:1])[0, 0] for g, n in zip(groups, networks, strict=True) if g.clean]
    best = float(np.median(clean))
    labelled = []
    for group, network in zip(groups, networks, strict=True):
        if group.clean:
            labelled.append(group)
            continue
        said, *lost = outputs(network, group.tiles()[:1])[0]
        worst = SCORE_RANGE[0]
        kept = np.clip((said - worst) / (best - worst), 0.1, 1)  # of the quality
        shares = np.maximum(lost, 0) + 1e-3
        spoilt = group.with_labels(worst + kept * (group.labels - worst))
        points = (SCORE_RANGE[1] - spoilt.labels[0]) * shares / shares.sum()
        labelled.append(replace(spoilt, lost=tuple(points.tolist())))
    assert len(labelled[0].lost) == len(ARTEFACTS)
    return labelled
