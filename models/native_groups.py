"""Groups whose faults are made at a slice's native size, and seen as any view of the slice shows them.

A network that saw noise only as it is at 224 px took resampled noise for sharpness. So the size is drawn from
224 to 2048 px: tiles of a slice's own pixels, of half its size, and slices shrunk as a whole are all among
the images, each prepared as in scoring.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from models.faults import Fault, log_uniform
from models.faults.blur import blur, fringes, gaussian_blur, motion
from models.faults.noise import noise, zingers
from models.faults.rings import rings
from models.faults.scans import FAULTS, METAL_STRENGTHS, Scanner, metal, with_metal
from models.faults.shading import cupping, truncation
from models.faults.smoothing import compressed, denoised, posterised
from models.originals import Original, Source
from napari_tiqa.learning.images.distortions import LEVELS, Fields, distort, version_names
from napari_tiqa.learning.images.groups import COUNTERPART, PART, Group
from napari_tiqa.learning.images.labels import LabelProjection, observe
from napari_tiqa.scoring.network_input import TILE_SIZE, area_mean, reflected
from napari_tiqa.scoring.scale import ARTEFACTS
from napari_tiqa.volumes.window_estimate import MARGIN, PERCENTILES

FAMILIES = 3
STRENGTHS = 3
_MAKERS = {
    "noise": (noise, 4.0),
    "blur": (blur, 4.0),
    "ring": (rings, 4.0),
    "zingers": (zingers, 0.5),
    "motion": (motion, 0.8),
    "fringes": (fringes, 0.8),
    "cupping": (cupping, 0.8),
    "truncation": (truncation, 0.5),
    "denoised": (denoised, 1.6),
    "compressed": (compressed, 0.8),
    "posterised": (posterised, 0.6),
}
_SPOILT_BY = ("noise", "noise", "blur", "ring", "denoised", "fringes")
_SPOILT_SHARE = 0.4
_SPOILT_UP_TO = 0.6  # of the range of strengths, in logarithms: what is worse hides what comes upon it
_OWN_WINDOW_SHARE = 0.5
_SCAN_SIDES = (224, 400)  # px; larger scans take long to simulate and show nothing else


def draw_scale(rng: np.random.Generator) -> float:
    """Draw how many native pixels make one of the 224 that are seen: 1 to 9."""
    kind = rng.random()
    if kind < 0.3:
        return 1.0
    if kind < 0.5:  # where shrinking mixes neighbours unevenly
        return float(rng.uniform(1.0, 1.5))
    return log_uniform(rng, 1.3, 9.14)


def native_group(source: Source, projection: LabelProjection, rng: np.random.Generator) -> Group:
    """Make a group of an original: three faults at three strengths, on a slice that may be spoilt.

    Parameters
    ----------
    source : Source
        Where the original comes from.
    projection : LabelProjection
        The scale of the labels.
    rng : numpy.random.Generator
        Fixes everything.

    Returns
    -------
    Group
        Ten images with labels, which count from the reference as a 5 where the original is not known to be
        one (``Group.clean``).
    """
    original = source(round(TILE_SIZE * draw_scale(rng)), rng)
    image = original.image
    scale = max(1.0, len(image) / TILE_SIZE)
    view = _View(rng)
    spoiling = None
    reference = image
    if rng.random() < _SPOILT_SHARE:
        spoiling = _made(str(rng.choice(_SPOILT_BY)), original, scale, rng)
        reference = spoiling.apply(image, _strength(spoiling, rng.uniform(0.1, _SPOILT_UP_TO)))
    weights = np.array([weight for _, weight in _MAKERS.values()])
    # What grows may not be what is there: two rings or two noises are one.
    growing = [spoiling is None or COUNTERPART[name] != COUNTERPART[spoiling.family] for name in _MAKERS]
    weights = weights * growing
    names = rng.choice(list(_MAKERS), FAMILIES, replace=False, p=weights / weights.sum())
    planes, families, levels = [reference], [""], [0]
    for name in names:
        fault = _made(str(name), original, scale, rng)
        for level, place in enumerate(_places(rng), start=1):
            planes.append(fault.apply(reference, _strength(fault, place)))
            families.append(fault.family)
            levels.append(level)
    group = view.group(original, planes, families, levels, projection)
    if spoiling is None:
        return group
    base = view.group(original, [image, reference], ["", spoiling.family], [0, 1], projection)
    return _upon(group, float(base.labels[1]), PART[spoiling.family])


def paper_group(source: Source, projection: LabelProjection, rng: np.random.Generator) -> Group:
    """Make the paper's sixteen versions of an original at native size, as visible as at 224 px; labelled."""
    scale = float(rng.choice([1.0, rng.uniform(1.0, 1.5), log_uniform(rng, 1.3, 4.0)]))
    original = source(round(TILE_SIZE * scale), rng)
    image = original.image
    scale = max(1.0, len(image) / TILE_SIZE)
    centre = original.axis
    if centre is None and rng.random() < 0.4:
        row, column = rng.uniform(0, len(image), 2)
        centre = float(row), float(column)
    fields = Fields.draw(image.shape, int(rng.integers(2**31)), centre, scale)
    # Of a slice hardly larger than 224 px shrinking takes little noise.
    louder = scale**2 if scale > 1.2 else 1.0
    planes, families, levels = [image], [""], [0]
    for kind, level in version_names()[1:]:
        assert kind is not None
        strength = LEVELS[kind][level - 1]
        if kind == "blur":
            planes.append(gaussian_blur(image, strength * scale))
        else:
            planes.append(distort(image, kind, strength * (louder if kind == "noise" else 1), fields))
        families.append(kind)
        levels.append(level)
    return _View(rng).group(original, planes, families, levels, projection)


def scanned_group(source: Source, projection: LabelProjection, rng: np.random.Generator) -> Group:
    """Make a group of an original that is scanned again, with faults of a scan; as `native_group`."""
    original = source(round(log_uniform(rng, *_SCAN_SIDES)), rng)
    image = original.image
    scanner = Scanner.draw(len(image), rng)
    dense = rng.random() < 0.2
    if dense:
        image = with_metal(image, rng)
    clean = scanner.sinogram(image)
    sinograms, families, levels = [scanner.detected(clean)], [""], [0]
    known = dict(FAULTS)
    if dense:
        known["metal"] = (*METAL_STRENGTHS, metal)
    names = rng.choice(list(known), FAMILIES, replace=False)
    if dense and "metal" not in names:
        names[0] = "metal"
    for name in names:
        low, high, fault = known[str(name)]
        for level, place in enumerate(_places(rng), start=1):
            sinograms.append(fault(scanner, clean, low * (high / low) ** place))
            families.append(str(name))
            levels.append(level)
    view = _View(rng, inside_circle=True)
    return view.group(original, scanner.slices(sinograms), families, levels, projection)


def noise_alone(rng: np.random.Generator) -> Group:
    """Make images that hold noise and nothing else, at any contrast: all of them are a 1."""
    tiles = []
    for _ in range(1 + FAMILIES * STRENGTHS):
        side = round(TILE_SIZE * draw_scale(rng))
        fault = noise(np.full((side, side), 0.5, np.float32), side / TILE_SIZE, rng)
        tile = area_mean(fault.apply(np.full((side, side), 0.5, np.float32), log_uniform(rng, 0.01, 1.0)))
        contrast = rng.uniform(0.15, 1.0)
        low, high = np.percentile(tile, PERCENTILES)
        tiles.append(0.5 + contrast * ((tile - low) / (high - low) - 0.5))
    group = Group.unlabelled("noise alone", tiles, ["noise"] * len(tiles), [0] * len(tiles))
    lost = tuple(4.0 if artefact == "noise" else 0.0 for artefact in ARTEFACTS)
    return replace(group.with_labels(np.ones(len(tiles))), lost=lost)


class _View:
    """How a group's slices are seen: which part of them, shrunk or not, in whose intensity window."""

    def __init__(self, rng: np.random.Generator, inside_circle: bool = False) -> None:
        self._place = rng.random(2)
        self._whole = rng.random() < 0.6
        self._own_window = rng.random() < _OWN_WINDOW_SHARE
        self._inside_circle = inside_circle

    def group(
        self,
        original: Original,
        planes: Sequence[np.ndarray],
        families: Sequence[str],
        levels: Sequence[int],
        projection: LabelProjection,
    ) -> Group:
        """Return the labelled group of slices, the reference first."""
        tiles = [self._seen(plane) for plane in planes]
        judged = Group.unlabelled(original.specimen, tiles, families, levels)
        labels = projection.labels(judged, observe(judged))
        if self._own_window:
            tiles = [_in_own_window(tile, plane) for tile, plane in zip(tiles, planes, strict=True)]
        shown = Group.unlabelled(original.specimen, tiles, families, levels)
        return replace(shown.with_labels(labels), clean=original.clean)

    def _seen(self, plane: np.ndarray) -> np.ndarray:
        if self._inside_circle and not self._whole:  # a part, at native size
            free = len(plane) - TILE_SIZE
            row, column = (round((0.25 + 0.5 * place) * free) for place in self._place)
            plane = plane[row : row + TILE_SIZE, column : column + TILE_SIZE]
        return area_mean(np.ascontiguousarray(reflected(plane), np.float32))


def _in_own_window(tile: np.ndarray, plane: np.ndarray) -> np.ndarray:
    """Map the intensity window that would be estimated of a slice to [0, 1]."""
    low, high = np.percentile(plane[::2, ::2], PERCENTILES)
    margin = MARGIN * (high - low) + 1e-6
    return (tile - low + margin) / (high - low + 2 * margin)


def _made(name: str, original: Original, scale: float, rng: np.random.Generator) -> Fault:
    if name == "ring" and original.axis and rng.random() < 0.8:
        return rings(original.image, scale, rng, original.axis)
    return _MAKERS[name][0](original.image, scale, rng)


def _strength(fault: Fault, place: float) -> float:
    """Return the strength at a place within a fault's range, 0 to 1, in logarithms."""
    return fault.low * (fault.high / fault.low) ** place


def _places(rng: np.random.Generator) -> np.ndarray:
    """Draw places within the range of strengths, mild to strong, one from each third."""
    return (np.arange(STRENGTHS) + rng.random(STRENGTHS)) / STRENGTHS


def _upon(group: Group, kept: float, artefact: str) -> Group:
    """Relabel a group whose reference is itself worth `kept`: what each fault leaves is multiplied."""
    spoilt = group.with_labels(1 + (kept - 1) * (group.labels - 1) / 4)
    return replace(spoilt, lost=tuple(5 - kept if name == artefact else 0.0 for name in ARTEFACTS))
