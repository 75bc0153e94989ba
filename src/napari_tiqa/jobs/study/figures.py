"""Figures of a study of quality against segmentation, as the paper's Figs. 6 and 7.

Made of Figure objects alone, never by pyplot, whose state and windows have no place in napari's process.
"""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from napari_tiqa.jobs.study.line_ends import spread
from napari_tiqa.jobs.study.result import LEVELS, LIMITS, MEASURES, POOLED, TITLES, TRUTH, Study
from napari_tiqa.learning.evaluation.figures import COLOURS, MARKERS
from napari_tiqa.scoring.scale import SCORE_RANGE
from napari_tiqa.segmentation.native_distortions import ORIGINAL

_PANEL = 3.2  # inches
_LABEL_GAP = 0.052  # of the height of a panel, what a score at a line's end needs
_LEADER = 0.025  # of the width of a panel, from a line's end to its score


def level_colours() -> list[tuple[float, float, float]]:
    """Return a colour for each of `LEVELS`, dark to light, in an order that the colour-blind see too."""
    shades = matplotlib.colormaps["viridis"](np.linspace(0, 0.93, len(LEVELS)))
    return [(float(r), float(g), float(b)) for r, g, b, _ in shades]


def measures_figure(study: Study) -> Figure:
    """Draw score, F1, IoU and uncertainty over the levels side by side, a line for each distortion.

    Thin lines are single slices, thick ones their means.
    """
    figure = Figure((_PANEL * len(MEASURES), _PANEL), layout="constrained")
    panels = figure.subplots(1, len(MEASURES))
    slices = study.table["slice"].unique()
    for panel, measure in zip(panels, MEASURES, strict=True):
        for kind in study.distortions:
            colour = COLOURS[kind]
            if len(slices) > 1:
                for index in slices:
                    one = study.levels(kind, int(index))[measure]
                    panel.plot(one.index, one, color=colour, linewidth=0.6, alpha=0.35)
            mean = study.levels(kind)[measure]
            panel.plot(mean.index, mean, color=colour, marker=MARKERS[kind], markersize=5, label=kind)
        panel.set(title=TITLES[measure], xlabel="level of the distortion", xticks=LEVELS)
        if measure in LIMITS:
            panel.set_ylim(LIMITS[measure])
        else:
            panel.set_ylim(bottom=0)
        panel.grid(axis="y", alpha=0.25)
    if study.distortions:
        panels[0].legend(fontsize="small")
    return figure


def scatter_figure(study: Study) -> Figure:
    """Draw F1 over the score, coloured by distortion, with their correlations in the legend."""
    figure = Figure((1.5 * _PANEL, 1.35 * _PANEL), layout="constrained")
    panel = figure.subplots()
    found = study.correlations[study.correlations["against"] == "f1"].set_index("distortion")
    for kind in (ORIGINAL, *study.distortions):
        shown = study.table[study.table["distortion"] == kind]
        family = "" if kind == ORIGINAL else kind
        words = ORIGINAL if kind == ORIGINAL else f"{kind}: {_correlation(found, kind)}"
        panel.scatter(
            shown["score"], shown["f1"], s=26, color=COLOURS[family], marker=MARKERS[family],
            alpha=0.75, linewidths=0, label=words,
        )  # fmt: skip
    panel.plot([], [], " ", label=f"{POOLED} pooled: {_correlation(found, POOLED)}")
    panel.set(xlabel=TITLES["score"], ylabel=TITLES["f1"], xlim=LIMITS["score"], ylim=LIMITS["f1"])
    panel.set_xticks(range(int(SCORE_RANGE[0]), int(SCORE_RANGE[1]) + 1))
    panel.grid(alpha=0.25)
    panel.legend(fontsize="small", title="distortion: SROCC, PLCC", title_fontsize="small")
    return figure


def two_point_figure(study: Study) -> Figure:
    """Draw the phase's two-point correlation, a row for each distortion, a column for each direction.

    The labels' own curve is black, the levels are coloured; at each line's end stands the score. Means over
    the slices.
    """
    kinds = study.distortions or [ORIGINAL]
    figure = Figure((1.6 * _PANEL * len(study.axes), _PANEL * len(kinds)), layout="constrained")
    panels = figure.subplots(len(kinds), len(study.axes), squeeze=False, sharey=True)
    unit = study.record.get("unit", "pixel")
    for row, kind in zip(panels, kinds, strict=True):
        scores = study.levels(kind)["score"]
        for panel, axis in zip(row, study.axes, strict=True):
            ends = []
            for level, colour in zip(LEVELS, level_colours(), strict=True):
                distances, values = study.curve(kind if level else ORIGINAL, level, axis)
                if len(values):
                    name = f"level {level}" if level else ORIGINAL
                    panel.plot(distances, values, color=colour, linewidth=1.2, label=name)
                    ends.append((values[-1], f"{scores[level]:.2f}", colour))
            distances, values = study.curve(TRUTH, 0, axis)
            panel.plot(distances, values, color="black", linewidth=1.8, label=TRUTH)
            longest = distances[-1] if len(distances) else 1.0
            panel.set_xlim(0, longest)
            panel.set_title(f"{kind}, along {axis}", fontsize="medium")
            _write_scores(panel, float(longest), ends)
    for panel in panels[-1]:
        panel.set_xlabel(f"distance ({'px' if unit == 'pixel' else unit})")
    for row in panels:
        row[0].set_ylabel("two-point correlation S2 / S2(0)")
    panels[0][0].legend(fontsize="x-small", title="score at the line's end", title_fontsize="x-small")
    return figure


def _write_scores(
    panel: Axes, longest: float, ends: list[tuple[float, str, tuple[float, float, float]]]
) -> None:
    """Write a score at each line's end, moved apart where lines end together."""
    ends = [end for end in ends if np.isfinite(end[0])]
    low, high = panel.get_ylim()
    heights = spread([height for height, _, _ in ends], _LABEL_GAP * (high - low))
    for (end, words, colour), height in zip(ends, heights, strict=True):
        start = longest * (1 + _LEADER)
        panel.plot([longest, start], [end, height], color=colour, linewidth=0.6, clip_on=False)
        panel.text(start, height, f" {words}", color=colour, fontsize="small", va="center")


def _correlation(found: pd.DataFrame, kind: str) -> str:
    return f"{found['srocc'][kind]:.2f}, {found['plcc'][kind]:.2f}"
