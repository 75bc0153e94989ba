"""The figure of a comparison: a box of scores per pipeline, as in the paper's Figs. 4 and S4, and its cost.

Made of Figure objects alone, never by pyplot, whose state and windows have no place in napari's process.
"""

import textwrap

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from napari_tiqa.jobs.filtering.compare import UNFILTERED, Comparison
from napari_tiqa.scoring.scale import SCORE_RANGE

# Okabe and Ito's, told apart also by the colour-blind.
_FILTERED, _UNFILTERED = "#56B4E9", "white"
_WIDTH, _MARGIN, _HEIGHT = 1.1, 1.4, 4.6  # inches: of a box, beside all boxes, of the figure
_NARROWEST = 4.0
_LABEL_WIDTH = 14  # characters


def comparison_figure(comparison: Comparison) -> Figure:
    """Draw each pipeline's scores over the slices and, below, the detail that it costs.

    Parameters
    ----------
    comparison : Comparison
        A pipeline that could not be applied keeps its place, empty.

    Returns
    -------
    matplotlib.figure.Figure
        Above a box of each pipeline's scores (median, quartiles, whiskers up to 1.5 times their distance)
        with a dot per slice; below its detail loss, per cent.
    """
    names = list(comparison.trials)
    trials = list(comparison.trials.values())
    width = max(_NARROWEST, _MARGIN + _WIDTH * len(names))
    figure = Figure((width, _HEIGHT), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    places = np.arange(len(names))
    boxes = above.boxplot(
        [np.array(trial.slice_scores)[np.isfinite(trial.slice_scores)] for trial in trials],
        positions=places,
        widths=0.55,
        patch_artist=True,
        showfliers=False,  # every slice has its dot
        medianprops={"color": "black"},
    )
    for box, name in zip(boxes["boxes"], names, strict=True):
        box.set_facecolor(_UNFILTERED if name == UNFILTERED else _FILTERED)
    for place, trial in zip(places, trials, strict=True):
        beside = np.linspace(-0.12, 0.12, len(trial.slice_scores)) if len(trial.slice_scores) > 1 else [0.0]
        above.plot(place + np.asarray(beside), trial.slice_scores, ".", color="0.2", markersize=5)
        if trial.failure:
            above.text(place, 0.5, "cannot be\napplied", ha="center", transform=above.get_xaxis_transform())
    above.set_ylabel(f"score ({SCORE_RANGE[0]:.0f} worst, {SCORE_RANGE[1]:.0f} best)")
    above.axhline(np.median(comparison.trials[UNFILTERED].slice_scores), color="0.7", linewidth=0.8, zorder=0)
    below.bar(places, [trial.detail_loss for trial in trials], 0.55, color="0.6")
    below.axhline(0, color="0.2", linewidth=0.8)
    below.set_ylabel("detail\nlost (%)")
    below.yaxis.set_major_locator(MaxNLocator(3))
    below.set_xticks(places, [textwrap.fill(name, _LABEL_WIDTH) for name in names], fontsize="small")
    below.set_xlim(-0.6, len(names) - 0.4)
    figure.align_ylabels()
    return figure
