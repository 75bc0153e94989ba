"""How far to trust the score: tests on specimens and on generators of faults that were left out of training.

    python -m benchmarks.validity --data ../shared/data

scores every test image of the specimens that the default model was trained without
(``models.specimens.LEFT_OUT``), and writes a row per image to models/left_out.csv. Another model that has not
seen them is judged with --model, such as a network that is not calibrated yet (build/default/network.tiqa).

    python -m benchmarks.validity --tables [left_out.csv]

prints every table from that file: docs/validity_tables.md.
"""

import argparse
import time
from itertools import chain, islice
from pathlib import Path

import pandas as pd

from benchmarks.left_out.judge import Judge
from benchmarks.left_out.suite import TESTS
from models.left_out import SCORES, write
from napari_tiqa.learning.images.groups import make_all

_AT_ONCE = 48  # cases whose tiles are in memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--only", nargs="+", choices=TESTS, default=list(TESTS))
    parser.add_argument("-o", "--output", type=Path, default=SCORES)
    parser.add_argument("--tables", nargs="?", type=Path, const=SCORES)
    options = parser.parse_args()
    if options.tables:
        from benchmarks.left_out.tables import print_tables

        print_tables(options.tables)
    else:
        _score(options)


def _score(options: argparse.Namespace) -> None:
    judge = Judge(options.model)
    tables = []
    for test in options.only:
        started, count = time.perf_counter(), 0
        cases = TESTS[test](options.data)
        while some := list(islice(cases, _AT_ONCE)):
            made = make_all(lambda number, some=some: some[number](), len(some))
            rows = judge.score(list(chain.from_iterable(made)))
            tables.append(rows.assign(original=rows["original"] + count))
            count += sum(map(len, made))
        print(f"{test}: {count} cases, {time.perf_counter() - started:.0f} s", flush=True)
    table = pd.concat(tables, ignore_index=True)
    table["original"] = table.groupby(["test", "original"], sort=False).ngroup()
    write(table, options.output)
    print(f"wrote {len(table)} rows to {options.output}")


if __name__ == "__main__":
    main()
