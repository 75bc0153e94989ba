"""A real cluster of worker processes: the same results as here, also when one of them is killed."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask.array
import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster

from napari_tiqa.errors import Cancelled, ClusterError
from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.jobs.filtering.export import export
from napari_tiqa.jobs.filtering.tune import tune
from napari_tiqa.jobs.process import cluster
from napari_tiqa.jobs.process.cluster import pieces_of
from napari_tiqa.jobs.quality.map import score_map
from napari_tiqa.jobs.quality.score import score_volume
from napari_tiqa.jobs.segmentation.predict import segment
from napari_tiqa.volumes.open import as_volume, open_volume
from napari_tiqa.volumes.simulation.microstructures import microstructure

WINDOW = (-0.2, 1.2)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as local,
        Client(local, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of 40 noisy slices."""
    path = tmp_path_factory.mktemp("scan") / "scan.npy"
    rng = np.random.default_rng(0)
    clean = microstructure("foam", (64, 64), 1)
    np.save(path, (clean + rng.normal(0, 0.1, (40, 64, 64))).astype(np.float32))
    return path


def worker_pids(client: Client) -> list[int]:
    return list(client.run(os.getpid).values())


def test_scores_are_those_of_one_machine_though_a_worker_is_killed(
    client: Client, scan: Path, untrained_model: Path
) -> None:
    killed: list[int] = []

    def kill(progress: Any) -> None:
        if not killed:
            killed.append(worker_pids(client)[0])
            os.kill(killed[0], signal.SIGKILL)

    asked: dict[str, Any] = {"model": untrained_model, "slices": "::-1"}
    there = score_volume(scan, **asked, client=client, progress=kill)
    assert killed
    here = score_volume(scan, **asked)
    pd.testing.assert_frame_equal(there, here, atol=1e-4, rtol=0)
    assert there.attrs["device"].startswith("cluster, ")
    assert there.attrs["window"] == here.attrs["window"]


def test_every_verb_gives_there_what_it_gives_here(client: Client, scan: Path, tmp_path: Path) -> None:
    there: dict[str, Any] = {"client": client}
    smooth = Pipeline([Step("gaussian")])

    segmented = [segment(scan, slices=[3, 30], **where).probabilities.compute() for where in (there, {})]
    np.testing.assert_allclose(*segmented, atol=1e-3)  # float16

    for name, where in (("there.zarr", there), ("here.zarr", {})):
        export(scan, smooth, tmp_path / name, window=WINDOW, **where)
    pixels = [open_volume(tmp_path / name).data.compute() for name in ("there.zarr", "here.zarr")]
    np.testing.assert_array_equal(*pixels)

    tuned = [
        tune(scan, smooth, "gaussian.sigma", slices=[0, 20], trials=6, window=WINDOW, **where)
        for where in (there, {})
    ]
    objectives = [[trial.slice_objectives for trial in tuning.trials] for tuning in tuned]
    np.testing.assert_allclose(*objectives, atol=1e-3)
    assert [trial.values for trial in tuned[0].trials] == [trial.values for trial in tuned[1].trials]

    large = np.kron(np.load(scan)[0], np.ones((5, 5), np.float32))
    maps = [score_map(large, window=WINDOW, **where) for where in (there, {})]
    np.testing.assert_allclose(maps[0].map, maps[1].map, atol=1e-3)


def test_a_cancel_keeps_what_was_scored(client: Client, scan: Path, untrained_model: Path) -> None:
    cancel = threading.Event()
    asked: dict[str, Any] = {"model": untrained_model, "client": client, "cancel": cancel}
    with pytest.raises(Cancelled) as ended:
        score_volume(scan, **asked, progress=lambda _: cancel.set())
    assert ended.value.table is not None
    assert 0 < len(ended.value.table) < 40


def test_a_scheduler_that_does_not_answer_is_named(scan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_ANSWERS_WITHIN", 1.0)
    with pytest.raises(ClusterError, match=r"No scheduler answers at tcp://127.0.0.1:1 .*: check the addr"):
        score_volume(scan, client="tcp://127.0.0.1:1")


def test_pieces_end_where_a_thick_chunk_does() -> None:
    volume = as_volume(dask.array.zeros((50, 4, 4), chunks=(20, 4, 4)))
    pieces = pieces_of(volume, 0, range(5, 45))
    assert [(piece[0], piece[-1]) for piece in pieces] == [(5, 19), (20, 35), (36, 39), (40, 44)]
    thin = as_volume(dask.array.zeros((50, 4, 4), chunks=(1, 4, 4)))
    assert [len(piece) for piece in pieces_of(thin, 0, range(50))] == [16, 16, 16, 2]
    assert pieces_of(as_volume(np.zeros((4, 4))), 0, [0]) == [[0]]
