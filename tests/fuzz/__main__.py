"""The fuzzer: ``python -m tests.fuzz --minutes 10``; exit code 1 where an input did not hold a limit."""

import argparse
import os
import secrets
import tempfile
import time
from pathlib import Path

from tests.fuzz.limits import Watch
from tests.fuzz.mutations.trees import mutated
from tests.fuzz.places import FINDINGS
from tests.fuzz.run import Finding, Result, attempt, kept, run
from tests.fuzz.seeds import Tree
from tests.fuzz.smaller import smaller
from tests.fuzz.targets import TARGETS


def main() -> int:
    """Run the fuzzer by its options and print what it found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, help="how long (10, where --inputs is not given)")
    parser.add_argument("--inputs", type=int, help="how many of each target instead")
    parser.add_argument("--seed", type=int, help="the same seed makes the same inputs; drawn where omitted")
    parser.add_argument("--start", type=int, default=0, help="the number of the first input of each target")
    parser.add_argument("--targets", nargs="+", choices=[*TARGETS], default=[*TARGETS], metavar="TARGET")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (one per core)")
    parser.add_argument("--nice", type=int, default=19, help="how far others go first (19)")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="try one input here, to debug it")
    options = parser.parse_args()
    os.environ["PYTHONWARNINGS"] = "ignore"
    seed = secrets.randbits(32) if options.seed is None else options.seed
    if options.only is not None:
        return _try_one(options.targets[0], seed, options.only)
    minutes = 10.0 if options.minutes is None and options.inputs is None else options.minutes
    os.nice(options.nice)
    began = time.monotonic()
    result = run(
        options.targets,
        seed,
        seconds=None if minutes is None else minutes * 60,
        inputs=options.inputs,
        start=options.start,
        workers=options.workers,
    )
    _print(result, options.start, time.monotonic() - began)
    return 1 if result.findings else 0


def _print(result: Result, start: int, seconds: float) -> None:
    print(f"{'target':14} {'inputs':>9} {'per second':>10}")
    for target, tried in result.tried.items():
        print(f"{target:14} {tried:9} {tried / max(result.seconds[target], 1e-9):10.0f}")
    print(
        f"{result.tried.total()} inputs in {seconds:.0f} s, seed {result.seed} from {start} on: "
        f"{result.again.total()} violations of {len(result.findings)} kinds"
    )
    for kind, finding in result.findings.items():
        tree, touched = mutated(finding.target, finding.seed, finding.number)
        if not finding.problem.startswith(("crash", "hang", "memory")):
            tree = _smaller(finding, tree)
        path = kept(finding, FINDINGS, tree, touched)
        print(f"{finding.target} --seed {finding.seed} --only {finding.number} ({result.again[kind]} times)")
        print(f"    {finding.problem}\n    {path}")


def _smaller(finding: Finding, tree: Tree) -> Tree:
    watch = _watch()
    with tempfile.TemporaryDirectory() as folder:

        def fails(candidate: Tree) -> bool:
            place = Path(folder) / "try"
            place.mkdir(exist_ok=True)
            problem = attempt(watch, finding.target, candidate, place)
            return problem is not None and Finding(finding.target, 0, 0, problem).kind == finding.kind

        return smaller(tree, finding.target, fails)


_watches: list[Watch] = []


def _watch() -> Watch:
    if not _watches:
        _watches.append(Watch())
    return _watches[0]


def _try_one(target: str, seed: int, number: int) -> int:
    tree, touched = mutated(target, seed, number)
    print(f"changed: {', '.join(touched)}")
    with tempfile.TemporaryDirectory() as folder:
        from tests.fuzz.run import write

        write(tree, Path(folder))
        TARGETS[target](Path(folder))
    print("no error")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
