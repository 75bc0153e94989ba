"""The stages of the default model's training; what each makes is kept in a work folder.

1. Groups of versions of every original, made at native size and labelled (``training_groups``).
2. A first, short training from the network of ``start.tiqa``. Of specimens with faults of their own it learns
   the order alone.
3. Labels for these specimens, from what the first network says of their originals (``cross_fitting``).
4. Trainings with all labels, in different orders; the mean of their weights is kept (a model soup, Wortsman
   et al. 2022, arXiv 2203.05482). Each is stopped early: of specimens left out they know most after some 500
   steps, as benchmarks/validity.py said of 500 and 2000.

No training sees a specimen of ``specimens.LEFT_OUT``. These judge the network (benchmarks/validity.py): all
figures are those of the very network that is shipped.

``start.tiqa`` is the default model of before, of commit ad3bc2a: it learned from 17 of the specimens, from
simulated ones and from textures, by the paper's two stages at 224 px. None of these specimens is left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from models.cross_fitting import cross_fitted
from models.group_store import read_groups, write_groups
from models.score_training import SETTINGS, network_from, train
from models.specimens import FAULTY, LEFT_OUT
from models.training_groups import Advance, made_groups, paper_groups, real_groups
from napari_tiqa.learning.images.groups import Group
from napari_tiqa.learning.measures.measures import srocc
from napari_tiqa.scoring.bundle import save_bundle
from napari_tiqa.scoring.predict import load_model

STEPS = 500
TRAININGS = 3
LEARNING_RATE = 1.5e-4

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

    def network(self) -> Path:
        """Return the bundle of the trained network, which is not calibrated yet."""
        path = self.work / "network.tiqa"
        if not path.exists():
            parts = [
                self._trained(f"training_{seed}", seed, self._first, lambda: self._learned)
                for seed in range(TRAININGS)
            ]
            mean = mean_network(parts)
            save_bundle(path, mean, {"name": "network", "settings": SETTINGS, "steps": STEPS})
        return path

    def _first(self) -> Path:
        return self._trained("first", 0, lambda: START, lambda: ranked(self._shown()))

    @cached_property
    def _learned(self) -> list[Group]:
        return cross_fitted(load_model(self._first()).network, self._shown(), FAULTY)

    def _shown(self) -> list[Group]:
        real = [group for group in (*self.real(), *self.paper()) if group.specimen not in LEFT_OUT]
        return [*self.made(), *real]

    def _trained(
        self, name: str, seed: int, start: Callable[[], Path], learned: Callable[[], list[Group]]
    ) -> Path:
        path = self.work / f"{name}.tiqa"
        if path.exists():
            return path
        part, figures = self.work / f"{name}.part", self.work / f"{name}.csv"
        history = pd.read_csv(figures).to_dict("records") if part.exists() else []
        network, watched = network_from(part if history else start()), self._watched

        def after(done: int, loss: float) -> None:
            order = order_of(network, watched)
            history.append({"steps": done, "loss": loss, "order": order})
            save_bundle(part, network, {"name": name})
            pd.DataFrame(history).round(4).to_csv(figures, index=False)
            if self.report:
                said = f"loss {loss:.3f}, order of specimens left out {order:.3f}"
                self.report(f"training, {name}", done, STEPS, said)

        done = int(history[-1]["steps"]) if history else 0
        train(
            network,
            learned(),
            STEPS,
            learning_rate=LEARNING_RATE,
            start=done,
            every=_EVERY,
            after=after,
            seed=seed,
        )
        save_bundle(path, network, {"name": name, "settings": SETTINGS, "steps": STEPS})
        return path

    def _kept(self, name: str, make: Callable[[], list[Group]]) -> list[Group]:
        path = self.work / f"{name}.npz"
        if not path.exists():
            write_groups(path, make())
        return read_groups(path)

    @cached_property
    def _watched(self) -> list[Group]:
        own = [group for group in self.real() if group.specimen in LEFT_OUT and group.clean]
        return own[:: max(1, len(own) // _WATCHED)]


def mean_network(paths: Sequence[Path]) -> keras.Model:
    """Return the network whose weights are the means of those of bundles."""
    networks = [network_from(path) for path in paths]
    weights = zip(*(network.get_weights() for network in networks), strict=True)
    networks[0].set_weights([np.mean(each, axis=0) for each in weights])
    return networks[0]


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
