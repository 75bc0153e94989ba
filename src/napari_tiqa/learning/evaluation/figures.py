"""Figures of an evaluation: scatter and box plots as in the paper's Figs. 3 and 4, the effect of shrinking.

Made of Figure objects alone, never by pyplot, whose state and windows have no place in napari's process.
"""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from napari_tiqa.learning.evaluation.comparison import Evaluation
from napari_tiqa.learning.images.groups import COUNTERPART
from napari_tiqa.scoring.scale import SCORE_RANGE

# Told apart also by the colour-blind (Okabe and Ito); an acquisition fault has the marker that is left.
COLOURS = {"ring": "#D55E00", "blur": "#0072B2", "noise": "#009E73", "": "black"}
MARKERS = {"ring": "o", "blur": "s", "noise": "^", "": "*"}
_PANEL = 3.2  # inches
_SCORE_TICKS = range(1, 6)


def scatter_figure(evaluation: Evaluation) -> Figure:
    """Draw scores against labels, a panel for each of who was judged; Fig. 3 of Zhang et al. 2022."""
    figure, panels = _panels(evaluation.titles, wide=False)
    pooled = evaluation.table.groupby("judged", sort=False).last()
    for panel, title in zip(panels, evaluation.titles, strict=True):
        scores = evaluation.scores(title).clip(*SCORE_RANGE)  # a stock metric leaves 1..5: then at its border
        for family in evaluation.rows["family"].unique():
            of_family = evaluation.rows["family"] == family
            panel.scatter(
                evaluation.rows["label"][of_family],
                scores[of_family],
                s=14,
                color=_colour(family),
                marker=MARKERS.get(family, "D"),
                alpha=0.6,
                linewidths=0,
                label=family or "undistorted",
            )
        panel.axline((1, 1), slope=1, color="0.7", linewidth=0.8, zorder=0)
        panel.set_title(
            f"{title}\nSROCC {pooled['srocc'][title]:.2f}, PLCC {pooled['plcc'][title]:.2f}", fontsize="small"
        )
        panel.set_xlabel("label")
        panel.set(xlim=_with_margin(SCORE_RANGE), xticks=_SCORE_TICKS)
    panels[0].set_ylabel("score")
    if evaluation.rows["family"].any():
        panels[0].legend(fontsize="x-small")
    return figure


def box_figure(evaluation: Evaluation) -> Figure:
    """Draw the spread of scores at each level of each distortion; Fig. 4 of Zhang et al. 2022."""
    rows = evaluation.rows
    families = list(dict.fromkeys(filter(None, rows["family"])))
    figure, panels = _panels(evaluation.titles, wide=True)
    for panel, title in zip(panels, evaluation.titles, strict=True):
        scores = evaluation.scores(title).clip(*SCORE_RANGE)  # a stock metric leaves 1..5: then at its border
        cells = [("", 0)] + [
            (family, level)
            for family in families
            for level in sorted(rows["level"][rows["family"] == family].unique())
        ]
        boxes = panel.boxplot(
            [scores[(rows["family"] == family) & (rows["level"] == level)] for family, level in cells],
            widths=0.6,
            patch_artist=True,
            flierprops={"markersize": 2},
            medianprops={"color": "black"},
        )
        for box, (family, _) in zip(boxes["boxes"], cells, strict=True):
            box.set_facecolor(_colour(family) if family else "white")
        panel.set_xticks(
            range(1, len(cells) + 1), [f"{f} {n}".strip() if f else "none" for f, n in cells], rotation=90
        )
        panel.set_title(title, fontsize="small")
        panel.tick_params("x", labelsize="x-small")
    panels[0].set_ylabel("score")
    return figure


def shrink_figure(shrink: pd.DataFrame) -> Figure:
    """Draw what shrinking changes: native against shrunk, and the difference against the size; Fig. S1.

    Parameters
    ----------
    shrink : pandas.DataFrame
        ``Evaluation.shrink``, at least one row.
    """
    figure = Figure((2 * _PANEL, _PANEL), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.errorbar(shrink["shrunk"], shrink["native"], shrink["native_sd"], fmt="o", color="0.2", markersize=4)
    left.axline((1, 1), slope=1, color="0.7", linewidth=0.8, zorder=0)
    limits = _with_margin(SCORE_RANGE)
    left.set(
        xlim=limits, ylim=limits, xticks=_SCORE_TICKS, yticks=_SCORE_TICKS,
        xlabel="score of the shrunk slice", ylabel="mean score of native tiles",
    )  # fmt: skip
    right.plot(shrink[["rows", "columns"]].min(axis=1), shrink["difference"], "o", color="0.2", markersize=4)
    most = max(0.5, 1.1 * shrink["difference"].abs().max())
    right.axhline(0, color="0.7", linewidth=0.8)
    right.set(
        ylim=(-most, most), xlabel="shorter side of the slice (px)", ylabel="native minus shrunk (points)"
    )
    return figure


def _panels(titles: Sequence[str], wide: bool) -> tuple[Figure, list[Axes]]:
    """Make a panel for each title, with one axis of scores for all."""
    columns = 2 if wide else 3
    rows = -(-len(titles) // columns)
    columns = min(columns, len(titles))
    figure = Figure((_PANEL * columns * (1.6 if wide else 1), _PANEL * rows), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False, sharey=True).ravel())
    for unused in panels[len(titles) :]:
        unused.remove()
    panels[0].set(ylim=_with_margin(SCORE_RANGE), yticks=_SCORE_TICKS)
    return figure, panels[: len(titles)]


def _with_margin(limits: tuple[float, float]) -> tuple[float, float]:
    return limits[0] - 0.2, limits[1] + 0.2


def _colour(family: str) -> str:
    return COLOURS[COUNTERPART.get(family, family)]
