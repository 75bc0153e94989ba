"""Cycles of opening, scoring and letting go leave nothing behind; 200: ``benchmarks.reliability.leaks``."""

from pathlib import Path

from benchmarks.reliability.leaks import growth, resources, score_cycle, written


def test_scoring_leaves_no_thread_process_or_file(tmp_path: Path) -> None:
    paths = written(tmp_path)
    grown = growth(lambda: score_cycle(paths), resources, cycles=3, warm_up=2)
    # A leak leaves one or more each cycle; a pool's thread that starts late, or one that ends, is none.
    counted = {name: each for name, each in grown.items() if "bytes" not in name and name != "Python objects"}
    assert set(counted) == {"threads", "child processes", "open files"}
    assert [name for name, each in counted.items() if each >= 1] == []
    assert grown["Python objects"] < 100
