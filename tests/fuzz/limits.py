"""The limits that hold for every input, and how a worker watches them."""

import os
import resource
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari_tiqa.errors import TiqaError

LONGEST_S = 5.0
"""CPU seconds that an input may take; the run ends a worker that takes more."""

MEMORY_BYTES = 200 << 20
"""What an input may take beside twice its own size, or that of the slice asked for."""

_ADDRESS_SPACE = 6 << 30  # so that a wild request fails here and not on the machine
_LONGEST_SENTENCE = 1000
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_PROCESSES = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.spawn",
    "pty.spawn",
)
_CODE = ("pickle.find_class", "ctypes.dlopen", "socket.connect", "socket.bind", *_PROCESSES)
_CHANGES = (
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.symlink",
    "os.link",
    "os.truncate",
    "os.chmod",
)


class Watch:
    """What an input did in this process, by Python's audit events; install it once."""

    def __init__(self) -> None:
        self.folder = ""
        self.seen: list[str] = []
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
        sys.addaudithook(self._audit)

    def run(self, target: Callable[[Path], None], folder: Path, size: int) -> str | None:
        """Run a target on an input of a size in bytes; returns the limit that it did not hold, else None."""
        before = _memory_before()
        self.folder, self.seen = str(folder), []
        problem = _problem(target, folder)
        self.folder = ""
        used = _highest_memory() - before
        if self.seen:
            problem = f"outside: {self.seen[0]}"
        elif used > 2 * size + MEMORY_BYTES and (not problem or problem.startswith("MemoryError")):
            problem = f"memory: {used >> 20} MB of {size} bytes"
        return problem

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.folder:
            return
        if event == "pickle.find_class" and arguments[0].partition(".")[0] in ("dask", "numpy"):
            return  # dask makes some of its own functions so
        if event in _CODE:
            self.seen.append(f"{event} {arguments!r:.200}")
        elif event == "open":
            path, mode, flags = arguments
            writing = (isinstance(mode, str) and set(mode) & set("wax+")) or (flags or 0) & _WRITING
            if writing and isinstance(path, str | bytes) and not self._is_within(os.fsdecode(path)):
                self.seen.append(f"open {path!r:.200} {mode} {flags}")
        elif event in _CHANGES:
            paths = [p for p in arguments[:2] if isinstance(p, str | bytes)]
            if not all(self._is_within(os.fsdecode(path)) for path in paths):
                self.seen.append(f"{event} {arguments!r:.200}")

    def _is_within(self, path: str) -> bool:
        # What is opened relative to a folder's handle has a name alone; shutil.rmtree does so.
        return os.path.abspath(path).startswith(self.folder) or "/" not in path or path == os.devnull


def _problem(target: Callable[[Path], None], folder: Path) -> str | None:
    try:
        target(folder)
    except TiqaError as error:
        text = str(error)
        if not text.endswith(".") or "\n" in text or len(text.replace(str(folder), "")) > _LONGEST_SENTENCE:
            return f"sentence: {_place(error)}: {text!r:.300}"
        try:
            text.encode()
        except UnicodeEncodeError:
            return None  # a name that is not UTF-8, as paths may be; it is shown escaped
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        return f"{type(error).__name__}: {_place(error)}: {str(error)!r:.300}"
    return None


def _place(error: BaseException) -> str:
    """Return the last line of ours that an error went through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "napari_tiqa" in frame.filename or "fuzz" in frame.filename]
    frame = (ours or frames)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}"


def _memory_before() -> int:
    """Set the highest memory of this process to that of now, and return it, bytes."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    return _highest_memory()


def _highest_memory() -> int:
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM"))
