"""Scoring a slice and a volume: the same scores whatever the way, nothing lost when it ends early."""

import json
import os
import signal
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.array
import numpy as np
import pandas as pd
import pytest
import scipy.ndimage
import tifffile

from napari_tiqa import IntensityWindow, Volume, score_image, score_volume
from napari_tiqa.errors import BundleError, Cancelled, ModelProcessError, TableError, VolumeError
from napari_tiqa.jobs.process.client import ProcessState, shared_model_process
from napari_tiqa.jobs.quality.score import score_overview_first
from napari_tiqa.jobs.quality.score_run import ScoreProgress
from napari_tiqa.scoring.pyramid import view_slice
from napari_tiqa.scoring.scale import ARTEFACTS
from napari_tiqa.scoring.table import (
    UNLIKE_TRAINING,
    ScoredSlice,
    read_scores,
    record_path,
    scores_json,
    write_scores,
)
from napari_tiqa.scoring.views import view_of
from tests.textures import grainy


@pytest.fixture(scope="module")
def blocks() -> np.ndarray:
    """Volume whose slices differ along every axis, shape (44, 60, 70), float32."""
    rng = np.random.default_rng(1)
    smooth = scipy.ndimage.gaussian_filter(rng.random((44, 60, 70)), 2, mode="wrap")
    noise = rng.normal(0, 1, smooth.shape) * np.linspace(0, 0.05, 44)[:, None, None]
    return (smooth + noise).astype(np.float32)


@pytest.fixture(scope="module")
def table(blocks: np.ndarray, untrained_model: Path) -> pd.DataFrame:
    return score_volume(blocks, model=untrained_model)


def test_table_has_a_row_per_slice_and_the_record(table: pd.DataFrame, blocks: np.ndarray) -> None:
    assert list(table.columns) == [*ScoredSlice._fields]
    assert table["slice"].tolist() == list(range(len(blocks)))
    assert table["score"].between(1, 5).all()
    assert table["score"].std() > 0.01
    assert (table["reason"] == "").all()
    record = json.loads(json.dumps(table.attrs))
    assert record["axis_name"] == "z"
    assert record["slices"] == len(blocks)
    assert record["complete"] is True
    assert record["view"] == "pyramid"
    assert record["combination"]["temperature"] > 0
    assert record["window"]["low"] < record["window"]["high"]
    assert record["device"] == shared_model_process().device != ""


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_score_depends_on_the_slice_alone(axis: int, blocks: np.ndarray, untrained_model: Path) -> None:
    """Not on chunks, on the order asked for, on which others are scored, nor on the batch."""
    window = (float(blocks.min()), float(blocks.max()))
    whole = score_volume(blocks, axis=axis, model=untrained_model, window=window).set_index("slice")["score"]
    assert len(whole) == blocks.shape[axis]
    chunked = score_volume(
        dask.array.from_array(blocks, chunks=(7, 60, 11)), axis=axis, model=untrained_model, window=window
    )
    np.testing.assert_allclose(chunked["score"], whole, atol=1e-4)
    few = score_volume(blocks, axis=axis, model=untrained_model, slices=[40, 3, -1, 3, 17], window=window)
    assert few["slice"].tolist() == [40, 3, blocks.shape[axis] - 1, 17]
    np.testing.assert_allclose(few["score"], whole[few["slice"]], atol=1e-4)
    plane = np.take(blocks, 17, axis)
    assert score_image(plane, model=untrained_model, window=window) == pytest.approx(whole[17], abs=1e-4)


def test_several_tiles_of_a_slice_are_averaged(untrained_model: Path) -> None:
    # 224 x 1120 px are five tiles side by side, so that a slice's tiles lie in two batches.
    wide = grainy(9, 224, 1120, seed=2) * np.linspace(0.2, 1, 9)[:, None, None]
    wide[4] = 0.5
    together = score_volume(wide, model=untrained_model, window=(0, 1))
    tiles = np.stack(np.split(wide[7], 5, axis=1))
    each = score_volume(tiles, model=untrained_model, window=(0, 1))
    for column in ("score", *ARTEFACTS):
        assert together[column][7] == pytest.approx(each[column].mean(), abs=2e-4)
    assert np.isnan(together["score"][4])
    assert together["score"].drop(4).notna().all()


def test_the_points_lost_are_shared_out_among_the_artefacts(table: pd.DataFrame) -> None:
    assert (table[[*ARTEFACTS]] >= 0).all(axis=None)
    np.testing.assert_allclose(table[[*ARTEFACTS]].sum(axis=1), 5 - table["score"], atol=3e-4)
    assert table["uncertainty"].isna().all()  # a model that was never judged does not know how sure it is


def test_a_calibrated_model_says_how_sure_it_is_and_flags_what_it_has_never_seen(
    calibrated_model: Path,
) -> None:
    noise = grainy(4, 224, 224, seed=3)
    stripes = np.broadcast_to(np.arange(224) // 16 % 2, (4, 224, 224)).astype(np.float32)
    table = score_volume(np.concatenate([noise, stripes]), model=calibrated_model, window=(0, 1))
    np.testing.assert_allclose(table["uncertainty"], 0.2 + (table["score"] - 1) * 0.05, atol=1e-3)
    assert table["reason"].tolist() == [""] * 4 + [UNLIKE_TRAINING] * 4
    assert table["score"].notna().all()


def test_a_slice_is_scored_from_its_own_pixels_where_asked(untrained_model: Path) -> None:
    large = grainy(3, 448, 448, seed=4)
    large[1] = 0.5
    table = score_volume(large, model=untrained_model, window=(0, 1), view="native")
    assert table.attrs["view"] == "native"
    assert table[["overview", "scale"]].isna().all(axis=None)
    quarters = [large[2, y : y + 224, x : x + 224] for y in (0, 224) for x in (0, 224)]
    each = score_volume(np.stack(quarters), model=untrained_model, window=(0, 1))
    for column in ("score", *ARTEFACTS):
        assert table[column][2] == pytest.approx(each[column].mean(), abs=2e-4)
    assert table["reason"].tolist() == ["", "constant value", ""]
    shrunk = score_volume(large, model=untrained_model, window=(0, 1), view="overview")
    assert abs(shrunk["score"][2] - table["score"][2]) > 0.01  # half of its noise has vanished
    assert shrunk["overview"].equals(shrunk["score"])
    with pytest.raises(VolumeError, match="pyramid, overview or native"):
        score_volume(large, model=untrained_model, view="tiny")


@pytest.fixture(scope="module")
def large() -> np.ndarray:
    """Noise of several strengths, three slices that cannot be scored, shape (12, 640, 600), float32."""
    noise = grainy(12, 640, 600, seed=5)
    noise *= np.linspace(0.2, 1, 12, dtype="f4")[:, None, None]
    noise[[2, 3, 11]] = 0.5
    return noise


def test_a_slice_is_scored_at_every_scale(large: np.ndarray, untrained_model: Path) -> None:
    def scored(volume: np.ndarray, view: str = "pyramid") -> pd.DataFrame:
        return score_volume(volume, model=untrained_model, window=(0, 1), view=view)

    table, overview = scored(large), scored(large, "overview")
    pd.testing.assert_series_equal(table["overview"], overview["score"], check_names=False, atol=2e-4)
    assert table["reason"].tolist() == overview["reason"].tolist()
    rows = table.dropna(subset="score")
    assert rows["scale"].isin([1, 2, 600 / 224]).sum() == rows["scale"].isin([1, 2]).sum()
    np.testing.assert_allclose(rows[[*ARTEFACTS]].sum(axis=1), 5 - rows["score"], atol=3e-4)
    # Between the lowest and the highest of its levels, nearer to the lowest than their mean is.
    viewed = view_slice(large[7], IntensityWindow(0, 1, "given"))
    tiles = scored(viewed.tiles, "overview")["score"].groupby(viewed.factors).mean()
    assert tiles.min() < table["score"][7] < tiles.mean()
    assert table["scale"][7] == pytest.approx(tiles.idxmin(), abs=1e-4)
    assert score_image(large[7], model=untrained_model, window=(0, 1)) == table["score"][7]
    whole = score_image(large[7], model=untrained_model, window=(0, 1), view="overview")
    assert whole == pytest.approx(table["overview"][7], abs=2e-4)


def test_the_overview_comes_first_and_the_end_is_the_same(large: np.ndarray, untrained_model: Path) -> None:
    steps: list[ScoreProgress] = []
    table = score_overview_first(large, model=untrained_model, window=(0, 1), progress=steps.append)
    pd.testing.assert_frame_equal(table, score_volume(large, model=untrained_model, window=(0, 1)), atol=2e-4)
    assert table.attrs["view"] == "pyramid"
    assert table.attrs["complete"] is True
    first, then = ([step for step in steps if step.view == view] for view in ("overview", "pyramid"))
    assert steps == first + then
    rows = [row for step in first for row in step.rows]
    assert [row.slice for row in rows] == list(range(12))
    np.testing.assert_allclose([row.score for row in rows], table["overview"], atol=2e-4)
    assert {row.slice for step in then for row in step.rows} == set(range(12)) - {2, 3, 11}
    assert all(np.diff([step.done for step in steps]) >= 0)
    assert (steps[-1].done, steps[-1].seconds_left) == (steps[-1].total, 0)
    assert (first[-1].scored, then[-1].scored) == (12, 12)


def test_what_ends_before_the_last_scale_keeps_the_overview(large: np.ndarray, untrained_model: Path) -> None:
    cancel = threading.Event()
    volume = np.tile(large, (3, 1, 1))

    def progress(step: ScoreProgress) -> None:
        if step.view == "pyramid":
            cancel.set()

    with pytest.raises(Cancelled) as caught:
        score_overview_first(volume, model=untrained_model, window=(0, 1), progress=progress, cancel=cancel)
    table = caught.value.table
    assert table is not None
    expected = score_volume(volume, model=untrained_model, window=(0, 1), view="overview")
    pd.testing.assert_frame_equal(table, expected, atol=2e-4)
    assert (table.attrs["view"], table.attrs["asked"], table.attrs["complete"]) == (
        "overview", "pyramid", False
    )  # fmt: skip


def test_small_slices_and_those_without_content_need_no_second_pass(
    blocks: np.ndarray, untrained_model: Path
) -> None:
    steps: list[ScoreProgress] = []
    table = score_overview_first(blocks, model=untrained_model, progress=steps.append)
    pd.testing.assert_frame_equal(table, score_volume(blocks, model=untrained_model))
    assert table["scale"].isna().all()
    assert steps[-1].done == len(blocks)
    empty = score_overview_first(np.full((3, 300, 300), 2.0), model=untrained_model)
    assert empty["reason"].tolist() == ["constant value"] * 3


def test_records_from_before_there_were_views_say_theirs() -> None:
    assert view_of({"tiles": {"mode": "whole"}}) == "overview"
    assert view_of({"tiles": {"mode": "native", "most": 9}}) == "native"
    assert view_of({"view": "pyramid"}) == "pyramid"
    assert view_of({}) == ""


def test_slices_may_be_chosen_in_any_way(blocks: np.ndarray, untrained_model: Path) -> None:
    def chosen(slices: Any) -> list[int]:
        return score_volume(blocks[:, :8, :8], model=untrained_model, slices=slices)["slice"].tolist()

    assert chosen(slice(40, None)) == [40, 41, 42, 43]
    assert chosen(slice(None, None, -20)) == [43, 23, 3]
    assert chosen(range(5, 2, -1)) == [5, 4, 3]
    assert chosen(np.array([-2, 1])) == [42, 1]


@pytest.mark.parametrize(
    ("slices", "sentence"),
    [
        ([0, 44], r"no slice 44: .*slices 0 to 43"),
        ([-45], r"no slice -45"),
        ([], "No slice was chosen"),
        (slice(100, 200), "No slice was chosen"),
        (slice(0, 9, 0), "must be integers"),
        ([1.5], "must be integers"),
    ],
)
def test_slices_that_are_not_there(
    slices: Any, sentence: str, blocks: np.ndarray, untrained_model: Path
) -> None:
    with pytest.raises(VolumeError, match=sentence):
        score_volume(blocks, model=untrained_model, slices=slices)


def test_what_cannot_be_scored_has_a_reason_and_the_rest_a_score(
    blocks: np.ndarray, untrained_model: Path
) -> None:
    damaged = blocks.copy()
    damaged[3] = np.nan
    damaged[5] = 0.25
    damaged[7, :20] = np.nan
    table = score_volume(damaged, model=untrained_model, slices=slice(2, 9))
    assert table["score"].isna().tolist() == [False, True, False, True, False, False, False]
    assert table["reason"].tolist() == ["", "no finite pixel", "", "constant value", "", "", ""]


@pytest.mark.parametrize("value", [np.nan, 7.0])
def test_volume_without_any_contrast_is_a_table_of_reasons(value: float, untrained_model: Path) -> None:
    done: list[int] = []
    table = score_volume(
        np.full((70, 16, 16), value, np.float32),
        model=untrained_model,
        progress=lambda progress: done.append(progress.done),
    )
    assert table["score"].isna().all()
    assert (table["reason"] != "").all()
    assert table.attrs["window"] is None
    assert done[-1] == 70
    assert len(done) > 1
    assert np.isnan(score_image(np.full((16, 16), value), model=untrained_model))


def test_window_comes_from_the_call_or_else_from_the_volume(
    blocks: np.ndarray, untrained_model: Path
) -> None:
    own = IntensityWindow(0.2, 0.8, "by hand")
    axes, sizes = ("z", "y", "x"), (2.5, 1.0, 1.0)
    volume = Volume(dask.array.from_array(blocks), axes, sizes, "µm", "blocks", window=own)
    table = score_volume(volume, model=untrained_model, slices=[4])
    assert table.attrs["window"] == {"low": 0.2, "high": 0.8, "rule": "by hand"}
    assert table["position"].tolist() == [10.0]
    assert table.attrs["unit"] == "µm"
    other = score_volume(volume, model=untrained_model, slices=[4], window=(0.0, 1.0))
    assert other.attrs["window"]["low"] == 0
    assert other["score"][0] != table["score"][0]
    with pytest.raises(VolumeError, match="window"):
        score_volume(volume, model=untrained_model, window=(1, 1))


def test_image_of_another_shape_is_refused(blocks: np.ndarray, untrained_model: Path) -> None:
    with pytest.raises(VolumeError, match="score_volume"):
        score_image(blocks, model=untrained_model)
    with pytest.raises(VolumeError, match="axis"):
        score_volume(blocks, axis=3, model=untrained_model)


def test_bundle_that_cannot_be_used_is_refused(blocks: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"gone\.tiqa"):
        score_volume(blocks, model=tmp_path / "gone.tiqa")
    (tmp_path / "foreign.tiqa").write_bytes(b"something else")
    with pytest.raises(BundleError, match=r"foreign\.tiqa"):
        score_volume(blocks, model=tmp_path / "foreign.tiqa")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": "other"}, "not made by napari-tiqa"),
        ({"format_version": 99}, "newer napari-tiqa"),
        ({"format_version": "x"}, "damaged"),
        ({"weights_sha256": None}, "damaged"),
        ({"head_units": None}, "damaged"),
    ],
)
def test_bundle_with_another_card_is_refused(
    change: dict, sentence: str, blocks: np.ndarray, untrained_model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "odd.tiqa"
    with zipfile.ZipFile(untrained_model) as bundle, zipfile.ZipFile(path, "w") as odd:
        odd.writestr("card.json", json.dumps(json.loads(bundle.read("card.json")) | change))
        odd.writestr("weights.npz", bundle.read("weights.npz"))
    with pytest.raises(BundleError, match=sentence):
        score_volume(blocks, model=path)


def test_progress_comes_in_batches_from_the_calling_thread(blocks: np.ndarray, untrained_model: Path) -> None:
    steps: list[ScoreProgress] = []
    threads = set()

    def progress(step: ScoreProgress) -> None:
        steps.append(step)
        threads.add(threading.current_thread())

    table = score_volume(blocks, model=untrained_model, progress=progress)
    assert threads == {threading.current_thread()}
    assert len(steps) > 1
    assert [step.total for step in steps] == [44] * len(steps)
    assert [step.done for step in steps] == np.cumsum([len(step.rows) for step in steps]).tolist()
    assert steps[0].seconds_left is None
    assert steps[-1].seconds_left == 0
    rows = [row for step in steps for row in step.rows]
    assert [row.score for row in rows] == table["score"].tolist()


def slow(blocks: np.ndarray, wait: Callable[[], object]) -> dask.array.Array:
    """Return the volume ten times over as if on a slow disk; `wait` is called for each slice read."""

    def read(plane: np.ndarray) -> np.ndarray:
        wait()
        return plane

    return dask.array.from_array(np.tile(blocks, (10, 1, 1)), chunks=(1, -1, -1)).map_blocks(
        read, dtype=np.float32, meta=np.empty((0, 0, 0), np.float32)
    )


def test_cancel_in_the_middle_keeps_what_was_scored(blocks: np.ndarray, untrained_model: Path) -> None:
    cancel, rows = threading.Event(), []

    def progress(step: ScoreProgress) -> None:
        rows.extend(step.rows)
        cancel.set()

    with pytest.raises(Cancelled) as caught:
        score_volume(np.tile(blocks, (10, 1, 1)), model=untrained_model, progress=progress, cancel=cancel)
    table = caught.value.table
    assert table is not None
    assert 0 < len(table) < 440
    assert table["score"].tolist() == [row.score for row in rows]
    assert table.attrs["complete"] is False
    again = score_volume(blocks, model=untrained_model, slices=[0])
    assert len(again) == 1


def test_cancel_does_not_wait_for_a_slow_disk(blocks: np.ndarray, untrained_model: Path) -> None:
    cancel, reading, go_on, answered = (threading.Event() for _ in range(4))

    def wait() -> None:
        reading.set()
        go_on.wait(30)
        answered.set()

    threading.Thread(target=lambda: (reading.wait(), cancel.set())).start()
    with pytest.raises(Cancelled):
        score_volume(slow(blocks, wait), model=untrained_model, window=(0, 1), cancel=cancel)
    assert not answered.is_set()
    go_on.set()


def test_killed_process_keeps_what_was_scored_and_the_next_run_works(
    blocks: np.ndarray, untrained_model: Path
) -> None:
    process = shared_model_process()

    def kill(step: ScoreProgress) -> None:
        if process.pid is not None:
            os.kill(process.pid, signal.SIGKILL)

    with pytest.raises(ModelProcessError, match="SIGKILL") as caught:
        score_volume(np.tile(blocks, (10, 1, 1)), model=untrained_model, progress=kill)
    assert caught.value.table is not None
    assert 0 < len(caught.value.table) < 440
    assert len(score_volume(blocks, model=untrained_model, slices=[0])) == 1


def test_error_in_progress_ends_the_run(blocks: np.ndarray, untrained_model: Path) -> None:
    def progress(step: ScoreProgress) -> None:
        raise LookupError("from the caller")

    with pytest.raises(LookupError, match="from the caller"):
        score_volume(np.tile(blocks, (10, 1, 1)), model=untrained_model, progress=progress)
    deadline = time.monotonic() + 20
    while shared_model_process().state is not ProcessState.READY:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert "slices to score" not in {thread.name for thread in threading.enumerate()}


def test_two_runs_at_once_are_not_mixed_up(blocks: np.ndarray, untrained_model: Path) -> None:
    window = (float(blocks.min()), float(blocks.max()))
    tables: dict[int, pd.DataFrame] = {}

    def run(axis: int) -> None:
        tables[axis] = score_volume(blocks, axis=axis, model=untrained_model, window=window)

    threads = [threading.Thread(target=run, args=(axis,)) for axis in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for axis in (0, 1):
        alone = score_volume(blocks, axis=axis, model=untrained_model, window=window)
        np.testing.assert_allclose(tables[axis]["score"], alone["score"], atol=1e-4)


def test_unreadable_slice_keeps_those_before_it(
    blocks: np.ndarray, untrained_model: Path, tmp_path: Path
) -> None:
    def damaged(plane: np.ndarray, block_id: tuple[int, ...]) -> np.ndarray:
        if block_id[0] == 40:
            raise OSError("read error on the disk")
        return plane

    lazy = dask.array.from_array(blocks, chunks=(1, -1, -1)).map_blocks(
        damaged, dtype=np.float32, meta=np.empty((0, 0, 0), np.float32)
    )
    with pytest.raises(VolumeError, match=r"40.*read error on the disk") as caught:
        score_volume(lazy, model=untrained_model, window=(0, 1))
    table = caught.value.table
    assert table is not None
    assert table["slice"].tolist() == list(range(40))


def test_table_survives_a_file(table: pd.DataFrame, tmp_path: Path) -> None:
    table = table.copy()
    table.loc[2, ["score", "reason"]] = [np.nan, 'odd, "quoted" reason']
    path = tmp_path / "scores.csv"
    write_scores(table, path)
    assert path.read_text().startswith("slice,position,score")
    back = read_scores(path)
    pd.testing.assert_frame_equal(back, table)
    assert back.attrs == table.attrs
    document = json.loads(scores_json(table))
    assert document["record"] == table.attrs
    assert document["slices"][2]["score"] is None
    record_path(path).unlink()
    assert read_scores(path).attrs == {}


def test_table_of_an_earlier_version_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text("slice,position,score,reason\n0,0.0,3.5,\n1,1.0,,constant value\n")
    table = read_scores(tmp_path / "old.csv")
    assert list(table.columns) == [*ScoredSlice._fields]
    assert table["score"][0] == 3.5
    assert table[["uncertainty", *ARTEFACTS, "overview", "scale"]].isna().all(axis=None)
    assert table["reason"][1] == "constant value"


def test_table_that_cannot_be_written_or_read(table: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(TableError, match="cannot be written"):
        write_scores(table, tmp_path / "no such folder" / "scores.csv")
    with pytest.raises(TableError, match="cannot be read"):
        read_scores(tmp_path / "gone.csv")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\xff")
    for name in ("other.csv", "picture.csv"):
        with pytest.raises(TableError, match="not a score table"):
            read_scores(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.csv", "picture.csv"]


def test_path_is_scored_like_the_array(blocks: np.ndarray, untrained_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "blocks.tif"
    tifffile.imwrite(path, blocks)
    from_file = score_volume(path, model=untrained_model)
    np.testing.assert_array_equal(from_file["score"], score_volume(blocks, model=untrained_model)["score"])
    assert from_file.attrs["volume"] == "blocks"
