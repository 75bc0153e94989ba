"""Judge the default recipe on specimens left out of training in turn, beside a baseline.

    python benchmarks/leave_specimens_out.py --data ../shared/data

trains the default recipe once per fold, each time without some of the specimens, scores the specimens left
out and prints one table over all of them. About 10 minutes a fold on 2 cores. The baseline sees the same
images in the same run: ridge regression on the pooled features of the same network with its ImageNet weights.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from tqdm import tqdm

from napari_tiqa.learning.default_recipe import SCANS, default_groups, teachable, train_default
from napari_tiqa.learning.evaluation import evaluate, order_within_specimens
from napari_tiqa.learning.groups import Group
from napari_tiqa.learning.train import DEFAULT_EVALUATION
from napari_tiqa.scoring.backbone import build_network, load_imagenet
from napari_tiqa.scoring.predict import predict_scores

RIDGE = 100.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--save", type=Path, help="also write every image's score and label to this CSV file")
    parser.add_argument("--card", action="store_true", help="keep the table for the default model's card")
    options = parser.parse_args()
    with tqdm(desc="making groups") as bar:
        groups = default_groups(options.data, lambda done, total: _advance(bar, done, total))
    specimens = sorted({scan.specimen for scan in SCANS})
    judged, scores, ridge_scores = [], [], []
    for fold in range(options.folds):
        held = specimens[fold :: options.folds]
        print(f"fold {fold + 1} of {options.folds}, left out: {', '.join(held)}", flush=True)
        training = teachable([group for group in groups if group.specimen not in held])
        test = [group for group in groups if group.specimen in held]
        network = train_default(training, report=lambda p: print(f"  {p}", flush=True))
        judged += test
        scores += [predict_scores(network, group.tiles()) for group in test]
        ridge_scores += _ridge(training, test)
    tables = {
        "default recipe": evaluate(judged, scores),
        "frozen ImageNet + ridge": evaluate(judged, ridge_scores),
    }
    for name, table in tables.items():
        print(f"\n{name}\n{table.round(3).to_string(index=False)}")
    print("\ndefault recipe, order within each specimen (SROCC of score with falling level)")
    print(order_within_specimens(judged, scores).round(2).to_string())
    for clean, name in ((True, "clean scans"), (False, "scans with faults of their own")):
        originals = [
            s[0] for g, s in zip(judged, scores, strict=True) if g.clean == clean and len(g.images) == 16
        ]
        print(f"originals of {name}: {np.mean(originals):.2f} on average, lowest {min(originals):.2f}")
    if options.card:
        tables["default recipe"].round(4).to_csv(DEFAULT_EVALUATION, index=False)
    if options.save:
        _rows(judged, scores).to_csv(options.save, index=False)


def _advance(bar: tqdm, done: int, total: int) -> None:
    bar.total = total
    bar.update(done - bar.n)


def _ridge(training: Sequence[Group], test: Sequence[Group]) -> list[np.ndarray]:
    network = build_network()
    load_imagenet(network)
    features = keras.Model(network.input, network.get_layer("pool").output)

    def pooled(group: Group) -> np.ndarray:
        return features.predict_on_batch(group.tiles()[..., None])

    x = np.concatenate([pooled(group) for group in training])
    y = np.concatenate([group.labels for group in training])
    x, y = x[np.isfinite(y)], y[np.isfinite(y)]
    mean, spread = x.mean(0), x.std(0) + 1e-6
    z = (x - mean) / spread
    weights = np.linalg.solve(z.T @ z + RIDGE * np.eye(z.shape[1]), z.T @ (y - y.mean()))
    return [np.clip((pooled(group) - mean) / spread @ weights + y.mean(), 1, 5) for group in test]


def _rows(groups: Sequence[Group], scores: Sequence[np.ndarray]) -> pd.DataFrame:
    return pd.concat(
        pd.DataFrame(
            {
                "original": i,
                "specimen": group.specimen,
                "family": group.families,
                "level": group.levels,
                "label": group.labels.round(3),
                "score": score.round(3),
            }
        )
        for i, (group, score) in enumerate(zip(groups, scores, strict=True))
    )


if __name__ == "__main__":
    main()
