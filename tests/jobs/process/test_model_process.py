"""The model process: its life, its deaths, and that answers go to who asked."""

import io
import json
import os
import pickle
import resource
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

from napari_tiqa.errors import BundleError, ModelProcessError
from napari_tiqa.jobs.process.client import ModelProcess, ProcessState, shared_model_process
from napari_tiqa.jobs.process.messages import ModelFile, Run, write_message
from napari_tiqa.learning.training.recipe import TrainingRecipe
from napari_tiqa.scoring.predict import BATCH_SIZE
from napari_tiqa.scoring.scale import PREDICTED


@pytest.fixture(scope="module")
def warm(untrained_model: Path) -> ModelProcess:
    process = shared_model_process()
    process.score(tiles(1), ModelFile.of(untrained_model))
    return process


@pytest.fixture
def model(untrained_model: Path) -> ModelFile:
    return ModelFile.of(untrained_model)


def tiles(count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.random((count, 224, 224), np.float32) * rng.random((count, 1, 1), np.float32)


def busy_with(process: ModelProcess, model: ModelFile, batches: int = 30) -> list[Future[np.ndarray]]:
    """Keep the process busy for some seconds."""
    answers = [process.submit(tiles(BATCH_SIZE), model) for _ in range(batches)]
    answers[0].result()
    assert not answers[-1].done()
    return answers


def eventually(condition: Callable[[], object], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_life_of_a_process(model: ModelFile) -> None:
    process = ModelProcess()
    assert process.state is ProcessState.STOPPED
    process.start()
    assert process.state is ProcessState.STARTING
    assert process.device == ""
    process.start()  # a second start is none
    early = [process.submit(tiles(3, seed), model) for seed in range(2)]
    assert process.wait_ready() == process.device
    assert process.device.startswith(("CPU, ", "GPU: "))
    assert [answer.result().shape for answer in early] == [(3, len(PREDICTED)), (3, len(PREDICTED))]
    assert eventually(lambda: process.state is ProcessState.READY)
    answers, pid = busy_with(process, model), process.pid
    assert pid is not None
    process.close()
    assert process.state is ProcessState.STOPPED
    assert not psutil.pid_exists(pid)
    with pytest.raises(ModelProcessError, match="closed"):
        answers[-1].result(timeout=0)


def test_caller_stays_free_of_keras(warm: ModelProcess, model: ModelFile) -> None:
    warm.score(tiles(1), model)
    assert not {"keras", "tensorflow"} & set(sys.modules)


def test_score_of_a_tile_is_the_same_alone_and_in_any_batch(warm: ModelProcess, model: ModelFile) -> None:
    many = tiles(BATCH_SIZE + 9)
    together = warm.score(many, model)
    assert together.shape == (len(many), len(PREDICTED))
    assert together[:, 0].std() > 0.05
    alone = [warm.score(many[i : i + 1], model)[0] for i in (0, 7, len(many) - 1)]
    np.testing.assert_allclose(together[[0, 7, -1]], alone, atol=1e-5)
    np.testing.assert_allclose(together[::-1], warm.score(many[::-1], model), atol=1e-5)


def test_threads_at_once_get_their_own_answers(warm: ModelProcess, model: ModelFile) -> None:
    sets = [tiles(40, seed) for seed in range(3)]
    expected = [warm.score(one, model) for one in sets]
    with ThreadPoolExecutor(len(sets)) as pool:
        for scores, right in zip(pool.map(lambda one: warm.score(one, model), sets), expected, strict=True):
            np.testing.assert_allclose(scores, right, atol=1e-5)
    assert not np.allclose(expected[0], expected[1], atol=1e-2)


def test_cancelled_requests_end_soon_and_the_process_stays_warm(warm: ModelProcess, model: ModelFile) -> None:
    pid = warm.pid
    answers = busy_with(warm, model)
    assert warm.state is ProcessState.RUNNING
    for answer in answers:
        answer.cancel()
    with pytest.raises(CancelledError):
        answers[-1].result(timeout=0)
    assert eventually(lambda: warm.state is ProcessState.READY)
    # Had they not been skipped, the next answer would have come after all of theirs.
    assert len(warm.score(tiles(1), model)) == 1
    assert warm.pid == pid


def test_killed_in_the_middle_it_says_so_and_the_next_call_works(
    warm: ModelProcess, model: ModelFile
) -> None:
    before = warm.score(tiles(2), model)
    pid = warm.pid
    assert pid is not None
    answers = busy_with(warm, model)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(ModelProcessError, match=r"ended by SIGKILL.*try again"):
        answers[-1].result(timeout=20)
    np.testing.assert_allclose(warm.score(tiles(2), model), before, atol=1e-5)
    assert warm.pid != pid


@pytest.mark.skipif(sys.platform != "linux", reason="limits another process")
def test_without_memory_it_says_so_and_the_next_takes_half(model: ModelFile) -> None:
    process = ModelProcess()
    try:
        right = process.score(tiles(2), model)
        assert process.pid is not None
        limit = psutil.Process(process.pid).memory_info().vms
        resource.prlimit(process.pid, resource.RLIMIT_AS, (limit, limit))
        with pytest.raises(ModelProcessError, match="ran out of memory"):
            process.submit(tiles(2000), model).result()
        assert eventually(lambda: process.state is ProcessState.STOPPED)
        np.testing.assert_allclose(process.score(tiles(2), model), right, atol=1e-5)
        environment = psutil.Process(process.pid).environ()
        assert environment["NAPARI_TIQA_BATCH_SIZE"] == str(BATCH_SIZE // 2)
    finally:
        process.close()


def test_bundle_written_anew_is_another_model(
    warm: ModelProcess, untrained_model: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "model.tiqa"
    copy.write_bytes(untrained_model.read_bytes())
    assert len(warm.score(tiles(1), ModelFile.of(copy))) == 1
    copy.write_bytes(b"no bundle")
    os.utime(copy, ns=(1, 1))
    with pytest.raises(BundleError, match=r"model\.tiqa"):
        warm.score(tiles(1), ModelFile.of(copy))


def test_missing_bundle_is_said_before_anything_is_started(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"gone\.tiqa"):
        ModelFile.of(tmp_path / "gone.tiqa")


def test_failure_inside_the_network_is_a_sentence(warm: ModelProcess, model: ModelFile) -> None:
    with pytest.raises(ModelProcessError, match="The model failed on these slices"):
        warm.score(np.zeros((1, 224), np.float32), model)
    assert len(warm.score(tiles(1), model)) == 1


def test_stuck_process_is_ended_after_cancel(
    warm: ModelProcess, model: ModelFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_tiqa.jobs.process.client._STUCK_AFTER", 0.2)
    warm.score(tiles(1), model)
    pid = warm.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    answer = warm.submit(tiles(1), model)
    answer.cancel()
    assert eventually(lambda: not psutil.pid_exists(pid))


def test_process_that_cannot_start_says_why(model: ModelFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "no_such_backend")
    process = ModelProcess()
    with pytest.raises(ModelProcessError, match=r"could not start \(.*no_such_backend"):
        process.score(tiles(1), model)
    with pytest.raises(ModelProcessError, match="could not start"):
        process.wait_ready()
    monkeypatch.delenv("KERAS_BACKEND")
    assert len(process.score(tiles(1), model)) == 1
    process.close()


def test_keras_configuration_of_the_user_changes_no_score(
    warm: ModelProcess, model: ModelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = {"image_data_format": "channels_first", "floatx": "float16", "epsilon": 0.1, "backend": "torch"}
    (tmp_path / "keras.json").write_text(json.dumps(theirs))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    process = ModelProcess()
    try:
        scores = process.score(tiles(3), model)
    finally:
        process.close()
    np.testing.assert_allclose(scores, warm.score(tiles(3), model), atol=1e-5)


def test_missing_interpreter_says_why(model: ModelFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(ModelProcessError, match="could not start"):
        ModelProcess().score(tiles(1), model)


_SCRIPT = """
import sys
import numpy as np
from napari_tiqa.jobs.process.messages import ModelFile
from napari_tiqa.jobs.process.client import shared_model_process
from napari_tiqa.scoring.predict import BATCH_SIZE
print("script runs", flush=True)
process = shared_model_process()
model = ModelFile.of(sys.argv[1])
process.score(np.zeros((1, 224, 224), np.float32), model)
print(process.pid, flush=True)
"""


def run_script(folder: Path, model: ModelFile, more: str = "") -> "subprocess.Popen[str]":
    script = folder / "script.py"
    script.write_text(_SCRIPT + textwrap.dedent(more))
    command = [sys.executable, str(script), model.path]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder)


def test_script_without_a_main_guard_runs_once_and_leaves_nothing(model: ModelFile, tmp_path: Path) -> None:
    # The process must not pick up a user's file that happens to be called like a module, either.
    (tmp_path / "keras.py").write_text("raise RuntimeError('the user\\'s own keras.py was imported')")
    out, err = run_script(tmp_path, model).communicate(timeout=60)
    assert err == ""  # not even TensorFlow's log
    runs, pid = out.splitlines()
    assert runs == "script runs"
    assert not psutil.pid_exists(int(pid))


def test_gone_when_its_parent_is_killed_in_the_middle(model: ModelFile, tmp_path: Path) -> None:
    more = """
    tiles = np.zeros((BATCH_SIZE, 224, 224), np.float32)
    answers = [process.submit(tiles, model) for _ in range(100)]
    answers[0].result()
    print("busy", flush=True)
    answers[-1].result()
    """
    script = run_script(tmp_path, model, more)
    assert script.stdout is not None
    assert script.stderr is not None
    with script.stdout, script.stderr:
        script.stdout.readline()
        pid = int(script.stdout.readline())
        assert script.stdout.readline() == "busy\n"
        script.kill()
        script.wait()
        # The requests that it still has would take far longer.
        assert eventually(lambda: not psutil.pid_exists(pid), seconds=5)


def test_receiving_a_task_imports_nothing() -> None:
    """The receiving thread works beside one that imports Keras; two that import at once can fail."""
    arguments = pickle.dumps({"recipe": TrainingRecipe(("a.tif",))}, protocol=5)
    sent = io.BytesIO()
    write_message(sent, Run(1, "a.module:function", arguments))
    script = """
    import io, sys
    import napari_tiqa.jobs.process.messages as messages
    known = set(sys.modules)
    messages.read_message(io.BytesIO(sys.stdin.buffer.read()))
    print([name for name in set(sys.modules) - known if name.startswith("napari_tiqa")])
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        input=sent.getvalue(),
        capture_output=True,
        check=True,
    )
    assert done.stdout.strip() == b"[]"
