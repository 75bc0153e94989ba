"""Train the default recipe on specimens left out in turn, and score those; the baselines in the same run.

    python benchmarks/leave_specimens_out.py --data ../shared/data

trains once per fold, each time without about a third of the specimens, and writes what the network and the
baselines say of every image of the specimens left out to a CSV file, from which benchmarks/validity.py
prints the figures of docs/validity.md. A fold takes some 15 minutes on 2 idle cores; a fold whose file is
in the work folder is not trained again.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from tqdm import tqdm

from models.default import LEFT_OUT
from models.default_recipe import composite_groups, default_groups, familiar, teachable, train_default
from models.specimens import FIRST as SCANS
from napari_tiqa.learning.evaluation.baselines import QUICK_BASELINES, fit
from napari_tiqa.learning.images.groups import Group
from napari_tiqa.learning.measures.measures import image_rows
from napari_tiqa.learning.training.calibration import calibrate
from napari_tiqa.learning.training.foreign import foreign_images
from napari_tiqa.scoring.predict import ScoreModel, predict
from napari_tiqa.scoring.scale import PREDICTED


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument(
        "--only", type=int, nargs="*", help="train these folds (from 1) and write nothing else"
    )
    parser.add_argument(
        "--work", type=Path, default=Path("build/left_out"), help="where finished folds are kept"
    )
    parser.add_argument("--baselines", nargs="*", default=QUICK_BASELINES)
    parser.add_argument("-o", "--output", type=Path, default=LEFT_OUT)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    with tqdm(desc="making groups") as bar:
        groups, projection = default_groups(options.data, lambda done, total: _advance(bar, done, total))
        composites = composite_groups(
            options.data, projection, lambda done, total: _advance(bar, done, total)
        )
    specimens = sorted({scan.specimen for scan in SCANS})
    tables = []
    for fold in range(options.folds):
        if options.only and fold + 1 not in options.only:
            continue
        kept = options.work / f"fold_{fold + 1}_of_{options.folds}.csv"
        if not kept.exists():
            held = specimens[fold :: options.folds]
            print(f"fold {fold + 1} of {options.folds}, left out: {', '.join(held)}", flush=True)
            training = [group for group in [*groups, *composites] if group.specimen not in held]
            test = [group for group in groups if group.specimen in held]
            slices = [group.tiles()[0] for group in test if "ring" in group.families]
            table = _fold(training, test, foreign_images("test", slices), options.baselines)
            table.insert(0, "fold", fold + 1)
            table.round(4).to_csv(kept, index=False)
        tables.append(pd.read_csv(kept, keep_default_na=False, na_values={"label": [""], "score": [""]}))
    if not options.only:
        pd.concat(tables).to_csv(options.output, index=False)
        print(f"wrote {options.output}; python benchmarks/validity.py prints its figures")


def _fold(
    training: Sequence[Group], test: Sequence[Group], foreign: dict[str, np.ndarray], baselines: Sequence[str]
) -> pd.DataFrame:
    network = train_default(
        teachable(training), report=lambda progress, _: print(f"  {progress}", flush=True)
    )
    model = ScoreModel(network, calibrate(network, familiar(training)))
    predictions = [predict(model, group.tiles()) for group in test]
    table = image_rows(test, [one[:, 0] for one in predictions])
    table[list(PREDICTED)] = np.concatenate(predictions)
    table["clean"] = np.repeat([group.clean for group in test], [len(group.images) for group in test])
    # Fitted on what has labels without being a composite: the paper's distortions and the faults.
    simple = [group for group in teachable(training) if not any(group.lost)]
    for name in baselines:
        baseline = fit(name, simple)
        table[baseline.title] = np.concatenate(baseline(test))
        keras.backend.clear_session()
    strange = [
        pd.DataFrame(predict(model, tiles), columns=list(PREDICTED)).assign(family=sort, specimen="foreign")
        for sort, tiles in foreign.items()
    ]
    return pd.concat([table, *strange]).drop(columns="uncertainty")


def _advance(bar: tqdm, done: int, total: int) -> None:
    bar.total = total
    bar.update(done - bar.n)


if __name__ == "__main__":
    main()
