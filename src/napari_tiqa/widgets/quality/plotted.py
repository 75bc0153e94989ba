"""What the quality dock plots along the slices: the score, or one of the physical figures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_tiqa.physics.figures import FIGURES
from napari_tiqa.scoring.table import ScoredSlice
from napari_tiqa.widgets.quality.score_run import ScoreRun

_GREY, _LENGTH, _PERCENT = "grey values", "length", "%"


@dataclass(frozen=True)
class Plotted:
    """A column of numbers that is plotted.

    Attributes
    ----------
    key : str
        "score", or one of ``physics.figures.FIGURES``.
    title : str
        For people.
    unit : str
        "" for none; "length" stands for that of the run.
    high_is_worst : bool
        Whether the greatest value is the worst.
    meaning : str
        In one sentence.
    """

    key: str
    title: str
    unit: str
    high_is_worst: bool
    meaning: str

    @property
    def is_figure(self) -> bool:
        """Whether it is a physical figure, which has to be measured."""
        return self.key in FIGURES

    def values(self, run: ScoreRun) -> np.ndarray:
        """Return the column of a run, float64, shape (n,), NaN for what is not known."""
        values = run.figure(self.key) if self.is_figure else run.column(self.key)
        return 100 * values if self.unit == _PERCENT else values

    def unit_of(self, run: ScoreRun) -> str:
        """Return the unit of a run's values, "" for none."""
        return ("px" if run.unit == "pixel" else run.unit) if self.unit == _LENGTH else self.unit

    def axis_labels(self, runs: Sequence[ScoreRun]) -> list[str]:
        """Return titles of an axis for runs, the longest first."""
        if not self.is_figure:
            return ["Score (5 best)", "Score"]
        units = {self.unit_of(run) for run in runs}
        unit = units.pop() if len(units) == 1 else "each its unit" * bool(units)
        return [f"{self.title} ({unit})", unit] if unit else [self.title, "Ratio"]

    def text(self, value: float, run: ScoreRun) -> str:
        """Return a value for people: "3.2 µm"; "not known" for NaN."""
        return f"{figure_text(value)} {self.unit_of(run)}".rstrip() if np.isfinite(value) else "not known"

    def worst(self, run: ScoreRun, count: int) -> list[tuple[ScoredSlice, float]]:
        """Return the `count` slices with the worst values, the worst first, of those that have one."""
        pairs = zip(run.rows, self.values(run).tolist(), strict=True)
        known = [(row, value) for row, value in pairs if np.isfinite(value)]
        return sorted(known, key=lambda pair: pair[1], reverse=self.high_is_worst)[:count]

    def sentence(self, run: ScoreRun) -> str:
        """Say what is measured of a run: "Noise of electrode, axis z: median 3.2 grey values, 2.9 to 4.1"."""
        values = self.values(run)
        values = values[np.isfinite(values)]
        if not values.size:
            return f"{self.title} of {run.title()}: no slice shows it."
        median, low, high = (figure_text(value) for value in (np.median(values), values.min(), values.max()))
        unit = f" {self.unit_of(run)}".rstrip()
        return f"{self.title} of {run.title()}: median {median}{unit}, {low} to {high}."


def figure_text(value: float) -> str:
    """Return a value with three significant digits, without an exponent where it can be helped."""
    return f"{value:.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"


SCORE = Plotted("score", "Score", "", False, "What people would say of the slice, 1 (worst) to 5 (best).")

PLOTTED = (
    SCORE,
    Plotted("noise_level", "Noise", _GREY, True, "Standard deviation of grey values in flat regions."),
    Plotted(
        "contrast_to_noise",
        "Contrast-to-noise ratio",
        "",
        False,
        "Difference of the two main phases in standard deviations of their noise.",
    ),
    Plotted("edge_width", "Edge width", _LENGTH, True, "From 10 to 90 % of the grey values across edges."),
    Plotted(
        "resolution",
        "Resolution (FRC)",
        _LENGTH,
        True,
        "Period of the finest detail that is resolved, by Fourier ring correlation.",
    ),
    Plotted("ring_amplitude", "Ring amplitude", _GREY, True, "Root mean square of the ring artefacts."),
    Plotted("saturated", "Saturated share", _PERCENT, True, "Share of voxels that are saturated."),
)
"""What can be plotted, in the order of the dock's list."""
