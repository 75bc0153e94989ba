"""What is made of slices and is not one: label images, sinograms; and radiographs."""

import cv2
import numpy as np
from scipy.ndimage import distance_transform_edt, label
from skimage.filters import threshold_multiotsu
from skimage.segmentation import watershed

from napari_tiqa.learning.images.foreign.fields import fractal_field, scaled, smooth_field
from napari_tiqa.volumes.simulation.acquisition import Acquisition, detect, project


def labels_of(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Segment a slice, (rows, columns): by thresholds, into connected parts, or into cells of a watershed."""
    image = cv2.GaussianBlur(scaled(image), (0, 0), rng.uniform(0.5, 3))
    kind = rng.integers(4)
    if kind < 2:
        classes = int(rng.integers(2, 6))
        quantiles = np.quantile(image, np.sort(rng.uniform(0.1, 0.9, classes - 1)))
        thresholds = quantiles if rng.random() < 0.5 else threshold_multiotsu(image, classes, nbins=64)
        found = np.digitize(image, thresholds)
    else:
        parts = image > np.quantile(image, rng.uniform(0.3, 0.7))
        found, count = label(parts)
        if kind == 3 or count < 3:
            depth = cv2.GaussianBlur(distance_transform_edt(parts).astype(np.float32), (0, 0), 2)
            seeds, _ = label(depth >= cv2.dilate(depth, np.ones((9, 9))) - 1e-6)
            found = watershed(-depth, seeds * parts, mask=None if rng.random() < 0.3 else parts)
    return _coloured(found, rng)


def cells(rng: np.random.Generator) -> np.ndarray:
    """Draw labels by themselves: Voronoi cells, discs, or blobs of a smooth field."""
    side = int(rng.integers(160, 600))
    kind = rng.integers(3)
    if kind == 0:
        seeds = np.zeros((side, side), np.int32)
        count = int(rng.integers(5, 300))
        seeds[tuple(rng.integers(0, side, (2, count)))] = np.arange(1, count + 1)
        found = watershed(smooth_field(side, 20, rng) * rng.uniform(0, 1), seeds)
    elif kind == 1:
        found = np.zeros((side, side), np.int32)
        for number in range(1, int(rng.integers(5, 150))):
            centre = tuple(int(c) for c in rng.integers(0, side, 2))
            cv2.circle(found, centre, int(side * rng.uniform(0.01, 0.12)), number, -1)
    else:
        found = np.digitize(smooth_field(side, side * rng.uniform(0.01, 0.1), rng), rng.normal(0, 0.8, 2))
    return _coloured(found, rng)


def sinogram_of(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Project a slice of any shape; absorption or transmission, with or without noise, also a part of it."""
    side = min(image.shape)
    plane = scaled(image[:side, :side])
    angles = int(side * rng.uniform(0.7, 2.5))
    scan = Acquisition(
        projections=angles,
        arc=int(rng.choice([180, 360])),
        photons=float(np.exp(rng.uniform(5, 12))) if rng.random() < 0.6 else np.inf,
        gain_error=rng.uniform(0, 0.05) if rng.random() < 0.5 else 0.0,
        axis_offset=rng.uniform(-0.08, 0.08) * side,
        optical_depth=rng.uniform(0.5, 4),
    )
    lines = detect(project(plane, scan), scan, rng)
    if rng.random() < 0.3:
        lines = np.exp(-lines * scan.optical_depth / side)
    if rng.random() < 0.3:
        first, last = sorted(rng.integers(0, angles, 2))
        lines = lines[first : max(last, first + angles // 3)]
    return lines.T.copy() if rng.random() < 0.3 else lines


def radiograph(rng: np.random.Generator) -> np.ndarray:
    """Draw a projection of balls, rods, plates or bones before an uneven beam, with dust and noise."""
    side = int(rng.integers(200, 450))
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    thickness = np.zeros_like(x)
    if rng.random() < 0.6:  # a holder or a limb
        reach = rng.uniform(0.4, 1.1) * (1 + 0.05 * smooth_field(side, side / 3, rng))
        thickness += rng.uniform(0.3, 1) * np.sqrt(np.maximum(reach**2 - (x - rng.normal(0, 0.1)) ** 2, 0))
    for _ in range(int(np.exp(rng.uniform(1, 5.5)))):
        turn, along = rng.uniform(0, np.pi), rng.uniform(0.03, 0.3)
        cx, cy = rng.uniform(-0.9, 0.9, 2)
        u = (x - cx) * np.cos(turn) + (y - cy) * np.sin(turn)
        v = (y - cy) * np.cos(turn) - (x - cx) * np.sin(turn)
        wide = along * rng.choice([1, 1, 0.3, 4])
        height = np.sqrt(np.maximum(1 - (u / along) ** 2 - (v / wide) ** 2, 0)) * along
        hollow = rng.uniform(0.6, 0.95)
        inner = np.sqrt(np.maximum(hollow**2 - (u / along) ** 2 - (v / wide) ** 2, 0)) * along
        thickness += rng.choice([1, 2, -0.3]) * (height - inner * (rng.random() < 0.3))
    thickness += 0.02 * fractal_field(side, 1.2, rng) * (thickness > 0)
    beam = 1 + 0.15 * smooth_field(side, side / 2, rng) + 0.1 * rng.normal() * x
    image = beam * np.exp(-rng.uniform(0.3, 2) * np.maximum(thickness, 0))
    if rng.random() < 0.3:
        image *= 1 + rng.uniform(0.01, 0.05) * rng.standard_normal(side)[None, :].astype(np.float32)
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 2))
    image = image + rng.normal(0, rng.uniform(0.002, 0.03), image.shape)
    return -np.log(np.maximum(image, 1e-3)) if rng.random() < 0.5 else image


def radiograph_of(images: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Lay slices of one specimen, turned and shifted against each other, on top of each other."""
    side = min(min(image.shape) for image in images)
    total = np.zeros((side, side), np.float32)
    for _ in range(int(rng.integers(8, 40))):
        image = scaled(images[rng.integers(len(images))][:side, :side])
        turn = cv2.getRotationMatrix2D((side / 2, side / 2), rng.uniform(0, 360), rng.uniform(0.8, 1.3))
        turn[:, 2] += rng.normal(0, side / 10, 2)
        total += cv2.warpAffine(image, turn, (side, side), borderMode=cv2.BORDER_REFLECT)
    lit = np.exp(-rng.uniform(0.5, 3) * total / total.max())
    return lit + rng.normal(0, rng.uniform(0.001, 0.02), lit.shape)


def _coloured(found: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    count = int(found.max()) + 1
    if rng.random() < 0.5:
        return found.astype(np.uint16)
    greys = rng.permutation(count) if rng.random() < 0.5 else rng.integers(0, 256, count)
    greys = greys.astype(np.uint16)
    greys[0] = 0
    return greys[found]
