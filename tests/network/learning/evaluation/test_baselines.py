"""Baselines: fitted on training groups alone; a rated session judged with large slices and two raters."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tifffile

from napari_tiqa.errors import TrainingError
from napari_tiqa.learning.evaluation.baselines import fit
from napari_tiqa.learning.evaluation.comparison import Evaluation, compare
from napari_tiqa.learning.evaluation.cross_validation import cross_validate, fold_of
from napari_tiqa.learning.evaluation.rank_iqa import fit_rank_iqa, rank_iqa_network
from napari_tiqa.learning.images.dataset import read_dataset
from napari_tiqa.learning.images.groups import Group, distortion_group
from napari_tiqa.scoring.bundle import DEFAULT_MODEL, load_card, save_bundle
from napari_tiqa.scoring.predict import load_model
from napari_tiqa.volumes.simulation.microstructures import KINDS, microstructure


@pytest.fixture(scope="module")
def groups() -> list[Group]:
    """Six originals of three versions: the original, noise 3 and noise 5."""
    made = []
    for seed, kind in enumerate(KINDS[:6]):
        group = distortion_group(kind, microstructure(kind, (224, 224), seed).astype(np.float32), seed)
        made.append(group.subset(np.array([0, 8, 10])).with_labels(np.array([5.0, 3, 1])))
    return made


def test_specimens_are_never_split(groups: list[Group]) -> None:
    twice = [*groups, *groups]
    fold = fold_of(twice)
    assert (fold[:6] == fold[6:]).all()
    assert len(set(fold)) == 5
    assert len(set(fold_of([groups[0]] * 7))) == 5  # one specimen: dealt by originals


def test_ridge_learns_from_frozen_features(groups: list[Group]) -> None:
    scores = fit("ridge", groups[:5])(groups[5:])[0]
    assert scores.shape == (3,)
    assert scores[0] > scores[2]
    own = fit("ridge", groups)(groups)
    labels = np.concatenate([group.labels for group in groups])
    assert np.corrcoef(np.concatenate(own), labels)[0, 1] > 0.9


def test_a_baseline_never_learns_from_what_it_is_judged_on(groups: list[Group]) -> None:
    odd = [groups[0].with_labels(np.array([1.0, 1, 1])), *groups[1:]]
    shares: list[float] = []
    title, scores = cross_validate("lookup", odd, odd, shares.append)
    assert title == "look-up of distortion and level"
    assert scores[0].tolist() == [5, 3, 1]  # the others' labels
    assert scores[2].tolist() != [5, 3, 1]  # these have seen the odd one
    assert shares == sorted(shares)


def test_look_up_of_what_it_does_not_know_is_the_mean(groups: list[Group]) -> None:
    unlabelled = groups[1].with_labels(np.array([np.nan, np.nan, 2.0]))
    assert fit("lookup", [unlabelled])(groups[:1])[0].tolist() == [2, 2, 2]


def test_labels_of_one_specimen_alone_teach_nothing_about_others(groups: list[Group]) -> None:
    one_rated = [groups[0], *(group.with_labels(np.full(3, np.nan)) for group in groups[1:])]
    with pytest.raises(TrainingError, match="None of the images to learn from has a label"):
        cross_validate("ridge", one_rated, one_rated)


def test_rank_iqa_trains_in_both_stages_and_reports(groups: list[Group]) -> None:
    shares: list[float] = []
    backbone, network = fit_rank_iqa(groups, shares.append, epochs=(1, 1))
    assert backbone in ("VGG16", "EfficientNet-Lite0")
    assert len(shares) == 12
    assert shares[-1] == 1
    output = network.predict_on_batch(groups[0].tiles()[..., None])
    assert np.isfinite(output).all()
    assert (output[:, 1:] == 0).all()


def test_rank_iqa_has_a_vgg16_where_its_weights_can_be_had(groups: list[Group]) -> None:
    network = rank_iqa_network(keras.applications.VGG16(include_top=False, weights=None))
    output = network.predict_on_batch(groups[0].tiles()[..., None])
    assert output.shape == (3, 7)
    assert np.ptp(output[:, 0]) > 0
    assert network.get_layer("score").units == 1  # regression scales this layer to the labels


def write_session(folder: Path) -> None:
    """Write a rated session: five crops of 300 px, noisier and noisier, rated so by two people."""
    (folder / "images").mkdir(parents=True)
    image = microstructure("grains", (300, 300), 0)
    noise = np.random.default_rng(0).normal(0, 1, image.shape)
    sources, lines = [], ["image,rater,score,time"]
    for n, sd in enumerate((0, 0.1, 0.2, 0.35, 0.6)):
        tifffile.imwrite(
            folder / "images" / f"{n}.tif", (np.clip(image + sd * noise, 0, 1) * 255).astype(np.uint8)
        )
        sources.append({"image": f"{n}.tif", "source": f"scan {n}.tif", "specimen": f"scan {n}"})
        lines += [f"{n}.tif,{rater},{5 - n},2026-11-23T08:00:0{n}Z" for rater in "AB"]
    session = {"format": "napari-tiqa ratings", "format_version": 1, "scale": [1, 5], "sources": sources}
    (folder / "session.json").write_text(json.dumps(session))
    (folder / "ratings.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rated") / "session"
    write_session(folder)
    return folder


def judged(session: Path, *models: Path, baselines: tuple[str, ...] = ()) -> Evaluation:
    bundles = [str(model) for model in models]
    return compare(bundles, read_dataset(session), str(session), baselines, lambda news: None, resamples=10)


def test_a_rated_session_is_judged_as_one_pool_with_krasula(session: Path) -> None:
    evaluation = judged(session, DEFAULT_MODEL, baselines=("brisque", "rankiqa"))
    assert evaluation.table["judged"].tolist() == [load_card(DEFAULT_MODEL)["name"], "BRISQUE (stock)"]
    assert evaluation.table["family"].tolist() == ["all images"] * 2
    ours = evaluation.table.iloc[0]
    assert ours["srocc"] > 0.8
    assert ours["cc_0"] == ours["auc_bw"] == 1
    assert np.isnan(ours["auc_ds"])  # both raters agree on everything, so no pair is similar
    assert evaluation.rows["raters"].tolist() == [2] * 5
    missing, labels, _ = evaluation.notes
    assert missing.startswith("The baseline rankiqa could not be fitted. 4 originals are too few")
    assert labels == "All labels are means of people's ratings."


def test_shrinking_hides_noise_that_native_tiles_show(session: Path) -> None:
    shrink = judged(session, DEFAULT_MODEL).shrink
    assert shrink["slice"].tolist() == [f"{n}.tif" for n in range(5)]
    assert (shrink[["rows", "columns"]] == 300).all(axis=None)
    assert (shrink["tiles"] >= 1).all()
    assert shrink["difference"].to_numpy() == pytest.approx(shrink["native"] - shrink["shrunk"], abs=1e-5)
    noisy = shrink.iloc[2:]
    assert noisy["difference"].mean() < 0


def test_specimens_that_a_model_was_trained_on_are_left_out(session: Path, tmp_path: Path) -> None:
    model, card = load_model(DEFAULT_MODEL), load_card(DEFAULT_MODEL)
    own = tmp_path / "own.tiqa"
    scans = [f"scan {n}.tif" for n in range(4)]
    card |= {"name": "own", "training": {"scans": scans, "left_out": scans[:2]}}
    save_bundle(own, model.network, card, model.calibration)
    evaluation = judged(session, own, DEFAULT_MODEL)
    assert evaluation.titles == ("own", load_card(DEFAULT_MODEL)["name"])
    assert evaluation.rows["file"].tolist() == ["0.tif", "1.tif", "4.tif"]
    assert evaluation.notes[0].startswith("Judged on the 3 specimens of 5")
    assert (evaluation.scores("own") - evaluation.scores(evaluation.titles[1])).abs().max() < 0.02
