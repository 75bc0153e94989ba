"""The chain of pages in a TIFF file: whether it is whole, and whether its pages are alike.

tifffile takes a chain that breaks off for a shorter file, and trusts a few pages to speak for all of
them; both would score wrong pixels without a word.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from napari_tiqa.errors import VolumeError

WIDTH, HEIGHT, BITS, SAMPLE_FORMAT = 256, 257, 258, 339
# Compression, order of bits, samples, rows per strip, planar configuration, predictor, tile width and height,
# tile depth.
CODING = (259, 266, 277, 278, 284, 317, 322, 323, 32998)
# Tables of JPEG and parameters of LERC, common to a page's strips or tiles.
TABLES = (347, 50674)
# Text (ImageJ's and OME's metadata), and the tables of strips and tiles: often kept elsewhere in the file.
ELSEWHERE = (270, 273, 279, 324, 325, *TABLES)
SHORT = 3
TYPE_BYTES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}  # others: 1
SAMPLE_FORMATS = {1: "unsigned integer", 2: "signed integer", 3: "floating point"}


@dataclass(frozen=True)
class PageLayout:
    """A page's size in pixels, bits per pixel, and kind of number; and how it is coded."""

    height: int
    width: int
    bits: int
    sample_format: int
    coding: tuple[int | bytes, ...]

    def same_pixels(self, other: "PageLayout") -> bool:
        """Tell whether both pages hold the same size and type of image, however coded."""
        mine = (self.height, self.width, self.bits, self.sample_format)
        return mine == (other.height, other.width, other.bits, other.sample_format)

    def __str__(self) -> str:
        """Return size and type for a message: '720 x 720 pixels of 8 bit unsigned integer'."""
        kind = SAMPLE_FORMATS.get(self.sample_format, "other")
        return f"{self.height} x {self.width} pixels of {self.bits} bit {kind}"


def read_chain(path: Path) -> list[PageLayout]:
    """Follow the chain from page to page without reading pixels; raises VolumeError where it breaks off."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        order = {b"II": "<", b"MM": ">"}.get(start[:2])
        if order is None or len(start) < 8 or struct.unpack(order + "H", start[2:4])[0] not in (42, 43):
            raise VolumeError(
                f"'{path}' is not a TIFF file, whatever its name says: check where it comes from."
            )
        big = struct.unpack(order + "H", start[2:4])[0] == 43
        count_format, offset_format = ("Q", "Q") if big else ("H", "I")
        entry = struct.Struct(order + ("HHQ8s" if big else "HHI4s"))
        pages: list[PageLayout] = []
        seen: set[int] = set()

        def truncated() -> VolumeError:
            where = f"after page {len(pages) - 1}" if pages else "within its first page"
            return VolumeError(f"'{path}' is truncated {where}: copy it again.")

        def unpack(form: str, place: int) -> int:
            file.seek(place)
            stored = file.read(struct.calcsize(form))
            if len(stored) < struct.calcsize(form):
                raise truncated()
            return struct.unpack(order + form, stored)[0]

        offset = unpack(offset_format, 8 if big else 4)
        while offset and offset not in seen:
            seen.add(offset)
            entries = unpack(count_format, offset)
            begin = offset + struct.calcsize(count_format)
            end = begin + entries * entry.size
            following = unpack(offset_format, min(end, size))  # also checks that the tags are all there
            file.seek(begin)
            layout = _layout(file, file.read(end - begin), entry, order, size)
            if layout is None:
                raise truncated()
            pages.append(layout)
            offset = following
    if not pages:
        raise VolumeError(f"'{path}' holds no image: check where it comes from.")
    return pages


def _layout(file: BinaryIO, entries: bytes, entry: struct.Struct, order: str, size: int) -> PageLayout | None:
    """Read a page's tags; None where a table or text that it needs lies beyond the file's end."""
    tags: dict[int, int] = {}
    tables: list[bytes] = []
    for tag, kind, count, value in entry.iter_unpack(entries):
        length = count * TYPE_BYTES.get(kind, 1)
        if length > len(value):
            place = struct.unpack(order + ("Q" if len(value) == 8 else "I"), value)[0]
            if tag in ELSEWHERE and place + length > size:
                return None
            if tag in TABLES:
                file.seek(place)
                tables.append(file.read(length))
        elif count == 1:
            form, length = ("H", 2) if kind == SHORT else ("I", 4)
            tags[tag] = struct.unpack(order + form, value[:length])[0]
    return PageLayout(
        tags.get(HEIGHT, 0),
        tags.get(WIDTH, 0),
        tags.get(BITS, 1),
        tags.get(SAMPLE_FORMAT, 1),
        (*(tags.get(tag, 0) for tag in CODING), *tables),
    )
