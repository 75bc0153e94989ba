"""Cycles of opening, scoring and letting go leave nothing behind; 200: ``benchmarks.reliability.leaks``."""

from pathlib import Path

from benchmarks.reliability.leaks import growth, resources, score_cycle, written


def test_scoring_leaves_no_thread_process_or_file(tmp_path: Path) -> None:
    paths = written(tmp_path)
    grown = growth(lambda: score_cycle(paths), resources, cycles=3, warm_up=2)
    # Fewer than before is not a leak: threads of earlier tests end meanwhile.
    counted = {name: each for name, each in grown.items() if "bytes" not in name and name != "Python objects"}
    left = {name: max(0, each) for name, each in counted.items()}
    assert left == {"threads": 0, "child processes": 0, "open files": 0}
    assert grown["Python objects"] < 100
