"""TIFF files: multi-page, BigTIFF, ImageJ and OME-TIFF; each page is read when it is asked for."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import dask.array
import numpy as np
import tifffile

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.applied import KEY, applied_in, note_in, window_in
from napari_tiqa.volumes.raw import open_raw
from napari_tiqa.volumes.stored import Box, Stored, lazy
from napari_tiqa.volumes.tiff_chain import PageLayout, read_chain
from napari_tiqa.volumes.units import common_unit, known_unit
from napari_tiqa.volumes.volume import Volume, check_image

PLANES = {"Y", "X"}
NAMED = {"T": "t", "C": "c", "Z": "z"}


@dataclass(frozen=True)
class Page:
    """Where one page's pixels lie in a file, and the page whose tags say how they are coded."""

    path: Path
    offsets: tuple[int, ...]
    byte_counts: tuple[int, ...]
    coding: tifffile.TiffPage

    def read(self) -> np.ndarray:
        """Read and decode the page; shape (y, x), or (z, y, x) for a page that holds a volume."""
        pixels = np.empty(self.coding.shape, self.coding.dtype)
        self.read_into(pixels)
        return pixels

    def read_into(self, out: np.ndarray) -> None:
        """Read and decode the page straight to its place, an array of its shape and dtype.

        The file is opened for this only, so nothing is shared between threads and no handle stays.
        """
        with self.path.open("rb", buffering=0) as file:
            if self.coding.is_contiguous and out.flags.c_contiguous:
                self._read_plain(file, out)
            else:
                out[...] = self._decoded(file)

    def _read_plain(self, file: FileIO, out: np.ndarray) -> None:
        """Read a page that is stored as it is in memory, but for the byte order."""
        place = out.reshape(-1).view(np.uint8).data
        for offset, count in zip(self.offsets, self.byte_counts, strict=True):
            file.seek(offset)
            part, place = place[:count], place[count:]
            if file.readinto(part) < len(part):
                raise self._ended()
        if len(place):
            raise self._ended()
        if not np.dtype(self.coding.dtype).newbyteorder(self.coding.parent.byteorder).isnative:
            out.byteswap(inplace=True)

    def _decoded(self, file: FileIO) -> np.ndarray:
        coding = self.coding
        pixels = np.zeros(coding.shaped, coding.dtype)
        for number, (offset, count) in enumerate(zip(self.offsets, self.byte_counts, strict=True)):
            file.seek(offset)
            segment = file.read(count)
            if len(segment) < count:
                raise self._ended()
            # A segment of no bytes was never written: it stays 0.
            values, (s, d, h, w, _), (depth, height, width, _) = coding.decode(
                segment or None, number, jpegtables=coding.jpegtables
            )
            if values is not None:
                part = pixels[s, d : d + depth, h : h + height, w : w + width]
                part[...] = values[: part.shape[0], : part.shape[1], : part.shape[2]]
        return pixels.reshape(coding.shape)

    def _ended(self) -> EOFError:
        return EOFError(f"'{self.path.name}' ends in the middle of the page")


class PageStack(Stored):
    """Pages as one array: shape (leading..., *page), each page read for itself."""

    def __init__(self, pages: Sequence[Page], leading: tuple[int, ...]) -> None:
        self.pages = pages
        self.leading = leading
        self.shape = leading + tuple(pages[0].coding.shape)
        self.dtype = np.dtype(pages[0].coding.dtype)

    def read_into(self, box: Box, out: np.ndarray) -> None:
        """Read the pages that the box touches."""
        depth = len(self.leading)
        numbers = np.arange(len(self.pages)).reshape(self.leading)[box[:depth]]
        within = box[depth:]
        for place, number in np.ndenumerate(numbers):
            page, target = self.pages[int(number)], out[place]
            if target.shape == self.shape[depth:]:
                page.read_into(target)
            else:
                target[...] = page.read()[within]


def open_tiff(path: Path) -> Volume:
    """Open a TIFF file: its pages are the slices, unless ImageJ or OME metadata say otherwise.

    Voxel sizes are taken from ImageJ and OME metadata. The resolution tags of other files are left alone,
    since writers fill them with a screen's dots per inch. Of several OME images, the first is opened. Raises
    VolumeError for colour images, pages of different size or dtype, a coding that cannot be decoded here, or
    a truncated file.
    """
    chain = read_chain(path)
    with tifffile.TiffFile(path) as tiff:
        pages, letters, lengths, contiguous = _arrange(tiff, chain, path)
        coding = pages[0].coding
        spatial = _voxel_size(tiff)
        applied = applied_in(tiff_note(tiff))
    check_decodable(coding, path)
    check_image(lengths, coding.dtype, path.name)

    data: dask.array.Array
    if contiguous is not None:
        stored = np.dtype(coding.dtype).newbyteorder(coding.parent.byteorder)
        data = open_raw(path, contiguous, lengths, stored)
    else:
        leading = lengths[: len(lengths) - len(coding.shape)]
        if math.prod(leading) != len(pages):
            raise VolumeError(
                f"'{path}' has {len(pages)} pages where its metadata promise {math.prod(leading)}: "
                "it is truncated or was not finished; write it again."
            )
        check_pixels_present(pages)
        data = lazy(PageStack(pages, leading), (1,) * len(leading) + tuple(coding.shape))

    if tiff.is_imagej and letters in ("TYX", "CYX"):
        # ImageJ and tifffile call the slices of a plain stack frames or channels.
        letters = "ZYX"
    axes = axis_names(letters)
    order = sorted(range(len(axes)), key=lambda i: "tczyx".index(axes[i]))
    axes = tuple(axes[i] for i in order)
    sizes, unit = spatial
    return Volume(
        data=data if order == list(range(len(axes))) else data.transpose(order),
        axes=axes,
        voxel_size=tuple(sizes.get(axis, 1.0) for axis in axes),
        unit=unit,
        name=path.stem.removesuffix(".ome"),
        source=str(path),
        window=window_in(applied),
        applied=applied,
    )


def axis_names(letters: str) -> tuple[str, ...]:
    """Translate tifffile's axis letters; what has no meaning of its own (I, Q) becomes z, t or c."""
    names = [NAMED.get(letter, letter.lower() if letter in PLANES else "") for letter in letters]
    for place in reversed(range(len(names))):
        if not names[place]:
            names[place] = next((name for name in "ztc" if name not in names), "")
    return tuple(names)


def page_of(page: tifffile.TiffPage | tifffile.TiffFrame) -> Page:
    """Keep of a page what its reading needs, so that the file can be closed."""
    return Page(
        Path(page.parent.filehandle.path),
        tuple(page.dataoffsets),
        tuple(page.databytecounts),
        page.keyframe,
    )


def check_pixels_present(pages: Sequence[Page]) -> None:
    """Raise VolumeError where a page's pixels would lie beyond the end of its file."""
    sizes: dict[Path, int] = {}
    for number, page in enumerate(pages):
        if page.path not in sizes:
            sizes[page.path] = page.path.stat().st_size
        end = max(map(sum, zip(page.offsets, page.byte_counts, strict=True)), default=0)
        if end > sizes[page.path]:
            raise VolumeError(
                f"'{page.path}' is truncated: the pixels of page {number} lie beyond its end; copy it again."
            )


def check_decodable(coding: tifffile.TiffPage, path: Path) -> None:
    """Raise VolumeError for a colour image, or a compression that cannot be decoded here."""
    if coding.samplesperpixel != 1 or coding.photometric in (2, 3, 6):
        raise VolumeError(
            f"'{path}' is a colour image ({coding.photometric.name}, {coding.samplesperpixel} samples "
            "per pixel): convert it to grey values first."
        )
    if coding.is_contiguous:
        return
    try:
        coding.decode(None, 0, jpegtables=coding.jpegtables)
    except ValueError as error:
        raise VolumeError(
            f"'{path}' is compressed with {coding.compression.name}, which cannot be decoded: "
            "save it uncompressed or with LZW."
        ) from error


def _arrange(
    tiff: tifffile.TiffFile, chain: list[PageLayout], path: Path
) -> tuple[list[Page], str, tuple[int, ...], int | None]:
    """Return the pages in order, the axes and shape that they are to be given, and where they lie as one."""
    alike = all(layout == chain[0] for layout in chain)
    # Where a later page has a description of its own, the pages were written one by one. Asking for the
    # series of these would compare each page with each.
    one_by_one = len(chain) > 1 and tiff.pages[1].is_shaped
    if tiff.is_ome or (alike and not one_by_one and len(tiff.series) == 1):
        series = tiff.series[0]
        frames = list(series.pages)
        if None in frames:
            raise VolumeError(
                f"'{path}' lacks plane {frames.index(None)} of those that its OME metadata list: "
                "put all files of the series into one folder."
            )
        coding = series.keyframe
        plain = coding.is_contiguous and coding.is_memmappable
        pages = [page_of(frame) for frame in frames]
        return pages, series.axes, tuple(series.shape), series.dataoffset if plain else None

    # Pages written one by one: slices, if they are all alike.
    for number, layout in enumerate(chain):
        if not layout.same_pixels(chain[0]):
            raise VolumeError(
                f"Page {number} of '{path}' has {layout} while page 0 has {chain[0]}: "
                "a tomogram needs pages of one size and type."
            )
    first = tiff.pages[0]
    # Of pages that are coded like the first, no more is read than where their pixels lie.
    tiff.pages.useframes = alike
    pages = [page_of(first), *(page_of(tiff.pages[number]) for number in range(1, len(chain)))]
    shape = pages[0].coding.shape
    return pages, "Q" + pages[0].coding.axes, (len(pages), *shape), None


def _voxel_size(tiff: tifffile.TiffFile) -> tuple[dict[str, float], str]:
    """Return the size per spatial axis and the unit that ImageJ or OME metadata give."""
    if tiff.is_ome and tiff.ome_metadata:
        return _ome_voxel_size(tiff.ome_metadata)
    if tiff.is_imagej:
        return _imagej_voxel_size(tiff)
    return {}, "pixel"


def _ome_voxel_size(xml: str) -> tuple[dict[str, float], str]:
    root = ElementTree.fromstring(xml)
    pixels = next((e for e in root.iter() if e.tag.endswith("}Pixels")), None)
    across = pixels.get("PhysicalSizeX") if pixels is not None else None
    if pixels is None or across is None:
        return {}, "pixel"
    sizes, units = [], []
    for axis in "ZYX":
        # A missing size is that of x; µm is the OME schema's default unit.
        size = pixels.get(f"PhysicalSize{axis}")
        sizes.append(float(size or across))
        units.append(pixels.get(f"PhysicalSize{axis if size else 'X'}Unit", "µm"))
    return _by_axis(sizes, units)


def _imagej_voxel_size(tiff: tifffile.TiffFile) -> tuple[dict[str, float], str]:
    metadata = tiff.imagej_metadata or {}
    unit = str(metadata.get("unit", ""))
    if known_unit(unit) == "pixel":
        return {}, "pixel"
    sizes = [abs(float(metadata.get("spacing", 1.0)))]  # ImageJ leaves out a depth of 1
    for tag in ("YResolution", "XResolution"):
        value = tiff.pages[0].tags.valueof(tag)
        pixels, length = value if isinstance(value, tuple) else (0, 0)
        sizes.append(length / pixels if pixels else 0.0)
    return _by_axis(sizes, [unit] * 3)


def tiff_note(tiff: tifffile.TiffFile) -> dict[str, Any]:
    """Return our own note: in ImageJ's "Info", which ImageJ keeps, or in an annotation of OME's."""
    if tiff.is_ome and tiff.ome_metadata:
        entries = (e for e in ElementTree.fromstring(tiff.ome_metadata).iter() if e.get("K") == KEY)
        return note_in(next((entry.text for entry in entries), None))
    return note_in((tiff.imagej_metadata or {}).get("Info"))


def _by_axis(sizes: Sequence[float], units: Sequence[str | None]) -> tuple[dict[str, float], str]:
    common, unit = common_unit(sizes, units)
    return dict(zip("zyx", common, strict=True)), unit
