"""What figures of files and docks have in common: the palette, and the sheet that they are drawn on."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart by colour-blind readers and on dark and light ground alike.
SKY, ORANGE, GREEN, PINK, VERMILION = "#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#D55E00"
VIOLET, GREY = "#8B93FF", "#999999"
"""Two more, which fit the five."""

ARTEFACT_COLOURS = {
    "ring": "#994455",
    "blur": "#EECC66",
    "noise": "#6699CC",
    "streaks": "#997700",
    "shading": "#EE99AA",
    "smoothing": "#004488",
}
"""Of each of ``scoring.scale.ARTEFACTS``, in all docks and figures: Paul Tol's "medium-contrast" scheme, told
apart by colour-blind readers, in print without colour, on dark and light ground, and from the colours of the
runs."""

RUN_COLOURS = (SKY, ORANGE, GREEN, PINK, VERMILION, VIOLET)
"""Of what is shown side by side: runs, pipelines."""

_FAINT, _GRID = 0.5, 0.15  # opacity of the text colour, of axes and of the lines behind the data

_MARGIN = 0.07  # inches, around a figure


@dataclass(frozen=True)
class Sheet:
    """What a figure is drawn on: white paper in a file, napari's ground in a dock.

    Attributes
    ----------
    text, ground : str
        Colours, as matplotlib reads them.
    size : tuple of float or None
        Width and height in inches; None: as large as the figure likes.
    """

    text: str = "black"
    ground: str = "white"
    size: tuple[float, float] | None = None

    @property
    def faint(self) -> tuple[str, float]:
        """The colour of axes and of lines to compare with."""
        return self.text, _FAINT

    @property
    def is_dark(self) -> bool:
        """Whether the ground is darker than the text."""
        from matplotlib.colors import to_rgb

        return sum(to_rgb(self.ground)) < sum(to_rgb(self.text))

    def figure(self, width: float, height: float) -> "Figure":
        """Return an empty figure, of this size in inches unless the sheet has one of its own.

        Made of a Figure object alone, never by pyplot, whose state and windows have no place in napari's
        process.
        """
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine

        layout = ConstrainedLayoutEngine(w_pad=_MARGIN, h_pad=_MARGIN)
        return Figure(self.size or (width, height), layout=layout, facecolor=self.ground)

    def dress(self, figure: "Figure", *, grid: Literal["x", "y", "both"] = "y") -> "Figure":
        """Give axes, writing and legends of a finished figure the sheet's colours, and return it.

        Parameters
        ----------
        figure : matplotlib.figure.Figure
            Drawn by one of the modules of figures.
        grid : {"x", "y", "both"}
            Whose values have faint lines.
        """
        for axes in figure.axes:
            axes.set_facecolor(self.ground)
            axes.set_axisbelow(True)
            axes.grid(axis=grid, color=self.text, alpha=_GRID, linewidth=0.8)
            axes.spines[["top", "right"]].set_visible(False)
            axes.spines[["left", "bottom"]].set_color(self.faint)
            axes.tick_params(color=self.faint, labelcolor=self.text)
            for words in (axes.title, axes.xaxis.label, axes.yaxis.label):
                words.set_color(self.text)
        for legend in [*figure.legends, *filter(None, (axes.get_legend() for axes in figure.axes))]:
            legend.get_frame().set(facecolor=self.ground, edgecolor="none", alpha=0.8)
            for words in (legend.get_title(), *legend.get_texts()):
                words.set_color(self.text)
        return figure


WHITE = Sheet()
"""The paper of files."""
