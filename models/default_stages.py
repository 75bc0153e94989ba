"""The stages of the default model's training; what each makes is kept in a work folder.

1. Groups of versions of every original, made at native size and labelled (``training_groups``).
2. From the network of ``start.tiqa`` a training without the specimens of ``specimens.LEFT_OUT``. This network
   judges the recipe (benchmarks/validity.py), and tells what their slices with faults of their own are worth:
   it has not seen them.
3. From there the default network, on all specimens.

``start.tiqa`` is the default model of before, of commit ad3bc2a: it learned from 17 of the specimens, from
simulated ones and from textures, by the paper's two stages at 224 px. None of these specimens is left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from models.group_store import read_groups, write_groups
from models.score_training import SETTINGS, network_from, train
from models.specimens import LEFT_OUT
from models.training_groups import Advance, made_groups, paper_groups, real_groups
from napari_tiqa.learning.images.groups import Group
from napari_tiqa.learning.measures.measures import srocc
from napari_tiqa.scoring.bundle import save_bundle
from napari_tiqa.scoring.predict import load_model
from napari_tiqa.scoring.scale import SCORE_RANGE

STEPS: dict[str, tuple[int, float]] = {"left_out": (500, 1.5e-4), "default": (300, 1e-4)}
"""How long each training is, in steps, and its learning rate."""

START = Path(__file__).with_name("start.tiqa")

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

    def paper(self) -> list[Group]:
        """Return the groups with the paper's own distortions, labelled as `real`."""
        return self._kept("paper", lambda: paper_groups(self.data, self.advance))

    def left_out(self) -> Path:
        """Return the bundle that was trained without the specimens of `LEFT_OUT`."""

        def groups() -> list[Group]:
            return [*self.made(), *ranked(self._of_specimens(left_out=False))]

        return self._trained("left_out", START, groups, self._watched())

    def default(self) -> Path:
        """Return the bundle of the default network, which is not calibrated yet."""

        def groups() -> list[Group]:
            judge = load_model(self.left_out()).network
            seen, unseen = (self._of_specimens(left_out) for left_out in (False, True))
            return [*self.made(), *ranked(seen), *taught(unseen, judge)]

        return self._trained("default", self.left_out(), groups)

    def _of_specimens(self, left_out: bool) -> list[Group]:
        groups = [*self.real(), *self.paper()]
        return [group for group in groups if (group.specimen in LEFT_OUT) == left_out]

    def _kept(self, name: str, make: Callable[[], list[Group]]) -> list[Group]:
        path = self.work / f"{name}.npz"
        if not path.exists():
            write_groups(path, make())
        return read_groups(path)

    def _watched(self) -> list[Group]:
        own = [group for group in self.real() if group.specimen in LEFT_OUT and group.clean]
        return own[:: max(1, len(own) // _WATCHED)]

    def _trained(
        self,
        name: str,
        start: Path,
        groups: Callable[[], list[Group]],
        watched: Sequence[Group] = (),
    ) -> Path:
        path = self.work / f"{name}.tiqa"
        if path.exists():
            return path
        steps, rate = STEPS[name]
        network = network_from(start)
        history: list[dict[str, float]] = []

        def after(done: int, loss: float) -> None:
            order = order_of(network, watched) if watched else np.nan
            history.append({"steps": done, "loss": loss, "order": order})
            pd.DataFrame(history).round(4).to_csv(self.work / f"{name}.csv", index=False)
            if self.report:
                figures = f"loss {loss:.3f}, order of specimens left out {order:.3f}"
                self.report(name, done, steps, figures)

        train(network, groups(), steps, learning_rate=rate, every=_EVERY, after=after)
        save_bundle(path, network, {"name": name, "settings": SETTINGS, "steps": STEPS[name]})
        return path


def order_of(network: keras.Model, groups: Sequence[Group]) -> float:
    """Return the SROCC of scores and labels over all images of groups."""
    said = np.concatenate([outputs(network, group.tiles())[:, 0] for group in groups])
    return srocc(np.concatenate([group.labels for group in groups]), said)


def outputs(network: keras.Model, tiles: np.ndarray) -> np.ndarray:
    """Return what a network says of tiles, (n, 224, 224), float32: shape (n, 7)."""
    return np.asarray(network.predict_on_batch(tiles[..., None]))


def ranked(groups: Sequence[Group]) -> list[Group]:
    """Take the labels from groups whose original is not known to be a 5: they teach order alone."""
    return [
        group if group.clean else group.with_labels(np.full(len(group.labels), np.nan)) for group in groups
    ]


def taught(groups: Sequence[Group], network: keras.Model) -> list[Group]:
    """Label groups whose original is not known to be a 5 by what a network says of it that has not seen it.

    What each fault leaves of the quality is multiplied with what the network says of the original
    (cross-fitting). Networks are too moderate about slices that they have not seen, so what they say is put
    on the scale on which they call originals a 5 that are one.
    """
    best = float(np.median([outputs(network, group.tiles()[:1])[0, 0] for group in groups if group.clean]))
    worst, perfect = SCORE_RANGE
    labelled = []
    for group in groups:
        if group.clean:
            labelled.append(group)
            continue
        said, *lost = outputs(network, group.tiles()[:1])[0]
        kept = np.clip((said - worst) / (best - worst), 0.1, 1)  # of the quality
        spoilt = group.with_labels(worst + kept * (group.labels - worst))
        shares = np.maximum(lost, 0) + 1e-3
        points = (perfect - spoilt.labels[0]) * shares / shares.sum()
        labelled.append(replace(spoilt, lost=tuple(points.tolist())))
    return labelled
