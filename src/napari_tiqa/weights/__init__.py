"""The bundled models and weights."""

from importlib.resources import files
from pathlib import Path

WEIGHTS_FOLDER = Path(str(files(__name__)))
"""Where they lie; the package is always installed as files, never as a zip."""
