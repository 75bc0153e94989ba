"""The slices that faults are added to: one of each specimen, square, in [0, 1] by the window of its scan."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.specimens import LEFT_OUT, SCANS, Scan, read_scan

_MOST_ENLARGED = 1.3
# More would be a blurred reference.


@dataclass(frozen=True)
class Content:
    """One slice: `pixels`, (side, side), float32 in [0, 1], `clean` where its scan is fit to be a 5."""

    specimen: str
    pixels: np.ndarray
    clean: bool

    def at(self, side: int) -> np.ndarray | None:
        """Return it with `side` px a side, None where it is too small for that."""
        own = len(self.pixels)
        if own >= side:
            return cv2.resize(self.pixels, (side, side), interpolation=cv2.INTER_AREA)
        if own * _MOST_ENLARGED < side:
            return None
        larger = cv2.resize(self.pixels, (side, side), interpolation=cv2.INTER_CUBIC)
        return np.clip(larger, 0, 1)


SHOWN = tuple(scan for scan in SCANS if scan.specimen in LEFT_OUT)
"""The scans of the specimens left out."""


def plane_of(data: Path, scan: Scan) -> np.ndarray:
    """Read the middle slice of a scan, in its own units."""
    volume, _ = read_scan(data, scan.path)
    return np.asarray(volume.slice(0, volume.slice_count(0) // 2))


def content_of(data: Path, scan: Scan) -> Content:
    """Cut the largest square from the middle of the middle slice of a scan."""
    _, window = read_scan(data, scan.path)
    plane = np.nan_to_num(plane_of(data, scan).astype(np.float32), nan=window.low)
    side = min(plane.shape)
    top, left = ((length - side) // 2 for length in plane.shape)
    square = plane[top : top + side, left : left + side]
    pixels = np.clip((square - window.low) / (window.high - window.low), 0, 1)
    return Content(scan.specimen, pixels.astype(np.float32), scan.clean)


def one_of_each(data: Path) -> list[Content]:
    """Take one slice of each specimen, in the order of their names: of a clean scan where there is one."""
    chosen: dict[str, Scan] = {}
    for scan in SHOWN:
        if scan.specimen not in chosen or (scan.clean and not chosen[scan.specimen].clean):
            chosen[scan.specimen] = scan
    return [content_of(data, chosen[name]) for name in sorted(chosen)]


def large_ones(data: Path, side: int) -> list[Content]:
    """Take one slice of every scan that has at least `side` px a side."""
    contents = []
    for scan in SHOWN:
        volume, _ = read_scan(data, scan.path)
        if min(volume.data.shape[-2:]) >= side:
            contents.append(content_of(data, scan))
    return contents
