"""Work that is kept piece by piece: what is whole is there again, whatever else became of the file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from napari_tiqa.errors import ResumeError
from napari_tiqa.jobs.process.kept_work import KeptWork

PLAN = {"volume": "scan", "axis": 0}


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "run.unfinished"
    with KeptWork(path, PLAN) as work:
        for number in range(3):
            work.add(str(number), [number, "a\nb", float("inf")])
    return path


def pieces(path: Path) -> dict[str, object]:
    with KeptWork(path, PLAN) as work:
        return dict(work.pieces)


def test_pieces_are_there_again_and_gone_once_finished(kept: Path) -> None:
    assert pieces(kept) == {str(number): [number, "a\nb", float("inf")] for number in range(3)}
    with KeptWork(kept, PLAN) as work:
        work.add("3", None)
        work.finish()
    assert not [*kept.parent.iterdir()]


@pytest.mark.parametrize("bytes_left", range(1, 400, 3))
def test_a_file_that_was_cut_anywhere_loses_the_line_alone(kept: Path, bytes_left: int) -> None:
    content = kept.read_bytes()[:bytes_left]
    kept.write_bytes(content)
    whole = max(0, content.count(b"\n") - 1)
    if b"\n" not in content:
        with pytest.raises(ResumeError, match="is not an unfinished run, or is damaged: remove it"):
            pieces(kept)
        return
    assert len(pieces(kept)) in (whole, whole + 1)  # one more where nothing but its end of line is missing
    with KeptWork(kept, PLAN) as work:
        work.add("more", 1)
    assert pieces(kept)["more"] == 1


def test_a_damaged_piece_is_done_again(kept: Path) -> None:
    lines = kept.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b"1", b"7")
    kept.write_bytes(b"".join(lines))
    assert sorted(pieces(kept)) == ["0", "2"]


@pytest.mark.parametrize(
    "text", [b"", b"a,b\n1,2\n", os.urandom(1000), b"[" * 100_000, json.dumps(PLAN).encode()]
)
def test_a_file_of_another_kind_is_left_alone(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "precious"
    path.write_bytes(text)
    if not text:
        assert pieces(path) == {}  # nothing is lost
        return
    with pytest.raises(ResumeError, match="is not an unfinished run"):
        pieces(path)
    assert path.read_bytes() == text


def test_another_run_does_not_go_on_from_it(kept: Path) -> None:
    with pytest.raises(ResumeError, match="another volume, with another model or other settings"):
        KeptWork(kept, PLAN | {"axis": 1}).__enter__()
    assert len(pieces(kept)) == 3


def test_two_runs_do_not_write_the_same(kept: Path) -> None:
    with KeptWork(kept, PLAN), pytest.raises(ResumeError, match="Another run is writing"):
        KeptWork(kept, PLAN).__enter__()


def test_two_processes_do_not_write_the_same(kept: Path) -> None:
    script = """
import sys
from napari_tiqa.jobs.process.kept_work import KeptWork
KeptWork(sys.argv[1], {}).__enter__()
"""
    with KeptWork(kept, PLAN) as work:
        other = subprocess.run([sys.executable, "-c", script, kept], capture_output=True, text=True)
        assert "Another run is writing" in other.stderr
        work.add("after", 1)
    assert pieces(kept)["after"] == 1


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of a file")
def test_a_disk_that_takes_half_of_a_piece_loses_that_alone(kept: Path) -> None:
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    with KeptWork(kept, PLAN) as work:
        resource.setrlimit(resource.RLIMIT_FSIZE, (kept.stat().st_size + 20, most))
        try:
            with pytest.raises(ResumeError, match="cannot be written"):
                work.add("large", "x" * 100)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    assert sorted(pieces(kept)) == ["0", "1", "2"]


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(ResumeError, match=r"no folder .*gone: make it, or choose another place"):
        KeptWork(tmp_path / "gone" / "run", PLAN).__enter__()
