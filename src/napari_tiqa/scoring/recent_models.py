"""Which model bundles were trained or chosen last, so that a dock can offer them again."""

import json
import os
from pathlib import Path
from typing import Any

import platformdirs

from napari_tiqa.whole_file import whole_file

_KEPT = 12


def recent_models() -> list[Path]:
    """Return the bundles that were remembered and are still there, the latest first."""
    return [path for path in _remembered() if path.is_file()]


def remember_model(path: str | os.PathLike[str]) -> None:
    """Put a bundle first in the list of recent ones.

    A list that cannot be written is no reason to lose a training: then it stays as it was.

    Parameters
    ----------
    path : path-like
        A bundle file.
    """
    latest = Path(path).absolute()
    models = [latest, *(other for other in _remembered() if other != latest)][:_KEPT]
    file = _file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as out:
            out.write(json.dumps({"models": [str(model) for model in models]}, indent=1).encode())
    except OSError:
        return


def _remembered() -> list[Path]:
    try:
        kept: Any = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    models = kept.get("models") if isinstance(kept, dict) else None
    return [Path(model) for model in models if isinstance(model, str)] if isinstance(models, list) else []


def _file() -> Path:
    return Path(platformdirs.user_data_dir("napari-tiqa", appauthor=False)) / "recent_models.json"
