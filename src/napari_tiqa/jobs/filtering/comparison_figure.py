"""The figure of a comparison: a box of scores per pipeline, as in the paper's Figs. 4 and S4, and its cost.

Files and the dock draw it by the same function, on sheets of their own.
"""

import textwrap
from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from napari_tiqa.figure_style import GREY, RUN_COLOURS, WHITE, Sheet
from napari_tiqa.jobs.filtering.compare import UNFILTERED, Comparison
from napari_tiqa.learning.evaluation.figures import draw_boxes

_WIDTH, _MARGIN, _HEIGHT = 1.1, 1.4, 4.6  # inches: of a box, beside all boxes, of the figure
_NARROWEST = 4.0
_BOX_WIDTH, _DOTS_WITHIN = 0.55, 0.12  # of the distance between boxes
_MOST_DOTS = 60  # slices: more dots than that hide one another
_CHARACTERS = 13.5  # of a name in an inch
_LINES = 3  # of a name


def comparison_figure(
    comparison: Comparison, colours: Mapping[str, str] | None = None, sheet: Sheet = WHITE
) -> Figure:
    """Draw each pipeline's scores over the slices and, below, the detail that it costs, per cent.

    Boxes show median, quartiles and whiskers up to 1.5 times their distance, with a dot per slice and a line
    at the median of the slices unfiltered. A pipeline that could not be applied keeps its place, empty.
    """
    names = list(comparison.trials)
    trials = list(comparison.trials.values())
    if colours is None:
        filtered = [name for name in names if name != UNFILTERED]
        colours = {name: RUN_COLOURS[n % len(RUN_COLOURS)] for n, name in enumerate(filtered)}
    shades = [GREY if name == UNFILTERED else colours[name] for name in names]
    figure = sheet.figure(max(_NARROWEST, _MARGIN + _WIDTH * len(names)), _HEIGHT)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    places = np.arange(len(names))
    dotted = [1 < len(trial.slice_scores) <= _MOST_DOTS for trial in trials]
    known = [np.array(trial.slice_scores)[np.isfinite(trial.slice_scores)] for trial in trials]
    draw_boxes(above, places, known, shades, width=_BOX_WIDTH, outliers=not all(dotted))
    for place, trial, shade in zip(places, trials, shades, strict=True):
        count = len(trial.slice_scores)
        if count <= _MOST_DOTS:
            beside = np.linspace(-_DOTS_WITHIN, _DOTS_WITHIN, count) if count > 1 else np.zeros(1)
            above.plot(
                place + beside, trial.slice_scores, ".",
                color=shade, markersize=7, markeredgecolor=sheet.ground, markeredgewidth=0.5,
            )  # fmt: skip
        if trial.failure:
            above.text(
                place, 0.5, "cannot be\napplied", ha="center", fontsize="small", color=sheet.text,
                transform=above.get_xaxis_transform(),
            )  # fmt: skip
    if UNFILTERED in comparison.trials:
        median = np.median(comparison.trials[UNFILTERED].slice_scores)
        above.axhline(median, color=sheet.faint, linewidth=1, linestyle="--", zorder=0)
    above.set_ylabel("score (5 best)")
    below.bar(places, [trial.detail_loss for trial in trials], _BOX_WIDTH, color=[(s, 0.6) for s in shades])
    below.axhline(0, color=sheet.faint, linewidth=0.8)
    below.set_ylabel("detail\nlost (%)")
    below.yaxis.set_major_locator(MaxNLocator(3))
    width = max(6, int(_CHARACTERS * (figure.get_figwidth() - 0.6) / max(len(names), 1)))
    below.set_xticks(places, [_wrapped(name, width) for name in names], fontsize="small")
    below.set_xlim(-0.6, len(names) - 0.4)
    figure.align_ylabels()
    return sheet.dress(figure)


def _wrapped(name: str, width: int) -> str:
    return "\n".join(textwrap.wrap(name, width, max_lines=_LINES, placeholder="…")) or name
