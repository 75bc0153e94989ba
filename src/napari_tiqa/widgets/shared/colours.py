"""Colours and symbols of curves."""

from napari_tiqa.learning.images.groups import COUNTERPART

# Okabe and Ito's colours, told apart by colour-blind readers and on dark and light ground alike. An
# acquisition fault has the colour of the distortion most like it, and a marker of its own.
_COLOURS = {"ring": "#D55E00", "blur": "#56B4E9", "noise": "#009E73", "": "#999999"}

_SYMBOLS = {"ring": "o", "blur": "s", "noise": "t1", "": "star"}

# Okabe and Ito's colours, told apart by colour-blind readers and on dark and light ground alike.
RUN_COLOURS = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#8B93FF")


def colour_of(family: str) -> str:
    """Return the colour of a family of distortions or faults."""
    return _COLOURS.get(COUNTERPART.get(family) or family, _COLOURS[""])


def symbol_of(family: str) -> str:
    """Return pyqtgraph's name of the marker of a family of distortions; acquisition faults share one."""
    return _SYMBOLS.get(family, "d")


def name_of(family: str) -> str:
    """Return what people call a family; images without one are undistorted."""
    return family or "undistorted"
