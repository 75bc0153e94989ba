"""Which model bundles were trained or chosen last, so that a dock can offer them again."""

import json
import os
from pathlib import Path
from typing import Any

import platformdirs

from napari_tiqa.json_text import read_json
from napari_tiqa.scoring.bundle import SCORE, SEGMENTATION, purpose_of
from napari_tiqa.whole_file import write_text

_KEPT = 12
_LISTS = {SCORE: "models", SEGMENTATION: "segmenters"}
"""Where the bundles of each purpose stand in the file."""


def recent_models(purpose: str = SCORE) -> list[Path]:
    """Return the remembered bundles for a purpose of ``bundle`` that still exist, the latest first."""
    return [path for path in _remembered().get(_LISTS[purpose], []) if os.path.isfile(path)]  # of any name


def remember_model(path: str | os.PathLike[str]) -> None:
    """Put a bundle first in the list of recent ones of its purpose.

    A list that cannot be written stays as it was, since that must not end a training.
    """
    latest = Path(path).absolute()
    lists = _remembered()
    name = _LISTS.get(purpose_of(latest), _LISTS[SCORE])
    lists[name] = [latest, *(other for other in lists.get(name, []) if other != latest)][:_KEPT]
    kept = {name: [str(model) for model in models] for name, models in lists.items()}
    file = _file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, json.dumps(kept, indent=1))
    except OSError:
        return


def _remembered() -> dict[str, list[Path]]:
    """Return the lists of the file; what is damaged of it is left out."""
    try:
        kept: Any = read_json(_file())
    except (OSError, ValueError):
        return {}
    lists = kept.items() if isinstance(kept, dict) else ()
    return {
        name: [Path(model) for model in models if isinstance(model, str)]
        for name, models in lists
        if isinstance(models, list)
    }


def _file() -> Path:
    return Path(platformdirs.user_data_dir("napari-tiqa", appauthor=False)) / "recent_models.json"
