"""Where the project lies, and the real tomograms, which are not in the repository."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
CELL = DATA / "li_ion_cylindrical_cell" / "jellyroll_z060-099.tif"
