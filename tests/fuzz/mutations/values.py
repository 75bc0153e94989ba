"""Values that break readers: numbers at the edges, deep and long texts, names that lead elsewhere."""

import json
from random import Random
from typing import Any

NUMBERS = (
    0, 1, -1, 2, 3, 5, 7, 127, 128, 255, 256, 1023, 1024, 32767, 32768, 65535, 65536, 2**24, 2**31 - 1, 2**31,
    2**32 - 1, 2**32, 2**53, 2**63 - 1, 2**63, 2**64 - 1, -2, -128, -(2**31), -(2**63), 10**6, 10**9, 10**12,
)  # fmt: skip
REALS = (0.0, -0.0, 0.5, 1e-320, 1e-30, 1e30, 1e308, -1e308, float("inf"), -float("inf"), float("nan"))
TEXTS = (
    "", " ", "0", "-1", "1e999", "nan", "inf", "..", "../outside", "/tmp/fuzz-outside", "a/b", "C:\\x",
        "\x00",
    "\ufeff", "ä", "\U0001f600", "\ud800", "~", "~root/x", ".", "con", "%s%n", "{0}", "__class__", "x" * 300,
    "x" * 100_000, "9" * 400, "9" * 5000, "true", "null", "2026-01-01", "1,2", "1;2", '"', "'", "\n", "=1+1",
)  # fmt: skip
NAMES = (
    "|O", "|V8", "<M8[s]", "<U4", "|S3", "<f8", ">f4", "<f2", "|b1", "<c8", "|u1", "<i8", "float128",
        "bfloat16",
    "string", "bytes", "object", "int4", "r16", "pickle", "zlib", "gzip", "blosc", "zstd", "lz4",
        "lzma", "bz2",
    "vlen-utf8", "json2", "msgpack2", "delta", "fixedscaleoffset", "crc32", "crc32c", "shuffle", "transpose",
    "sharding_indexed", "bytes", "quantize", "astype", "packbits", "numcodecs.pickle", "numcodecs.zlib",
        "regular",
    "default", "v2", "/", ".", "C", "F", "t", "c", "z", "y", "x", "q", "space", "scale", "translation",
        "meter",
    "0.4", "0.5", "micrometer", "gaussian", "median", "noise", "0", "1", "in.zarr", "group", "array",
)  # fmt: skip
CODECS = (
    {"id": "pickle"}, {"id": "zlib", "level": -9}, {"id": "blosc", "cname": "x", "clevel": 99, "shuffle": 9},
    {"id": "delta", "dtype": "<f8"}, {"id": "fixedscaleoffset", "offset": 0, "scale": 0, "dtype": "<f8"},
    {"id": "astype", "encode_dtype": "<f4", "decode_dtype": "|O"}, {"id": "vlen-utf8"}, {"id": "json2"},
    {"name": "numcodecs.pickle", "configuration": {}}, {"name": "gzip", "configuration": {"level": 99}},
    {"name": "transpose", "configuration": {"order": [0, 0, 0]}}, {"name": "bytes"}, {"name": "crc32c"},
    {"name": "sharding_indexed", "configuration": {"chunk_shape": [0], "codecs": [], "index_codecs": []}},
)  # fmt: skip


def number(rng: Random) -> int:
    """Return a whole number at an edge, or beside one."""
    return rng.choice(NUMBERS) + rng.choice((0, 0, 0, 1, -1))


def value(rng: Random) -> Any:
    """Return any value that JSON can hold, and some that it cannot."""
    kind = rng.randrange(8)
    if kind == 0:
        return number(rng)
    if kind == 1:
        return rng.choice(REALS)
    if kind == 2:
        return rng.choice(TEXTS)
    if kind == 3:
        return rng.choice(NAMES)
    if kind == 4:
        return rng.choice((None, True, False, [], {}, [[]], [None], {"": None}, 10**400, -(10**400)))
    if kind == 5:
        return [value(rng) for _ in range(rng.randrange(5))]
    if kind == 6:
        return {rng.choice(NAMES): value(rng) for _ in range(rng.randrange(3))}
    return rng.choice(CODECS)


def changed(found: Any, rng: Random) -> Any:
    """Return a JSON value with one place in it changed: another value, left out, twice, or swapped."""
    if not isinstance(found, dict | list) or not found or rng.random() < 0.08:
        if isinstance(found, int | float) and not isinstance(found, bool) and rng.random() < 0.5:
            return rng.choice(
                (found + 1, found - 1, -found, found * 2, found * 0.5 if abs(found) < 2**60 else 0, [found])
            )
        return value(rng)
    if isinstance(found, list):
        place = rng.randrange(len(found))
        way = rng.randrange(8)
        if way == 0:
            return found[:place] + found[place + 1 :]
        if way == 1:
            return found[:place] + [found[place]] * rng.choice((2, 3, 500)) + found[place + 1 :]
        if way == 2:
            return rng.sample(found, len(found))
        return [*found[:place], changed(found[place], rng), *found[place + 1 :]]
    key = rng.choice(list(found))
    way = rng.randrange(12)
    if way == 0:
        return {name: each for name, each in found.items() if name != key}
    if way == 1:
        return {(rng.choice(NAMES) if name == key else name): each for name, each in found.items()}
    if way == 2:
        return found | {key: found[rng.choice(list(found))]}
    if way == 3:
        return found | {rng.choice(NAMES): value(rng)}
    return found | {key: changed(found[key], rng)}


def json_text(stored: bytes, rng: Random) -> bytes:
    """Return a JSON text with one to three places changed; nested deeply now and then."""
    try:
        found = json.loads(stored)
    except (ValueError, RecursionError):
        return stored
    if rng.random() < 0.01:
        depth = rng.choice((100, 990, 5000, 100_000))
        return b"[" * depth + b"1" + b"]" * depth
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        found = changed(found, rng)
    text = json.dumps(found, ensure_ascii=rng.random() < 0.5)
    return text.encode(errors="surrogatepass")


def table(stored: bytes, rng: Random) -> bytes:
    """Return a CSV text with a cell, a line or a column changed."""
    lines = [line.split(b",") for line in stored.split(b"\n")]
    row = rng.randrange(len(lines))
    column = rng.randrange(len(lines[row]))
    way = rng.randrange(9)
    if way == 0:
        del lines[row]
    elif way == 1:
        lines[row:row] = [lines[row]] * rng.choice((1, 2, 300))
    elif way == 2:
        lines = [line[:column] + line[column + 1 :] for line in lines]
    elif way == 3:
        lines[row].insert(column, _cell(rng))
    elif way == 4:
        rng.shuffle(lines)
    elif way == 5:
        other = rng.randrange(len(lines))
        lines[row][column] = rng.choice(lines[other])
    else:
        lines[row][column] = _cell(rng)
    return b"\n".join(b",".join(line) for line in lines)


def _cell(rng: Random) -> bytes:
    found = rng.choice(
        (number(rng), rng.choice(REALS), rng.choice(TEXTS), rng.choice(NAMES), "", "=x", "True")
    )
    return str(found).encode(errors="surrogatepass")
