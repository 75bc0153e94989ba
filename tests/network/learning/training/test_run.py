"""A training in a run folder: interrupted and gone on, it ends as if it had not been."""

import os
import resource
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_tiqa.errors import BundleError, Cancelled, TrainingError
from napari_tiqa.learning.images.groups import Group
from napari_tiqa.learning.images.split import split
from napari_tiqa.learning.training import recipe as recipe_module
from napari_tiqa.learning.training.progress import read_epochs
from napari_tiqa.learning.training.recipe import TrainingRecipe
from napari_tiqa.learning.training.run import train
from napari_tiqa.learning.training.run_folder import run_lock
from napari_tiqa.scoring import backbone
from napari_tiqa.scoring.bundle import load_card, save_bundle
from napari_tiqa.scoring.predict import load_model
from tests.small_training import small_recipe


@pytest.fixture(scope="module")
def recipe(tmp_path_factory) -> TrainingRecipe:
    return small_recipe(tmp_path_factory.mktemp("data") / "dataset")


class Reports(list):
    """Keeps what is reported; calls `then` after the first report of an epoch's end in `stage`."""

    def __init__(self, stage="", then=None):
        self.stage, self.then = stage, then

    def __call__(self, progress):
        self.append(progress)
        if progress.stage == self.stage and progress.loss is not None and self.then:
            then, self.then = self.then, None
            then()

    def epochs(self):
        return [(one.stage, one.epoch) for one in self if one.loss is not None]


@pytest.fixture(scope="module")
def uninterrupted(recipe, tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    reports = Reports()
    card = train(recipe, str(folder / "run"), str(folder / "model.tiqa"), reports)
    return folder, reports, card


@contextmanager
def full_disk(size=1_000_000):
    """Let no file grow beyond `size` bytes, so that writing more fails as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_training_goes_through_all_stages_and_leaves_a_bundle(recipe, uninterrupted):
    folder, reports, card = uninterrupted
    assert reports.epochs() == [("rank", 1), ("rank", 2), ("regress", 1)]
    assert list(dict.fromkeys(one.stage for one in reports)) == ["generate", "rank", "regress", "judge"]
    ends = [one for one in reports if one.loss is not None]
    assert all(np.isfinite([one.loss, one.srocc, one.plcc]).all() for one in ends)
    assert ends[0].done == 30  # of five originals; one is left out
    assert ends[1].done == ends[1].total == 60
    assert any(one.seconds_left for one in reports)
    assert card["training"]["finished"]
    assert card["training"]["originals"] == 6
    assert card["training"]["originals_left_out"] == 1
    assert len(set(card["training"]["digests"])) == card["training"]["originals"] - 1
    assert card["settings"]["seed"] == recipe.seed
    assert "noise" in {row["family"] for row in card["evaluation"]}
    assert load_card(folder / "model.tiqa") == card
    model = load_model(folder / "model.tiqa")
    assert model.calibration is not None
    table = read_epochs(folder / "run")
    assert table[["stage", "epoch"]].to_records(index=False).tolist() == reports.epochs()
    # What a finished training needs no more is gone: it is ten times the bundle.
    assert not list((folder / "run").glob("*.npz"))


def test_stopped_by_a_full_disk_it_goes_on_to_the_same_weights(recipe, uninterrupted, tmp_path):
    run, output = tmp_path / "run", tmp_path / "model.tiqa"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    limit = Reports("rank", lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1])))
    try:
        with pytest.raises(TrainingError, match=r"cannot write to .* free some space"):
            train(recipe, str(run), str(output), limit)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not output.exists()
    reports = Reports()
    train(recipe, str(run), str(output), reports)
    assert reports.epochs() == [("rank", 2), ("regress", 1)]
    folder, _, _ = uninterrupted
    networks = [load_model(path).network for path in (output, folder / "model.tiqa")]
    for one, other in zip(*(network.get_weights() for network in networks), strict=True):
        np.testing.assert_array_equal(one, other)
    again, before = (read_epochs(path).drop(columns="best") for path in (run, folder / "run"))
    assert again.equals(before)


def test_a_finished_training_is_not_done_again_and_another_recipe_is_refused(recipe, uninterrupted, tmp_path):
    folder, _, card = uninterrupted
    reports = Reports()
    assert train(recipe, str(folder / "run"), str(tmp_path / "copy.tiqa"), reports) == card
    assert reports.epochs() == []
    assert (tmp_path / "copy.tiqa").read_bytes() == (folder / "model.tiqa").read_bytes()
    with pytest.raises(TrainingError, match=r"another recipe \(other seed\)"):
        train(replace(recipe, seed=1), str(folder / "run"), str(tmp_path / "other.tiqa"), reports)


def test_originals_that_changed_since_are_refused(recipe, uninterrupted, tmp_path):
    folder, _, _ = uninterrupted
    ratings = Path(recipe.originals[0]) / "ratings.csv"
    ratings.write_text("image,rater,score,time\n0_0.tif,Anna,2,\n")
    try:
        with pytest.raises(TrainingError, match="dataset has changed since"):
            train(recipe, str(folder / "run"), str(tmp_path / "m.tiqa"), Reports())
    finally:
        ratings.unlink()


def test_a_folder_in_use_is_refused_until_its_owner_is_gone(recipe, tmp_path):
    def stop():
        raise Cancelled("enough")

    def report(progress):
        stop()

    with run_lock(tmp_path), pytest.raises(TrainingError, match=r"running in .* already"):
        train(recipe, str(tmp_path), str(tmp_path / "m.tiqa"), report)
    with pytest.raises(Cancelled):  # the lock is free again
        train(recipe, str(tmp_path), str(tmp_path / "m.tiqa"), report)


def test_a_damaged_checkpoint_is_said(recipe, uninterrupted, tmp_path):
    folder, _, _ = uninterrupted
    run = tmp_path / "run"
    run.mkdir()
    (run / "recipe.json").write_text(recipe.to_json())
    os.symlink(folder / "run" / "dataset", run / "dataset")
    (run / "checkpoint.npz").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(TrainingError, match=r"checkpoint\.npz is damaged"):
        train(recipe, str(run), str(tmp_path / "m.tiqa"), Reports())


def test_a_bundle_that_cannot_be_written_leaves_the_old_one(tmp_path):
    network = backbone.build_network(head_units=32)
    path = tmp_path / "model.tiqa"
    path.write_text("the old one")
    with full_disk(), pytest.raises(BundleError, match=r"model\.tiqa \(File too large\): free some space"):
        save_bundle(path, network, {})
    assert path.read_text() == "the old one"
    assert list(tmp_path.iterdir()) == [path]


def group(specimen, label=5.0):
    images = np.zeros((1, 4, 4), np.uint8)
    return Group(specimen, images, ("",), np.zeros(1, int), np.array([label]))


def specimens(groups):
    return [one.specimen for one in groups]


def test_the_split_leaves_out_whole_specimens():
    groups = [group(name) for name in "aaaabbbbccccdd"]
    for seed in range(8):
        training, validation = split(groups, 0.3, seed)
        assert not set(specimens(training)) & set(specimens(validation))
        assert 1 <= len(validation) <= 4
    assert {specimens(split(groups, 0.3, seed)[1])[0] for seed in range(8)} > {"a"}  # drawn


def test_the_split_of_one_specimen_leaves_out_originals():
    training, validation = split([group("a") for _ in range(10)], 0.2, 0)
    assert (len(training), len(validation)) == (8, 2)


def test_the_split_keeps_enough_to_train_on_and_judges_only_what_has_labels():
    assert split([group(str(n)) for n in range(5)], 0.2, 0)[1] == []
    assert split([group(str(n)) for n in range(20)], 0, 0)[1] == []
    groups = [group(str(n), np.nan if n % 2 else 3.0) for n in range(20)]
    _, validation = split(groups, 0.2, 0)
    assert len(validation) == 2
    assert all(np.isfinite(one.labels).all() for one in validation)
    assert split([group(str(n), np.nan) for n in range(20)], 0.2, 0)[1] == []


def test_the_recipe_knows_the_backbones_that_can_be_built():
    assert recipe_module.BACKBONES == backbone.BACKBONES
