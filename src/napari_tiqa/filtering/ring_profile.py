"""The radial profile of a slice's rings, told apart from the specimen by being the same all the way round."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d, median_filter

from napari_tiqa.filtering.polar import SAMPLES_PER_PIXEL, PolarGrid
from napari_tiqa.filtering.ring_material import SECTORS, evenness, layer_power, without_walls

RIM = 3.0  # px at the border of the content, see PolarGrid.valid

_SECTORS = 8  # of one arc: what they disagree on is not a ring
_MAY_DISAGREE = 4  # one sector in so many; of the others each has half of a ring's slope
_LEAST_SECTORS = 3  # with enough content, or a ring is not known
_LEAST_CONTENT = 0.25  # of a sector's angles
_NEIGHBOURS = 1.5  # samples: what is known of a slope is pooled with those beside it


@dataclass(frozen=True)
class Slopes:
    """Differences along the radius between neighbouring samples of a polar image, shape (radii - 1, angles).

    `valid` tells where both samples are content of the slice; elsewhere values are infinite, so that they
    sort last. `turn` is the share of a turn that the angles are.
    """

    values: np.ndarray
    valid: np.ndarray
    turn: float = 1.0

    @classmethod
    def of(cls, plane: np.ndarray, inside: np.ndarray, grid: PolarGrid) -> "Slopes":
        """Return those of a slice, float32, and the mask of its content."""
        polar, content = grid.sample(plane), grid.valid(inside, RIM)
        values, valid = np.subtract(polar[1:], polar[:-1]), content[1:] & content[:-1]
        values[~valid] = np.inf
        return cls(values, valid)

    def halves(self, first: int) -> tuple["Slopes", "Slopes"]:
        """Return the half turn of angles from the first one on, and the rest."""
        values, valid = np.roll(self.values, -first, axis=1), np.roll(self.valid, -first, axis=1)
        middle = values.shape[1] // 2
        return (
            Slopes(values[:, :middle], valid[:, :middle], self.turn / 2),
            Slopes(values[:, middle:], valid[:, middle:], self.turn / 2),
        )

    def medians(self, sectors: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the median over each sector of angles, 0 where it is empty, and how many are valid.

        Both of shape (radii - 1, sectors).
        """
        parted = len(self.values), sectors, -1
        counts = self.valid.reshape(parted).sum(2)
        ordered = np.sort(self.values.reshape(parted), axis=2)
        middle = np.maximum((counts - 1) // 2, 0)[..., None]
        medians = np.take_along_axis(ordered, middle, axis=2)[..., 0]
        return np.where(counts > 0, medians, np.float32(0)), counts


def ring_profiles(parts: Sequence[Slopes], ring_width: float, threshold: float) -> list[np.ndarray]:
    """Estimate what the rings of each arc add at each radius, as ``ring_profile`` does.

    Layers of the specimen are those of the arc that shows them best: a spiral beside the axis goes round it
    over one half turn, and not over the other.
    """
    layers = np.maximum.reduce([layer_power(*part.medians(round(SECTORS * part.turn))) for part in parts])
    return [ring_profile(part, layers, ring_width, threshold) for part in parts]


def ring_profile(slopes: Slopes, layers: np.ndarray, ring_width: float, threshold: float) -> np.ndarray:
    """Estimate what the rings of one arc, its angles a multiple of 8, add at each radius, shape (radii,).

    `layers`, shape (radii - 1,), is the mean square slope of the specimen's layers (``layer_power``);
    `ring_width` is that of the widest ring, px; a ring's slope must stand out by `threshold` standard errors.

    A ring has the same slope at every angle, the specimen does not: along a circle most of it is flat, with
    edges here and there. So the median over the angles is the ring's, and the profile whose slopes are all of
    these medians is the one that leaves the slice the least total variation along the radius. How much the
    medians of sectors differ gives the standard error of each; a slope a is taken down to a max(0, 1 -
    threshold^2 error^2 / a^2), the non-negative garrote (Breiman, Technometrics 37, 1995), and further where
    more than a quarter of the sectors has less than half of it or the other sign. Last, the running median
    over twice the ring width is taken off, as by Sijbers and Postnov (2004): it follows steps, such as the
    wall of a tube about the axis, and passes by what is narrower than half of it; narrow walls are left out
    last (``without_walls``).
    """
    slope, _ = slopes.medians(1)
    slope = slope[:, 0]
    by_sector, counts = slopes.medians(_SECTORS)
    voting = counts >= _LEAST_CONTENT * slopes.valid.shape[1] / _SECTORS
    voters = voting.sum(1)
    known = voters >= _LEAST_SECTORS
    deviations = ((by_sector - slope[:, None]) ** 2 * voting).sum(1)
    variance = deviations / np.where(known, voters * (voters - 1), 1)
    # Close to the centre sectors share pixels, so that fewer are independent: one in 2 px of circumference.
    radius = (np.arange(len(slope)) + 0.5) / SAMPLES_PER_PIXEL
    variance *= np.maximum(1, _SECTORS / (np.pi * radius))
    power, doubt = (gaussian_filter1d(np.where(known, item, 0), _NEIGHBOURS) for item in (slope**2, variance))
    kept = np.clip(1 - threshold**2 * doubt / np.maximum(power, np.finfo(np.float32).tiny), 0, 1)
    # The error alone would let pass what is strong in five sectors of eight and absent from the others.
    aligned = np.sort(np.where(voting, by_sector * np.sign(slope)[:, None], np.inf), axis=1)
    lower = np.take_along_axis(aligned, voters[:, None] // _MAY_DISAGREE, axis=1)[:, 0]
    agreed = np.where(known, lower, 0) / np.maximum(np.abs(slope) / 2, np.finfo(np.float32).tiny)
    kept *= np.clip(agreed, 0, 1)
    kept *= evenness(np.where(known, slope, 0), layers)
    profile = np.concatenate([[0], np.cumsum(np.where(known, slope * kept, 0))])
    profile -= median_filter(profile, 2 * round(ring_width * SAMPLES_PER_PIXEL) + 1, mode="nearest")
    return without_walls(profile, np.append(known, known[-1:]), ring_width)
