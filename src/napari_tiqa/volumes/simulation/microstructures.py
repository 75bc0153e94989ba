"""Seeded microstructures of the materials that people scan, as attenuation from 0 (air) to 1.

All of them are made in three dimensions; a 2-D one is a section one voxel thick. They share three building
blocks: smooth noise (Gaussian random fields of a given feature size), Voronoi cells, and packed spheres.
What differs between two seeds of one kind is what differs between two specimens: feature size, contrast,
porosity, damage, and whether the specimen fills the field of view or stands in air. Those that are concentric
about the middle of the slice are in concentric.py.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.simulation.acquisition import inscribed_circle
from napari_tiqa.volumes.simulation.building_blocks import (
    Floats,
    Shape3,
    depth_in_spheres,
    fractal_noise,
    fragments,
    grid,
    hexagonal_points,
    in_field,
    pack_spheres,
    scattered_columns,
    smooth_noise,
    step,
    voronoi,
)
from napari_tiqa.volumes.simulation.concentric import growth_rings, tubes, wound_cell

PHASES = {1: "pores, carbon and binder", 2: "active material"}
"""Label value and name of each phase; 0 is outside the reconstruction circle, where nothing is known."""

ACTIVE_MATERIAL = 0.5
"""Attenuation from which a voxel is active material.

Of simulated electrodes, carbon and binder have 0.2 to 0.36, particles 0.72 to 0.9, and the texture of both
spreads around these: over 40 specimens the histogram has its valley at 0.48 to 0.52, where 0.2 % of all
voxels lie. The threshold is also about half-way from pores and carbon (0.02 to 0.36) to particles, where an
edge that is softer than a voxel has its middle.
"""


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


def electrode_phases(material: Floats) -> NDArray[np.uint8]:
    """Tell the phases of a simulated electrode.

    Takes the attenuation of ``microstructure("electrode", ...)``, shape (y, x) or (z, y, x), y and x
    alike. Returns the same shape, uint8: a value of `PHASES`, 0 outside the inscribed circle of each
    slice, which a scan does not see. Cracks and holes wider than a voxel are not active material.
    """
    phases = np.where(material >= ACTIVE_MATERIAL, np.uint8(2), np.uint8(1))
    phases[..., ~inscribed_circle(material.shape[-1])] = 0
    return phases


def _electrode(shape: Shape3, rng: np.random.Generator) -> Floats:
    """Lithium-ion cathode: grainy NMC-like particles, their fragments, carbon and binder, pores."""
    side = max(shape[1:])
    grains = voronoi(shape, side * rng.uniform(0.013, 0.026), rng)
    median = side * rng.uniform(0.045, 0.085)
    packed = pack_spheres(shape, median, 0.35, rng.uniform(0.3, 0.5), rng)

    # a grain of a secondary particle is in it or not as a whole: that is what makes its outline scalloped
    depth_inside, particle = depth_in_spheres(shape, packed, 0.85 * grains.towards_seed)
    pieces = fragments(shape, depth_inside, side * rng.uniform(0.012, 0.02), rng)
    fragment_depth, _ = depth_in_spheres(shape, pieces, 0.7 * grains.towards_seed)

    count = len(packed.radii)
    coarse, fine = smooth_noise(shape, 0.03 * side, rng), smooth_noise(shape, 1.6, rng)
    carbon, pore = rng.uniform(0.2, 0.36), rng.uniform(0.02, 0.12)
    porous_matrix = fractal_noise(shape, 0.035 * side, 4, rng)
    volume = pore + (carbon - pore) * step(porous_matrix, -0.25, 0.7)
    volume *= 1 + 0.16 * fine

    active = rng.uniform(0.72, 0.9)
    grey = (active * (1 + 0.035 * rng.standard_normal(count + 1))).astype(np.float32)
    inside = grey[particle] * (1 + 0.025 * coarse + 0.015 * fine)
    cracked = rng.random(count + 1) < rng.uniform(0.05, 0.45)
    opening = rng.uniform(0.2, 0.6) * (0.5 + coarse)  # cracks follow grain boundaries, open and close
    crack = cracked[particle] & (grains.to_wall < opening)
    porous = rng.random(count + 1) < 0.15
    hole = porous[particle] & (smooth_noise(shape, 0.009 * side, rng) > 1.25) & (depth_inside > 2)
    hollow = np.where(rng.random(count) < 0.1, rng.uniform(0.3, 0.75, count) * packed.radii, np.inf)
    hole |= depth_inside > np.append(hollow, np.inf)[particle]
    inside = np.where(crack | hole, pore + 0.15 * inside, inside)

    volume = np.where(fragment_depth > 0, active * (0.97 + 0.05 * coarse), volume)
    volume = np.where(depth_inside > 0, inside, volume).astype(np.float32)
    return in_field(volume, rng, surroundings=(0.0, pore))


def _powder(shape: Shape3, rng: np.random.Generator) -> Floats:
    """Packed beads, some coated, some with gas bubbles, in air or resin."""
    side = max(shape[1:])
    median = side * rng.uniform(0.03, 0.09)
    packed = pack_spheres(shape, median, rng.uniform(0.05, 0.4), rng.uniform(0.35, 0.55), rng)
    wobble = 0.12 * median * smooth_noise(shape, 0.8 * median, rng)
    depth_inside, particle = depth_in_spheres(shape, packed)
    depth_inside = depth_inside + wobble
    count = len(packed.radii)
    grey = rng.uniform(0.45, 0.7) + rng.uniform(0.02, 0.15) * rng.standard_normal(count + 1)
    fine = fractal_noise(shape, 0.3 * median, 3, rng)
    solid = grey.astype(np.float32)[particle] * (1 + 0.05 * fine)
    coat = rng.uniform(0, 0.12) * median
    solid = np.where(depth_inside < coat, rng.uniform(0.75, 0.95), solid)
    bubbly = rng.random(count + 1) < 0.2
    solid = np.where(bubbly[particle] & (fine > 1.4) & (depth_inside > 2), 0.1, solid)
    between = rng.uniform(0, 0.25) * (1 + 0.06 * smooth_noise(shape, 3, rng))
    return in_field(np.where(depth_inside > 0, solid, between).astype(np.float32), rng)


def _fibres(shape: Shape3, rng: np.random.Generator) -> Floats:
    """Fibre composite: tows of parallel fibres in several directions, resin, voids, broken fibres."""
    side = max(shape[1:])
    z, y, x = grid(shape)
    resin = rng.uniform(0.25, 0.4)
    volume = resin * (1 + 0.04 * fractal_noise(shape, 0.05 * side, 3, rng))
    radius = side * rng.uniform(0.008, 0.02)
    # each tow is a smooth region with a direction of its own
    tows = [smooth_noise(shape, side * rng.uniform(0.12, 0.25), rng) for _ in range(3)]
    owner = np.argmax(tows, axis=0)
    crimp = 1.5 * radius * smooth_noise(shape, 0.15 * side, rng)
    for tow in range(len(tows)):
        tilt = rng.uniform(0, 0.93) if tow else rng.uniform(0, 0.3)  # 0: along z, towards 1: in the plane
        turn = rng.uniform(0, 2 * np.pi)
        along = x * np.cos(turn) + y * np.sin(turn) + crimp
        across = y * np.cos(turn) - x * np.sin(turn) + crimp
        cos, sin = np.sqrt(1 - tilt**2), tilt
        u = cos * along - sin * z
        pitch = radius * rng.uniform(2.15, 2.7)
        points = hexagonal_points(4 * side, pitch, rng) - 2 * side
        tree = cKDTree(points)
        here = owner == tow
        distance, fibre = tree.query(np.column_stack([u[here], across[here]]), workers=-1)
        size = radius * rng.uniform(0.75, 1.08, len(points))
        grey = rng.uniform(0.5, 0.8) * (1 + 0.06 * rng.standard_normal(len(points)))
        grey[rng.random(len(points)) < 0.06] = resin  # resin pockets where fibres are missing
        edge = step(size[fibre] - distance, -0.5, 0.5)
        volume[here] += edge * (grey[fibre] - volume[here])
    voids = smooth_noise(shape, side * rng.uniform(0.02, 0.05), rng) > rng.uniform(2.0, 3.0)
    return in_field(np.where(voids, 0.03, volume).astype(np.float32), rng)


def _foam(shape: Shape3, rng: np.random.Generator) -> Floats:
    """Foam, closed or open: Voronoi walls with thick junctions, a fine porosity in the walls."""
    side = max(shape[1:])
    size = side * rng.uniform(0.06, 0.16)
    cells = voronoi(shape, size, rng, warp=0.1)
    thickness = size * rng.uniform(0.04, 0.16) * (1 + 0.25 * smooth_noise(shape, size, rng))
    wall = step(thickness - cells.to_wall, -0.7, 0.7)
    opened = step(smooth_noise(shape, 0.5 * size, rng), 0.5, 0.9) * rng.uniform(0, 1)
    corner = step(cells.to_seed - 0.62 * size, -0.1 * size, 0.1 * size)
    wall = np.maximum(wall * (1 - opened), corner * rng.uniform(0, 1))
    grey = rng.uniform(0.5, 0.9) * (1 + 0.06 * fractal_noise(shape, 0.2 * size, 3, rng))
    holes = smooth_noise(shape, 2.2, rng) > rng.uniform(1.8, 3)
    gas = rng.uniform(0, 0.06)
    return in_field((gas + wall * np.where(holes, 0.3, grey)).astype(np.float32), rng)


def _rock(shape: Shape3, rng: np.random.Generator) -> Floats:
    """Porous rock: mineral grains of several densities, cement, pores, cracks, dense specks."""
    side = max(shape[1:])
    size = side * rng.uniform(0.05, 0.14)
    grains = voronoi(shape, size, rng, warp=0.13)
    minerals = np.array([0.5, 0.54, 0.6, 0.42]) * rng.uniform(0.8, 1.2)
    kind = rng.choice(len(minerals), size=grains.count, p=[0.5, 0.25, 0.15, 0.1])
    grey = minerals[kind] * (1 + 0.02 * rng.standard_normal(grains.count))
    texture = fractal_noise(shape, 0.35 * size, 4, rng)
    rough = np.where(kind == 3, 0.14, 0.03)  # clay and altered feldspar are mottled
    volume = grey[grains.cell] * (1 + rough[grains.cell] * texture)
    opening = size * rng.uniform(0.02, 0.2) * (1 + smooth_noise(shape, 1.2 * size, rng))
    pore = step(opening - grains.to_wall, -0.6, 0.6)
    pore = np.maximum(pore, step(fractal_noise(shape, 0.5 * size, 3, rng), 1.3, 1.7))
    cement = smooth_noise(shape, 0.8 * size, rng) > rng.uniform(-0.5, 1.0)
    filled = np.where(cement, rng.uniform(0.25, 0.45) * (1 + 0.1 * texture), rng.uniform(0, 0.12))
    volume = volume + pore * (filled - volume)
    bedding = smooth_noise((shape[0], shape[1], 1), 0.05 * side, rng)
    volume *= 1 + rng.uniform(0, 0.06) * bedding
    crack = np.abs(fractal_noise(shape, 0.3 * side, 3, rng)) < rng.uniform(0, 0.025)
    volume = np.where(crack, 0.06, volume)
    specks = smooth_noise(shape, rng.uniform(1.2, 2.5), rng) > rng.uniform(3.2, 3.8)
    return in_field(np.where(specks, 0.97, volume).astype(np.float32), rng)


def _winding(shape: Shape3, rng: np.random.Generator) -> Floats:
    """Jelly roll: foil, coating and separator wound in a spiral, kinks, gaps, a can."""
    side = max(shape[1:])
    _, y, x = grid(shape)
    # a part of a roll, or a whole one in its can
    whole = rng.random() < 0.5
    centre = np.array(shape[1:]) * (0.5 if whole else rng.uniform(-0.6, 0.3))
    centre = centre + side * rng.uniform(-0.03, 0.03, 2)
    dy, dx = y - centre[0], (x - centre[1]) * rng.uniform(0.85, 1.15)
    angle = np.arctan2(dy, dx)
    buckle = side * rng.uniform(0.004, 0.015) * smooth_noise(shape, 0.16 * side, rng)
    radius = np.hypot(dy, dx) + buckle
    pitch = side * rng.uniform(0.045, 0.13)
    turn = radius / pitch - angle / (2 * np.pi)
    phase = (turn % 1.0).astype(np.float32)
    pixel = 1 / pitch

    texture = fractal_noise(shape, 0.02 * side, 3, rng)
    granules = step(smooth_noise(shape, max(1.6, 0.006 * side), rng), -0.3, 0.9)
    cathode = rng.uniform(0.5, 0.75) * (1 + 0.05 * texture) * (0.8 + 0.3 * granules)
    anode = rng.uniform(0.15, 0.3) * (1 + 0.06 * texture) * (0.9 + 0.15 * granules)
    volume = np.full(shape, rng.uniform(0.05, 0.12), np.float32)  # separator and electrolyte

    def between(low: float, high: float) -> Floats:
        return step(phase - low, -pixel, pixel) * step(high - phase, -pixel, pixel)

    aluminium, copper = np.float32(0.3), np.float32(0.95)
    layers: list[tuple[float, float, Floats | np.float32]] = [
        (0.06, 0.40, cathode),
        (0.21, 0.21 + 1.2 * pixel, aluminium),
        (0.50, 0.94, anode),
        (0.71, 0.71 + pixel, copper),
    ]
    for low, high, grey in layers:
        volume += between(low, high) * (grey - volume)
    gaps = smooth_noise(shape, 0.1 * side, rng) > rng.uniform(1.2, 2.5)
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
    grains = voronoi(shape, size, rng, warp=0.08)
    grey = rng.uniform(0.45, 0.65) + rng.uniform(0.02, 0.09) * rng.standard_normal(grains.count)
    volume = grey[grains.cell] * (1 + 0.02 * fractal_noise(shape, 0.5 * size, 3, rng))
    film = step(rng.uniform(0.8, 2.2) - grains.to_wall, -0.6, 0.6)
    film = film * step(smooth_noise(shape, 1.5 * size, rng), -0.8, 0.2)
    volume = volume + film * (rng.choice([0.15, 0.85]) - volume)
    second = fractal_noise(shape, 0.25 * size, 2, rng) > rng.uniform(1.3, 2.4)
    volume = np.where(second, rng.choice([0.3, 0.9]) * (1 + 0.03 * smooth_noise(shape, 2, rng)), volume)
    pores = smooth_noise(shape, side * rng.uniform(0.008, 0.02), rng) > rng.uniform(2.2, 3.2)
    return in_field(np.where(pores, 0.04, volume).astype(np.float32), rng)


def _wood(shape: Shape3, rng: np.random.Generator) -> Floats:
    """Wood cross-section: files of tracheids, growth rings, rays, vessels."""
    side = max(shape[1:])
    z, y, x = grid(shape)
    turn = rng.uniform(0, 2 * np.pi)
    bend = 0.02 * side * smooth_noise(shape, 0.3 * side, rng)
    radial = x * np.cos(turn) + y * np.sin(turn) + bend
    tangential = y * np.cos(turn) - x * np.sin(turn) + 0.04 * z + 0.5 * bend
    size = side * rng.uniform(0.022, 0.05)
    year = side * rng.uniform(0.35, 0.9)
    season = ((radial / year + rng.random() + 0.015 * smooth_noise(shape, 0.1 * side, rng)) % 1.0) ** 3

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
    wall = step(thick - to_wall, -0.6, 0.6)
    ray = np.abs(smooth_noise((shape[0], side * 2, 1), size, rng)) < 0.06
    at = np.clip(tangential + 0.5 * side, 0, 2 * side - 1).astype(int)
    wall = np.maximum(wall, 0.8 * ray[np.minimum(z.astype(int), shape[0] - 1), at, 0])
    grey = rng.uniform(0.45, 0.85) * (1 + 0.05 * fractal_noise(shape, 3, 2, rng))
    vessels = scattered_columns(shape, 0.03 * side, int(rng.integers(0, 40)), rng)
    depth_inside, _ = depth_in_spheres((1, *shape[1:]), vessels)
    rim = step(2.0 - np.abs(depth_inside), -0.7, 0.7)
    wall = np.where(depth_inside > 0, 0, wall)
    return in_field((0.02 + np.maximum(wall, rim) * grey).astype(np.float32), rng)


def _tissue(shape: Shape3, rng: np.random.Generator) -> Floats:
    """Soft tissue: weak contrast, smooth lobes, membranes, vessels, filaments, cell nuclei."""
    side = max(shape[1:])
    base = rng.uniform(0.3, 0.5)
    lobes = fractal_noise(shape, 0.16 * side, 3, rng)
    volume = base * (1 + 0.12 * lobes + 0.05 * fractal_noise(shape, 0.03 * side, 3, rng))
    fibrous = step(smooth_noise(shape, 0.12 * side, rng), -0.5, 1)
    volume *= 1 + rng.uniform(0.03, 0.12) * fibrous * fractal_noise(shape, 0.012 * side, 2, rng)
    organ = smooth_noise(shape, 0.2 * side, rng)
    volume *= 1 + rng.uniform(0.1, 0.3) * step(organ, 0.2, 0.25 + rng.uniform(0.02, 0.2))
    membrane = np.exp(-0.5 * ((organ - 0.2) / rng.uniform(0.015, 0.05)) ** 2)
    volume += rng.uniform(0.05, 0.2) * membrane
    for scale, width in ((0.12, 0.03), (0.05, 0.06)):  # two fields' common zeros are lines: filaments
        first, second = (smooth_noise(shape, scale * side, rng) for _ in range(2))
        volume += rng.uniform(0, 0.2) * np.exp(-(first**2 + second**2) / (2 * (2.5 * width) ** 2))
        volume += rng.uniform(0, 0.1) * np.exp(-0.5 * (first / width) ** 2)
    vessel = smooth_noise(shape, 0.035 * side, rng)
    volume = np.where(vessel > rng.uniform(2.0, 2.8), base * rng.uniform(0.3, 0.6), volume)
    nuclei = step(smooth_noise(shape, max(1.5, 0.008 * side), rng), 1.6, 2.2)
    volume += rng.uniform(0, 0.15) * nuclei
    return in_field(volume.astype(np.float32), rng, surroundings=(0.0, 0.5 * base))


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
    "wound cell": wound_cell,
    "tubes": tubes,
    "growth rings": growth_rings,
}
KINDS: tuple[str, ...] = tuple(_MAKERS)
