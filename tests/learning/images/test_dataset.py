"""Generation and dataset folders: labels after observers and people; what is written is read back."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from scipy.ndimage import gaussian_filter

from napari_tiqa.cli import main
from napari_tiqa.errors import RatingError, TrainingError
from napari_tiqa.learning.images.dataset import Dataset, rate, read_dataset, write_dataset
from napari_tiqa.learning.ratings.images import ImageSource
from napari_tiqa.learning.ratings.session import create_session
from napari_tiqa.learning.training.generation import generate, preview
from napari_tiqa.learning.training.recipe import TrainingRecipe
from napari_tiqa.volumes.open import as_volume

COUNT = 6


def texture(seed: int, shape: tuple[int, int] = (224, 224)) -> np.ndarray:
    smooth = gaussian_filter(np.random.default_rng(seed).random(shape), 3)
    return (smooth - smooth.min()) / np.ptp(smooth)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("good")
    for seed in range(COUNT):
        tifffile.imwrite(folder / f"grains{seed}.tif", (texture(seed) * 60000).astype(np.uint16))
    return sorted(map(str, folder.glob("*.tif")))


@pytest.fixture(scope="module")
def recipe(images: list[str]) -> TrainingRecipe:
    return TrainingRecipe(tuple(images), observers=("ssim", "gmsd"))


@pytest.fixture(scope="module")
def dataset(recipe: TrainingRecipe) -> Dataset:
    return generate(recipe).dataset


@pytest.fixture
def folder(dataset: Dataset, tmp_path: Path) -> Path:
    write_dataset(tmp_path / "dataset", dataset, {"made": "by a test"})
    return tmp_path / "dataset"


def ratings_file(path: Path, scores: dict[str, list[int]]) -> str:
    rows = [
        f"{image},rater {number},{score},2026-01-01T00:00:{number:02}Z"
        for image, given in scores.items()
        for number, score in enumerate(given)
    ]
    path.write_text("\n".join(["image,rater,score,time", *rows]) + "\n")
    return str(path)


def test_what_is_written_is_read_back(dataset, folder):
    again = read_dataset(folder)
    assert again.originals == dataset.originals
    assert again.files == dataset.files
    assert again.ratings is None
    for one, other in zip(again.groups, dataset.groups, strict=True):
        np.testing.assert_array_equal(one.images, other.images)
        np.testing.assert_allclose(one.labels, other.labels)
        np.testing.assert_array_equal(one.levels, other.levels)
        assert (one.specimen, one.families) == (other.specimen, other.families)


def test_versions_do_not_depend_on_the_company(recipe, dataset):
    fewer = generate(replace(recipe, originals=recipe.originals[1:])).dataset
    np.testing.assert_array_equal(fewer.groups[0].images, dataset.groups[1].images)
    other_seed = generate(replace(recipe, seed=1)).dataset
    assert not np.array_equal(other_seed.groups[0].images, dataset.groups[0].images)


def test_too_few_originals_are_refused_and_copies_do_not_count(images, tmp_path):
    with pytest.raises(TrainingError, match="4 originals are too few"):
        generate(TrainingRecipe(tuple(images[:4])))
    (tmp_path / "copy.tif").write_bytes(Path(images[0]).read_bytes())
    with pytest.raises(TrainingError, match=r"4 originals are too few.*copy of"):
        generate(TrainingRecipe((*images[:4], str(tmp_path / "copy.tif"))))


def test_ratings_set_the_reference_and_its_versions_follow(images, recipe, dataset, tmp_path):
    names = [Path(path).name for path in images]
    csv = ratings_file(tmp_path / "r.csv", {name: [3, 4] for name in names[:-1]} | {"gone.tif": [2]})
    made = generate(replace(recipe, ratings=(csv,)))
    before, rated = dataset.groups[0].labels, made.dataset.groups[0].labels
    assert rated[0] == 3.5
    np.testing.assert_allclose((rated - 1) / 2.5, (before - 1) / 4)
    assert np.isnan(made.dataset.groups[-1].labels).all()  # nobody rated it
    warnings = " ".join(made.warnings)
    for said in ("gone.tif", "1 original was not rated", "Only 5 images are rated"):
        assert said in warnings
    # In the dataset people's scores go by its file names, and reading them in again changes nothing.
    write_dataset(tmp_path / "rated", made.dataset, {})
    again = read_dataset(tmp_path / "rated")
    assert set(again.ratings["image"]) == {files[0] for files in again.files[:-1]}
    np.testing.assert_allclose(again.groups[0].labels, rated)


def test_ratings_of_other_images_are_refused(recipe, tmp_path):
    csv = ratings_file(tmp_path / "r.csv", {"gone.tif": [2, 3]})
    with pytest.raises(RatingError, match=r"name none of the originals .*gone\.tif"):
        generate(replace(recipe, ratings=(csv,)))
    csv = ratings_file(tmp_path / "r.csv", {"gone.tif": [6]})
    with pytest.raises(RatingError, match="'6', which is not one of"):
        generate(replace(recipe, ratings=(csv,)))


def test_rated_versions_keep_what_people_said(dataset):
    group = dataset.groups[0]
    means = np.full(16, np.nan)
    means[[0, 3]] = 3.0, 1.5
    labels = rate(group, means).labels
    assert labels[0] == 3
    assert labels[3] == 1.5
    assert labels[1] == pytest.approx(1 + (group.labels[1] - 1) / 2)


def test_the_papers_scale_spreads_each_observers_range(recipe, dataset):
    spread = generate(replace(recipe, scale="range")).dataset
    rings = np.array([group.labels[11:] for group in spread.groups])
    assert rings.min() < 1.5
    assert min(group.labels[11:].min() for group in dataset.groups) > 1.5


def test_preview_shows_the_images_that_will_be_trained_on(images, recipe, dataset):
    shown, names, labels = preview(images[0], recipe)
    np.testing.assert_array_equal(shown, dataset.groups[0].images)
    np.testing.assert_allclose(labels, dataset.groups[0].labels)
    assert names[:2] + names[-1:] == ["original", "blur 1", "ring 5"]


def test_a_session_is_a_dataset_of_single_images(tmp_path):
    scan = as_volume(np.stack([texture(seed, (260, 300)) for seed in range(2)]))
    session = create_session(tmp_path / "session", [ImageSource(scan, count=2)], seed=0)
    ratings_file(tmp_path / "session" / "ratings.csv", {session.images[0]: [2, 3]})
    dataset = read_dataset(tmp_path / "session")
    assert dataset.files == [[name] for name in session.images]
    assert dataset.groups[0].images.shape == (1, 224, 224)
    assert dataset.groups[0].labels.tolist() == [2.5]
    assert np.isnan(dataset.groups[1].labels).all()


def _edit_csv(folder, change):
    table = pd.read_csv(folder / "images.csv", keep_default_na=False)
    change(table)
    table.to_csv(folder / "images.csv", index=False)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda f: (f / "dataset.json").unlink(), "is not a dataset"),
        (lambda f: (f / "dataset.json").write_text("{}"), "of another program"),
        (lambda f: (f / "images.csv").unlink(), r"images\.csv cannot be read"),
        (lambda f: next((f / "images").iterdir()).unlink(), "lacks images that it lists"),
        (lambda f: next((f / "images").iterdir()).write_bytes(b"II*"), "may be damaged"),
        (lambda f: _edit_csv(f, lambda t: t.pop("label")), "lacks columns"),
        (lambda f: _edit_csv(f, lambda t: t.__setitem__("label", 5.5)), "not within 1 to 5"),
        (lambda f: _edit_csv(f, lambda t: t.__setitem__("level", 1)), "each original before its versions"),
        (lambda f: _edit_csv(f, lambda t: t.__setitem__("distortion", "frost")), "the distortion 'frost'"),
        (lambda f: _edit_csv(f, lambda t: t.__setitem__("file", "../x.tif")), "another file of the"),
        (lambda f: ratings_file(f / "ratings.csv", {"gone.tif": [3]}), "ratings name images that are not"),
        (lambda f: ratings_file(f / "ratings.csv", {"gone.tif": [0]}), "not one of 1, 2, 3, 4, 5"),
    ],
)
def test_a_spoilt_dataset_is_refused_in_one_sentence(folder, spoil, sentence):
    spoil(folder)
    with pytest.raises((TrainingError, RatingError), match=sentence):
        read_dataset(folder)


@pytest.mark.parametrize(("version", "remedy"), [(2, "update napari-tiqa"), (0, "generate it again")])
def test_another_version_is_refused(folder, version, remedy):
    record = json.loads((folder / "dataset.json").read_text()) | {"format_version": version}
    (folder / "dataset.json").write_text(json.dumps(record))
    with pytest.raises(TrainingError, match=f"version {version}.*{remedy}"):
        read_dataset(folder)


def test_a_full_folder_is_left_alone(dataset, folder):
    with pytest.raises(TrainingError, match="is not empty"):
        write_dataset(folder, dataset, {})
    assert len(read_dataset(folder).groups) == COUNT


def test_datasets_are_trained_on_as_they_are_but_not_twice(folder):
    made = generate(TrainingRecipe((str(folder),)))
    assert len(made.dataset.groups) == COUNT
    with pytest.raises(TrainingError, match="Two of the datasets have an image"):
        generate(TrainingRecipe((str(folder), str(folder))))


def test_generate_in_the_shell(images, tmp_path, capsys):
    csv = ratings_file(tmp_path / "r.csv", {Path(path).name: [4] for path in images})
    output = tmp_path / "made"
    command = ["generate", *images, "-o", str(output), "--observers", "mse,ssim", "--ratings", csv]
    assert main(command) == 0
    said = capsys.readouterr().err
    assert "96 images of 6 originals" in said
    assert "All ratings are by rater 0" in said
    assert read_dataset(output).groups[0].labels[0] == 4
    assert main(command) == 2
    assert "is not empty" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["generate", *images, "-o", str(tmp_path / "other"), "--observers", "nobody"])
    assert "there is no observer 'nobody'" in capsys.readouterr().err


def test_recipes_are_json_both_ways_and_refuse_nonsense(recipe):
    assert TrainingRecipe.from_json(recipe.to_json()) == recipe
    assert replace(recipe, seed=3).differs_from(recipe) == ["seed"]
    with pytest.raises(TrainingError, match="not a training recipe"):
        TrainingRecipe.from_json("[]")
    with pytest.raises(TrainingError, match="update napari-tiqa"):
        TrainingRecipe.from_json(recipe.to_json().replace('"format_version": 1', '"format_version": 9'))
    for setting, sentence in [
        ({"originals": ()}, "no originals"),
        ({"backbone": "VGG16"}, "no backbone 'VGG16'"),
        ({"observers": ()}, "no observer to label"),
        ({"observers": ("eye",)}, "no observer 'eye'"),
        ({"ranking_epochs": 0}, "ranking epochs must be at least 1"),
        ({"validation_share": 0.6}, "between 0 and 0.5"),
    ]:
        with pytest.raises(TrainingError, match=sentence):
            replace(recipe, **setting)
