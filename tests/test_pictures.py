"""Saved figures look as they did: each is compared with a picture in tests/pictures.

After a change that is meant, ``python -m pytest tests/test_pictures.py --update-pictures`` draws them anew:
look at each before it is committed.
"""

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.testing.compare import compare_images

from napari_tiqa.figure_style import Sheet
from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.jobs.filtering.compare import UNFILTERED, Comparison
from napari_tiqa.jobs.filtering.comparison_figure import comparison_figure
from napari_tiqa.jobs.filtering.trial import Trial
from napari_tiqa.jobs.study.figures import f1_figure, measures_figure, two_point_figure
from napari_tiqa.jobs.study.result import TRUTH, Curve, StudiedVersion, Study
from napari_tiqa.learning.evaluation.comparison import Evaluation
from napari_tiqa.learning.evaluation.figures import box_figure, scatter_figure, shrink_figure
from napari_tiqa.learning.evaluation.shrink import SHRINK_COLUMNS
from napari_tiqa.segmentation.native_distortions import ORIGINAL
from tests.places import ROOT

PICTURES = ROOT / "tests" / "pictures"
DPI = 50
TOLERANCE = 5  # root mean square of grey levels: other versions of FreeType draw letters a little differently
DARK = Sheet(text="white", ground="#262930")


def evaluation() -> Evaluation:
    """Return two judges of 4 originals with 5 levels of each of three distortions."""
    rng = np.random.default_rng(0)
    families = ["", *np.repeat(["blur", "noise", "ring"], 5)] * 4
    levels = np.array([0, *range(1, 6), *range(1, 6), *range(1, 6)] * 4)
    rows = pd.DataFrame({"family": families, "level": levels, "label": 5 - 0.8 * levels})
    rows["score"] = rows["label"] + rng.normal(0, 0.3, len(rows))
    rows["useless"] = 3.0
    table = pd.DataFrame({"judged": ["good", "useless"], "srocc": [0.97, 0], "plcc": [0.96, 0]})
    shrink = pd.DataFrame(
        [("a", 300, 400, 3.0, 2.5, 0.2, 2, -0.5), ("b", 600, 600, 3.0, 2.9, 0.2, 9, -0.1)],
        columns=list(SHRINK_COLUMNS),
    )
    return Evaluation(("good", "useless"), table, rows, shrink, (), {})


def study() -> Study:
    """Return a study of two slices in which all falls with the level, and curves of both axes."""
    kinds = [(ORIGINAL, 0), *((kind, level) for kind in ("blur", "noise", "ring") for level in range(1, 6))]
    steepness = {"blur": 0.12, "noise": 0.08, "ring": 0.05, ORIGINAL: 0}
    versions, curves = [], []
    for index in (0, 3):
        for kind, level in kinds:
            lost = steepness[kind] * level + 0.02 * index
            versions.append(
                StudiedVersion(index, kind, level, 5 - 5 * lost, 1 - lost, 0.9 - lost, 1, 0.1 + lost, 0.6)
            )
            for axis in ("x", "y"):
                values = np.exp(-np.arange(40) / (8 + 10 * lost))
                curves.append(Curve(index, kind, level, axis, 0.65, values))
        curves += [Curve(index, TRUTH, 0, axis, 0.65, np.exp(-np.arange(40) / 7)) for axis in ("x", "y")]
    return Study(pd.DataFrame(versions), tuple(curves), True, {"unit": "µm", "phase": "pores"})


def comparison() -> Comparison:
    """Return three pipelines on five slices, one of which cannot be applied."""
    nan = (np.nan,) * 5

    def trial(score: float, loss: float) -> Trial:
        scores = tuple(score + 0.1 * number for number in range(5))
        return Trial((), Pipeline([Step("gaussian", {"sigma": 1})]), scores, scores, (loss,) * 5, (0.1,) * 5)

    failed = Trial((), Pipeline([]), nan, nan, nan, nan, "The slices are too small.")
    trials = {UNFILTERED: trial(3, 0), "a gentle Gaussian": trial(3.6, 4), "strong": trial(4, 22)}
    return Comparison({**trials, "too large": failed}, tuple(range(5)))


FIGURES: dict[str, Callable[[], Figure]] = {
    "evaluation_scatter": lambda: scatter_figure(evaluation()),
    "evaluation_scatter_dark": lambda: scatter_figure(evaluation(), ["good"], DARK),
    "evaluation_boxes": lambda: box_figure(evaluation()),
    "evaluation_shrink": lambda: shrink_figure(evaluation().shrink),
    "study_measures": lambda: measures_figure(study()),
    "study_f1": lambda: f1_figure(study()),
    "study_two_point": lambda: two_point_figure(study(), ["blur"]),
    "comparison": lambda: comparison_figure(comparison()),
}


def save(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=DPI, metadata={"Software": None})


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_looks_as_it_did(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    expected = PICTURES / f"{name}.png"
    with mpl.rc_context():
        mpl.rcdefaults()  # DejaVu Sans, which matplotlib brings
        if request.config.getoption("--update-pictures"):
            PICTURES.mkdir(exist_ok=True)
            save(FIGURES[name](), expected)
        save(FIGURES[name](), tmp_path / "drawn.png")
    difference = compare_images(str(expected), str(tmp_path / "drawn.png"), TOLERANCE)
    assert difference is None, f"{difference}\n(--update-pictures, if that is meant)"


def test_another_figure_would_be_noticed(tmp_path: Path) -> None:
    one, other = evaluation(), evaluation()
    other.rows["score"] -= 0.2
    with mpl.rc_context():
        mpl.rcdefaults()
        for name, drawn in (("one", one), ("other", other)):
            save(scatter_figure(drawn), tmp_path / f"{name}.png")
    assert compare_images(str(tmp_path / "one.png"), str(tmp_path / "other.png"), TOLERANCE)
