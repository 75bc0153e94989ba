"""The tables of validity from a file of scores: a model that is always right gets the best of all figures."""

import re

import numpy as np
import pandas as pd
import pytest

from benchmarks.left_out import generators, pairs, scanner, tables
from models import left_out as files
from models.specimens import SCANS
from napari_tiqa.learning.images.groups import PART
from napari_tiqa.scoring.scale import ARTEFACTS

PEOPLE = {
    "blur": (3.4, 1.88, 1.0, 1.0, 1.0),
    "noise": (4.88, 4.4, 3.28, 2.4, 1.0),
    "ring": (4.04, 3.4, 2.92, 2.52, 2.52),
}


def rows_of(
    test: str, specimen: str, original: int, faults: list[tuple[str, str]], **more: object
) -> list[dict]:
    """List a reference and five levels of each fault (generator, family), scored by their label."""
    rows = [{"family": "", "generator": "", "level": 0, "label": 4.9}]
    rows += [
        {"family": family, "generator": name, "level": level, "label": label - 0.001 * level}
        for name, family in faults
        for level, label in enumerate(PEOPLE.get(family, PEOPLE["noise"]), start=1)
    ]
    same = {"test": test, "specimen": specimen, "original": original, "novelty": 0.0, "levels": ""}
    made = []
    for row in rows:
        lost = dict.fromkeys(ARTEFACTS, 0.0)
        lost[PART.get(row["family"], "ring")] = 5 - row["label"]
        made.append(same | row | lost | {"score": row["label"]} | more)
    return made


@pytest.fixture(scope="module")
def scores() -> pd.DataFrame:
    """Scores that are the labels, of some specimens and of every test."""
    rows: list[dict] = []

    def add(test: str, specimen: str, faults: list[tuple[str, str]], **more: object) -> None:
        original = len({row["original"] for row in rows})
        rows.extend(rows_of(test, specimen, original, faults, **more))

    paper = [(one.name, one.family) for one in generators.PAPER]
    for number, specimen in enumerate(["beads", "fly", "grains", "leaf"]):
        clean = number % 2 == 0
        for size in (224, 640):
            add("paper", specimen, paper, size=size, clean=clean)
        add("others", specimen, [(o.name, o.family) for o in generators.OTHERS], size=320, clean=clean)
        for family in scanner.LEVELS:
            add("scans", specimen, [(family, family)], size=400, clean=clean)
        add("large", specimen, [(name, name) for name in PEOPLE], size=1200, clean=clean)
    worse = [pair.worse for pair in pairs.PAIRS]
    for scan in SCANS:
        score = 4.5 - 0.5 * worse.count(scan.path) - (scan.path in pairs.STRONG_FAULTS)
        add("real", scan.specimen, [], generator=scan.path, clean=scan.clean, size=500, score=score)
    for name in ("uniform", "faint"):
        for size in (100, 2048):
            add("static", "static", [], generator=name, size=size, clean=False, label=np.nan, score=1.0)
    add("concentric", "drawn tubes", [paper[2]], size=400, clean=True)
    add("foreign", "foreign", [], family="photograph", novelty=1.9, size=224, clean=False, label=np.nan)
    table = pd.DataFrame(rows)
    large = table["test"] == "large"
    table.loc[large, "levels"] = [f"1:{max(1, score):.2f}" for score in table.loc[large, "score"]]
    for metric, sign in (("ssim", 1), ("ms_ssim", 1), ("gmsd", -1)):
        table.loc[large, metric] = sign * table.loc[large, "label"]
    table.loc[table["test"].isin(["large", "real"]), "label"] = np.nan
    return table


def test_a_model_that_is_right_gets_the_best_figures(scores, tmp_path, capsys) -> None:
    files.write(scores, tmp_path / "scores.csv")
    tables.print_tables(tmp_path / "scores.csv")
    printed = capsys.readouterr().out
    assert "faint" in printed
    right = re.search(r"right: .*'score': '(\d+) of (\d+)'", printed)
    assert right is not None
    assert right[1] == right[2] == str(len(pairs.PAIRS))
    areas = re.search(r"\| overview \| (\S+) \|", printed[printed.index("Real scans") :])
    assert areas is not None
    assert float(areas[1]) > 0.9
    named = rows_under("By test", printed[printed.index("Named artefact") :])
    assert [row[-1] for row in named] == ["1"] * 3
    within = rows_under("The same, overview, clean specimens", printed)
    assert [row[1] for row in within] == ["1", "1"]
    assert "flagged as unlike the training images: 0.0%" in printed


def rows_under(title: str, printed: str) -> list[list[str]]:
    """Return the cells of the table under a title."""
    lines = printed[printed.index(title) :].splitlines()[4:]
    end = lines.index("") if "" in lines else len(lines)
    return [line.strip("| ").split(" | ") for line in lines[:end] if line.startswith("|")]
