"""All tests, as cases: which slices get which faults at which size."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.left_out import generators, scanner
from benchmarks.left_out.cases import Case, case
from benchmarks.left_out.concentric import KINDS, concentric_slice
from benchmarks.left_out.content import SHOWN, Content, large_ones, one_of_each, plane_of
from benchmarks.left_out.generators import Generator
from benchmarks.left_out.strangers import strangers
from models.label_scale import label_scale
from models.specimens import Scan, read_scan
from napari_tiqa.errors import VolumeError
from napari_tiqa.learning.images.observers import compare
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.window_estimate import estimate_window

SIZES = (224, 255, 320, 448, 640)
LARGE_SIZES = (1024, 2048)
OTHER_SIZES = (320, 640)
STATIC_SIZES = (100, 224, 300, 512, 1024, 1500, 2048)

_LARGE_FROM = 976
_SHOWN = 976  # px of a large slice that full-reference metrics compare
_SCANNED = (
    "dtu elbow ct",
    "insegt glass",
    "qbi lung",
    "quanfima polymer fibres",
    "sbrisard rice",
    "tomobank 00108 F3rock",
    "pymicro mousse",
    "httomo angular grains",  # from here on with faults of their own
    "xlearn particles",
)

Make = Callable[[], Sequence[Case]]
"""Makes cases; several are called at once."""


def paper(data: Path) -> Iterator[Make]:
    """Add the paper's distortions at sizes from 224 to 2048 px."""
    for number, content in enumerate(one_of_each(data)):
        for side in SIZES:
            yield from _spoilt("paper", content, side, generators.PAPER, number)
    for number, content in enumerate(large_ones(data, round(LARGE_SIZES[0] / 1.3))):
        for side in LARGE_SIZES:
            yield from _spoilt("paper", content, side, generators.PAPER, number)


def others(data: Path) -> Iterator[Make]:
    """Add faults by generators that no training has seen."""
    for number, content in enumerate(one_of_each(data)):
        for side in OTHER_SIZES:
            yield from _spoilt("others", content, side, generators.OTHERS, 1000 + number)


def _spoilt(
    test: str, content: Content, side: int, chosen: tuple[Generator, ...], number: int
) -> Iterator[Make]:
    image = content.at(side)
    if side == 224 and image is None:
        image = case("", "", True, [content.pixels], [""], [0]).tiles[0] / np.float32(255)  # reflected
    if image is not None:
        yield partial(_spoilt_cases, test, content, image, chosen, [number, side])


def _spoilt_cases(
    test: str,
    content: Content,
    image: np.ndarray,
    chosen: tuple[Generator, ...],
    seed: list[int],
) -> list[Case]:
    planes, families, names, levels = [image], [""], [""], [0]
    for generator in chosen:
        versions = generator.versions(image, np.random.default_rng([*seed, len(planes)]))
        planes += versions
        families += [generator.family] * len(versions)
        names += [generator.name] * len(versions)
        levels += range(1, len(versions) + 1)
    if seed[0] % 2 and len(image) < 320:  # as a file of 8 bits has it; at larger sizes that hides noise
        planes = [np.rint(np.clip(plane, 0, 1) * 255) / np.float32(255) for plane in planes]
    return [
        case(
            test,
            content.specimen,
            content.clean,
            planes,
            families,
            levels,
            generators=names,
            scale=label_scale(),
            finer=True,
        )
    ]


def scans(data: Path) -> Iterator[Make]:
    """Make faults of an acquisition: each family of each specimen is a case with a reference of its own."""
    for number, content in enumerate(one_of_each(data)):
        if content.specimen in _SCANNED:
            yield partial(_scanned_cases, content, number)


def _scanned_cases(content: Content, number: int) -> list[Case]:
    image = scanner.in_circle(content.pixels)
    filter_name = ("hann", "shepp-logan")[number % 2]
    made = []
    for scanned in scanner.scans(image, np.random.default_rng([number, 77]), filter_name):
        planes = [scanned.reference, *scanned.versions]
        families = ["", *[scanned.family] * len(scanned.versions)]
        levels = range(len(planes))
        made.append(
            case("scans", content.specimen, content.clean, planes, families, levels, scale=label_scale())
        )
    return made


def large(data: Path) -> Iterator[Make]:
    """Add small faults to large slices, at native size, with full-reference metrics there."""
    for number, content in enumerate(large_ones(data, _LARGE_FROM)):
        yield partial(_large_cases, content, number)


def _large_cases(content: Content, number: int) -> list[Case]:
    planes, families, levels = [content.pixels], [""], [0]
    for generator in generators.AT_NATIVE_SIZE:
        versions = generator.versions(content.pixels, np.random.default_rng([number, len(planes), 5]))
        planes += [np.clip(version, 0, 1) for version in versions]
        families += [generator.family] * len(versions)
        levels += range(1, len(versions) + 1)
    start = (len(content.pixels) - min(_SHOWN, len(content.pixels))) // 2
    shown = slice(start, start + _SHOWN)
    grey = [np.rint(255 * plane[shown, shown]).astype(np.uint8) for plane in planes]
    metrics = ("ssim", "ms_ssim", "gmsd")
    values = compare(grey[0], grey, metrics)
    return [
        case(
            "large",
            content.specimen,
            content.clean,
            planes,
            families,
            levels,
            finer=True,
            **dict(zip(metrics, values.T, strict=True)),
        )
    ]


def real(data: Path) -> Iterator[Make]:
    """Take every scan as it is; its path stands for the generator."""
    for scan in SHOWN:
        yield partial(_real_cases, data, scan)


def _real_cases(data: Path, scan: Scan) -> list[Case]:
    _, window = read_scan(data, scan.path)
    plane = plane_of(data, scan)
    return [
        case(
            "real",
            scan.specimen,
            scan.clean,
            [plane],
            [""],
            [0],
            generators=[scan.path],
            finer=True,
            window=window,
        )
    ]


def static(data: Path) -> Iterator[Make]:
    """Make white noise, and a constant with faint noise: no content at all."""
    for side in STATIC_SIZES:
        rng = np.random.default_rng([side, 9])
        fields = {
            "uniform": rng.random((side, side)),
            "gaussian": rng.standard_normal((side, side)),
            "faint": 1000 + 0.5 * rng.standard_normal((side, side)),
        }
        for name, field in fields.items():
            yield partial(_static_cases, name, field.astype(np.float32))


def _static_cases(name: str, field: np.ndarray) -> list[Case]:
    try:
        window = estimate_window(as_volume(field))
    except VolumeError:
        return [case("static", "static", False, [np.zeros_like(field)], [""], [0], generators=[name])]
    return [case("static", "static", False, [field], [""], [0], generators=[name], finer=True, window=window)]


def concentric(data: Path) -> Iterator[Make]:
    """Draw windings, tubes and growth rings about the axis, clean and with rings upon them."""
    drawn = [
        Content(f"drawn {kind}", concentric_slice(kind, side, side + seed), True)
        for kind in KINDS
        for side in (224, 400, 720)
        for seed in range(2)
    ]
    rings = tuple(one for one in generators.PAPER if one.family == "ring")
    for number, content in enumerate(drawn):
        yield partial(_spoilt_cases, "concentric", content, content.pixels, rings, [2 * number, 31])


def foreign(data: Path) -> Iterator[Make]:
    """Make what is not a slice."""
    contents = one_of_each(data)[::4]
    slices = [image for content in contents if (image := content.at(224)) is not None]
    for sort, tiles in strangers(data, slices).items():
        for tile in tiles:
            yield partial(_foreign_cases, sort, tile)


def _foreign_cases(sort: str, tile: np.ndarray) -> list[Case]:
    return [case("foreign", "foreign", False, [tile], [sort], [0])]


TESTS: dict[str, Callable[[Path], Iterator[Make]]] = {
    "paper": paper,
    "others": others,
    "scans": scans,
    "large": large,
    "real": real,
    "static": static,
    "concentric": concentric,
    "foreign": foreign,
}
