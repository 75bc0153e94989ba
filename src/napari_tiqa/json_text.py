"""JSON as it comes from files: of any depth, with one kind of error for all that is not JSON."""

import json
import os
from pathlib import Path
from typing import Any


def parse_json(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Raises ValueError for what is not JSON or not UTF-8, and for what is nested too deeply to be read, which
    ``json.loads`` answers with a RecursionError.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def read_json(path: str | os.PathLike[str]) -> Any:
    """Return the value of a JSON file in UTF-8; raises OSError, and ValueError as `parse_json`."""
    return parse_json(Path(path).read_bytes())
