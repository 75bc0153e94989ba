"""Changes of bytes that know nothing of a format: flips, numbers at edges, cuts, copies, splices."""

import struct
from random import Random

from tests.fuzz.mutations.values import number


def changed(stored: bytes, rng: Random, other: bytes = b"") -> bytes:
    """Return bytes changed in one to four ways; `other` is what they may be spliced with."""
    text = bytearray(stored)
    for _ in range(rng.choice((1, 1, 2, 4))):
        _change(text, rng, other)
    return bytes(text)


def _change(text: bytearray, rng: Random, other: bytes) -> None:
    # What decides mostly stands in the beginning; in some formats at the end.
    reach = rng.choice((len(text), min(len(text), 256), min(len(text), 1024)))
    place = rng.randrange(reach) if reach else 0
    if rng.random() < 0.15:
        place = len(text) - 1 - place if text else 0
    length = rng.choice((1, 2, 4, 8, 16, 64, 500))
    way = rng.randrange(10)
    if way == 0 and text:
        text[place] ^= 1 << rng.randrange(8)
    elif way == 1 and text:
        text[place] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, 0x20, 0x0A, rng.randrange(256)))
    elif way in (2, 3):
        size, order = rng.choice("HIQ"), rng.choice("<>")
        packed = struct.pack(order + size, number(rng) % 256 ** struct.calcsize(size))
        text[place : place + len(packed)] = packed
    elif way == 4:
        del text[place : place + length]
    elif way == 5:
        del text[place:]
    elif way == 6:
        text[place:place] = text[place : place + length] * rng.choice((1, 1, 20))
    elif way == 7:
        text[place : place + length] = bytes([rng.choice((0, 0xFF))]) * length
    elif way == 8 and other:
        begin = rng.randrange(len(other))
        text[place : place + length] = other[begin : begin + length]
    elif way == 9 and other:
        begin = rng.randrange(len(other))
        text[place:] = other[begin:]
