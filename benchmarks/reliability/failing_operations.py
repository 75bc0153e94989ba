"""What becomes of an export whose n-th file operation fails, or whose process is killed at it, for every n.

    python -m benchmarks.reliability.failing_operations            # all formats, every n: minutes
    python -m benchmarks.reliability.failing_operations --every 7  # every seventh

Operations are those that Python announces for the output (open, rename, mkdir, remove, truncate). One fails
with "no space left" or kills the process; then the same export is run again, which has to end with the very
pixels of one that was never interrupted, or with a sentence. Ends with 1 if it does not.
"""

import argparse
import errno
import os
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from napari_tiqa.errors import ExportError
from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.jobs.filtering.export import export
from napari_tiqa.jobs.filtering.unfinished_export import unfinished_folder
from napari_tiqa.volumes.open import open_volume

FORMATS = ("better.zarr", "better.tif", "better")
FAIL, KILL = "fails", "is killed"
SLICES = 20
PIPELINE = Pipeline([Step("gaussian", {"sigma": 1.5})])
WINDOW = (0.0, 200.0)

_EVENTS = ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate", "shutil.rmtree")


class Outcome(NamedTuple):
    """What became of an export: of the first try, and of the second."""

    first: str
    second: str

    @property
    def good(self) -> bool:
        """Whether it ended as it should."""
        return self.first in ("done", "a sentence", "killed") and self.second in ("whole", "a sentence")


class FailingOperation:
    """Lets the n-th operation on files below a folder fail; counts them where `number` is 0."""

    def __init__(self) -> None:
        self.below, self.number, self.how, self.count = "", 0, FAIL, 0
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: tuple[object, ...]) -> None:
        if event not in _EVENTS or not self.below or not str(arguments[0]).startswith(self.below):
            return
        self.count += 1
        if self.count == self.number:
            if self.how == KILL:
                os.kill(os.getpid(), signal.SIGKILL)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(arguments[0]))


def specimen() -> np.ndarray:
    """Return a volume whose slices are of two chunks."""
    return (np.random.default_rng(0).random((SLICES, 30, 1100)) * 200).astype(np.float32)


def exported(volume: np.ndarray, output: Path) -> str:
    """Export; say how that ended."""
    try:
        export(volume, PIPELINE, output, window=WINDOW)
    except ExportError as error:
        return "a sentence" if str(error).endswith(".") else f"{error!r}"
    except BaseException as error:
        return f"{error!r}"
    return "done"


def in_a_fork(volume: np.ndarray, output: Path, number: int, how: str) -> str:
    """Export in a process that is forked from this one, which stays as it is."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        failing = FailingOperation()
        failing.below, failing.number, failing.how = str(output.parent), number, how
        said = exported(volume, output)
        failing.below = ""
        os.write(writing, f"{failing.count} {said}".encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said or "0 killed"


def outcome(volume: np.ndarray, wanted: np.ndarray, name: str, number: int, how: str) -> Outcome:
    """Let one operation fail, run the export again, and compare."""
    folder = Path(tempfile.mkdtemp())
    try:
        output = folder / name
        first = in_a_fork(volume, output, number, how).partition(" ")[2]
        second = in_a_fork(volume, output, 0, FAIL).partition(" ")[2] if first != "done" else "done"
        if second == "done":
            same = np.array_equal(open_volume(output).data.compute(), wanted)
            # What is left of a folder that cannot be removed is not a fault of an export that is done.
            known = {name, unfinished_folder(output).name} if first == "done" else {name}
            left = sorted({path.name for path in folder.iterdir()} - known)
            second = ("whole" if same else "other pixels") + (f", {left} left" if left else "")
        return Outcome(first, second)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def operations(volume: np.ndarray, name: str) -> int:
    """Count the operations of an export that is not disturbed."""
    folder = Path(tempfile.mkdtemp())
    try:
        return int(in_a_fork(volume, folder / name, 0, FAIL).partition(" ")[0])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def outcomes(name: str, how: str, numbers: Iterable[int]) -> dict[int, Outcome]:
    """Return what became of an export, for each operation that was disturbed."""
    volume = specimen()
    wanted = np.stack([PIPELINE(plane, WINDOW) for plane in volume])
    return {number: outcome(volume, wanted, name, number, how) for number in numbers}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--every", type=int, default=1, help="disturb every so many operations (default 1)")
    options = parser.parse_args()
    bad = 0
    for name in FORMATS:
        count = operations(specimen(), name)
        for how in (FAIL, KILL):
            found = outcomes(name, how, range(1, count + 1, options.every))
            print(f"{name:12s} {count} operations, one {how}:")
            for ended, times in Counter(found.values()).most_common():
                print(
                    f"    {times:4d} x {ended.first}, then {ended.second}{'' if ended.good else '   WRONG'}"
                )
            bad += sum(not ended.good for ended in found.values())
    print(f"{bad} exports ended otherwise than they should.")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
