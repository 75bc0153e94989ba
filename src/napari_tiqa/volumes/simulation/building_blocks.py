"""Building blocks of microstructures: smooth noise, Voronoi cells, packed spheres, the field of view."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Floats = NDArray[np.float32]
Shape3 = tuple[int, int, int]
"""Depth, height and width, px; the depth is 1 for a section."""


def grid(shape: Shape3) -> tuple[Floats, Floats, Floats]:
    """Return z, y and x of each voxel."""
    z, y, x = np.broadcast_arrays(*np.ogrid[: shape[0], : shape[1], : shape[2]])
    return z.astype(np.float32), y.astype(np.float32), x.astype(np.float32)


def step(value: NDArray[np.floating], low: float, high: float) -> Floats:
    """Ramp from 0 at `low` to 1 at `high`: an edge that is a little wider than a voxel."""
    return np.clip((value - low) / (high - low), 0, 1).astype(np.float32)


def smooth_noise(shape: Shape3, scale: float, rng: np.random.Generator) -> Floats:
    """Gaussian random field, mean 0, standard deviation 1, correlated over `scale` voxels (Gaussian sigma).

    White noise on a grid as coarse as `scale`, smoothed to full resolution axis by axis with matrix products:
    the coarser the field the cheaper.
    """
    kernels = []
    for length in shape:
        nodes = np.arange(-3, length / scale + 3)
        kernel = np.exp(-0.5 * (np.arange(length)[:, None] / scale - nodes) ** 2)
        kernels.append((kernel / np.linalg.norm(kernel, axis=1, keepdims=True)).astype(np.float32))
    field = rng.standard_normal([kernel.shape[1] for kernel in kernels], dtype=np.float32)
    for kernel in kernels:  # each product takes the first axis and puts the result last
        field = np.tensordot(field, kernel, axes=(0, 1))
    return field


def fractal_noise(shape: Shape3, scale: float, octaves: int, rng: np.random.Generator) -> Floats:
    """Sum of smooth noise at `scale`, half of it, a quarter ..., each weaker; standard deviation 1."""
    weights = 0.6 ** np.arange(octaves)
    weights /= np.linalg.norm(weights)
    total = np.zeros(shape, np.float32)
    for octave, weight in enumerate(weights):
        total += np.float32(weight) * smooth_noise(shape, max(scale / 2**octave, 1.2), rng)
    return total


@dataclass(frozen=True)
class Cells:
    """Voronoi cells of a volume; distances in voxels."""

    cell: NDArray[np.intp]  # number of the cell of each voxel
    count: int
    to_seed: Floats
    to_wall: Floats  # distance to the next cell, exact near the wall
    towards_seed: Floats  # (3, z, y, x): vector from each voxel to the seed of its cell


def voronoi(shape: Shape3, size: float, rng: np.random.Generator, warp: float = 0.0) -> Cells:
    """Voronoi cells of mean width `size`; `warp` bends the walls by that share of a cell.

    More than 128 voxels a side of a 3-D volume are covered by repeating the cells periodically: finding
    the nearest seeds is by far the dearest step.
    """
    tile = shape if shape[0] == 1 else (shape[0], min(shape[1], 128), min(shape[2], 128))
    margin = np.array([2 * size, 0, 0])  # y and x wrap around; z does not
    low, high = -margin, np.array(tile) + margin
    seeds = rng.uniform(low, high, (max(8, int(np.prod(high - low) / size**3)), 3))
    period = np.array([0, *tile[1:]])
    where = np.stack(grid(tile), axis=-1)
    bent = where
    if warp:
        bend = [warp * size * smooth_noise(tile, 0.5 * size, rng) for _ in range(3)]
        bent = where + np.stack(bend, axis=-1)
    bent[..., 1:] %= period[1:]
    bent = np.clip(bent, [-np.inf, 0, 0], [np.inf, *np.nextafter(period[1:], 0)])
    # cKDTree wraps an axis only where its box size is not 0, and then wants its points inside
    tree = cKDTree(seeds - [low[0], 0, 0], boxsize=[0, *tile[1:]])
    query = bent.reshape(-1, 3) - [low[0], 0, 0]
    distance, cell = tree.query(query, k=2, workers=-1)
    offset = seeds[cell[:, 0]] - bent.reshape(-1, 3)
    offset[:, 1:] -= period[1:] * np.rint(offset[:, 1:] / period[1:])
    between = seeds[cell[:, 1]] - seeds[cell[:, 0]]
    between[:, 1:] -= period[1:] * np.rint(between[:, 1:] / period[1:])
    # distance to the plane half-way between the two nearest seeds
    gap = (distance[:, 1] ** 2 - distance[:, 0] ** 2) / (2 * np.linalg.norm(between, axis=1) + 1e-9)

    def cover(flat: NDArray) -> NDArray:
        block = flat.reshape(tile)
        if tile == shape:
            return block
        repeats = [1, -(-shape[1] // tile[1]), -(-shape[2] // tile[2])]
        return np.tile(block, repeats)[:, : shape[1], : shape[2]]

    return Cells(
        cell=cover(cell[:, 0]),
        count=len(seeds),
        to_seed=cover(distance[:, 0].astype(np.float32)),
        to_wall=cover(gap.astype(np.float32)),
        towards_seed=np.stack([cover(axis.astype(np.float32)) for axis in offset.T]),
    )


@dataclass(frozen=True)
class Spheres:
    """Spheres in a volume; some may lie partly or wholly outside it."""

    centres: NDArray[np.float64]  # (k, 3), in voxels
    radii: NDArray[np.float64]


def pack_spheres(
    shape: Shape3, median: float, spread: float, fill: float, rng: np.random.Generator
) -> Spheres:
    """Place spheres, largest first, without overlap, until they take about the share `fill` of the space.

    Radii are log-normal: `median` in voxels, `spread` the standard deviation of their logarithm. Centres
    lie up to the largest radius outside the volume too.
    """
    largest = 2.2 * median
    low, high = np.full(3, -largest), np.array(shape) - 1 + largest
    mean_volume = 4 / 3 * np.pi * median**3 * np.exp(4.5 * spread**2)
    count = max(1, int(fill * np.prod(high - low) / mean_volume))
    radii = np.clip(median * rng.lognormal(0, spread, count), 0.5 * median, largest)
    centres, kept = np.empty((count, 3)), np.empty(count)
    placed = 0
    for radius in np.sort(radii)[::-1]:
        tries = rng.uniform(low, high, (40, 3))
        apart = np.linalg.norm(tries[:, None] - centres[None, :placed], axis=2)
        free = np.flatnonzero((apart >= radius + kept[:placed]).all(axis=1))
        if len(free):
            centres[placed], kept[placed] = tries[free[0]], radius
            placed += 1
    return Spheres(centres[:placed], kept[:placed])


def scattered_columns(shape: Shape3, radius: float, tries: int, rng: np.random.Generator) -> Spheres:
    """Place circles without overlap in the plane z = 0: sections of columns along z."""
    centres: list[NDArray[np.float64]] = []
    for _ in range(tries):
        centre = np.array([0.0, rng.uniform(0, shape[1]), rng.uniform(0, shape[2])])
        if all(np.linalg.norm(centre - other) > 2.5 * radius for other in centres):
            centres.append(centre)
    return Spheres(np.reshape(centres, (-1, 3)), np.full(len(centres), radius))


def fragments(shape: Shape3, depth: Floats, radius: float, rng: np.random.Generator) -> Spheres:
    """Small spheres in clusters, in the room that the large ones leave."""
    reach = np.array([radius if shape[0] == 1 else 0.0, 0, 0])
    count = int(rng.uniform(0.1, 0.5) * np.prod(np.array(shape) + 2 * reach) / (4.2 * radius**3))
    centres = rng.uniform(-reach, np.array(shape) - 1 + reach, (count, 3))
    radii = radius * rng.uniform(0.5, 1.5, count)
    clusters = smooth_noise(shape, 5 * radius, rng)
    voxel = np.clip(np.rint(centres), 0, np.array(shape) - 1).astype(int)
    free = (depth[tuple(voxel.T)] < -0.6 * radii) & (clusters[tuple(voxel.T)] > 0.6)
    return Spheres(centres[free], radii[free])


def depth_in_spheres(
    shape: Shape3, spheres: Spheres, displaced: Floats | None = None
) -> tuple[Floats, NDArray[np.int32]]:
    """Depth of each voxel inside the sphere it is deepest in, and that sphere's number.

    Depth is in voxels, negative outside, and -inf (sphere number -1) far from all of them. `displaced`
    (3, z, y, x) reads the depth at another place than the voxel's own.
    """
    depth = np.full(shape, -np.inf, np.float32)
    owner = np.full(shape, -1, np.int32)
    axes = [np.arange(n, dtype=np.float32) for n in shape]
    for number, (centre, radius) in enumerate(zip(spheres.centres, spheres.radii, strict=True)):
        reach = 1.3 * radius + 6  # room for ragged outlines, and for fragments to know what is near
        low = np.maximum(np.floor(centre - reach), 0).astype(int)
        high = np.minimum(np.ceil(centre + reach) + 1, shape).astype(int)
        if (low >= high).any():
            continue
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        squares = np.zeros([b - a for a, b in zip(low, high, strict=True)], np.float32)
        for axis in range(3):
            line = axes[axis][box[axis]] - np.float32(centre[axis])
            line = line.reshape([-1 if i == axis else 1 for i in range(3)])
            squares += np.square(line if displaced is None else line + displaced[axis][box])
        here = np.float32(radius) - np.sqrt(squares)
        deeper = here > depth[box]
        depth[box][deeper] = here[deeper]
        owner[box][deeper] = number
    return depth, owner


def hexagonal_points(extent: float, pitch: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Jittered hexagonal lattice over a square of side `extent`."""
    rows, columns = np.meshgrid(
        np.arange(0, extent, pitch * np.sqrt(3) / 2), np.arange(0, extent, pitch), indexing="ij"
    )
    columns = columns + (np.arange(len(rows)) % 2)[:, None] * pitch / 2
    points = np.column_stack([rows.ravel(), columns.ravel()])
    return points + 0.1 * pitch * rng.standard_normal(points.shape)


def in_field(
    volume: Floats, rng: np.random.Generator, surroundings: tuple[float, float] = (0.0, 0.0)
) -> Floats:
    """Let the specimen fill the field of view, or cut it to a rod with a rough edge, bare or in a tube."""
    case = rng.random()
    if case < 0.5:
        return volume
    depth, height, width = volume.shape
    shape = (depth, height, width)
    side = max(shape[1:])
    _, y, x = grid(shape)
    centre = (np.array(shape[1:]) - 1) / 2 + side * rng.uniform(-0.04, 0.04, 2)
    radius = np.hypot(y - centre[0], x - centre[1])
    ragged = side * (0.03 * smooth_noise(shape, 0.15 * side, rng) + 0.006 * smooth_noise(shape, 4, rng))
    edge = side * rng.uniform(0.3, 0.44)
    around = rng.uniform(*surroundings)
    rod = np.where(radius + ragged < edge, volume, np.float32(around))
    if case > 0.8:
        inner = side * 0.45
        tube = (radius > inner) & (radius < inner + side * rng.uniform(0.01, 0.025))
        rod = np.where(radius > inner, 0, rod)
        rod = np.where(tube, np.float32(rng.uniform(0.2, 0.5)), rod)
    return rod.astype(np.float32)
