"""Pages of TIFF files: where their pixels lie, how they are coded, and the stack that they make."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.source_file import SourceFile
from napari_tiqa.volumes.stored import Box, Stored


class Coding:
    """How the pixels of pages that are alike are coded, as one page's tags say.

    Made while the file is open, since tifffile reads some tags when they are first asked for. It can be
    pickled: its decoder, which cannot, is then made from the file again.

    Attributes
    ----------
    shape, shaped : tuple of int
        Of a page, (y, x) or (z, y, x); and as tifffile has it, (separate samples, z, y, x, samples).
    dtype : numpy.dtype
        In native byte order.
    plain : bool
        Whether the pixels are stored as they are in memory, but for the byte order.
    swapped : bool
        Whether that is the other one.
    unwritten : float
        What the pixels are of a part that was never written.
    segments : int
        How many strips or tiles a page has at least.
    """

    def __init__(self, page: tifffile.TiffPage) -> None:
        self._path = Path(page.parent.filehandle.path)
        self._offset = page.offset
        self.shape = tuple(page.shape)
        self.shaped = tuple(page.shaped)
        self.dtype = np.dtype(page.dtype)
        self.plain = bool(page.is_contiguous) and page.fillorder == 1 and page.predictor == 1
        self.swapped = not self.dtype.newbyteorder(page.parent.byteorder).isnative
        self.segments = 1 if self.plain else math.prod(page.chunked)
        self.unwritten = page.nodata
        self._decode: Callable[..., Any] | None = None if self.plain else _decoder(page)

    @property
    def nbytes(self) -> int:
        """Bytes that a page takes in memory."""
        return math.prod(self.shape) * self.dtype.itemsize

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the decoder, a function within a function."""
        return {**self.__dict__, "_decode": None}

    def segment(self, stored: bytes, number: int) -> tuple[Any, Any, Any]:
        """Decode a strip or tile: its values, its place in `shaped`, its size there."""
        if self._decode is None:
            with tifffile.TiffFile(self._path) as tiff:
                self._decode = _decoder(page_at(tiff, self._offset))
        return self._decode(stored or None, number)

    def empty(self) -> np.ndarray:
        """Return a page of which no segment was written, as tifffile reads it."""
        # Zeros take no memory until they are written to.
        if not self.unwritten:
            return np.zeros(self.shaped, self.dtype)
        return np.full(self.shaped, self.unwritten, self.dtype)


@dataclass(frozen=True)
class Page:
    """Where one page's pixels lie in a file, and how they are coded."""

    source: SourceFile
    offsets: tuple[int, ...]
    byte_counts: tuple[int, ...]
    coding: Coding

    @property
    def path(self) -> Path:
        """The file that the page is in."""
        return self.source.path

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
            if self.coding.plain and out.flags.c_contiguous:
                self._read_plain(file, out)
            else:
                out[...] = self._decoded(file)
        self.source.check()

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
        if self.coding.swapped:
            out.byteswap(inplace=True)

    def _decoded(self, file: FileIO) -> np.ndarray:
        pixels = self.coding.empty()
        for number, (offset, count) in enumerate(zip(self.offsets, self.byte_counts, strict=True)):
            file.seek(offset)
            segment = file.read(count)
            if len(segment) < count:
                raise self._ended()
            # A segment of no bytes was never written.
            values, (s, d, h, w, _), (depth, height, width, _) = self.coding.segment(segment, number)
            if values is not None:
                part = pixels[s, d : d + depth, h : h + height, w : w + width]
                part[...] = values[: part.shape[0], : part.shape[1], : part.shape[2]]
        return pixels.reshape(self.coding.shape)

    def _ended(self) -> EOFError:
        return EOFError(f"'{self.path.name}' ends in the middle of the page")


class PageStack(Stored):
    """Pages as one array: shape (leading..., *page), each page read for itself."""

    def __init__(self, pages: Sequence[Page], leading: tuple[int, ...]) -> None:
        self.pages = pages
        self.leading = leading
        self.shape = leading + pages[0].coding.shape
        self.dtype = pages[0].coding.dtype

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


def pages_of(pages: Sequence[tifffile.TiffPage | tifffile.TiffFrame]) -> list[Page]:
    """Keep of pages what their reading needs, so that the file can be closed; raises as `coding_of`."""
    codings: dict[int, Coding] = {}
    sources: dict[Path, SourceFile] = {}
    kept = []
    for page in pages:
        path = Path(page.parent.filehandle.path)
        coding = codings.get(id(page.keyframe))
        if coding is None:
            coding = codings[id(page.keyframe)] = coding_of(page.keyframe, path)
        offsets, byte_counts = tuple(page.dataoffsets), tuple(page.databytecounts)
        if coding.plain and len(offsets) == 1:
            byte_counts = (coding.nbytes,)  # which some programs write wrongly
        if path not in sources:
            sources[path] = SourceFile(path)
        kept.append(Page(sources[path], offsets, byte_counts, coding))
    return kept


def coding_of(page: tifffile.TiffPage, path: Path) -> Coding:
    """Return how a page is coded; raises VolumeError for a colour image or what cannot be decoded here."""
    if page.samplesperpixel != 1 or page.photometric in (2, 3, 6):
        raise VolumeError(
            f"'{path}' is a colour image ({getattr(page.photometric, 'name', page.photometric)}, "
            f"{page.samplesperpixel} samples per pixel): convert it to grey values first."
        )
    if page.dtype is None:
        raise VolumeError(
            f"'{path}' has pixels of {page.bitspersample} bits, which cannot be read: "
            "convert it to 8 or 16 bit integers or 32 bit floating point."
        )
    coding = Coding(page)
    if not coding.plain:
        try:
            coding.segment(b"", 0)
        except ValueError as error:
            raise VolumeError(
                f"'{path}' is compressed with {getattr(page.compression, 'name', page.compression)!s:.40}, "
                "which cannot be decoded: save it uncompressed or with LZW."
            ) from error
    return coding


def page_at(tiff: tifffile.TiffFile, offset: int) -> tifffile.TiffPage:
    """Read all tags of the page at a place in a file, for itself and not as one like the first."""
    tiff.filehandle.seek(offset)
    return tifffile.TiffPage(tiff, index=0)


def check_pixels_present(pages: Sequence[Page]) -> int:
    """Raise VolumeError where a page's pixels lie beyond its file's end; count pages with unwritten parts."""
    sizes: dict[Path, int] = {}
    unwritten = 0
    for number, page in enumerate(pages):
        if page.path not in sizes:
            sizes[page.path] = page.path.stat().st_size
        end = max(map(sum, zip(page.offsets, page.byte_counts, strict=True)), default=0)
        if end > sizes[page.path] or len(page.offsets) < page.coding.segments:
            missing = "lie beyond its end" if end > sizes[page.path] else "are not all listed in its tags"
            raise VolumeError(
                f"'{page.path}' is truncated: the pixels of page {number} {missing}; copy it again."
            )
        unwritten += not page.byte_counts or 0 in page.byte_counts
    return unwritten


def _decoder(page: tifffile.TiffPage) -> Callable[..., Any]:
    return partial(page.decode, jpegtables=page.jpegtables)
