"""Standard streams that are closed, full or without letters: results are written, one sentence is said."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

SENTENCE = "napari-tiqa: Standard output cannot be written"


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file that needs no network: noise alone is not scored."""
    path = tmp_path_factory.mktemp("noise") / "noise.tif"
    tifffile.imwrite(path, np.random.default_rng(0).random((3, 64, 64), np.float32), photometric="minisblack")
    return path


def shell(redirected: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``napari-tiqa score`` with redirected streams."""
    words = [sys.executable, "-m", "napari_tiqa.cli", "score", *map(str, arguments)]
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirected}', "sh", *words],
        capture_output=True,
        text=True,
        errors="surrogateescape",
        env=os.environ | environment,
    )


@pytest.mark.parametrize("redirected", [">&-", ">/dev/full"])
def test_output_that_takes_nothing_is_said_and_files_are_written(
    redirected: str, noise: Path, tmp_path: Path
) -> None:
    done = shell(redirected, noise)
    assert done.returncode == 2
    assert SENTENCE in done.stderr
    assert "Traceback" not in done.stderr
    done = shell(redirected, noise, "--json", "-o", tmp_path / "scores.csv")
    assert done.returncode == 2
    assert len((tmp_path / "scores.csv").read_text().splitlines()) == 4
    assert json.loads((tmp_path / "scores.csv.json").read_text())["slices"] == 3


@pytest.mark.parametrize("redirected", ["2>&-", "2>/dev/full", "<&- >&- 2>&-"])
def test_messages_that_cannot_be_said_do_not_end_the_work(
    redirected: str, noise: Path, tmp_path: Path
) -> None:
    assert shell(redirected, noise, "-o", tmp_path / "scores.csv").returncode == 0
    assert len((tmp_path / "scores.csv").read_text().splitlines()) == 4


def test_letters_that_a_stream_or_a_file_lacks_are_escaped(noise: Path, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"caf\xc3\xa9 \xff.tif")
    odd.write_bytes(noise.read_bytes())
    table = tmp_path / os.fsdecode(b"out \xff.csv")
    done = shell("", odd, "--json", "-o", table, PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert json.loads(done.stdout)["record"]["source"] == str(odd)
    assert json.loads(Path(f"{table}.json").read_bytes())["source"] == str(odd)
    assert len(table.read_text().splitlines()) == 4
