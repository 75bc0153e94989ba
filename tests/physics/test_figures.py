"""Physical figures of phantoms whose noise, contrast, edges, resolution, rings and saturation are known."""

import math

import cv2
import numpy as np
import pytest
import scipy.fft
from scipy.signal.windows import tukey

from napari_tiqa.physics.figures import FIGURES, physical_figures
from napari_tiqa.physics.fourier_ring import THRESHOLD, resolution

SIDE, FINER = 512, 4
DARK, STEP = 20.0, 100.0
PIXEL = 1 / math.sqrt(12)  # standard deviation of the square that a pixel is


def discs(seed: int) -> np.ndarray:
    """Discs whose pixels are means of finer ones."""
    rng = np.random.default_rng(seed)
    image = np.zeros((SIDE * FINER,) * 2, np.float32)
    for _ in range(40):
        row, column = (int(value) for value in rng.uniform(0, SIDE * FINER, 2))
        cv2.circle(image, (column, row), int(rng.uniform(15, 40) * FINER), 1.0, -1)
    return cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def phantom(blur: float, noise: float, seed: int = 0) -> np.ndarray:
    clean = DARK + STEP * cv2.GaussianBlur(discs(seed), (0, 0), blur)
    field = np.random.default_rng(seed).standard_normal(clean.shape)
    return (clean + noise * field).astype(np.float32)


@pytest.mark.parametrize("noise", [3.0, 10.0])
@pytest.mark.parametrize("blur", [1.0, 3.0])
def test_noise_and_contrast_are_those_of_the_phantom(blur: float, noise: float) -> None:
    figures = physical_figures(phantom(blur, noise))
    assert figures.noise_level == pytest.approx(noise, rel=0.1)
    assert figures.contrast_to_noise == pytest.approx(STEP / noise, rel=0.1)


@pytest.mark.parametrize(
    ("blur", "noise"), [(1.0, 0.0), (1.0, 8.0), (2.0, 3.0), (4.0, 0.0), (4.0, 8.0), (6.0, 3.0)]
)
def test_edge_width_is_that_of_the_blur_in_the_unit_of_the_pixels(blur: float, noise: float) -> None:
    figures = physical_figures(phantom(blur, noise), pixel_size=0.65)
    assert figures.edge_width == pytest.approx(0.65 * 2.563 * math.hypot(blur, PIXEL), rel=0.1)


@pytest.mark.parametrize("noise", [3.0, 10.0, 30.0])
@pytest.mark.parametrize("blur", [1.5, 3.0, 5.0])
def test_resolution_of_one_slice_is_that_of_two(blur: float, noise: float) -> None:
    ratios = []
    for seed in range(3):
        first = phantom(blur, noise, seed)
        again = phantom(blur, 0, seed) + noise * np.random.default_rng(99 + seed).standard_normal(first.shape)
        ratios.append(resolution(first) / _of_two(first, again))
    assert np.median(ratios) == pytest.approx(1, rel=0.1)


def _of_two(first: np.ndarray, second: np.ndarray) -> float:
    """Period at which the correlation of two slices falls below the threshold, each slice whole."""
    taper = np.outer(*(tukey(side, 0.5) for side in first.shape))
    spectra = [scipy.fft.fft2((plane - plane.mean()) * taper) for plane in (first, second)]
    frequency = np.hypot(*np.meshgrid(*(scipy.fft.fftfreq(side) for side in first.shape)))
    rings = SIDE // 4
    ring = np.minimum((frequency * 2 * rings).astype(int), rings).ravel()
    common, *powers = (
        np.bincount(ring, values.ravel(), rings + 1)[:rings]
        for values in ((spectra[0] * spectra[1].conj()).real, *(np.abs(one) ** 2 for one in spectra))
    )
    correlation = np.convolve(common / np.sqrt(powers[0] * powers[1]), [1 / 3] * 3, mode="same")
    return 2 * rings / (np.flatnonzero(correlation[1:] < THRESHOLD)[0] + 1.5)


def test_detail_finer_than_four_pixels_is_not_told_apart() -> None:
    assert physical_figures(phantom(0.5, 0.5), pixel_size=2.0).resolution == 8.0


@pytest.mark.parametrize("amplitude", [4.0, 10.0])
def test_ring_amplitude_is_that_of_the_rings_added(amplitude: float) -> None:
    rows, columns = np.ogrid[:SIDE, :SIDE]
    radius = np.hypot(rows - SIDE / 2 + 0.5, columns - SIDE / 2 + 0.5)
    profile = np.random.default_rng(5).standard_normal(SIDE)
    rings = cv2.GaussianBlur(profile[:, None], (0, 0), 0.7)[:, 0]
    field = np.interp(radius, np.arange(SIDE), rings)
    field *= amplitude / field.std()
    clean = phantom(1.0, 2.0)
    assert physical_figures(clean).ring_amplitude < 0.5
    assert physical_figures((clean + field).astype(np.float32)).ring_amplitude == pytest.approx(
        amplitude, rel=0.1
    )


def test_saturated_share_counts_the_ends_of_integers_and_what_floats_were_clipped_to() -> None:
    plane = phantom(1.0, 8.0)
    share = float((plane > 127).mean())
    clipped = np.minimum(plane, 127)
    assert physical_figures(clipped).saturated == pytest.approx(share)
    assert physical_figures(plane).saturated == 0
    eight_bit = np.clip(np.rint(plane * 2), 0, 255).astype(np.uint8)
    ends = float(((eight_bit == 0) | (eight_bit == 255)).mean())
    assert physical_figures(eight_bit).saturated == pytest.approx(ends)
    assert ends > 0


def test_padding_around_the_reconstruction_circle_does_not_count() -> None:
    plane = phantom(1.5, 5.0)
    rows, columns = np.ogrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    padded = np.where(np.hypot(rows, columns) < 0.99, plane, np.float32(0))
    whole, circle = physical_figures(plane), physical_figures(padded)
    assert circle.noise_level == pytest.approx(whole.noise_level, rel=0.05)
    assert circle.contrast_to_noise == pytest.approx(whole.contrast_to_noise, rel=0.05)
    assert circle.edge_width == pytest.approx(whole.edge_width, rel=0.1)
    assert circle.saturated == 0


@pytest.mark.parametrize(
    "plane",
    [
        np.zeros((300, 300)),
        np.full((300, 300), np.nan),
        np.zeros((3, 3), np.uint16),
        np.random.default_rng(0).normal(size=(300, 300)),
        np.arange(90_000, dtype=np.int32).reshape(300, 300),
        np.eye(300, dtype=bool),
    ],
    ids=["constant", "not a number", "tiny", "noise alone", "ramp", "bool"],
)
def test_what_cannot_be_measured_is_not_a_number_and_nothing_fails(plane: np.ndarray) -> None:
    figures = physical_figures(plane)
    assert len(figures) == len(FIGURES)
    assert math.isnan(figures.edge_width) or figures.edge_width > 0
    assert 0 <= figures.saturated <= 1
