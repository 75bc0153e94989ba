"""Figures of a study of quality against segmentation, as the paper's Figs. 6 and 7.

Files and the dock draw them by the same functions, on sheets of their own.
"""

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from napari_tiqa.figure_style import WHITE, Sheet
from napari_tiqa.jobs.study.result import LEVELS, LIMITS, MEASURES, POOLED, TITLES, TRUTH, Study
from napari_tiqa.learning.evaluation.figures import SCORE_TICKS, colour_of, marker_of
from napari_tiqa.segmentation.native_distortions import ORIGINAL

_PANEL = 3.2  # inches
_LEAST_UNCERTAINTY = 0.1  # nats at the top of the axis: what is next to nothing is not blown up
_LABEL_HEIGHT = 0.22  # inches of a panel with its titles, what a score at a line's end needs
_LEADER = 0.025  # of the width of a panel, from a line's end to its score


def measures_figure(study: Study, index: int | None = None, sheet: Sheet = WHITE) -> Figure:
    """Draw score, F1, IoU and uncertainty over the levels side by side, a line for each distortion.

    Without an index there is a thin line for each slice, and thick ones for their means. On a narrow sheet
    two panels are above two others.
    """
    figure = sheet.figure(_PANEL * len(MEASURES), _PANEL)
    wide = figure.get_figwidth() > 2 * figure.get_figheight()
    panels = figure.subplots(*((1, 4) if wide else (2, 2)), sharex=True).ravel()
    slices = list(study.table["slice"].unique()) if index is None else []
    for panel, measure in zip(panels, MEASURES, strict=True):
        for kind in study.distortions:
            colour = colour_of(kind, sheet)
            for item in slices if len(slices) > 1 else ():
                values = study.levels(kind, int(item))[measure]
                panel.plot(values.index, values, color=colour, linewidth=0.6, alpha=0.35)
            mean = study.levels(kind, index)[measure]
            panel.plot(mean.index, mean, color=colour, marker=marker_of(kind), markersize=5, label=kind)
        panel.set_title(TITLES[measure], fontsize="medium")
        panel.set_xlim(LEVELS[0] - 0.3, LEVELS[-1] + 0.3)
        panel.set_xticks(LEVELS)
        if measure in LIMITS:
            panel.set_ylim(LIMITS[measure])
        else:
            panel.set_ylim(0, max(panel.get_ylim()[1], _LEAST_UNCERTAINTY))
    panels[0].set_yticks(SCORE_TICKS)
    for panel in panels if wide else panels[2:]:
        panel.set_xlabel("level of the distortion")
    if study.distortions:
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return sheet.dress(figure)


def f1_figure(study: Study, index: int | None = None, sheet: Sheet = WHITE) -> Figure:
    """Draw F1 over the score, coloured by distortion, over all slices with correlations in the legend."""
    figure = sheet.figure(1.5 * _PANEL, 1.35 * _PANEL)
    panel = figure.subplots()
    table = study.table if index is None else study.table[study.table["slice"] == index]
    found = study.correlations[study.correlations["against"] == "f1"].set_index("distortion")

    def label(kind: str, name: str) -> str:
        srocc, plcc = found["srocc"][kind], found["plcc"][kind]
        return f"{name}: {srocc:.2f}, {plcc:.2f}" if index is None and np.isfinite(srocc) else name

    for kind in (*study.distortions, ORIGINAL):
        shown = table[table["distortion"] == kind]
        family = "" if kind == ORIGINAL else kind
        panel.scatter(
            shown["score"], shown["f1"], s=26 if family else 60, color=colour_of(family, sheet),
            marker=marker_of(family), alpha=0.75, linewidths=0, label=label(kind, kind) if family else kind,
        )  # fmt: skip
    if index is None:
        panel.plot([], [], " ", label=label(POOLED, f"{POOLED} pooled"))
    panel.set(xlabel=TITLES["score"], ylabel=TITLES["f1"], xlim=LIMITS["score"], ylim=LIMITS["f1"])
    panel.set_xticks(SCORE_TICKS)
    panel.legend(fontsize="small", title="SROCC, PLCC" if index is None else None, title_fontsize="small")
    return sheet.dress(figure, grid="both")


def two_point_figure(
    study: Study, kinds: Sequence[str] | None = None, index: int | None = None, sheet: Sheet = WHITE
) -> Figure:
    """Draw the phase's two-point correlation along both axes of a slice, or the mean over all slices.

    The labels' own curve has the colour of the text, those of the levels are dark to light; at each line's
    end stands the score. Several distortions, all without `kinds`, have a row each, a single one has a row
    for each axis.
    """
    kinds = kinds or study.distortions or [ORIGINAL]
    pairs = [(kind, axis) for kind in kinds for axis in study.axes]
    columns = len(study.axes) if len(kinds) > 1 else 1
    rows = len(pairs) // columns
    figure = sheet.figure(1.6 * _PANEL * columns, _PANEL * rows)
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True)
    gap = _LABEL_HEIGHT * rows / figure.get_figheight()
    unit = study.record.get("unit", "pixel")
    to_write = []
    for panel, (kind, axis) in zip(panels.ravel(), pairs, strict=True):
        scores = study.levels(kind, index)["score"]
        ends = []
        for level, colour in zip(LEVELS, _level_colours(sheet), strict=True):
            distances, values = study.curve(kind if level else ORIGINAL, level, axis, index)
            if len(values):
                panel.plot(distances, values, color=colour, linewidth=1.3, label=str(level or "level 0"))
                ends.append((values[-1], scores.get(level, np.nan), colour))
        distances, values = study.curve(TRUTH, 0, axis, index)
        panel.plot(distances, values, color=sheet.text, linewidth=2.2, label=TRUTH)
        longest = float(distances[-1]) if len(distances) else 1.0
        panel.set_xlim(0, longest)
        panel.set_title(f"{kind}, along {axis}" if len(kinds) > 1 else f"along {axis}", fontsize="medium")
        to_write.append((panel, longest, ends))
    for panel, longest, ends in to_write:  # now that the common axis is as long as it gets
        _write_scores(panel, longest, ends, gap)
    for panel in panels[-1]:
        panel.set_xlabel(f"distance ({'px' if unit == 'pixel' else unit}); score at the line's end")
    for panel in panels[:, 0]:
        panel.set_ylabel("S2 / S2(0)")
    lines, names = panels[0, 0].get_legend_handles_labels()
    figure.legend(
        lines, names, loc="outside upper center", ncols=len(names),
        fontsize="small", handlelength=1, columnspacing=1, handletextpad=0.4,
    )  # fmt: skip
    return sheet.dress(figure)


def _level_colours(sheet: Sheet) -> np.ndarray:
    """Return a colour for each of `LEVELS`, dark to light, in an order that the colour-blind see too."""
    ends = (0.4, 1.0) if sheet.is_dark else (0.0, 0.9)
    return matplotlib.colormaps["viridis"](np.linspace(*ends, len(LEVELS)))


def _write_scores(
    panel: Axes, longest: float, ends: Sequence[tuple[float, float, np.ndarray]], gap: float
) -> None:
    """Write a score at each line's end, moved apart by `gap`, a share of the axis."""
    ends = [end for end in ends if np.isfinite(end[:2]).all()]
    low, high = panel.get_ylim()
    start = longest * (1 + _LEADER)
    heights = spread([height for height, _, _ in ends], gap * (high - low))
    for (end, score, colour), height in zip(ends, heights, strict=True):
        panel.plot([longest, start], [end, height], color=colour, linewidth=0.6, clip_on=False)
        panel.text(start, height, f" {score:.2f}", color=colour, fontsize="small", va="center")


def spread(places: Sequence[float], gap: float) -> np.ndarray:
    """Move places apart, as little as can be, until neighbours are at least a gap apart; the order is kept.

    Labels that push each other form a block around the mean of their places.
    """
    order = np.argsort(places, kind="stable")
    blocks: list[list[float]] = []  # of places that touch: the sum of what each would have as first, how many
    for place in np.asarray(places, float)[order]:
        blocks.append([place, 1])
        while len(blocks) > 1 and _start(blocks[-1], gap) < _start(blocks[-2], gap) + blocks[-2][1] * gap:
            total, count = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += count
    moved = [_start(block, gap) + number * gap for block in blocks for number in range(int(block[1]))]
    spread_out = np.empty(len(order))
    spread_out[order] = moved
    return spread_out


def _start(block: list[float], gap: float) -> float:
    total, count = block
    return total / count - (count - 1) / 2 * gap
