"""Edge width: over how many pixels the grey value rises from 10 to 90 % across the edges of a slice."""

import math

import cv2
import numpy as np
from scipy.ndimage import map_coordinates

from napari_tiqa.physics.noise import noise_level

_SCALES = (1.5, 3.0, 6.0)  # px, of the Gaussian whose gradient finds edges: wide ones need a wide one
_ABOVE_NOISE = 8.0  # times the standard deviation that noise gives the gradient
_OF_STEEPEST = 0.5  # of the 95th percentile of the edges
_REACH = 8  # edge scales to either side of an edge: where the plateaus are
_STEP = 0.25  # px between the samples of a profile
_FEWEST, _MOST = 60, 4000  # edges
_FLAT = 0.15  # of the step that a plateau may rise or fall
_OUTER = 0.3  # of the reach, at either end, that is plateau
_INNER = 0.4  # of the reach, about the middle, that holds the step


def edge_width(plane: np.ndarray, inside: np.ndarray) -> float:
    """Measure the width of the edges of a slice, 10 to 90 %.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), float32, all finite.
    inside : numpy.ndarray
        Of the same shape, bool: the pixels that are content.

    Returns
    -------
    float
        In px; NaN where fewer than 60 edges stand alone and out of the noise.

    Notes
    -----
    Profiles are taken across ridges of the gradient (Canny, IEEE Transactions on Pattern Analysis and Machine
    Intelligence 8, 1986), those whose ends are not flat are left out, the others are put on top of each
    other by the place where they cross the middle of their own step, and the mean of them is measured. Of an
    edge blurred by a Gaussian of standard deviation s it is 2.563 s.
    """
    noise = noise_level(plane, inside)
    for scale in _SCALES:
        profiles = _profiles(plane, inside, scale, 0.0 if math.isnan(noise) else noise)
        width = _width(profiles) if len(profiles) >= _FEWEST else math.nan
        if width < 2.563 * 1.2 * scale:  # wider ones are seen whole at the next scale only
            return width
    return math.nan


def _profiles(plane: np.ndarray, inside: np.ndarray, scale: float, noise: float) -> np.ndarray:
    """Return profiles across the edges, each from 0 to 1 and centred, shape (edges, samples)."""
    reach = _REACH * scale
    smooth = cv2.GaussianBlur(plane, (0, 0), scale)
    down, right = np.gradient(smooth)
    strength = np.hypot(down, right)
    in_slope = 1 / (math.sqrt(8 * math.pi) * scale**2)  # of the standard deviation of white noise
    border = round(reach) + 2
    far = cv2.erode(
        inside.astype(np.uint8), np.ones((2 * border + 1,) * 2), borderType=cv2.BORDER_CONSTANT, borderValue=0
    )
    rows, columns = np.nonzero((far > 0) & (strength > _ABOVE_NOISE * in_slope * noise) & (strength > 0))
    if not len(rows):
        return np.empty((0, 0))
    here = strength[rows, columns]
    strong = here > _OF_STEEPEST * np.percentile(here, 95)
    rows, columns, here = rows[strong], columns[strong], here[strong]
    along = np.stack([down[rows, columns], right[rows, columns]]) / here
    step = np.rint(along).astype(int)
    ridge = here >= strength[rows + step[0], columns + step[1]]
    ridge &= here > strength[rows - step[0], columns - step[1]]
    places = np.flatnonzero(ridge)
    places = places[:: max(1, len(places) // _MOST)]
    offsets = np.arange(-reach, reach + _STEP / 2, _STEP)
    at = np.stack([rows[places], columns[places]])[..., None] + along[:, places, None] * offsets
    sampled = map_coordinates(plane, at, order=3, mode="nearest", output=np.float64)
    return _aligned(sampled, offsets)


def _aligned(sampled: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Scale the profiles that rise from one plateau to another to 0..1 and centre them."""
    outer = round(_OUTER * len(offsets) / 2)
    low, high = sampled[:, :outer], sampled[:, -outer:]
    height = high.mean(1) - low.mean(1)
    flat = np.full(len(sampled), True)
    for plateau in (low, high):
        half = outer // 2
        flat &= np.abs(plateau[:, :half].mean(1) - plateau[:, half:].mean(1)) < _FLAT * height
    sampled, height, base = sampled[flat], height[flat], low.mean(1)[flat]
    scaled = (sampled - base[:, None]) / height[:, None]
    # The middle of the step, from the area under the profile: noise cancels in it.
    inner = np.abs(offsets) <= _INNER * offsets[-1]
    centre = offsets[inner][-1] + _STEP / 2 - scaled[:, inner].sum(1) * _STEP
    kept = np.abs(centre) < offsets[-1] / 4
    pairs = zip(scaled[kept], centre[kept], strict=True)
    centred = [np.interp(offsets + middle, offsets, profile) for profile, middle in pairs]
    return np.array(centred).reshape(-1, len(offsets))


def _width(profiles: np.ndarray) -> float:
    mean = np.maximum.accumulate(profiles.mean(0))
    outer = round(_OUTER * len(mean) / 2)
    low, high = profiles.mean(0)[:outer].mean(), profiles.mean(0)[-outer:].mean()
    places = np.arange(len(mean)) * _STEP
    crossed = [
        float(np.interp(low + share * (high - low), mean + 1e-12 * np.arange(len(mean)), places))
        for share in (0.1, 0.9)
    ]
    return crossed[1] - crossed[0]
