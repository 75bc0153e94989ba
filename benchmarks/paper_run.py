"""How long the paper's training takes: data generation, and both stages at their full size.

    python benchmarks/paper_run.py               the whole of it, half an hour on 2 cores
    python benchmarks/paper_run.py --epochs 2    two epochs of each stage, and what all would take

Generates 29 originals x 16 = 464 labelled images and 3 originals more without labels, ranks the 512 images of
all for 30 epochs, then regresses the 464 for 20, with the code and the settings of ``napari-tiqa train``. The
originals are simulated microstructures, made before the clock starts.
"""

import argparse
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
import tifffile

from napari_tiqa.learning.training.generation import generate
from napari_tiqa.learning.training.recipe import TrainingRecipe
from napari_tiqa.learning.training.stages import rank, regress
from napari_tiqa.scoring.backbone import build_network, load_imagenet
from napari_tiqa.volumes.simulation.microstructures import KINDS, microstructure

RANKED, REGRESSED = 32, 29


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--epochs", type=int, help="epochs of each stage to run; the rest is reckoned")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = _write_originals(Path(folder))
        began = time.perf_counter()
        groups = generate(TrainingRecipe(paths[:REGRESSED])).dataset.groups
        generating = time.perf_counter() - began
        print(f"generating {16 * REGRESSED} labelled images: {generating:.1f} s", flush=True)
        ranked = groups + generate(TrainingRecipe(paths[REGRESSED - 2 :])).dataset.groups[2:]
    recipe = TrainingRecipe(paths)
    keras.utils.set_random_seed(recipe.seed)
    network = build_network()
    load_imagenet(network)
    total = generating
    for name, stage, images, epochs in (
        ("ranking", rank, ranked, recipe.ranking_epochs),
        ("regression", regress, groups, recipe.regression_epochs),
    ):
        ends = [time.perf_counter()]

        def after_epoch(
            epoch: int, _loss: float, _optimizer: object, ends: list[float] = ends, name: str = name
        ) -> None:
            ends.append(time.perf_counter())
            print(f"  {name} epoch {epoch}: {ends[-1] - ends[-2]:.1f} s", flush=True)

        stage(network, images, epochs=min(epochs, options.epochs or epochs), after_epoch=after_epoch)
        seconds = np.diff(ends)
        # The first epoch also builds the network's graph.
        missing = (epochs - len(seconds)) * seconds[-max(1, len(seconds) - 1) :].mean()
        whole = seconds.sum() + missing
        total += whole
        how = "measured" if not missing else f"reckoned from {len(seconds)} epochs"
        print(
            f"{name} of {16 * len(images)} images, {epochs} epochs: {whole / 60:.1f} min ({how})", flush=True
        )
    print(f"in all: {total / 60:.1f} min")


def _write_originals(folder: Path) -> tuple[str, ...]:
    paths = []
    for number in range(RANKED):
        image = microstructure(KINDS[number % len(KINDS)], (224, 224), seed=number)
        paths.append(str(folder / f"{number}.tif"))
        tifffile.imwrite(paths[-1], (image * 60000).astype(np.uint16))
    return tuple(paths)


if __name__ == "__main__":
    main()
