"""Figures of an evaluation: scatter and box plots as in the paper's Figs. 3 and 4, the effect of shrinking.

Files and the dock draw them by the same functions, on sheets of their own.
"""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from napari_tiqa.figure_style import ARTEFACT_COLOURS, WHITE, Sheet
from napari_tiqa.learning.evaluation.comparison import Evaluation
from napari_tiqa.learning.images.groups import COUNTERPART
from napari_tiqa.scoring.scale import SCORE_RANGE

SCORE_LIMITS = SCORE_RANGE[0] - 0.2, SCORE_RANGE[1] + 0.2
"""Ends of an axis of scores; what a stock metric gives beyond them is drawn at the border."""

SCORE_TICKS = range(1, 6)

_MARKERS = {"ring": "o", "blur": "s", "noise": "^", "": "*"}  # acquisition faults share the one that is left
_PANEL = 3.2  # inches
_BOX_WIDTH, _GAP = 0.62, 0.6  # of the distance between levels: a box, between families
_IN_A_ROW = 4  # names of families


def colour_of(family: str, sheet: Sheet) -> str:
    """Return the colour of a family of distortions or faults; a fault has that of its counterpart."""
    return ARTEFACT_COLOURS[COUNTERPART[family]] if family in COUNTERPART else sheet.text


def marker_of(family: str) -> str:
    """Return matplotlib's name of the marker of a family."""
    return _MARKERS.get(family, "D")


def scatter_figure(
    evaluation: Evaluation, titles: Sequence[str] | None = None, sheet: Sheet = WHITE
) -> Figure:
    """Draw scores against labels, coloured by distortion; Fig. 3 of Zhang et al. 2022.

    A panel for each of `titles`; None: for everybody judged. Images without a label are left out.
    """
    titles = titles or evaluation.titles
    rows = evaluation.rows
    figure, panels = _panels(len(titles), 3, (_PANEL, _PANEL), sheet)
    pooled = evaluation.table.groupby("judged", sort=False).last()
    for panel, title in zip(panels, titles, strict=True):
        scores = evaluation.scores(title).clip(*SCORE_LIMITS)
        for family in rows["family"].unique():
            shown = (rows["family"] == family) & rows["label"].notna()
            panel.scatter(
                rows["label"][shown],
                scores[shown],
                s=22 if family else 45,
                color=colour_of(family, sheet),
                marker=marker_of(family),
                alpha=0.65,
                linewidths=0,
                label=family or "undistorted",
            )
        panel.axline((1, 1), slope=1, color=sheet.faint, linewidth=0.8, zorder=0)
        panel.set(xlabel="label", xlim=SCORE_LIMITS, xticks=SCORE_TICKS)
        if len(titles) > 1:
            agreement = f"SROCC {pooled['srocc'][title]:.2f}, PLCC {pooled['plcc'][title]:.2f}"
            panel.set_title(f"{title}\n{agreement}", fontsize="small")
    if rows["family"].any():
        panels[0].legend(fontsize="small", loc="upper left", handletextpad=0.2, borderpad=0.2)
    return sheet.dress(figure)


def box_figure(evaluation: Evaluation, titles: Sequence[str] | None = None, sheet: Sheet = WHITE) -> Figure:
    """Draw the spread of scores at each level of each distortion; Fig. 4 of Zhang et al. 2022.

    A box holds the middle half, its line is the median, the whiskers reach 1.5 boxes further, dots are
    outliers, diamonds mean labels. The parameters are those of `scatter_figure`.
    """
    titles = titles or evaluation.titles
    rows = evaluation.rows
    families = sorted(rows["family"].unique(), key=bool)  # the undistorted ones first
    cells = [
        (family, level)
        for family in families
        for level in sorted(rows["level"][rows["family"] == family].unique())
    ]
    places = [number + _GAP * families.index(family) for number, (family, _) in enumerate(cells)]
    figure, panels = _panels(len(titles), 2, (1.6 * _PANEL, _PANEL), sheet)
    for panel, title in zip(panels, titles, strict=True):
        scores = evaluation.scores(title).clip(*SCORE_LIMITS)
        of_cells = [(rows["family"] == family) & (rows["level"] == level) for family, level in cells]
        draw_boxes(
            panel,
            places,
            [scores[shown].dropna() for shown in of_cells],
            [colour_of(family, sheet) for family, _ in cells],
        )
        panel.scatter(
            places, [rows["label"][shown].mean() for shown in of_cells],
            s=22, marker="d", color=sheet.text, edgecolors=sheet.ground, linewidths=0.6, zorder=3,
        )  # fmt: skip
        panel.set_xticks(places, [str(level) if family else "" for family, level in cells])
        panel.set_xlim(places[0] - 0.8, places[-1] + 0.8)
        _name_families(panel, places, [family for family, _ in cells], sheet)
        if len(titles) > 1:
            panel.set_title(title, fontsize="small", pad=30 if len(families) > _IN_A_ROW else 18)
    return sheet.dress(figure)


def draw_boxes(
    panel: Axes,
    places: ArrayLike,
    values: Sequence[ArrayLike],
    colours: Sequence[str],
    *,
    width: float = _BOX_WIDTH,
    outliers: bool = True,
) -> None:
    """Draw box plots in these colours: median, quartiles, whiskers up to 1.5 times their distance.

    `places` are their abscissas, `width` is in units of these; a box without values leaves its place empty.
    Values beyond the whiskers have dots where `outliers`; not where every value has one anyway.
    """
    drawn = panel.boxplot(
        list(values), positions=places, widths=width, patch_artist=True, showfliers=outliers, showcaps=False
    )
    for number, colour in enumerate(colours):
        drawn["boxes"][number].set(facecolor=(colour, 0.3), edgecolor=colour)
        drawn["medians"][number].set(color=colour, linewidth=2.2, solid_capstyle="butt")
        for whisker in drawn["whiskers"][2 * number : 2 * number + 2]:
            whisker.set_color(colour)
        if outliers:
            drawn["fliers"][number].set(marker="o", markersize=2.5, markerfacecolor=colour, markeredgewidth=0)


def shrink_figure(shrink: pd.DataFrame, sheet: Sheet = WHITE) -> Figure:
    """Draw what shrinking changes: native against shrunk, and the difference against the size; Fig. S1.

    `shrink` is ``Evaluation.shrink``, at least one row.
    """
    figure = sheet.figure(2 * _PANEL, _PANEL)
    left, right = figure.subplots(1, 2)
    style = {"color": sheet.text, "alpha": 0.8, "markersize": 4}
    left.errorbar(shrink["shrunk"], shrink["native"], shrink["native_sd"], fmt="o", **style)
    left.axline((1, 1), slope=1, color=sheet.faint, linewidth=0.8, zorder=0)
    left.set(
        xlim=SCORE_LIMITS, ylim=SCORE_LIMITS, xticks=SCORE_TICKS, yticks=SCORE_TICKS,
        xlabel="score of the shrunk slice", ylabel="mean score of native tiles",
    )  # fmt: skip
    right.plot(shrink[["rows", "columns"]].min(axis=1), shrink["difference"], "o", **style)
    most = max(0.5, 1.1 * shrink["difference"].abs().max())
    right.axhline(0, color=sheet.faint, linewidth=0.8)
    right.set(
        ylim=(-most, most), xlabel="shorter side of the slice (px)", ylabel="native minus shrunk (points)"
    )
    return sheet.dress(figure)


def _panels(count: int, columns: int, size: tuple[float, float], sheet: Sheet) -> tuple[Figure, list[Axes]]:
    """Make panels of a size, in rows of so many, with one axis of scores for all."""
    columns = min(columns, count)
    rows = -(-count // columns)
    figure = sheet.figure(size[0] * columns, size[1] * rows)
    panels = list(figure.subplots(rows, columns, squeeze=False, sharey=True).ravel())
    for unused in panels[count:]:
        unused.remove()
    panels[0].set(ylim=SCORE_LIMITS, yticks=SCORE_TICKS)
    for panel in panels[:count:columns]:
        panel.set_ylabel("score (5 best)")
    return figure, panels[:count]


def _name_families(panel: Axes, places: Sequence[float], families: Sequence[str], sheet: Sheet) -> None:
    """Write each family's name above its boxes, in two rows where there are many."""
    names = list(dict.fromkeys(families))
    for number, name in enumerate(names):
        of_family = [place for place, family in zip(places, families, strict=True) if family == name]
        panel.annotate(
            name or "none",
            (sum(of_family) / len(of_family), 1),
            (0, 2 + 10 * (len(names) > _IN_A_ROW and number % 2)),
            xycoords=panel.get_xaxis_transform(),
            textcoords="offset points",
            ha="center",
            fontsize="small",
            color=colour_of(name, sheet),
        )
    panel.set_xlabel("level")
