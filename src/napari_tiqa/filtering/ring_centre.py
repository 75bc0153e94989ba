"""Where the rings of a slice have their centre."""

import cv2
import numpy as np

from napari_tiqa.filtering.parameter import Parameter

_SMALLEST = 32  # px a side; below it no peak tells itself from the rest
_DETAIL = 2.0  # px, standard deviation: what is finer is looked at
_LARGEST = 1.5  # times what is typical
_LONGEST = 320  # px, radius: enough rings, and the same time for slices of any size
_ANGLES, _SECTORS = 256, 16
_REACH, _FAR_REACH = 4, 6  # px about a likely centre
# Times the next best peak. Simulated slices without rings stay below 2.1 everywhere, and below 1.5 in nine of
# ten where detail points to; most of those with visible rings have 3. Cells wound about a centre some pixels
# from the axis have 2.1: they are why it takes two kinds of evidence, far from the middle, to go below.
_CLEAR, _CLEAR_WHERE_AGREED = 2.5, 1.5
_AGREED, _FAR = 2.5, 16.0  # px between both kinds of evidence; from the middle
# Broad rings show in a reduced slice only, where outlines of a specimen near the axis are as sharp: their
# centre counts where two reductions have the same one, far away, as in a slice cropped beside the axis.
_REDUCTIONS, _CLEAR_REDUCED, _SAME, _FAR_REDUCED = (4, 8), 1.4, 10.0, 0.2  # , , px, of the shorter side
_NEAR_MIDDLE = 0.5  # px: as good as there, since the peak is found to a tenth or two
_PATCHES, _CANDIDATES = 48, 16

_ADVICE = "Distance of the rings' centre from the middle of the slice; found automatically where not given."
CENTRE_PARAMETERS = {
    "centre_y": Parameter("Centre, down", None, -20_000, 20_000, "px", _ADVICE, tunable=False),
    "centre_x": Parameter("Centre, right", None, -20_000, 20_000, "px", _ADVICE, tunable=False),
}
"""Parameters of every filter that needs the centre."""


def find_ring_centre(pixels: np.ndarray, inside: np.ndarray | None = None) -> tuple[float, float]:
    """Find the centre of a slice's rings.

    Parameters
    ----------
    pixels : numpy.ndarray
        Shape (rows, columns), float32, all finite.
    inside : numpy.ndarray, optional
        Of the same shape, bool: the pixels that are content; all where omitted.

    Returns
    -------
    (float, float)
        Offset (down, right) from the slice's middle, px, to a tenth or two; (0, 0) where no rings stand
        out, since reconstructions mostly have the rotation axis in their middle.

    Notes
    -----
    Fine detail of the slice, clipped so that edges of the specimen weigh no more than rings, is averaged over
    sectors of circles about each candidate. Ring energy is the covariance of neighbouring sectors: noise and
    structure do not agree from one sector to the next. Rings give it a peak one pixel wide, circular
    structure of the specimen a broad one, so what counts is how far the energy stands out from that two
    pixels away. Candidates lie around the slice's middle and around the middle of its content; after them,
    where the directions of fine detail over the whole slice point to, and last the same in the reduced slice,
    where broad rings are fine ones.
    """
    if inside is None:
        inside = np.ones(pixels.shape, bool)
    middle = (np.array(pixels.shape) - 1) / 2
    if min(pixels.shape) < _SMALLEST or not inside.any():
        return 0.0, 0.0
    detail = _clipped_detail(pixels, inside)
    spans = [np.flatnonzero(inside.any(axis)) for axis in (1, 0)]
    starts = [middle, np.array([(span[0] + span[-1]) / 2 for span in spans])]
    for start in starts[: 1 if np.abs(starts[1] - middle).max() < _REACH else 2]:
        peak, clearness = _sharpest(detail, inside, start, _REACH)
        if clearness >= _CLEAR:
            return _offset(_refined(detail, inside, peak), middle)
    start = _pointed_to(detail)
    peak, clearness = _sharpest(detail, inside, start, _FAR_REACH)
    agreed = np.abs(peak - start).max() <= _AGREED and np.abs(peak - middle).max() > _FAR
    if clearness >= (_CLEAR_WHERE_AGREED if agreed else _CLEAR):
        return _offset(_refined(detail, inside, peak), middle)
    broad = _of_broad_rings(pixels, inside)
    return (0.0, 0.0) if broad is None else _offset(broad, middle)


def _of_broad_rings(pixels: np.ndarray, inside: np.ndarray) -> np.ndarray | None:
    """Return the centre (y, x) of broad rings, px, to two or so; None where it is not far from the middle."""
    found = []
    for factor in _REDUCTIONS:
        size = pixels.shape[1] // factor, pixels.shape[0] // factor
        if min(size) < _SMALLEST:
            return None
        known = cv2.resize(inside.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.99
        small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        detail = _clipped_detail(small, known)
        peak, clearness = _sharpest(detail, known, _pointed_to(detail), _FAR_REACH)
        if clearness < _CLEAR_REDUCED:
            return None
        scale = np.array(pixels.shape) / size[::-1]
        found.append((_refined(detail, known, peak) + 0.5) * scale - 0.5)
    far = np.hypot(*(found[0] - (np.array(pixels.shape) - 1) / 2)) > _FAR_REDUCED * min(pixels.shape)
    return found[0] if far and np.abs(found[0] - found[1]).max() <= _SAME else None


def _clipped_detail(pixels: np.ndarray, inside: np.ndarray) -> np.ndarray:
    detail = pixels - cv2.GaussianBlur(pixels, (0, 0), _DETAIL)
    step = max(1, min(pixels.shape) // 500)
    size = np.abs(detail[::step, ::step][inside[::step, ::step]])
    typical = (np.median(size) or size.mean() or 1.0) if size.size else 1.0
    # Filled pixels beside the content make detail of their own.
    core = cv2.erode(inside.astype(np.uint8), np.ones((7, 7), np.uint8), borderValue=1) > 0
    return np.where(core, np.clip(detail / typical, -_LARGEST, _LARGEST), 0).astype(np.float32)


def _ring_energy(detail: np.ndarray, inside: np.ndarray, y: float, x: float) -> float:
    """Return the covariance of neighbouring sectors, averaged over the content about (y, x)."""
    height, width = detail.shape
    reach = min(np.hypot(max(y, height - 1 - y), max(x, width - 1 - x)), _LONGEST)
    radius = np.arange(2, max(reach, 3), dtype=np.float32)[:, None]
    angle = np.arange(_ANGLES, dtype=np.float32) * np.float32(2 * np.pi / _ANGLES)
    columns = np.float32(x) + radius * np.cos(angle)
    rows = np.float32(y) + radius * np.sin(angle)
    # What lies outside is zero in both, and so counts for nothing.
    polar = cv2.remap(detail, columns, rows, cv2.INTER_LINEAR)
    content = cv2.remap(inside.view(np.uint8), columns, rows, cv2.INTER_NEAREST)
    sectors = polar.reshape(len(radius), _SECTORS, -1).mean(2)
    circumference = (radius * content).sum() / _ANGLES
    return float((radius * sectors * np.roll(sectors, 1, axis=1)).sum() / _SECTORS / max(circumference, 1))


def _energies(detail: np.ndarray, inside: np.ndarray, centre: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    return np.array(
        [[_ring_energy(detail, inside, centre[0] + y, centre[1] + x) for x in offsets] for y in offsets]
    )


def _sharpest(
    detail: np.ndarray, inside: np.ndarray, centre: np.ndarray, reach: int
) -> tuple[np.ndarray, float]:
    """Return the sharpest peak of ring energy within `reach` px, and how many times the next one it is."""
    offsets = np.arange(-reach - 2, reach + 3)
    energy = _energies(detail, inside, centre, offsets)
    around = (energy[:-4, 2:-2] + energy[4:, 2:-2] + energy[2:-2, :-4] + energy[2:-2, 4:]) / 4
    sharpness = energy[2:-2, 2:-2] - around
    row, column = np.unravel_index(sharpness.argmax(), sharpness.shape)
    y, x = np.ogrid[: len(sharpness), : len(sharpness)]
    elsewhere = np.abs(sharpness[np.maximum(np.abs(y - row), np.abs(x - column)) > 2]).max()
    peak = centre + np.array([row - reach, column - reach])
    lies_in = bool((peak >= 0).all() and (peak <= np.array(detail.shape) - 1).all())
    top = float(sharpness[row, column])
    return peak, top / elsewhere if lies_in and top > 0 and elsewhere > 0 else 0.0


def _refined(detail: np.ndarray, inside: np.ndarray, peak: np.ndarray) -> np.ndarray:
    """Return the centroid of a peak's upper half; its highest sample would be noise and interpolation's."""
    offsets = np.arange(-4, 5) / 4
    energy = _energies(detail, inside, peak, offsets)
    upper = np.clip(energy - (energy.min() + energy.max()) / 2, 0, None)
    moved = np.array([upper.sum(1) @ offsets, upper.sum(0) @ offsets]) / max(
        upper.sum(), np.finfo(float).tiny
    )
    return np.clip(peak + moved, 0, np.array(detail.shape) - 1)


def _offset(centre: np.ndarray, middle: np.ndarray) -> tuple[float, float]:
    y, x = centre - middle
    return (0.0, 0.0) if np.hypot(y, x) < _NEAR_MIDDLE else (round(float(y), 2), round(float(x), 2))


def _pointed_to(detail: np.ndarray) -> np.ndarray:
    """Return the place (y, x) that gradients of fine detail point to or away from, as those of rings do."""
    # The structure tensor of each patch has a direction (Bigün and Granlund 1987); its agreement with the
    # direction towards a candidate is the cosine of twice the angle between them.
    down = cv2.Sobel(detail, cv2.CV_32F, 0, 1)
    right = cv2.Sobel(detail, cv2.CV_32F, 1, 0)
    parts = right**2 - down**2, 2 * right * down, right**2 + down**2
    patch = max(4, max(detail.shape) // _PATCHES)
    size = detail.shape[1] // patch, detail.shape[0] // patch
    cosine, sine, weight = (
        cv2.GaussianBlur(cv2.resize(part, size, interpolation=cv2.INTER_AREA), (3, 3), 0.75) for part in parts
    )
    known = weight > 1e-3 * weight.max()
    cosine, sine = cosine[known] / weight[known], sine[known] / weight[known]
    scale = np.array(detail.shape) / size[::-1]
    places = ((np.argwhere(known) + 0.5) * scale - 0.5).astype(np.float32)

    best, span = (np.array(detail.shape) - 1) / 2, (np.array(detail.shape) - 1) / 2
    while True:
        step = span / _CANDIDATES
        grid = np.mgrid[-_CANDIDATES : _CANDIDATES + 1, -_CANDIDATES : _CANDIDATES + 1]
        candidates = (best + grid.reshape(2, -1).T * step).astype(np.float32)
        y, x = (places[:, axis] - candidates[:, axis, None] for axis in (0, 1))
        squared = x**2 + y**2 + 1
        agreement = ((x**2 - y**2) / squared) @ cosine + (2 * x * y / squared) @ sine
        best = candidates[np.argmax(agreement)]
        if step.max() <= 2:
            return best
        span = 2 * step


def centre_of(
    pixels: np.ndarray, inside: np.ndarray, centre_y: float | None, centre_x: float | None
) -> tuple[float, float]:
    """Return the centre given, found in the slice where it is not."""
    if centre_y is None or centre_x is None:
        found = find_ring_centre(pixels, inside)
        centre_y = found[0] if centre_y is None else centre_y
        centre_x = found[1] if centre_x is None else centre_x
    return centre_y, centre_x
