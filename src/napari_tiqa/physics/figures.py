"""All physical figures of one slice."""

import math
from typing import NamedTuple

import numpy as np

from napari_tiqa.physics.contrast import contrast_to_noise
from napari_tiqa.physics.edge_width import edge_width
from napari_tiqa.physics.fourier_ring import resolution
from napari_tiqa.physics.noise import noise_level
from napari_tiqa.physics.ring_amplitude import ring_amplitude
from napari_tiqa.physics.saturation import saturated_share
from napari_tiqa.scoring.inside_fill import mirrored
from napari_tiqa.scoring.native_tiles import content
from napari_tiqa.scoring.region_view import RegionCut, cut_region


class PhysicalFigures(NamedTuple):
    """What is measured of a slice; NaN where it cannot be.

    Attributes
    ----------
    noise_level : float
        Standard deviation of flat regions, in grey values: ``physics.noise``.
    contrast_to_noise : float
        Of the two main phases, no unit: ``physics.contrast``.
    edge_width : float
        10 to 90 %, in the unit of the pixel size: ``physics.edge_width``.
    resolution : float
        Period of the finest detail resolved, in the unit of the pixel size, never less than 4 px:
        ``physics.fourier_ring``.
    ring_amplitude : float
        Root mean square of the ring artefacts, in grey values: ``physics.ring_amplitude``.
    saturated : float
        Share of the content that is saturated, 0 to 1: ``physics.saturation``.
    """

    noise_level: float
    contrast_to_noise: float
    edge_width: float
    resolution: float
    ring_amplitude: float
    saturated: float


FIGURES = PhysicalFigures._fields

_NOTHING = PhysicalFigures(*[math.nan] * len(FIGURES))


def physical_figures(
    plane: np.ndarray, pixel_size: float = 1.0, region: np.ndarray | None = None
) -> PhysicalFigures:
    """Measure a slice.

    Parameters
    ----------
    plane : numpy.ndarray
        Shape (rows, columns), any real dtype, as it is stored. Pixels that are not finite and constant
        padding around the reconstruction circle do not count.
    pixel_size : float
        Of the slice, in whatever unit lengths are to be given in.
    region : numpy.ndarray, optional
        Shape (rows, columns), bool: the pixels that count, all where omitted.

    Returns
    -------
    PhysicalFigures
        All NaN where fewer than 1024 px of a region lie in the slice.
    """
    if region is not None and not region.all():
        cut = cut_region(plane, region)
        return _NOTHING if cut is None else _of_region(plane, pixel_size, cut)
    inside = content(plane)
    saturated = saturated_share(plane, inside | np.isinf(plane))
    pixels = _centred(plane, inside)
    filling = np.float32(np.median(pixels[inside])) if inside.any() else np.float32(0)
    pixels = np.where(inside, pixels, filling)
    return _measured(pixels, inside, pixel_size, saturated)


def _of_region(plane: np.ndarray, pixel_size: float, cut: RegionCut) -> PhysicalFigures:
    stored = plane[cut.box]
    inside = content(cut.known)
    saturated = saturated_share(stored, inside | (np.isinf(stored) & cut.inside))
    pixels = _centred(cut.pixels, inside)
    if not np.isfinite(pixels).all():
        pixels = mirrored(pixels, inside) if inside.any() else np.zeros_like(pixels)
    return _measured(pixels, inside, pixel_size, saturated)


def _centred(plane: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return a slice as float32, its median taken off first where float32 could not tell its values apart."""
    if plane.dtype.itemsize > 2 and plane.dtype != np.float32 and inside.any():
        plane = plane - np.median(plane[inside].astype(np.float64))
    return plane.astype(np.float32)


def _measured(pixels: np.ndarray, inside: np.ndarray, pixel_size: float, saturated: float) -> PhysicalFigures:
    return PhysicalFigures(
        noise_level(pixels, inside),
        contrast_to_noise(pixels, inside),
        pixel_size * edge_width(pixels, inside),
        pixel_size * resolution(pixels),
        ring_amplitude(pixels, inside),
        saturated,
    )
