"""What goes round the axis and is material, not a ring: layers that are not quite round, walls of tubes."""

from functools import lru_cache

import numpy as np
from scipy.fft import dct
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, median_filter

from napari_tiqa.filtering.polar import SAMPLES_PER_PIXEL

SECTORS = 16
"""Of a turn, along which layers of the specimen vary slowly."""

_BAND = 10.0 * SAMPLES_PER_PIXEL  # samples: over such a band it is told whether layers lie there
_LOCAL = 3.0  # samples: over such a distance it is told how much of a slope is theirs
_SLOW, _FAST = 0.4, 0.55  # of the sectors: up to so many waves are slow; as many and more are fast
_TINY = np.finfo(np.float32).tiny
_LAYERED = 2.7, 4.5  # times as much in low waves as in high ones: nothing, and all, is for layers
_INNERMOST = 15.0 * SAMPLES_PER_PIXEL  # samples: within it sectors are too narrow for texture to be white
_UNEVEN = 0.4  # standard deviation along the arc that a layer has, as a share of its mean slope
# Of the window. Gain errors of 1 % make rings of .1 on average; walls of cans and tubes have .2 and more.
_WALL = 0.12, 0.18
_LEAST_WALL = 6  # samples, half of the widest wall
_TAIL = 0.06, 0.14  # of a feature's line integral are left beside it, inwards: a wall has .2 to .5
_STANDS_OUT = 8.0, 16.0  # times the fine variation of the line integrals, by which that tail is known
_ALONE = 40.0, 80.0  # times, by which a feature is alone in a slice without rings


def layer_power(medians: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the mean square slope, shape (radii - 1,), that layers of the specimen may account for.

    `medians` and `counts`, shape (radii - 1, sectors), are the slopes of the sectors of an arc, `SECTORS` a
    turn, and how many of their samples are content.

    A ring is equally strong all along its arc. Layers of a specimen go round the axis too, but not quite:
    a spiral drifts, a stem is oval, a roll lies beside the axis. So their slopes vary in slow waves along
    the arc, while texture and noise vary as much in fast ones. Where the slow waves prevail over a band of
    radii, what they have more than the fast ones is the layers'.
    """
    known: np.ndarray = np.all(counts > 0, axis=1)
    power = np.square(dct(np.where(known[:, None], medians, 0), axis=1, norm="ortho"))
    sectors = medians.shape[1]
    waves = round(_SLOW * sectors)
    low, high = power[:, 1 : waves + 1].mean(1), power[:, round(_FAST * sectors) :].mean(1)
    # Logarithms, so that every radius counts alike: edges of the specimen are strong, and few.
    prevalence = np.where(known, np.log(np.maximum(low, _TINY) / np.maximum(high, _TINY)), 0)
    trusted = np.maximum(gaussian_filter1d(known.astype(float), _BAND), _TINY)
    layered = _ramp(gaussian_filter1d(prevalence, _BAND) / trusted, *np.log(_LAYERED))
    layered *= _ramp(np.arange(len(medians)), _INNERMOST, 2 * _INNERMOST)
    return layered * np.clip(low - high, 0, None) * waves / sectors


def evenness(slope: np.ndarray, layers: np.ndarray) -> np.ndarray:
    """Return the share of each slope, 0 to 1, that layers with a mean square slope of `layers` leave."""
    power, uneven = (gaussian_filter1d(item, _LOCAL) for item in (slope**2, layers))
    return 1 - np.clip(uneven / np.maximum(_UNEVEN**2 * power, _TINY), 0, 1)


def without_walls(profile: np.ndarray, known: np.ndarray, ring_width: float) -> np.ndarray:
    """Take the walls of tubes and cans out of a radial profile of rings, shape (radii,), in windows.

    `known`, of the same shape, tells the radii with content, at least one; `ring_width` is that of the widest
    ring, px. A detector element that is off draws a ring whose
    line integrals are those of that element alone. A wall has a chord: its line integrals go on inwards,
    smaller but of the same sign. So a feature that is strong, and has such a tail, is a wall; so is one that
    is alone in a slice without rings.
    """
    reach = max(round(ring_width * SAMPLES_PER_PIXEL), _LEAST_WALL)
    size = np.abs(profile)
    peaks = np.flatnonzero((size > _WALL[0]) & (size >= maximum_filter1d(size, reach)))
    if not len(peaks):
        return profile
    lines = _line_integrals(profile, 5 * reach)
    fine = np.abs(lines - median_filter(lines, 2 * reach + 1))[known]
    rest = np.percentile(fine, 75) + _TINY
    kept = np.ones(len(profile))
    for peak in peaks.tolist():
        first = max(0, peak - reach)
        top = first + int(np.argmax(np.abs(lines[first : peak + reach // 2 + 1])))
        inwards = lines[max(0, top - 2 * reach) : max(1, top - reach + 1)]
        tail = np.median(inwards) * np.sign(lines[top])
        chord = _ramp(tail / max(abs(lines[top]), rest), *_TAIL) * _ramp(tail / rest, *_STANDS_OUT)
        alone = _ramp(abs(lines[top]) / rest, *_ALONE)
        wall = _ramp(size[peak], *_WALL) * max(chord, alone)
        about = slice(first, peak + reach + 1)
        kept[about] = np.minimum(kept[about], 1 - wall)
    return profile * gaussian_filter1d(kept, SAMPLES_PER_PIXEL)


def _ramp(value: np.ndarray | float, low: float, high: float) -> np.ndarray:
    return np.clip((value - low) / (high - low), 0, 1)


def _line_integrals(profile: np.ndarray, band: int) -> np.ndarray:
    """Return the profile's integrals along lines at each distance from the centre, as far as `band` outwards.

    That is its Abel transform, in windows times samples.
    """
    places, chords = _chords(len(profile), band)
    return (chords * np.concatenate([profile, np.zeros(band)])[places]).sum(1)


@lru_cache(maxsize=2)  # for 2048 x 2048 px 3 MB
def _chords(radii: int, band: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the samples outwards of each distance, and the length of the line at that distance in them."""
    distance = np.arange(radii)[:, None]
    places = distance + np.arange(band + 1)
    borders = np.maximum(places - 0.5, 0)
    to_border = np.sqrt(np.clip(borders**2 - distance**2, 0, None))
    return places[:, :-1], np.diff(to_border, axis=1)
