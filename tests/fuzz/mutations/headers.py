"""Changes of binary headers by what stands where: TIFF tags and offsets, MRC fields, the text of .npy."""

import io
import struct
from random import Random

import numpy as np
from mrcfile.dtypes import HEADER_DTYPE

from tests.fuzz.mutations.values import NAMES, REALS, number

_TAGS = (254, 256, 257, 258, 259, 262, 266, 270, 273, 277, 278, 279, 284, 305, 317, 320, 322, 323, 324,
    325, 339,
         347, 32997, 32998, 33550, 42113, 50674, 50838, 50839)  # fmt: skip
_CODINGS = (
    1,
    2,
    3,
    5,
    6,
    7,
    8,
    9,
    34712,
    34887,
    34925,
    33003,
    50000,
    50001,
    50002,
    32773,
    32946,
    34892,
    52546,
)


def tiff(stored: bytes, rng: Random) -> bytes:
    """Return a TIFF file with an entry of a page, or a link between pages, changed."""
    text = bytearray(stored)
    try:
        order = {b"II": "<", b"MM": ">"}[stored[:2]]
        big = struct.unpack_from(order + "H", stored, 2)[0] == 43
        offset_form, count_form, entry_bytes = ("Q", "Q", 20) if big else ("I", "H", 12)
        link = 8 if big else 4
        places: list[int] = []  # of entries
        links = [link]
        for _ in range(50):
            offset = struct.unpack_from(order + offset_form, stored, link)[0]
            if not offset:
                break
            count = struct.unpack_from(order + count_form, stored, offset)[0]
            begin = offset + struct.calcsize(count_form)
            places += range(begin, begin + min(count, 100) * entry_bytes, entry_bytes)
            link = begin + count * entry_bytes
            links.append(link)
        _change_tiff(text, rng, order, offset_form, places, links)
    except (KeyError, struct.error, OverflowError):
        return stored
    return bytes(text)


def _change_tiff(
    text: bytearray, rng: Random, order: str, offset_form: str, places: list[int], links: list[int]
) -> None:
    size = struct.calcsize(offset_form)
    for _ in range(rng.choice((1, 1, 2, 3))):
        entry, way = rng.choice(places or [8]), rng.randrange(8)
        first = rng.choice((entry, places[0] if places else 8))  # what all pages are said to be like
        if way == 0:
            struct.pack_into(order + "H", text, entry, rng.choice(_TAGS))
        elif way == 1:
            struct.pack_into(order + "H", text, entry + 2, rng.randrange(20))
        elif way == 2:
            struct.pack_into(order + offset_form, text, entry + 4, number(rng) % 256**size)
        elif way == 3:
            place = rng.choice((links[0], rng.choice(places or [8]), rng.randrange(len(text)), 2**31))
            struct.pack_into(order + offset_form, text, rng.choice(links), place)
        elif way == 4:
            other = rng.choice(places or [8])
            text[entry : entry + 8 + size] = text[other : other + 8 + size]
        elif way == 5:
            tag = struct.unpack_from(order + "H", text, first)[0]
            wanted = rng.choice(_CODINGS) if tag == 259 else rng.choice((number(rng), rng.randrange(40)))
            struct.pack_into(order + "H", text, first + 4 + size, wanted % 65536)
        else:
            struct.pack_into(order + offset_form, text, first + 4 + size, number(rng) % 256**size)


def mrc(stored: bytes, rng: Random) -> bytes:
    """Return an MRC file with fields of its header changed."""
    if len(stored) < HEADER_DTYPE.itemsize:
        return stored
    text = bytearray(stored)
    for _ in range(rng.choice((1, 1, 2, 3))):
        name = rng.choice(HEADER_DTYPE.names or ())
        field, offset = (HEADER_DTYPE.fields or {})[name][:2]
        place = offset + rng.randrange(max(field.itemsize // 4, 1)) * 4
        if rng.random() < 0.3:
            struct.pack_into("<f", text, place, rng.choice((0.0, 0.5, -1e30, 1e38, 3e-39)))
        elif rng.random() < 0.5:
            struct.pack_into(rng.choice("<>") + "I", text, place, rng.randrange(13))
        else:
            struct.pack_into(rng.choice("<>") + "I", text, place, number(rng) % 2**32)
    return bytes(text)


def npy(stored: bytes, rng: Random) -> bytes:
    """Return a .npy file with another header before its pixels."""
    begin = stored.find(b"\n") + 1
    shape = tuple(rng.choice((number(rng), rng.randrange(30), 6, 20, 24)) for _ in range(rng.randrange(7)))
    kind = rng.choice(
        (repr(rng.choice(NAMES)), "'<u2'", "'|u1'", "[('a', '<f8')]", "'<f8'", "(('<f4', (2,)))")
    )
    order = rng.choice(("True", "False", "1", "None"))
    header = f"{{'descr': {kind}, 'fortran_order': {order}, 'shape': {shape}, }}"
    if rng.random() < 0.1:
        header = rng.choice(
            ("(" * 5000, "__import__('os').mkdir('fuzz-outside')", "{}", "1", "9" * 5000, "-" * 9000)
        )
    text = header.encode() + b" " * rng.randrange(70) + b"\n"
    version = rng.choice(((1, 0), (2, 0), (3, 0), (9, 9)))
    length = len(text) if rng.random() < 0.9 else number(rng) % 65536
    packed = struct.pack("<H" if version == (1, 0) else "<I", length % 65536)
    return b"\x93NUMPY" + bytes(version) + packed + text + stored[begin:]


def array_member(rng: Random) -> bytes:
    """Return a small array as a member of a zip archive, often with a header that lies."""
    file = io.BytesIO()
    np.save(file, np.full(rng.randrange(1, 20), rng.choice(REALS), rng.choice((np.float16, np.float32))))
    return file.getvalue() if rng.random() < 0.3 else npy(file.getvalue(), rng)
