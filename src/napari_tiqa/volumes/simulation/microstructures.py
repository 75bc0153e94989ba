"""Seeded microstructures of the materials that people scan, as attenuation from 0 (air) to 1.

All of them are made in three dimensions; a 2-D one is a section one voxel thick. They share three building
blocks: smooth noise (Gaussian random fields of a given feature size), Voronoi cells, and packed spheres.
What differs between two seeds of one kind is what differs between two specimens: feature size, contrast,
porosity, damage, and whether the specimen fills the field of view or stands in air.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from napari_tiqa.errors import VolumeError

Floats = NDArray[np.float32]
Shape3 = tuple[int, int, int]


def microstructure(kind: str, shape: tuple[int, ...], seed: int) -> Floats:
    """Make one specimen.

    Parameters
    ----------
    kind : str
        One of :data:`KINDS`.
    shape : tuple of int
        (y, x) or (z, y, x), y and x at least 16. Features scale with the larger of y and x.
    seed : int
        The specimen: the same kind, shape and seed give the same voxels.

    Returns
    -------
    ndarray of `shape`, float32
        Attenuation, 0 (air) to 1.

    Raises
    ------
    VolumeError
        Where there is no such kind, or the shape is not 2-D or 3-D or too small.
    """
    if kind not in KINDS:
        raise VolumeError(f"There is no microstructure {kind!r}; choose one of {', '.join(KINDS)}.")
    if len(shape) not in (2, 3) or min(shape[-2:]) < 16 or shape[0] < 1:
        raise VolumeError(
            f"A microstructure needs a shape (y, x) or (z, y, x) of 16 x 16 or more, not {shape}."
        )
    depth = shape[0] if len(shape) == 3 else 1
    rng = np.random.default_rng([seed, list(KINDS).index(kind)])
    volume = _MAKERS[kind]((depth, shape[-2], shape[-1]), rng)
    soft = rng.uniform(0.4, 0.7)  # no voxel edge is sharper than the voxel
    volume = gaussian_filter(volume, (soft if depth > 1 else 0, soft, soft), mode="nearest")
    return np.clip(volume, 0, 1).reshape(shape)


def _electrode(shape: Shape3, rng: np.random.Generator) -> Floats:
    """Lithium-ion cathode: grainy NMC-like particles, their fragments, carbon and binder, pores."""
    side = max(shape[1:])
    grains = _voronoi(shape, side * rng.uniform(0.013, 0.026), rng)
    median = side * rng.uniform(0.045, 0.085)
    packed = _pack_spheres(shape, median, 0.35, rng.uniform(0.3, 0.5), rng)

    # a grain of a secondary particle is in it or not as a whole: that is what makes its outline scalloped
    depth_inside, particle = _depth_in_spheres(shape, packed, 0.85 * grains.towards_seed)
    fragments = _fragments(shape, depth_inside, side * rng.uniform(0.012, 0.02), rng)
    fragment_depth, _ = _depth_in_spheres(shape, fragments, 0.7 * grains.towards_seed)

    count = len(packed.radii)
    coarse, fine = _smooth_noise(shape, 0.03 * side, rng), _smooth_noise(shape, 1.6, rng)
    carbon, pore = rng.uniform(0.2, 0.36), rng.uniform(0.02, 0.12)
    porous_matrix = _fractal_noise(shape, 0.035 * side, 4, rng)
    volume = pore + (carbon - pore) * _step(porous_matrix, -0.25, 0.7)
    volume *= 1 + 0.16 * fine

    active = rng.uniform(0.72, 0.9)
    grey = (active * (1 + 0.035 * rng.standard_normal(count + 1))).astype(np.float32)
    inside = grey[particle] * (1 + 0.025 * coarse + 0.015 * fine)
    cracked = rng.random(count + 1) < rng.uniform(0.05, 0.45)
    opening = rng.uniform(0.2, 0.6) * (0.5 + coarse)  # cracks follow grain boundaries, open and close
    crack = cracked[particle] & (grains.to_wall < opening)
    porous = rng.random(count + 1) < 0.15
    hole = porous[particle] & (_smooth_noise(shape, 0.009 * side, rng) > 1.25) & (depth_inside > 2)
    hollow = np.where(rng.random(count) < 0.1, rng.uniform(0.3, 0.75, count) * packed.radii, np.inf)
    hole |= depth_inside > np.append(hollow, np.inf)[particle]
    inside = np.where(crack | hole, pore + 0.15 * inside, inside)

    volume = np.where(fragment_depth > 0, active * (0.97 + 0.05 * coarse), volume)
    volume = np.where(depth_inside > 0, inside, volume).astype(np.float32)
    return _in_field(volume, rng, surroundings=(0.0, pore))


def _powder(shape: Shape3, rng: np.random.Generator) -> Floats:
    """Packed beads, some coated, some with gas bubbles, in air or resin."""
    side = max(shape[1:])
    median = side * rng.uniform(0.03, 0.09)
    packed = _pack_spheres(shape, median, rng.uniform(0.05, 0.4), rng.uniform(0.35, 0.55), rng)
    wobble = 0.12 * median * _smooth_noise(shape, 0.8 * median, rng)
    depth_inside, particle = _depth_in_spheres(shape, packed)
    depth_inside = depth_inside + wobble
    count = len(packed.radii)
    grey = rng.uniform(0.45, 0.7) + rng.uniform(0.02, 0.15) * rng.standard_normal(count + 1)
    fine = _fractal_noise(shape, 0.3 * median, 3, rng)
    solid = grey.astype(np.float32)[particle] * (1 + 0.05 * fine)
    coat = rng.uniform(0, 0.12) * median
    solid = np.where(depth_inside < coat, rng.uniform(0.75, 0.95), solid)
    bubbly = rng.random(count + 1) < 0.2
    solid = np.where(bubbly[particle] & (fine > 1.4) & (depth_inside > 2), 0.1, solid)
    between = rng.uniform(0, 0.25) * (1 + 0.06 * _smooth_noise(shape, 3, rng))
    return _in_field(np.where(depth_inside > 0, solid, between).astype(np.float32), rng)


def _fibres(shape: Shape3, rng: np.random.Generator) -> Floats:
    """Fibre composite: tows of parallel fibres in several directions, resin, voids, broken fibres."""
    side = max(shape[1:])
    z, y, x = _grid(shape)
    resin = rng.uniform(0.25, 0.4)
    volume = resin * (1 + 0.04 * _fractal_noise(shape, 0.05 * side, 3, rng))
    radius = side * rng.uniform(0.008, 0.02)
    # each tow is a smooth region with a direction of its own
    tows = [_smooth_noise(shape, side * rng.uniform(0.12, 0.25), rng) for _ in range(3)]
    owner = np.argmax(tows, axis=0)
    crimp = 1.5 * radius * _smooth_noise(shape, 0.15 * side, rng)
    for tow in range(len(tows)):
        tilt = rng.uniform(0, 0.93) if tow else rng.uniform(0, 0.3)  # 0: along z, towards 1: in the plane
        turn = rng.uniform(0, 2 * np.pi)
        along = x * np.cos(turn) + y * np.sin(turn) + crimp
        across = y * np.cos(turn) - x * np.sin(turn) + crimp
        cos, sin = np.sqrt(1 - tilt**2), tilt
        u = cos * along - sin * z
        pitch = radius * rng.uniform(2.15, 2.7)
        points = _hexagonal_points(4 * side, pitch, rng) - 2 * side
        tree = cKDTree(points)
        here = owner == tow
        distance, fibre = tree.query(np.column_stack([u[here], across[here]]), workers=-1)
        size = radius * rng.uniform(0.75, 1.08, len(points))
        grey = rng.uniform(0.5, 0.8) * (1 + 0.06 * rng.standard_normal(len(points)))
        grey[rng.random(len(points)) < 0.06] = resin  # resin pockets where fibres are missing
        edge = _step(size[fibre] - distance, -0.5, 0.5)
        volume[here] += edge * (grey[fibre] - volume[here])
    voids = _smooth_noise(shape, side * rng.uniform(0.02, 0.05), rng) > rng.uniform(2.0, 3.0)
    return _in_field(np.where(voids, 0.03, volume).astype(np.float32), rng)


def _foam(shape: Shape3, rng: np.random.Generator) -> Floats:
    """Foam, closed or open: Voronoi walls with thick junctions, a fine porosity in the walls."""
    side = max(shape[1:])
    size = side * rng.uniform(0.06, 0.16)
    cells = _voronoi(shape, size, rng, warp=0.1)
    thickness = size * rng.uniform(0.04, 0.16) * (1 + 0.25 * _smooth_noise(shape, size, rng))
    wall = _step(thickness - cells.to_wall, -0.7, 0.7)
    opened = _step(_smooth_noise(shape, 0.5 * size, rng), 0.5, 0.9) * rng.uniform(0, 1)
    corner = _step(cells.to_seed - 0.62 * size, -0.1 * size, 0.1 * size)
    wall = np.maximum(wall * (1 - opened), corner * rng.uniform(0, 1))
    grey = rng.uniform(0.5, 0.9) * (1 + 0.06 * _fractal_noise(shape, 0.2 * size, 3, rng))
    holes = _smooth_noise(shape, 2.2, rng) > rng.uniform(1.8, 3)
    gas = rng.uniform(0, 0.06)
    return _in_field((gas + wall * np.where(holes, 0.3, grey)).astype(np.float32), rng)


def _rock(shape: Shape3, rng: np.random.Generator) -> Floats:
    """Porous rock: mineral grains of several densities, cement, pores, cracks, dense specks."""
    side = max(shape[1:])
    size = side * rng.uniform(0.05, 0.14)
    grains = _voronoi(shape, size, rng, warp=0.13)
    minerals = np.array([0.5, 0.54, 0.6, 0.42]) * rng.uniform(0.8, 1.2)
    kind = rng.choice(len(minerals), size=grains.count, p=[0.5, 0.25, 0.15, 0.1])
    grey = minerals[kind] * (1 + 0.02 * rng.standard_normal(grains.count))
    texture = _fractal_noise(shape, 0.35 * size, 4, rng)
    rough = np.where(kind == 3, 0.14, 0.03)  # clay and altered feldspar are mottled
    volume = grey[grains.cell] * (1 + rough[grains.cell] * texture)
    opening = size * rng.uniform(0.02, 0.2) * (1 + _smooth_noise(shape, 1.2 * size, rng))
    pore = _step(opening - grains.to_wall, -0.6, 0.6)
    pore = np.maximum(pore, _step(_fractal_noise(shape, 0.5 * size, 3, rng), 1.3, 1.7))
    cement = _smooth_noise(shape, 0.8 * size, rng) > rng.uniform(-0.5, 1.0)
    filled = np.where(cement, rng.uniform(0.25, 0.45) * (1 + 0.1 * texture), rng.uniform(0, 0.12))
    volume = volume + pore * (filled - volume)
    bedding = _smooth_noise((shape[0], shape[1], 1), 0.05 * side, rng)
    volume *= 1 + rng.uniform(0, 0.06) * bedding
    crack = np.abs(_fractal_noise(shape, 0.3 * side, 3, rng)) < rng.uniform(0, 0.025)
    volume = np.where(crack, 0.06, volume)
    specks = _smooth_noise(shape, rng.uniform(1.2, 2.5), rng) > rng.uniform(3.2, 3.8)
    return _in_field(np.where(specks, 0.97, volume).astype(np.float32), rng)


def _winding(shape: Shape3, rng: np.random.Generator) -> Floats:
    """Jelly roll: foil, coating and separator wound in a spiral, kinks, gaps, a can."""
    side = max(shape[1:])
    _, y, x = _grid(shape)
    # a part of a roll, or a whole one in its can
    whole = rng.random() < 0.5
    centre = np.array(shape[1:]) * (0.5 if whole else rng.uniform(-0.6, 0.3))
    centre = centre + side * rng.uniform(-0.03, 0.03, 2)
    dy, dx = y - centre[0], (x - centre[1]) * rng.uniform(0.85, 1.15)
    angle = np.arctan2(dy, dx)
    buckle = side * rng.uniform(0.004, 0.015) * _smooth_noise(shape, 0.16 * side, rng)
    radius = np.hypot(dy, dx) + buckle
    pitch = side * rng.uniform(0.045, 0.13)
    turn = radius / pitch - angle / (2 * np.pi)
    phase = (turn % 1.0).astype(np.float32)
    pixel = 1 / pitch

    texture = _fractal_noise(shape, 0.02 * side, 3, rng)
    granules = _step(_smooth_noise(shape, max(1.6, 0.006 * side), rng), -0.3, 0.9)
    cathode = rng.uniform(0.5, 0.75) * (1 + 0.05 * texture) * (0.8 + 0.3 * granules)
    anode = rng.uniform(0.15, 0.3) * (1 + 0.06 * texture) * (0.9 + 0.15 * granules)
    volume = np.full(shape, rng.uniform(0.05, 0.12), np.float32)  # separator and electrolyte

    def between(low: float, high: float) -> Floats:
        return _step(phase - low, -pixel, pixel) * _step(high - phase, -pixel, pixel)

    aluminium, copper = np.float32(0.3), np.float32(0.95)
    layers: list[tuple[float, float, Floats | np.float32]] = [
        (0.06, 0.40, cathode),
        (0.21, 0.21 + 1.2 * pixel, aluminium),
        (0.50, 0.94, anode),
        (0.71, 0.71 + pixel, copper),
    ]
    for low, high, grey in layers:
        volume += between(low, high) * (grey - volume)
    gaps = _smooth_noise(shape, 0.1 * side, rng) > rng.uniform(1.2, 2.5)
    volume = np.where(gaps & ((phase < 0.05) | (phase > 0.95)), 0.0, volume)
    if whole:
        mandrel, outer = side * rng.uniform(0.04, 0.14), side * rng.uniform(0.36, 0.42)
        can = side * rng.uniform(0.008, 0.02)
        volume = np.where(radius < mandrel, 0.01, volume)
        volume = np.where(radius > outer, 0.0, volume)
        volume = np.where((radius > outer + can) & (radius < outer + 2.5 * can), 0.9, volume)
    return volume.astype(np.float32)


def _grains(shape: Shape3, rng: np.random.Generator) -> Floats:
    """Polycrystal or alloy: grains of slightly different grey, boundary films, precipitates, pores."""
    side = max(shape[1:])
    size = side * rng.uniform(0.05, 0.15)
    grains = _voronoi(shape, size, rng, warp=0.08)
    grey = rng.uniform(0.45, 0.65) + rng.uniform(0.02, 0.09) * rng.standard_normal(grains.count)
    volume = grey[grains.cell] * (1 + 0.02 * _fractal_noise(shape, 0.5 * size, 3, rng))
    film = _step(rng.uniform(0.8, 2.2) - grains.to_wall, -0.6, 0.6)
    film = film * _step(_smooth_noise(shape, 1.5 * size, rng), -0.8, 0.2)
    volume = volume + film * (rng.choice([0.15, 0.85]) - volume)
    second = _fractal_noise(shape, 0.25 * size, 2, rng) > rng.uniform(1.3, 2.4)
    volume = np.where(second, rng.choice([0.3, 0.9]) * (1 + 0.03 * _smooth_noise(shape, 2, rng)), volume)
    pores = _smooth_noise(shape, side * rng.uniform(0.008, 0.02), rng) > rng.uniform(2.2, 3.2)
    return _in_field(np.where(pores, 0.04, volume).astype(np.float32), rng)


def _wood(shape: Shape3, rng: np.random.Generator) -> Floats:
    """Wood cross-section: files of tracheids, growth rings, rays, vessels."""
    side = max(shape[1:])
    z, y, x = _grid(shape)
    turn = rng.uniform(0, 2 * np.pi)
    bend = 0.02 * side * _smooth_noise(shape, 0.3 * side, rng)
    radial = x * np.cos(turn) + y * np.sin(turn) + bend
    tangential = y * np.cos(turn) - x * np.sin(turn) + 0.04 * z + 0.5 * bend
    size = side * rng.uniform(0.022, 0.05)
    year = side * rng.uniform(0.35, 0.9)
    season = ((radial / year + rng.random() + 0.015 * _smooth_noise(shape, 0.1 * side, rng)) % 1.0) ** 3

    # a brick lattice: files along `radial`, each shifted against the next, cells shorter in late wood
    span = np.arange(-1.6 * side, 1.6 * side, size)
    files, places = np.meshgrid(span, span * 1.15, indexing="ij")
    places = places + rng.uniform(0, size, (len(span), 1)) + 0.12 * size * rng.standard_normal(files.shape)
    files = files + 0.06 * size * rng.standard_normal(files.shape)
    tree = cKDTree(np.column_stack([places.ravel(), files.ravel()]))
    where = np.column_stack([radial.ravel(), tangential.ravel()])
    distance, _ = tree.query(where, k=2, workers=-1)
    to_wall = ((distance[:, 1] - distance[:, 0]) / 2).reshape(shape)
    thick = size * (rng.uniform(0.08, 0.14) + rng.uniform(0.15, 0.25) * season)
    wall = _step(thick - to_wall, -0.6, 0.6)
    ray = np.abs(_smooth_noise((shape[0], side * 2, 1), size, rng)) < 0.06
    at = np.clip(tangential + 0.5 * side, 0, 2 * side - 1).astype(int)
    wall = np.maximum(wall, 0.8 * ray[np.minimum(z.astype(int), shape[0] - 1), at, 0])
    grey = rng.uniform(0.45, 0.85) * (1 + 0.05 * _fractal_noise(shape, 3, 2, rng))
    vessels = _scattered_columns(shape, 0.03 * side, int(rng.integers(0, 40)), rng)
    depth_inside, _ = _depth_in_spheres((1, *shape[1:]), vessels)
    rim = _step(2.0 - np.abs(depth_inside), -0.7, 0.7)
    wall = np.where(depth_inside > 0, 0, wall)
    return _in_field((0.02 + np.maximum(wall, rim) * grey).astype(np.float32), rng)


def _tissue(shape: Shape3, rng: np.random.Generator) -> Floats:
    """Soft tissue: weak contrast, smooth lobes, membranes, vessels, filaments, cell nuclei."""
    side = max(shape[1:])
    base = rng.uniform(0.3, 0.5)
    lobes = _fractal_noise(shape, 0.16 * side, 3, rng)
    volume = base * (1 + 0.12 * lobes + 0.05 * _fractal_noise(shape, 0.03 * side, 3, rng))
    fibrous = _step(_smooth_noise(shape, 0.12 * side, rng), -0.5, 1)
    volume *= 1 + rng.uniform(0.03, 0.12) * fibrous * _fractal_noise(shape, 0.012 * side, 2, rng)
    organ = _smooth_noise(shape, 0.2 * side, rng)
    volume *= 1 + rng.uniform(0.1, 0.3) * _step(organ, 0.2, 0.25 + rng.uniform(0.02, 0.2))
    membrane = np.exp(-0.5 * ((organ - 0.2) / rng.uniform(0.015, 0.05)) ** 2)
    volume += rng.uniform(0.05, 0.2) * membrane
    for scale, width in ((0.12, 0.03), (0.05, 0.06)):  # two fields' common zeros are lines: filaments
        first, second = (_smooth_noise(shape, scale * side, rng) for _ in range(2))
        volume += rng.uniform(0, 0.2) * np.exp(-(first**2 + second**2) / (2 * (2.5 * width) ** 2))
        volume += rng.uniform(0, 0.1) * np.exp(-0.5 * (first / width) ** 2)
    vessel = _smooth_noise(shape, 0.035 * side, rng)
    volume = np.where(vessel > rng.uniform(2.0, 2.8), base * rng.uniform(0.3, 0.6), volume)
    nuclei = _step(_smooth_noise(shape, max(1.5, 0.008 * side), rng), 1.6, 2.2)
    volume += rng.uniform(0, 0.15) * nuclei
    return _in_field(volume.astype(np.float32), rng, surroundings=(0.0, 0.5 * base))


_MAKERS: dict[str, Callable[[Shape3, np.random.Generator], Floats]] = {
    "electrode": _electrode,
    "powder": _powder,
    "fibres": _fibres,
    "foam": _foam,
    "rock": _rock,
    "winding": _winding,
    "grains": _grains,
    "wood": _wood,
    "tissue": _tissue,
}
KINDS: tuple[str, ...] = tuple(_MAKERS)


# --- building blocks ---------------------------------------------------------------------------------


def _grid(shape: Shape3) -> tuple[Floats, Floats, Floats]:
    z, y, x = np.broadcast_arrays(*np.ogrid[: shape[0], : shape[1], : shape[2]])
    return z.astype(np.float32), y.astype(np.float32), x.astype(np.float32)


def _step(value: NDArray[np.floating], low: float, high: float) -> Floats:
    """Ramp from 0 at `low` to 1 at `high`: an edge that is a little wider than a voxel."""
    return np.clip((value - low) / (high - low), 0, 1).astype(np.float32)


def _smooth_noise(shape: Shape3, scale: float, rng: np.random.Generator) -> Floats:
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


def _fractal_noise(shape: Shape3, scale: float, octaves: int, rng: np.random.Generator) -> Floats:
    """Sum of smooth noise at `scale`, half of it, a quarter ..., each weaker; standard deviation 1."""
    weights = 0.6 ** np.arange(octaves)
    weights /= np.linalg.norm(weights)
    total = np.zeros(shape, np.float32)
    for octave, weight in enumerate(weights):
        total += np.float32(weight) * _smooth_noise(shape, max(scale / 2**octave, 1.2), rng)
    return total


@dataclass(frozen=True)
class _Cells:
    """Voronoi cells of a volume; distances in voxels."""

    cell: NDArray[np.intp]  # number of the cell of each voxel
    count: int
    to_seed: Floats
    to_wall: Floats  # distance to the next cell, exact near the wall
    towards_seed: Floats  # (3, z, y, x): vector from each voxel to the seed of its cell


def _voronoi(shape: Shape3, size: float, rng: np.random.Generator, warp: float = 0.0) -> _Cells:
    """Voronoi cells of mean width `size`; `warp` bends the walls by that share of a cell.

    More than 128 voxels a side of a 3-D volume are covered by repeating the cells periodically: finding
    the nearest seeds is by far the dearest step.
    """
    tile = shape if shape[0] == 1 else (shape[0], min(shape[1], 128), min(shape[2], 128))
    margin = np.array([2 * size, 0, 0])  # y and x wrap around; z does not
    low, high = -margin, np.array(tile) + margin
    seeds = rng.uniform(low, high, (max(8, int(np.prod(high - low) / size**3)), 3))
    period = np.array([0, *tile[1:]])
    where = np.stack(_grid(tile), axis=-1)
    bent = where
    if warp:
        bend = [warp * size * _smooth_noise(tile, 0.5 * size, rng) for _ in range(3)]
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

    return _Cells(
        cell=cover(cell[:, 0]),
        count=len(seeds),
        to_seed=cover(distance[:, 0].astype(np.float32)),
        to_wall=cover(gap.astype(np.float32)),
        towards_seed=np.stack([cover(axis.astype(np.float32)) for axis in offset.T]),
    )


@dataclass(frozen=True)
class _Spheres:
    centres: NDArray[np.float64]  # (k, 3) in voxels; some lie outside the volume
    radii: NDArray[np.float64]


def _pack_spheres(
    shape: Shape3, median: float, spread: float, fill: float, rng: np.random.Generator
) -> _Spheres:
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
    return _Spheres(centres[:placed], kept[:placed])


def _scattered_columns(shape: Shape3, radius: float, tries: int, rng: np.random.Generator) -> _Spheres:
    """Place circles without overlap in the plane z = 0: sections of columns along z."""
    centres: list[NDArray[np.float64]] = []
    for _ in range(tries):
        centre = np.array([0.0, rng.uniform(0, shape[1]), rng.uniform(0, shape[2])])
        if all(np.linalg.norm(centre - other) > 2.5 * radius for other in centres):
            centres.append(centre)
    return _Spheres(np.reshape(centres, (-1, 3)), np.full(len(centres), radius))


def _fragments(shape: Shape3, depth: Floats, radius: float, rng: np.random.Generator) -> _Spheres:
    """Small spheres in clusters, in the room that the large ones leave."""
    reach = np.array([radius if shape[0] == 1 else 0.0, 0, 0])
    count = int(rng.uniform(0.1, 0.5) * np.prod(np.array(shape) + 2 * reach) / (4.2 * radius**3))
    centres = rng.uniform(-reach, np.array(shape) - 1 + reach, (count, 3))
    radii = radius * rng.uniform(0.5, 1.5, count)
    clusters = _smooth_noise(shape, 5 * radius, rng)
    voxel = np.clip(np.rint(centres), 0, np.array(shape) - 1).astype(int)
    free = (depth[tuple(voxel.T)] < -0.6 * radii) & (clusters[tuple(voxel.T)] > 0.6)
    return _Spheres(centres[free], radii[free])


def _depth_in_spheres(
    shape: Shape3, spheres: _Spheres, displaced: Floats | None = None
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


def _hexagonal_points(extent: float, pitch: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Jittered hexagonal lattice over a square of side `extent`."""
    rows, columns = np.meshgrid(
        np.arange(0, extent, pitch * np.sqrt(3) / 2), np.arange(0, extent, pitch), indexing="ij"
    )
    columns = columns + (np.arange(len(rows)) % 2)[:, None] * pitch / 2
    points = np.column_stack([rows.ravel(), columns.ravel()])
    return points + 0.1 * pitch * rng.standard_normal(points.shape)


def _in_field(
    volume: Floats, rng: np.random.Generator, surroundings: tuple[float, float] = (0.0, 0.0)
) -> Floats:
    """Let the specimen fill the field of view, or cut it to a rod with a rough edge, bare or in a tube."""
    case = rng.random()
    if case < 0.5:
        return volume
    depth, height, width = volume.shape
    shape = (depth, height, width)
    side = max(shape[1:])
    _, y, x = _grid(shape)
    centre = (np.array(shape[1:]) - 1) / 2 + side * rng.uniform(-0.04, 0.04, 2)
    radius = np.hypot(y - centre[0], x - centre[1])
    ragged = side * (0.03 * _smooth_noise(shape, 0.15 * side, rng) + 0.006 * _smooth_noise(shape, 4, rng))
    edge = side * rng.uniform(0.3, 0.44)
    around = rng.uniform(*surroundings)
    rod = np.where(radius + ragged < edge, volume, np.float32(around))
    if case > 0.8:
        inner = side * 0.45
        tube = (radius > inner) & (radius < inner + side * rng.uniform(0.01, 0.025))
        rod = np.where(radius > inner, 0, rod)
        rod = np.where(tube, np.float32(rng.uniform(0.2, 0.5)), rod)
    return rod.astype(np.float32)
