"""Workers that try inputs, and the run that starts them, watches over them and keeps what they find."""

import json
import mmap
import multiprocessing
import os
import resource
import shutil
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from tests.fuzz.limits import LONGEST_S, Watch
from tests.fuzz.mutations.trees import mutated
from tests.fuzz.seeds import Tree, corpus
from tests.fuzz.targets import TARGETS

_BATCH_S = 1.0
_STUCK_S = 20.0  # a worker that waits takes no CPU time
_FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Finding:
    """An input that did not hold a limit."""

    target: str
    seed: int
    number: int
    problem: str

    @property
    def kind(self) -> tuple[str, str]:
        """What tells it from others: the same fault is found by many inputs."""
        return self.target, ":".join(self.problem.split(":")[:3])


@dataclass
class Result:
    """How many inputs of each target were tried, the seconds that they took, and one finding of each kind."""

    seed: int
    tried: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    findings: dict[tuple[str, str], Finding] = field(default_factory=dict)
    again: Counter[tuple[str, str]] = field(default_factory=Counter)


def write(tree: Tree, folder: Path) -> None:
    """Write an input into a folder; names that cannot stand beside others are left out."""
    for path, stored in tree.items():
        place = folder / path
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(stored)
        except OSError:
            continue


def attempt(watch: Watch, target: str, tree: Tree, folder: Path) -> str | None:
    """Try one input in a new folder; returns what was wrong."""
    inside = folder / "in"
    inside.mkdir()
    write(tree, inside)
    problem = watch.run(TARGETS[target], inside, sum(map(len, tree.values())))
    if problem is None and (left := [name for name in os.listdir(folder) if name != "in"]):
        problem = f"outside: it left {left[0]!r}"
    shutil.rmtree(folder)
    folder.mkdir()
    return problem


def _work(orders: Connection, state: mmap.mmap, folder: Path) -> None:
    """Try the inputs that are asked for, each noted before it is begun, in a process that may die of it."""
    os.chdir(folder)
    for number in (0, 1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR), number)
    place = folder / "try"
    place.mkdir()
    watch = Watch()
    while True:
        target, seed, number, end = orders.recv()
        began, found = time.perf_counter(), []
        while number < end and (time.perf_counter() < began + _BATCH_S or number == end - 1):
            tree, _ = mutated(target, seed, number)
            state[:16] = struct.pack("<Qd", number + 1, _cpu_seconds())
            if problem := attempt(watch, target, tree, place):
                found.append((number, problem))
            number += 1
        state[:16] = bytes(16)
        orders.send((number, found, time.perf_counter() - began))


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class _Worker:
    """A process at work on one target's inputs at a time."""

    def __init__(self) -> None:
        memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
        self.folder = Path(tempfile.mkdtemp(prefix="tiqa-fuzz-", dir=memory))
        self.state = mmap.mmap(-1, 16)
        self.orders, theirs = _FORK.Pipe()
        self.process = _FORK.Process(target=_work, args=(theirs, self.state, self.folder), daemon=True)
        self.process.start()
        theirs.close()
        self.target, self.begin, self.number, self.since = "", 0, 0, 0.0

    def ask(self, target: str, seed: int, begin: int, end: int) -> None:
        self.target, self.begin, self.number, self.since = target, begin, 0, time.monotonic()
        self.orders.send((target, seed, begin, end))

    def stuck(self) -> bool:
        """Tell whether its present input has taken too long, and end the process if so."""
        number, cpu_before = struct.unpack("<Qd", self.state[:16])
        if number != self.number:
            self.number, self.since = number, time.monotonic()
        elapsed = time.monotonic() - self.since
        if not number or elapsed < LONGEST_S:
            return False
        ticks = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        used = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK") - cpu_before
        if used < LONGEST_S and elapsed < _STUCK_S:
            return False
        self.process.kill()
        return True

    def close(self) -> None:
        self.process.kill()
        self.process.join()
        self.orders.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def run(
    targets: Sequence[str],
    seed: int,
    *,
    seconds: float | None = None,
    inputs: int | None = None,
    start: int = 0,
    workers: int = 1,
) -> Result:
    """Try inputs of each target in turn, for a time or a number of each target, from number `start` on."""
    result = Result(seed)
    for target in targets:
        corpus(target)  # made before the workers, who all have it then
    following = dict.fromkeys(targets, start)
    end = sys.maxsize if inputs is None else start + inputs
    until = None if seconds is None else time.monotonic() + seconds
    turn = 0
    free = [_Worker() for _ in range(workers)]
    busy: list[_Worker] = []
    while True:
        left = [target for target in targets if following[target] < end]
        under_way = {worker.target for worker in busy}
        ready = [target for target in left if target not in under_way]
        over = until is not None and time.monotonic() > until
        while free and ready and not over:
            target = ready.pop(turn % len(ready))
            turn += 1
            worker = free.pop()
            worker.ask(target, seed, following[target], end)
            busy.append(worker)
        if not busy:
            break
        for worker in _answered(busy):
            busy.remove(worker)
            following[worker.target] = _take(worker, result)
            if worker.process.is_alive():
                free.append(worker)
            else:
                worker.close()
                free.append(_Worker())
    for worker in free:
        worker.close()
    return result


def _answered(busy: list[_Worker]) -> list[_Worker]:
    """Wait for workers that have an answer, or are dead, or have to be ended."""
    while True:
        ready = wait([worker.orders for worker in busy], 1.0)
        found = [worker for worker in busy if worker.orders in ready]
        found += [worker for worker in busy if worker not in found and worker.stuck()]
        if found:
            return found


def _take(worker: _Worker, result: Result) -> int:
    """Take in what a worker answers, or what it died of; returns the number of the next input."""
    found: list[tuple[int, str]]
    try:
        following, found, seconds = worker.orders.recv()
    except (EOFError, ConnectionResetError):
        worker.process.join()
        code = worker.process.exitcode
        number = struct.unpack("<Qd", worker.state[:16])[0]
        following, seconds = max(number, worker.begin + 1), time.monotonic() - worker.since
        hung = code == -9 and time.monotonic() - worker.since >= LONGEST_S
        found = [(following - 1, f"hang: over {LONGEST_S:g} s" if hung else f"crash: ended with {code}")]
    result.tried[worker.target] += following - worker.begin
    result.seconds[worker.target] += seconds
    for number, problem in found:
        finding = Finding(worker.target, result.seed, number, problem)
        result.findings.setdefault(finding.kind, finding)
        result.again[finding.kind] += 1
    return following


def kept(finding: Finding, folder: Path, tree: Tree, touched: list[str]) -> Path:
    """Write a finding with its input into a folder; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    about: dict[str, Any] = {**finding.__dict__, "changed": touched}
    path = folder / f"{finding.target}-{finding.seed}-{finding.number}.json"
    about["input"] = {name: stored.hex() for name, stored in tree.items()}
    path.write_text(json.dumps(about, indent=1))
    return path
