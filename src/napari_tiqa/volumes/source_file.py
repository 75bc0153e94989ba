"""A file that is read part by part for hours: whether it still is the one that was opened."""

import os
from pathlib import Path

from napari_tiqa.errors import VolumeError


class SourceFile:
    """A file as it was when it was opened; another process that is sent it takes it as it finds it there.

    Half of one file and half of another would make a volume that never was, without any error.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._before: tuple[int, ...] | None = _state(path)

    def check(self) -> None:
        """Raise VolumeError if the file was changed, replaced or removed; called after each part is read."""
        try:
            now = _state(self.path)
        except FileNotFoundError as error:
            raise VolumeError(
                f"'{self.path}' was removed while it was read: put it back, or open another one."
            ) from error
        if self._before is None:
            self._before = now
        elif now != self._before:
            raise VolumeError(f"'{self.path}' was changed or replaced after it was opened: open it again.")

    def __getstate__(self) -> dict[str, object]:
        """Leave out the state: on another machine, the same file may have another number."""
        return {"path": self.path, "_before": None}


def _state(path: Path) -> tuple[int, ...]:
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns, found.st_ino
