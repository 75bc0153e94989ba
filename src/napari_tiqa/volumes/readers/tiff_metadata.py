"""What the metadata of a TIFF file say: how many planes it has, the voxel size, our own note."""

import logging
import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from xml.etree import ElementTree

import tifffile

from napari_tiqa.volumes.applied import KEY, note_in
from napari_tiqa.volumes.units import Calibration, calibration

_QUIET_THREADS: set[int] = set()
logging.getLogger("tifffile").addFilter(lambda record: record.thread not in _QUIET_THREADS)


@contextmanager
def quietly() -> Iterator[None]:
    """Keep tifffile from logging what we say in a sentence of our own; others' threads are left alone."""
    thread = threading.get_ident()
    added = thread not in _QUIET_THREADS
    _QUIET_THREADS.add(thread)
    try:
        yield
    finally:
        if added:
            _QUIET_THREADS.discard(thread)


def promised_planes(tiff: tifffile.TiffFile) -> tuple[int, int]:
    """Return how many planes the metadata promise: in all, and as the axes that they name; 1 where silent.

    ImageJ writes both, of which other programs let one go stale.
    """
    if tiff.is_imagej:
        metadata = tiff.imagej_metadata or {}
        counts = [metadata.get(name, 1) for name in ("images", "frames", "slices", "channels")]
        images, *lengths = (count if isinstance(count, int) and count > 0 else 1 for count in counts)
        return images, math.prod(lengths)
    page = tiff.pages[0]
    if tiff.is_shaped and page.size:
        described: Any = tiff.shaped_metadata
        shape = described[0].get("shape", page.shape) if described else page.shape
        planes = math.prod(shape) // page.size
        return planes, planes
    return 1, 1


def voxel_size(tiff: tifffile.TiffFile) -> Calibration:
    """Return the size of a voxel along (z, y, x) that ImageJ or OME metadata give."""
    if tiff.is_ome and tiff.ome_metadata:
        return _ome_voxel_size(tiff.ome_metadata)
    if tiff.is_imagej:
        return _imagej_voxel_size(tiff)
    cut_off = "<OME" in tiff.pages[0].description
    return Calibration.unknown(3, "the OME metadata are not whole" if cut_off else "")


def _ome_voxel_size(text: str) -> Calibration:
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        return Calibration.unknown(3, f"the OME metadata are not valid XML, {error}")
    pixels = next((e for e in root.iter() if e.tag.endswith("}Pixels")), None)
    if pixels is None or pixels.get("PhysicalSizeX") is None:
        return Calibration.unknown(3)
    sizes, units = [], []
    for axis in "ZYX":
        # A missing size is that of x; µm is the OME schema's default unit.
        size = pixels.get(f"PhysicalSize{axis}")
        sizes.append(pixels.get("PhysicalSizeX") if size is None else size)
        units.append(pixels.get(f"PhysicalSize{'X' if size is None else axis}Unit", "µm"))
    return calibration(sizes, units)


def _imagej_voxel_size(tiff: tifffile.TiffFile) -> Calibration:
    metadata = tiff.imagej_metadata or {}
    unit = metadata.get("unit") or "pixel"
    if unit == "pixel":
        return Calibration.unknown(3)
    spacing = metadata.get("spacing", 1.0)  # ImageJ leaves out a depth of 1
    # ImageJ counts the slices of some microscopes downwards.
    sizes: list[Any] = [abs(spacing) if isinstance(spacing, int | float) else spacing]
    for tag in ("YResolution", "XResolution"):
        value = tiff.pages[0].tags.valueof(tag)
        pixels, length = value if isinstance(value, Sequence) and len(value) == 2 else (0, 0)
        sizes.append(length / pixels if pixels else 0.0)
    return calibration(sizes, [unit] * 3)


def tiff_note(tiff: tifffile.TiffFile) -> dict[str, Any]:
    """Return our own note: in ImageJ's "Info", which ImageJ keeps, or in an annotation of OME's."""
    if tiff.is_ome and tiff.ome_metadata:
        try:
            entries = (e for e in ElementTree.fromstring(tiff.ome_metadata).iter() if e.get("K") == KEY)
        except ElementTree.ParseError:
            return {}
        return note_in(next((entry.text for entry in entries), None))
    return note_in((tiff.imagej_metadata or {}).get("Info"))
