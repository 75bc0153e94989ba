"""Training as a job: a process of its own that can be cancelled or killed and leaves what it has."""

import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import tifffile

from napari_tiqa.errors import Cancelled, ModelProcessError, TrainingError
from napari_tiqa.jobs.learning.train import train
from napari_tiqa.learning.training.progress import TrainProgress, read_epochs
from napari_tiqa.learning.training.recipe import TrainingRecipe
from napari_tiqa.scoring.bundle import load_card
from napari_tiqa.volumes.simulation.microstructures import microstructure
from tests.processes import model_processes
from tests.small_training import small_recipe


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> TrainingRecipe:
    return small_recipe(tmp_path_factory.mktemp("data") / "dataset")


def on(
    found: Callable[[TrainProgress], bool], then: Callable[[], object], seen: list[TrainProgress]
) -> Callable[[TrainProgress], None]:
    """Return a listener that keeps reports and calls `then` at the first that is looked for."""

    def listen(progress: TrainProgress) -> None:
        seen.append(progress)
        if found(progress):
            then()

    return listen


def test_killed_then_finished(recipe: TrainingRecipe, tmp_path: Path) -> None:
    run, output = tmp_path / "run", tmp_path / "model.tiqa"
    seen: list[TrainProgress] = []
    kill = on(
        lambda progress: progress.loss is not None,
        lambda: model_processes()[-1].kill(),
        seen,
    )
    with pytest.raises(ModelProcessError, match=r"ended by SIGKILL.*train again with the run folder"):
        train(recipe, run_folder=run, output=output, progress=kill)
    assert not output.exists()
    assert len(read_epochs(run)) >= 1
    assert not {"keras", "tensorflow"} & set(sys.modules)

    # It goes on from its last epoch.
    seen.clear()
    card = train(recipe, run_folder=run, output=output, progress=seen.append)
    assert card["training"]["finished"]
    first = next(progress for progress in seen if progress.epochs)
    assert (first.stage, first.epoch) != ("rank", 0)
    assert seen[-1].stage == "judge"
    assert load_card(output) == card
    assert list(read_epochs(run)["stage"]) == ["rank", "rank", "regress"]
    assert not model_processes()


def test_cancelled_before_the_first_epoch_there_is_no_model(recipe: TrainingRecipe, tmp_path: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled, match="no model yet"):
        train(recipe, run_folder=tmp_path / "run", output=tmp_path / "model.tiqa", cancel=cancel)
    cancel.clear()
    making = on(lambda progress: progress.done > 0, cancel.set, [])
    with pytest.raises(Cancelled, match="no model yet"):
        train(
            recipe,
            run_folder=tmp_path / "run",
            output=tmp_path / "model.tiqa",
            progress=making,
            cancel=cancel,
        )
    assert not (tmp_path / "model.tiqa").exists()


def test_what_the_listener_raises_ends_the_training(recipe: TrainingRecipe, tmp_path: Path) -> None:
    def listen(progress: TrainProgress) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        train(recipe, run_folder=tmp_path / "run", output=tmp_path / "model.tiqa", progress=listen)
    assert not model_processes()


def test_errors_come_from_the_other_process_as_they_are(recipe: TrainingRecipe, tmp_path: Path) -> None:
    paths = [str(tmp_path / f"image{number}.tif") for number in range(3)]
    for seed, path in enumerate(paths):
        tifffile.imwrite(path, microstructure("foam", (224, 224), seed))
    few = replace(recipe, originals=tuple(paths), observers=("ssim",))
    with pytest.raises(TrainingError, match="3 originals are too few"):
        train(few, run_folder=tmp_path / "run", output=tmp_path / "model.tiqa")
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="cannot write to"):
        train(recipe, run_folder=tmp_path / "file" / "run", output=tmp_path / "model.tiqa")
