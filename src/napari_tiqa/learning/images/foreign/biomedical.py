"""Simulated MRI, and microscopy of cells, sections and membranes."""

import cv2
import numpy as np
from scipy.spatial import cKDTree

from napari_tiqa.learning.images.foreign.fields import fractal_field, smooth_field


def mri(rng: np.random.Generator) -> np.ndarray:
    """Make a head or a limb under a coil's shading, of few frequencies, with Rician noise."""
    side = 256
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    wide, high = rng.uniform(0.55, 0.95), rng.uniform(0.7, 0.95)
    radius = np.hypot((x - rng.normal(0, 0.04)) / wide, (y - rng.normal(0, 0.04)) / high)
    radius += rng.uniform(0.01, 0.06) * smooth_field(side, rng.uniform(15, 50), rng)
    if rng.random() < 0.75:
        folds = smooth_field(side, rng.uniform(4, 14), rng) + 3 * (0.55 - radius)
        greys = rng.uniform([0.5, 0.02, 0.4, 0.25], [1, 0.25, 0.95, 0.8])  # scalp, skull, two tissues
        where = [radius > 1, radius > 0.93, radius > 0.86, folds > 0.6, folds > -0.3]
        body = np.select(where, [np.float32(0), *greys], rng.uniform(0.03, 0.9))  # air outside, fluid inside
        if rng.random() < 0.6:
            hollow = np.abs(np.abs(x) - rng.uniform(0.06, 0.2)) < 0.05
            hollow &= np.abs(y) < rng.uniform(0.1, 0.35)
            body = np.where(hollow, rng.choice([0.05, 0.9]), body)
    else:
        muscles = smooth_field(side, rng.uniform(15, 35), rng)
        body = np.select(
            [radius > 1, radius > 0.88, np.abs(muscles) < 0.12, muscles > 1.2],
            [0, rng.uniform(0.6, 1), rng.uniform(0.5, 0.9), rng.uniform(0.02, 0.9)],
            rng.uniform(0.25, 0.5),
        )
    body = body * (1 + 0.06 * smooth_field(side, rng.uniform(2, 6), rng))
    shaded = body * np.exp(rng.uniform(0, 0.35) * smooth_field(side, side / 3, rng))
    kept = int(side * rng.uniform(0.35, 0.9))  # frequencies, of a square of k-space
    spectrum = np.fft.fftshift(np.fft.fft2(shaded))
    first = (side - kept) // 2
    masked = np.zeros_like(spectrum)
    masked[first : first + kept, first : first + kept] = spectrum[first : first + kept, first : first + kept]
    if rng.random() < 0.3:  # a ghost of motion along the phase
        masked[:: int(rng.integers(2, 4))] *= rng.uniform(0.8, 0.97)
    signal = np.fft.ifft2(np.fft.ifftshift(masked))
    noise = rng.uniform(0.003, 0.08)
    image = np.abs(signal + rng.normal(0, noise, shaded.shape) + 1j * rng.normal(0, noise, shaded.shape))
    return cv2.resize(image.astype(np.float32), None, fx=(f := rng.uniform(0.9, 1.8)), fy=f)


def microscopy(rng: np.random.Generator) -> np.ndarray:
    """Draw cells or spots in fluorescence, a stained section, cells in phase contrast, or membranes."""
    side = int(rng.integers(224, 420))
    draw = (_fluorescence, _spots, _section, _phase_contrast, _membranes)[rng.integers(5)]
    image = cv2.GaussianBlur(draw(side, rng).astype(np.float32), (0, 0), rng.uniform(0.4, 1.6))
    noise = rng.normal(0, 1, image.shape)
    strength = rng.uniform(0.003, 0.06)
    return image + strength * noise * np.sqrt(np.maximum(image, 0.02))


def _nuclei(side: int, count: int, size: float, rng: np.random.Generator) -> list[tuple[np.ndarray, float]]:
    """Return the covers of ellipses with wobbling outlines, and a brightness of each."""
    wobble = 0.25 * smooth_field(side, size, rng)
    rows, columns = np.ogrid[:side, :side]
    farthest = 1.4 * size * (1 + 0.5 * float(wobble.max()))
    found = []
    for _ in range(count):
        cy, cx = rng.uniform(0, side, 2)
        turn, along = rng.uniform(0, np.pi), size * rng.uniform(0.6, 1.4)
        across = along * rng.uniform(0.5, 1)
        top, left = (max(0, int(middle - farthest)) for middle in (cy, cx))
        near = slice(top, int(cy + farthest) + 2), slice(left, int(cx + farthest) + 2)
        y, x = rows[near[0]] - cy, columns[:, near[1]] - cx
        u = x * np.cos(turn) + y * np.sin(turn)
        v = y * np.cos(turn) - x * np.sin(turn)
        cover = np.zeros((side, side), np.float32)
        cover[near] = np.clip(4 * (1 - np.hypot(u / along, v / across) + wobble[near] * 0.5), 0, 1)
        found.append((cover, float(rng.uniform(0.3, 1))))
    return found


def _fluorescence(side: int, rng: np.random.Generator) -> np.ndarray:
    image = np.full((side, side), rng.uniform(0.01, 0.1), np.float32)
    image += 0.02 * smooth_field(side, side / 4, rng)
    texture = 1 + 0.2 * fractal_field(side, 1, rng)
    for cover, grey in _nuclei(side, int(rng.integers(6, 50)), side * rng.uniform(0.02, 0.08), rng):
        image = np.maximum(image, cover * grey * texture)
        if rng.random() < 0.3:
            image += 0.15 * grey * cv2.GaussianBlur(cover, (0, 0), side * 0.03)
    return image


def _spots(side: int, rng: np.random.Generator) -> np.ndarray:
    image = np.zeros((side, side), np.float32)
    count = int(np.exp(rng.uniform(3, 7)))
    image[tuple(rng.integers(0, side, (2, count)))] = rng.exponential(1, count)
    width = rng.uniform(1, 4)
    image = cv2.GaussianBlur(image, (0, 0), width) * width**2 * 6
    for _ in range(int(rng.integers(0, 30))):  # filaments
        points = np.cumsum(rng.normal(0, side / 12, (6, 2)), axis=0) + rng.uniform(0, side, 2)
        cv2.polylines(image, [points.astype(np.int32)], False, rng.uniform(0.2, 1), 1, cv2.LINE_AA)
    return image + 0.05 + 0.03 * smooth_field(side, side / 4, rng)


def _section(side: int, rng: np.random.Generator) -> np.ndarray:
    stroma = 0.75 + 0.06 * fractal_field(side, 1.1, rng)
    fibres = 0.05 * np.sin(smooth_field(side, side / 6, rng) * rng.uniform(10, 30))
    gaps = np.clip(smooth_field(side, side * rng.uniform(0.04, 0.15), rng) - rng.uniform(0.8, 1.5), 0, 0.3)
    image = stroma + fibres + gaps
    for cover, grey in _nuclei(side, int(rng.integers(40, 160)), side * rng.uniform(0.01, 0.03), rng):
        image = image * (1 - cover * (0.3 + 0.4 * grey))
    return np.minimum(image, 0.97)


def _phase_contrast(side: int, rng: np.random.Generator) -> np.ndarray:
    body = np.zeros((side, side), np.float32)
    for cover, grey in _nuclei(side, int(rng.integers(8, 60)), side * rng.uniform(0.02, 0.06), rng):
        body = np.maximum(body, cover * grey)
    body += 0.1 * body * fractal_field(side, 0.8, rng)
    near, far = (cv2.GaussianBlur(body, (0, 0), side * width) for width in (0.004, 0.015))
    return 0.5 + rng.choice([-1, 1]) * 1.2 * (near - far) - 0.1 * body + 0.02 * smooth_field(side, 60, rng)


def _membranes(side: int, rng: np.random.Generator) -> np.ndarray:
    tree = cKDTree(rng.uniform(0, side, (int(rng.integers(30, 300)), 2)))
    warp = side * 0.02
    y, x = np.mgrid[:side, :side].astype(np.float32)
    places = np.stack([y + warp * smooth_field(side, 20, rng), x + warp * smooth_field(side, 20, rng)], -1)
    distance, cell = tree.query(places, k=2)
    wall = np.exp(-(((distance[..., 1] - distance[..., 0]) / rng.uniform(2, 5)) ** 2))
    inside = 0.7 + 0.05 * rng.normal(size=tree.n)[cell[..., 0]] + 0.05 * fractal_field(side, 0.7, rng)
    image = inside - rng.uniform(0.3, 0.6) * wall
    for cover, grey in _nuclei(side, int(rng.integers(5, 60)), side * 0.012, rng):
        image = image - 0.4 * grey * cover
    return image
