"""Parallel-beam X-ray acquisition of slices, its faults, and their reconstruction.

The chain is that of a real scan: line integrals -> Beer-Lambert -> optical blur -> photon counting ->
detector gain -> flat-field corrected intensity -> minus logarithm -> filtered back-projection. Every
artefact is made where physics makes it, so rings, streaks and noise get the looks, the amplitudes and
the correlations that they have in measured slices.

Projection and back-projection rotate the slice with OpenCV and sum its columns. That is the discrete
Radon transform with linear interpolation, as in scikit-image (the tests compare the two), but several
times faster, and four slices go through as the channels of one image for little more than the price of
one (benchmarks/sample_time.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from napari_tiqa.errors import VolumeError

MOST_CHANNELS = 4  # cv2.warpAffine takes no more

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Acquisition:
    """How a slice is scanned; the defaults are a scan without faults.

    Each fault is zero (or infinite, for the photons) where it is absent, and grows with its value alone: the
    random fields behind it depend only on the seed, see :func:`acquire`.

    Parameters
    ----------
    projections : int
        Angles, equally spaced over `arc`, at least 2. A slice ``n`` pixels wide needs about ``pi / 2 * n`` of
        them; fewer leave streaks.
    arc : int
        Degrees that the sample turns, 360 or 180. Over 360 degrees a detector element with a gain error
        draws a full ring, over 180 degrees a half one. Of a full turn the second half is interlaced with
        the first, so that every projection has a direction of its own.
    photons : float
        Photons that one detector element would count per projection without a sample, at least 1; ``inf``
        is without noise. Scans count some 1 000 to 100 000: 30 000 is good, 1 000 poor.
    gain_error : float
        Standard deviation of the elements' gain error left after flat-fielding, as a fraction, 0 to 0.3.
        0.002 is good, 0.05 poor. It is the same in all projections: rings.
    gain_drift : float
        Standard deviation of a change of gain half-way through the scan, as a fraction, 0 to 0.3: rings over
        half as many degrees.
    blur : float
        Standard deviation of the detector's point spread (scintillator, optics), in detector elements, at
        least 0.
    axis_offset : float
        Distance between the rotation axis and where the reconstruction takes it to be, in detector
        elements: doubled edges and tuning forks.
    optical_depth : float
        Minus the logarithm of the transmission through a path as long as the slice is wide in material of
        value 1, above 0. 2 is about the best trade of contrast against noise; 4 and more starve the
        detector of photons behind dense material.
    """

    projections: int = 360
    arc: int = 360
    photons: float = np.inf
    gain_error: float = 0.0
    gain_drift: float = 0.0
    blur: float = 0.0
    axis_offset: float = 0.0
    optical_depth: float = 2.0

    def __post_init__(self) -> None:
        """Refuse settings that no scan has."""
        in_range = {
            "projections": self.projections == int(self.projections) and self.projections >= 2,
            "arc": self.arc in (180, 360),
            "photons": self.photons >= 1,
            "gain_error": 0 <= self.gain_error <= 0.3,
            "gain_drift": 0 <= self.gain_drift <= 0.3,
            "blur": 0 <= self.blur < np.inf,
            "axis_offset": abs(self.axis_offset) < np.inf,
            "optical_depth": 0 < self.optical_depth < np.inf,
        }
        for setting, good in in_range.items():
            if not good:
                value = getattr(self, setting)
                raise VolumeError(
                    f"An acquisition cannot have {setting} = {value}; see Acquisition's help for its range."
                )


def acquire(
    slice2d: NDArray[np.floating], acquisition: Acquisition, rng: np.random.Generator | int = 0
) -> Floats:
    """Scan one slice and reconstruct it.

    Parameters
    ----------
    slice2d : ndarray of shape (n, n), float
        Attenuation in units of the densest material, 0 (air) to 1. What lies outside the inscribed circle is
        taken as air: a detector as wide as the slice would see it in a part of the projections only.
    acquisition : Acquisition
        The scan's settings.
    rng : numpy.random.Generator or int
        A seed. The same seed draws the same fields of gain errors and photon noise whatever their strength,
        so between two calls with one seed quality falls with the strength and with nothing else. (A
        Generator moves on from call to call: then the fields differ.)

    Returns
    -------
    ndarray of shape (n, n), float32
        The reconstruction in the units of `slice2d`; 0 outside the inscribed circle. Noise and rings go
        below 0 and above 1.

    Raises
    ------
    VolumeError
        Where `slice2d` is not square, or smaller than 8 pixels a side.
    """
    line_integrals = project(slice2d, acquisition)
    return filtered_back_projection(detect(line_integrals, acquisition, rng), acquisition.arc)


def project(slices: NDArray[np.floating], acquisition: Acquisition) -> Floats:
    """Sum a slice, or a few slices at once, along the rays of all projections.

    Parameters
    ----------
    slices : ndarray of shape (n, n) or (n, n, c), float
        One slice, or up to four as channels. Outside the inscribed circle it is taken as air.
    acquisition : Acquisition
        Its `projections`, `arc` and `axis_offset` (positive: the axis projects right of the detector's
        centre) are used.

    Returns
    -------
    ndarray of shape (projections, n) or (projections, n, c), float32
        Line integrals, in units of the slice's values times pixels. The first projection sums the columns,
        and angles go as in :func:`skimage.transform.radon`.

    Raises
    ------
    VolumeError
        Where `slices` is not square, smaller than 8 pixels a side, or more than four slices.
    """
    n = _side(slices)
    inside = inscribed_circle(n)
    masked = slices * (inside if slices.ndim == 2 else inside[..., None])
    masked = np.ascontiguousarray(masked, np.float32)
    sinogram = np.empty((acquisition.projections, *masked.shape[1:]), np.float32)
    rotated = np.empty_like(masked)
    for rotation, line in zip(_rotations(acquisition.projections, acquisition.arc, n), sinogram, strict=True):
        # p(u) = sum over v of f(centre + R (u - offset, v))
        rotation[:, 2] -= rotation[:, 0] * acquisition.axis_offset
        _rotate(masked, rotation, into=rotated)
        line[...] = cv2.reduce(rotated, 0, cv2.REDUCE_SUM).reshape(line.shape)
    return sinogram


def detect(line_integrals: Floats, acquisition: Acquisition, rng: np.random.Generator | int = 0) -> Floats:
    """Turn one slice's line integrals into the sinogram that the detector records, with its faults.

    Parameters
    ----------
    line_integrals : ndarray of shape (projections, n), float32
        From :func:`project`.
    acquisition : Acquisition
        Its photons, gain errors, blur and optical depth are used; the line integrals have the rest already.
    rng : numpy.random.Generator or int
        See :func:`acquire`.

    Returns
    -------
    ndarray of shape (projections, n), float32
        Minus the logarithm of the flat-field corrected intensity, in the units of `line_integrals`.

    Notes
    -----
    A count n of expected value m is m + sqrt(m) z + (z^2 - 1) / 6, rounded, with z standard normal: the
    Poisson law's mean, variance and skewness (Cornish and Fisher, Revue de l'Institut International de
    Statistique 5, 1938), good from some four counts on. So one field z serves every photon count.
    """
    rng = np.random.default_rng(rng)
    angles, n = line_integrals.shape
    attenuation = np.float32(acquisition.optical_depth / n)  # per pixel of material of value 1
    # drawn in this order and always both, so that neither fault's strength changes another's field
    gain_field, drift_field = _gain_field(n, rng), _gain_field(n, rng)

    intensity = np.exp(-attenuation * line_integrals)
    if acquisition.blur > 0:
        reach = 2 * int(np.ceil(4 * acquisition.blur)) + 1
        intensity = cv2.GaussianBlur(intensity, (reach, 1), acquisition.blur, borderType=cv2.BORDER_REPLICATE)
    if np.isfinite(acquisition.photons):
        field = rng.standard_normal((angles, n), dtype=np.float32)
        expected = np.float32(acquisition.photons) * intensity
        counts = np.rint(expected + np.sqrt(expected) * field + (np.square(field) - 1) / 6)
        # an element that counted nothing still gets a logarithm
        intensity = np.maximum(counts, np.float32(0.5)) / np.float32(acquisition.photons)
    gain = np.tile(1 + acquisition.gain_error * gain_field, (angles, 1))
    gain[angles // 2 :] += acquisition.gain_drift * drift_field
    # no element has less gain: real scans mask a flat field that low as a dead pixel
    sinogram = -np.log(intensity * np.maximum(gain, 0.05)) / attenuation
    return sinogram.astype(np.float32, copy=False)


def filtered_back_projection(sinogram: Floats, arc: int = 360) -> Floats:
    """Reconstruct a slice, or a few slices at once, from their sinogram.

    Parameters
    ----------
    sinogram : ndarray of shape (projections, n) or (projections, n, c), float32
        As :func:`project` and :func:`detect` give it; up to four slices as channels.
    arc : int
        Degrees that the scan went over, 180 or 360.

    Returns
    -------
    ndarray of shape (n, n) or (n, n, c), float32
        The reconstruction, 0 outside the inscribed circle.

    Notes
    -----
    The filter is the band-limited ramp sampled in real space (Kak and Slaney, Principles of Computerized
    Tomographic Imaging, 1988, equation 61), padded against wrap-around.
    """
    angles, n = sinogram.shape[:2]
    padded = scipy.fft.next_fast_len(2 * n, real=True)
    spectrum = scipy.fft.rfft(sinogram, padded, axis=1)
    ramp = _ramp(padded) if sinogram.ndim == 2 else _ramp(padded)[:, None]
    filtered = scipy.fft.irfft(spectrum * ramp, padded, axis=1)[:, :n]

    smeared = np.empty((n, n, *sinogram.shape[2:]), np.float32)
    rotated = np.empty_like(smeared)
    total = np.zeros_like(smeared)
    for rotation, line in zip(_rotations(angles, arc, n), filtered, strict=True):
        smeared[:] = line  # the same values along each ray ...
        _rotate(smeared, cv2.invertAffineTransform(rotation), into=rotated)  # ... turned to the ray's angle
        total += rotated
    inside = inscribed_circle(n)
    total *= np.float32(np.pi / angles)
    total *= inside if total.ndim == 2 else inside[..., None]
    return total


@lru_cache(maxsize=8)
def inscribed_circle(n: int) -> NDArray[np.bool_]:
    """Mask of the pixels of an n x n slice that the detector sees in every projection."""
    v, u = np.mgrid[:n, :n] - (n - 1) / 2
    mask = np.hypot(u, v) <= (n - 1) / 2
    mask.flags.writeable = False  # shared by the cache
    return mask


def _side(slices: NDArray[np.floating]) -> int:
    shape = slices.shape
    if slices.ndim not in (2, 3) or shape[0] != shape[1] or shape[0] < 8:
        raise VolumeError(
            f"A simulated scan needs a square slice of at least 8 x 8 pixels, not one of shape {shape}."
        )
    if slices.ndim == 3 and shape[2] > MOST_CHANNELS:
        raise VolumeError(f"A simulated scan takes at most {MOST_CHANNELS} slices at once, not {shape[2]}.")
    return shape[0]


def _rotations(projections: int, arc: int, n: int) -> Iterator[NDArray[np.float64]]:
    """Yield for each angle the map from the detector's frame (along, across) to the slice's (x, y)."""
    centre = (n - 1) / 2
    angles = np.linspace(0, np.deg2rad(arc), projections, endpoint=False)
    if arc == 360 and projections % 2 == 0:  # an odd number interlaces by itself
        angles[projections // 2 :] += np.pi / projections
    for angle in angles:
        cos, sin = np.cos(angle), np.sin(angle)
        turn = np.array([[cos, sin], [-sin, cos]])
        shift = centre - turn @ (centre, centre)
        yield np.column_stack([turn, shift])


def _rotate(image: Floats, rotation: NDArray[np.float64], into: Floats) -> None:
    """Sample `image` at rotation @ (x, y, 1) for every pixel (x, y) of `into`; 0 outside the image."""
    side = (into.shape[1], into.shape[0])
    cv2.warpAffine(image, rotation, side, dst=into, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


@lru_cache(maxsize=8)
def _ramp(padded: int) -> Floats:
    """Spectrum of the band-limited ramp filter for rfft over `padded` samples."""
    distance = np.minimum(np.arange(padded), padded - np.arange(padded))
    kernel = np.zeros(padded)
    kernel[0] = 0.25
    odd = distance % 2 == 1
    kernel[odd] = -1 / (np.pi * distance[odd]) ** 2
    ramp = scipy.fft.rfft(kernel).real.astype(np.float32)
    ramp.flags.writeable = False  # shared by the cache
    return ramp


def _gain_field(n: int, rng: np.random.Generator) -> Floats:
    """Gain errors of n detector elements, standard deviation 1, mean 0.

    Most elements are a little off and a few far off, in runs of one to some five elements (specks of dust,
    scratches in the scintillator): that is what makes some rings stand out.
    """
    every = rng.standard_normal(n)
    few = np.where(rng.random(n) < 0.06, rng.standard_normal(n), 0.0)
    wide = np.where(rng.random(n) < 0.04, rng.standard_normal(n), 0.0)
    wide = cv2.GaussianBlur(wide[None], (9, 1), 1.2, borderType=cv2.BORDER_REPLICATE)[0]
    field = 0.3 * every + 3.0 * few + 6.0 * wide
    field -= field.mean()
    return (field / field.std()).astype(np.float32)
