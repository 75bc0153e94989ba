#!/usr/bin/env python
"""Run all tests, those of tests/network beside the others, and sum up both runs in the last line.

TensorFlow and a napari canvas cannot share a process (docs/architecture.md), so there are two runs of pytest:
tests/network in one process, the others in two. The output of the former is shown when both have ended.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]
# By file, since the tests of a file share what is slow to make; in the order that tests/conftest.py gives.
MAIN = ["--numprocesses=2", "--dist=loadfile", "--no-loadscope-reorder"]
NETWORK = ["tests/network"]
CHILDREN = ROOT / "tools" / "coverage_of_children.toml"
# Three processes and their children share the cores: threads of libraries would only get in each other's way.
ONE_THREAD = dict.fromkeys(
    ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"
)


def main() -> int:
    """Run both at once; the exit code is 0 if every test passed."""
    parser = argparse.ArgumentParser(description="Run all tests, and measure which lines they run.")
    parser.add_argument("--no-coverage", action="store_true", help="do not measure (faster)")
    parser.add_argument("--children", action="store_true", help="measure child processes too (slower)")
    options = parser.parse_args()
    covered = not options.no_coverage
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="napari-tiqa-tests-") as folder:
        environment = os.environ | {"NAPARI_TIQA_TEST_FOLDER": folder}  # for tests/conftest.py
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # else each process compiles all anew, for 10 s
        environment |= ONE_THREAD
        if covered and not options.children:
            environment["NAPARI_TIQA_COVERAGE"] = str(ROOT / "pyproject.toml")  # for tests/conftest.py
        if options.children:
            environment["COVERAGE_RCFILE"] = os.environ["COVERAGE_RCFILE"] = str(CHILDREN)
        results = [Path(folder, "network.xml"), Path(folder, "main.xml")]
        pytest = [sys.executable, "-m", *(["coverage", "run", "-m"] if covered else []), "pytest"]
        if covered:
            coverage("erase")
        with Path(folder, "network.log").open("w+b") as log:
            network = [*pytest, *NETWORK, f"--junitxml={results[0]}"]
            others = [*pytest, *MAIN, f"--junitxml={results[1]}"]
            codes = run_both(
                subprocess.Popen(network, cwd=ROOT, env=environment, stdout=log, stderr=log),
                subprocess.Popen(others, cwd=ROOT, env=environment),
            )
            log.seek(0)
            print(log.read().decode(errors="replace"))
        if covered:
            coverage("combine", "--quiet")
            print(
                f"Coverage in per cent, child processes {'in' if options.children else 'ex'}cluded: ",
                end="",
                flush=True,
            )
            coverage("report", "--format=total")
        print(closing_line(results), flush=True)
    return next((code for code in codes if code), 0)


def run_both(*runs: "subprocess.Popen[bytes]") -> list[int]:
    """Wait for both and return their exit codes; Ctrl-C, which they get as well, ends them."""
    try:
        return [run.wait() for run in runs]
    except KeyboardInterrupt:
        return [run.wait() for run in runs]
    finally:
        for run in runs:
            run.terminate()


def coverage(*arguments: str) -> None:
    """Call coverage.py, whose settings are in pyproject.toml."""
    subprocess.run([sys.executable, "-m", "coverage", *arguments], cwd=ROOT, check=False)


def closing_line(results: list[Path]) -> str:
    """Sum up JUnit files, such as "1816 passed, 0 failed, 6 skipped"; a run that left none has failed."""
    passed = failed = skipped = 0
    for path in results:
        if not path.exists():
            failed += 1
            continue
        (suite,) = ElementTree.parse(path).getroot()
        broken = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        left_out = int(suite.get("skipped", 0))
        passed += int(suite.get("tests", 0)) - broken - left_out
        failed += broken
        skipped += left_out
    return f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")


if __name__ == "__main__":
    sys.exit(main())
