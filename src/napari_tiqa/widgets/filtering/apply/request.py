"""What the Apply tab does in the background: frozen in the main thread, knows no widget and no layer."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from napari_tiqa.errors import ExportError
from napari_tiqa.filtering.lazy import filter_volume
from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.jobs.filtering.export import export
from napari_tiqa.volumes.napari_reader import LayerData, read_layer
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow


@dataclass(frozen=True)
class LazyVolume:
    """A volume that is filtered slice by slice, and the seconds that a slice takes."""

    volume: Volume
    seconds: float


@dataclass(frozen=True)
class ApplyRequest:
    """A pipeline and the volume that it is to be applied to."""

    volume: Volume
    pipeline: Pipeline
    axis: int
    window: IntensityWindow | None
    again: bool

    def make_lazy(self, index: int) -> LazyVolume:
        """Return the lazily filtered volume; the slice shown is filtered by then, to appear at once."""
        filtered = filter_volume(
            self.volume, self.pipeline, axis=self.axis, window=self.window, again=self.again
        )
        beside = index - 1 if index else min(1, filtered.slice_count(self.axis) - 1)
        # Of two, since the first may have had to wait for a disk or an import.
        seconds = min(_seconds(partial(filtered.slice, self.axis, one)) for one in (index, beside))
        return LazyVolume(filtered, seconds)


@dataclass(frozen=True)
class ExportRequest(ApplyRequest):
    """Where to and how a filtered volume is stored.

    Attributes
    ----------
    overwrite : bool
        Whether an earlier export may be replaced.
    """

    output: Path
    format: str
    overwrite: bool = False

    def run(self, report: Callable[[Any], None], cancel: threading.Event) -> dict[str, Any] | ExportError:
        """Export; where the user may want to replace what is in the way, the error is returned."""
        try:
            return export(
                self.volume,
                self.pipeline,
                self.output,
                axis=self.axis,
                window=self.window,
                format=self.format,
                overwrite=self.overwrite,
                again=self.again,
                progress=report,
                cancel=cancel,
            )
        except ExportError as error:
            if error.replaceable:
                return error
            raise


def open_result(path: Path) -> list[LayerData]:
    """Open an exported volume as napari's File > Open does; reads a few slices for the contrast limits."""
    return read_layer(str(path))


def _seconds(work: Callable[[], object]) -> float:
    start = time.monotonic()
    work()
    return time.monotonic() - start
