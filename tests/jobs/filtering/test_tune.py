"""Tuning: it finds what is better, says so when nothing is, and keeps what it has when it ends early."""

import itertools
import json
import threading

import numpy as np
import pytest
import scipy.ndimage
import scipy.stats
from skimage.metrics import structural_similarity

from napari_tiqa import IntensityWindow, estimate_window, open_volume, score_volume
from napari_tiqa.errors import BundleError, Cancelled, FilterError, TiqaError, VolumeError
from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.jobs.filtering.gain import REPEATABILITY, Gain, improvement, paired_gain
from napari_tiqa.jobs.filtering.objective import FIDELITY, SCORE
from napari_tiqa.jobs.filtering.trial import Trial
from napari_tiqa.jobs.filtering.tune import TuneProgress, tune
from napari_tiqa.jobs.filtering.tuning import Tuning
from napari_tiqa.jobs.filtering.variables import Variable, variables
from napari_tiqa.volumes.open import as_volume
from tests.places import CELL

GAUSSIAN = Pipeline([Step("gaussian")])
NOISE = 0.3


@pytest.fixture(scope="module")
def clean() -> np.ndarray:
    """Return blobs of three phases, shape (4, 224, 224), float32 in about 0..1.5."""
    smooth = scipy.ndimage.gaussian_filter(np.random.default_rng(0).random((4, 224, 224)), (0, 6, 6))
    phases = (smooth > np.median(smooth)) + 0.5 * (smooth > np.quantile(smooth, 0.8))
    return scipy.ndimage.gaussian_filter(phases, (0, 0.7, 0.7)).astype(np.float32)


@pytest.fixture(scope="module")
def noisy(clean: np.ndarray) -> np.ndarray:
    return clean + np.random.default_rng(1).normal(0, NOISE, clean.shape).astype(np.float32)


@pytest.fixture(scope="module")
def found(noisy: np.ndarray) -> tuple[Tuning, list[TuneProgress]]:
    seen: list[TuneProgress] = []
    return tune(noisy, GAUSSIAN, "gaussian.sigma=0.3:6", trials=14, progress=seen.append), seen


def sigmas(tuning: Tuning) -> list[float]:
    return [float(str(trial.values[0])) for trial in tuning.trials]


def test_noise_is_filtered_by_what_is_near_the_truth(
    found: tuple[Tuning, list[TuneProgress]], clean: np.ndarray, noisy: np.ndarray
) -> None:
    tuning, _ = found
    assert tuning.best is not tuning.nothing
    assert tuning.complete
    assert tuning.gain > tuning.gain_half_width > 0
    assert tuning.best is tuning.leader
    assert tuning.best.objective == max(trial.objective for trial in tuning.trials)
    (sigma,) = tuning.best.values
    assert isinstance(sigma, float)
    assert tuning.best.pipeline.steps[0].parameters["sigma"] == sigma
    assert f"Sigma of Gaussian = {sigma:.3g} px" in tuning.sentence()
    assert tuning.best.detail_loss > 0

    def true_similarity(trial: Trial) -> float:
        filtered = trial.pipeline(noisy[0], estimate_window(as_volume(noisy)))
        return float(structural_similarity(clean[0], filtered, data_range=float(np.ptp(clean))))

    before = true_similarity(tuning.nothing)
    most = max(true_similarity(trial) for trial in tuning.trials)
    assert true_similarity(tuning.best) - before > 0.9 * (most - before)


def test_what_is_as_good_as_the_best_is_a_range_around_it(found: tuple[Tuning, list[TuneProgress]]) -> None:
    tuning, _ = found
    ((low, high),) = tuning.flatness
    assert isinstance(low, float)
    assert isinstance(high, float)
    assert low <= tuning.best.values[0] <= high  # type: ignore[operator]
    for trial, sigma in zip(tuning.trials, sigmas(tuning), strict=True):
        sure = paired_gain(tuning.best.slice_objectives, trial.slice_objectives, tuning.aim).is_sure
        assert sure == (not low <= sigma <= high)


def test_progress_starts_with_nothing_then_the_pipeline_as_given(
    found: tuple[Tuning, list[TuneProgress]],
) -> None:
    tuning, seen = found
    assert [one.done for one in seen] == list(range(1, 16))
    assert {one.total for one in seen} == {15}
    assert seen[0].trial is tuning.nothing
    assert seen[1].trial.values == (1.0,)
    assert seen[1].seconds_left is not None
    assert tuple(one.trial for one in seen[1:]) == tuning.trials
    objectives = [one.best.objective for one in seen]
    assert objectives == sorted(objectives)
    assert seen[-1].best is tuning.best


def test_the_slices_are_judged_in_the_window_of_the_unfiltered_volume(
    found: tuple[Tuning, list[TuneProgress]], noisy: np.ndarray
) -> None:
    tuning, _ = found
    window = estimate_window(as_volume(noisy))
    assert tuning.record["window"]["low"] == window.low
    unfiltered = score_volume(noisy, window=window)
    np.testing.assert_allclose(tuning.nothing.slice_scores, unfiltered["score"], atol=1e-4)
    filtered = np.stack([tuning.best.pipeline(plane, window) for plane in noisy])
    np.testing.assert_allclose(
        tuning.best.slice_scores, score_volume(filtered, window=window)["score"], atol=1e-4
    )


def test_what_people_would_say_can_be_the_aim(noisy: np.ndarray) -> None:
    tuning = tune(noisy, GAUSSIAN, "gaussian.sigma=0.3:2", slices=[0, 1], aim="score", trials=3)
    assert tuning.leader.slice_objectives == tuning.leader.slice_scores
    assert tuning.leader.score == max(trial.score for trial in tuning.trials)
    assert tuning.record["aim"] == "score"


def test_the_same_tuning_again_tries_the_same(
    found: tuple[Tuning, list[TuneProgress]], noisy: np.ndarray
) -> None:
    again = tune(noisy, GAUSSIAN, "gaussian.sigma=0.3:6", trials=14)
    assert sigmas(again) == sigmas(found[0])
    assert len(set(sigmas(again))) == 14


def test_the_table_has_every_trial_and_its_record_is_json(found: tuple[Tuning, list[TuneProgress]]) -> None:
    tuning, _ = found
    table = tuning.table()
    assert table["setting"].tolist() == ["unfiltered", "as given", *["tried"] * 13]
    assert table["gaussian.sigma"][1:].tolist() == sigmas(tuning)
    assert table["score_3"][0] == tuning.nothing.slice_scores[3]
    record = json.loads(json.dumps(table.attrs))
    assert record["ranges"] == {"gaussian.sigma": [0.3, 6.0]}
    assert Pipeline.from_dict(record["best"]) == tuning.best.pipeline
    assert record["slices"] == [0, 1, 2, 3]


def test_a_clean_volume_is_left_alone(clean: np.ndarray) -> None:
    tuning = tune(clean, GAUSSIAN, "gaussian.sigma=0.5:6", trials=5)
    assert tuning.best is tuning.nothing
    assert tuning.best is tuning.nothing
    assert [step.on for step in tuning.best.pipeline.steps] == [False]
    assert tuning.best.pipeline.steps[0].parameters == GAUSSIAN.steps[0].parameters
    assert tuning.sentence().startswith("Nothing beats leaving the slices unfiltered")
    assert "even Sigma of Gaussian" in tuning.sentence()


def test_a_step_that_only_harms_is_left_out(noisy: np.ndarray) -> None:
    pipeline = Pipeline([Step("gaussian", {"sigma": 1.6}), Step("gaussian", {"sigma": 3})])
    tuning = tune(noisy, pipeline, "1.sigma=2:6", trials=3)
    assert tuning.names == ("1.sigma",)
    assert tuning.best is tuning.without
    assert [step.on for step in tuning.best.pipeline.steps] == [True, False]
    assert tuning.sentence().startswith("Best without Gaussian")
    assert tuning.table()["setting"].tolist()[1] == "without the tuned steps"


def test_a_sweep_is_a_regular_grid(noisy: np.ndarray) -> None:
    one = tune(noisy, GAUSSIAN, "gaussian.sigma=0.25:4", slices=[0], method="sweep", trials=5)
    assert sigmas(one) == [0.25, 0.5, 1, 2, 4]
    pipeline = Pipeline([Step("median"), Step("gaussian")])
    two = tune(
        noisy, pipeline, ["median.radius=1:2", "gaussian.sigma=0.3:1"], slices=[0], method="sweep", trials=9
    )
    assert [trial.values for trial in two.trials] == list(itertools.product([1, 2], [0.3, 0.548, 1.0]))
    assert two.slices == (0,)


def test_few_whole_numbers_are_all_tried_once(noisy: np.ndarray) -> None:
    tuning = tune(noisy, Pipeline([Step("median")]), slices=[0, 1])
    assert [trial.values for trial in tuning.trials] == [(1,), (2,), (3,), (4,)]
    assert len(tuning.flatness[0]) == 2


def test_choices_are_tried_beside_numbers(noisy: np.ndarray) -> None:
    pipeline = Pipeline([Step("ring_removal", {"strength": 0})])
    chosen = ["ring_removal.arc", "ring_removal.ring_width"]
    tuning = tune(noisy, pipeline, chosen, slices=[0], trials=5)
    assert {trial.values[0] for trial in tuning.trials} <= {"auto", "full", "half"}
    assert len(tuning.trials) == 5
    # With a strength of 0 it changes nothing, so that every value is as good.
    assert tuning.best is tuning.nothing
    assert set(tuning.flatness[0]) == {trial.values[0] for trial in tuning.trials}


def test_a_setting_that_cannot_be_applied_does_not_end_the_tuning(noisy: np.ndarray) -> None:
    small = noisy[:, :40, :40]
    pipeline = Pipeline([Step("clahe", {"tile": 16})])
    tuning = tune(small, pipeline, "clahe.tile=16:1024", slices=[0], method="sweep", trials=4)
    failed = [trial for trial in tuning.trials if trial.failure]
    assert 0 < len(failed) < len(tuning.trials)
    assert "slice 0" in failed[0].failure
    assert tuning.table()["failure"].astype(bool).sum() == len(failed)
    assert not tuning.leader.failure


def test_no_setting_that_can_be_applied_is_an_error(noisy: np.ndarray) -> None:
    with pytest.raises(FilterError, match="slice 0"):
        tune(noisy[:, :20, :20], Pipeline([Step("clahe")]), "clahe.tile=512:1024", slices=[0], trials=3)


def test_ring_centres_are_settled_once(noisy: np.ndarray) -> None:
    pipeline = Pipeline([Step("ring_removal"), Step("gaussian")])
    tuning = tune(noisy, pipeline, "gaussian.sigma", slices=[0], trials=2)
    assert tuning.pipeline.steps[0].parameters["centre_x"] is not None
    assert {trial.pipeline.steps[0].parameters["centre_x"] for trial in tuning.trials} == {
        tuning.pipeline.steps[0].parameters["centre_x"]
    }


def test_constant_slices_are_no_representatives(noisy: np.ndarray) -> None:
    volume = np.concatenate([noisy, np.zeros_like(noisy[:1])])
    tuning = tune(volume, GAUSSIAN, "gaussian.sigma=0.3:1", trials=2)
    assert tuning.slices == (0, 1, 2, 3)
    with pytest.raises(VolumeError, match=r"Slice 4 .*constant value.*choose other"):
        tune(volume, GAUSSIAN, slices=[0, 4])


def test_a_cancel_keeps_the_best_so_far(noisy: np.ndarray) -> None:
    cancel = threading.Event()
    seen: list[TuneProgress] = []

    def show(progress: TuneProgress) -> None:
        seen.append(progress)
        if progress.done == 4:
            cancel.set()

    tuning = tune(noisy, GAUSSIAN, progress=show, cancel=cancel)
    assert not tuning.complete
    assert len(tuning.trials) == 3
    assert tuning.leader is max(tuning.trials, key=lambda trial: trial.objective)
    assert tuning.sentence().startswith("Stopped after 3 settings.")
    assert tuning.table().attrs["complete"] is False


def test_a_cancel_does_not_wait_for_a_slow_filter() -> None:
    plane = np.random.default_rng(0).random((1200, 1200), np.float32)
    plane[300:900, 300:900] += 1  # noise alone is not judged
    pipeline = Pipeline([Step("non_local_means", {"patch": 4, "reach": 10})])  # seconds
    cancel = threading.Event()

    def in_the_middle_of_the_filter(_: TuneProgress) -> None:
        threading.Timer(0.3, cancel.set).start()

    with pytest.raises(Cancelled):
        tune(
            plane,
            pipeline,
            "non_local_means.sigma=1:9",
            progress=in_the_middle_of_the_filter,
            cancel=cancel,
        )
    assert any(thread.name.startswith("filter to be tried") for thread in threading.enumerate())


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ("gaussian.radius", "gaussian has no parameter 'radius'"),
        ("median.radius", "no step 'median': its steps are 0: gaussian"),
        ("2.sigma", "no step 2"),
        ("sigma", "gaussian.sigma=0.3:4"),
        ("gaussian.sigma=4", "gaussian.sigma=0.3:4"),
        ("gaussian.sigma=a:b", "not a pair of numbers"),
        ("gaussian.sigma=nan:1", "give the lower end first"),
        ("gaussian.sigma=4:0.3", "give the lower end first"),
        ("gaussian.sigma=1:1", "give the lower end first"),
        ("gaussian.sigma=0.01:4", "within 0.1 to 20 px"),
        (["gaussian.sigma", "0.sigma"], "chosen twice"),
        ([], "No parameter was chosen"),
        (Variable(1, "sigma", 0.3, 4), "no step 1"),
        (Variable(0, "sigma", 0.3, 40), "within 0.1 to 20 px"),
    ],
)
def test_parameters_that_cannot_be_varied(
    chosen: str | list[str] | Variable, sentence: str, noisy: np.ndarray
) -> None:
    with pytest.raises(FilterError, match=sentence):
        tune(noisy, GAUSSIAN, chosen)


@pytest.mark.parametrize(
    ("pipeline", "chosen", "sentence"),
    [
        (Pipeline(), None, "no step that is on"),
        (Pipeline([Step("gaussian", on=False)]), None, "no step that is on"),
        (Pipeline([Step("gaussian", on=False), Step("median")]), "gaussian.sigma", "switch the step on"),
        (Pipeline([Step("gaussian"), Step("gaussian")]), "gaussian.sigma", "choose one by its number"),
        (Pipeline([Step("median")]), "median.radius=1.2:1.8", "fewer than two whole numbers"),
        (
            Pipeline([Step("flatten_background")]),
            "flatten_background.measured_on=0:1",
            "all its values are tried",
        ),
    ],
)
def test_pipelines_that_cannot_be_tuned(pipeline: Pipeline, chosen: str | None, sentence: str) -> None:
    with pytest.raises(FilterError, match=sentence):
        variables(pipeline, chosen)


def test_what_is_worth_tuning_is_chosen_where_nothing_is_named() -> None:
    pipeline = Pipeline([Step("ring_removal"), Step("median", on=False), Step("gaussian")])
    chosen = variables(pipeline)
    assert Variable(2, "sigma", 0.1, 20) in chosen
    assert not {"centre_y", "arc", "radius"} & {one.parameter for one in chosen}
    assert chosen[-1].name(pipeline) == "gaussian.sigma"
    assert chosen[-1].title(pipeline) == "Sigma of Gaussian"


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"slices": [9]}, VolumeError, "no slice 9"),
        ({"slices": []}, VolumeError, "No slice was chosen"),
        ({"axis": 3}, VolumeError, "no axis 3"),
        ({"model": "gone.tiqa"}, BundleError, "gone.tiqa"),
        ({"window": (2.0, 1.0)}, VolumeError, "window 2 to 1"),
        ({"method": "guess"}, FilterError, "optimise or sweep"),
        ({"aim": "beauty"}, FilterError, "fidelity or score"),
        ({"trials": 1}, FilterError, "2 trials or more"),
        ({"trials": 1, "method": "sweep"}, FilterError, "2 trials or more"),
    ],
)
def test_what_cannot_be_tuned_is_one_sentence(
    options: dict[str, object], error: type[TiqaError], sentence: str, noisy: np.ndarray
) -> None:
    with pytest.raises(error, match=sentence):
        tune(noisy, GAUSSIAN, **options)  # type: ignore[arg-type]


def test_a_sweep_goes_over_two_at_most(noisy: np.ndarray) -> None:
    with pytest.raises(FilterError, match="one or two parameters, not 3"):
        tune(noisy, Pipeline([Step("gaussian"), Step("unsharp_mask")]), method="sweep")


def test_a_volume_without_contrast_cannot_be_tuned() -> None:
    with pytest.raises(VolumeError, match="constant"):
        tune(np.ones((3, 50, 50)), GAUSSIAN)


def test_an_offset_between_slices_is_no_uncertainty_of_the_gain() -> None:
    unfiltered = np.array([1.5, 2.5, 3.5, 4.5])
    gain = paired_gain(unfiltered + np.array([0.2, 0.21, 0.19, 0.2]), unfiltered, SCORE)
    assert gain.mean == pytest.approx(0.2)
    assert gain.is_sure


def test_a_gain_is_uncertain_by_its_spread_and_by_no_less_than_the_score_repeats() -> None:
    differences = np.array([0.1, 0.9, 0.4, 0.6])
    interval = scipy.stats.ttest_1samp(differences, 0).confidence_interval(0.9)
    assert paired_gain(differences, np.zeros(4), SCORE).half_width == pytest.approx(
        (interval.high - interval.low) / 2
    )
    alone = paired_gain([0.5], [0.4], SCORE)
    assert alone.half_width == pytest.approx(scipy.stats.norm.ppf(0.95) * REPEATABILITY[SCORE])
    agreeing = paired_gain([0.5] * 4, [0.4] * 4, SCORE)
    assert agreeing.half_width == pytest.approx(alone.half_width / 2)


def test_a_score_that_falls_while_the_fidelity_rises_is_pointed_out() -> None:
    def trial(fidelity: float, score: float) -> Trial:
        return Trial((), GAUSSIAN, (score,), (fidelity,), (0.0,), (0.0,))

    before, gain = trial(0.7, 3.0), Gain(0.1, 0.02)
    assert improvement(trial(0.8, 2.0), before, gain, FIDELITY) == (
        "fidelity 0.800 instead of 0.700 (+0.100 ± 0.020), but score 2.00 instead of 3.00"
    )
    assert ", score 2.95 instead" in improvement(trial(0.8, 2.95), before, gain, FIDELITY)


def test_real_cell_with_noise_gains_by_a_filter() -> None:
    if not CELL.exists():
        pytest.skip("the real tomograms of shared/data are not here")
    volume = open_volume(CELL).tomogram()
    window = estimate_window(volume)
    planes = np.stack([volume.slice(0, index).astype(np.float32) for index in (5, 30)])
    noise = np.random.default_rng(0).normal(0, 0.2 * (window.high - window.low), planes.shape)
    given = IntensityWindow(window.low, window.high, "of the scan")
    tuning = tune(
        (planes + noise).astype(np.float32), GAUSSIAN, "gaussian.sigma=0.3:6", trials=12, window=given
    )
    assert tuning.best is not tuning.nothing
    before, after = (
        np.mean((trial.pipeline(planes[0] + noise[0], given) - planes[0]) ** 2)
        for trial in (tuning.nothing, tuning.best)
    )
    assert after < before


def test_a_pipeline_that_helps_each_of_two_unlike_slices_is_better() -> None:
    assert paired_gain([0.8, 0.7], [0.4, 0.65], FIDELITY).is_sure
    assert not paired_gain([0.8, 0.65], [0.4, 0.66], FIDELITY).is_sure
