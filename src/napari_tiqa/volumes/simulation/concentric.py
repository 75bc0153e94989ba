"""Microstructures that are concentric about the middle of a slice: what must not be taken for ring artefacts.

A specimen is put on the rotation axis, so its circles have the same centre as rings do. Of half of the
seeds the centre is the middle of the slice, of the others it lies up to three per cent beside it; outlines
are round to a per cent or so, as those of real cans, tubes and stems are.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from napari_tiqa.volumes.simulation.building_blocks import (
    Floats,
    Shape3,
    depth_in_spheres,
    fractal_noise,
    grid,
    pack_spheres,
    smooth_noise,
    step,
)


@dataclass(frozen=True)
class _Polar:
    """Radius in voxels and angle in radians of each voxel about a centre (y, x)."""

    radius: Floats
    angle: Floats
    centre: np.ndarray


def _about_the_middle(shape: Shape3, rng: np.random.Generator) -> _Polar:
    """Draw a centre, and an outline that is round, oval by up to a per cent and a half, or dented."""
    side = max(shape[1:])
    middle = (np.array(shape[1:]) - 1) / 2
    centre = middle + (side * rng.uniform(-0.03, 0.03, 2) if rng.random() < 0.5 else 0)
    z, y, x = grid(shape)
    tilt = rng.normal(0, 0.02, 2)  # of the specimen's axis against the rotation axis
    y, x = y - centre[0] - tilt[0] * z, x - centre[1] - tilt[1] * z
    angle = np.arctan2(y, x)
    waves = [
        rng.uniform(0, size) * np.cos(lobes * (angle - rng.uniform(0, 2 * np.pi)))
        for lobes, size in ((2, 0.015), (3, 0.006))
    ]
    rough = rng.choice([0.0, 0.004, 0.01]) * smooth_noise(shape, 0.2 * side, rng)
    radius = np.hypot(y, x) * (1 + rng.choice([0.0, 1.0]) * sum(waves) + rough)
    return _Polar(radius.astype(np.float32), angle.astype(np.float32), centre)


def _band(radius: Floats, low: float, high: float) -> Floats:
    """Return 1 from `low` to `high`, with edges a voxel wide."""
    return step(radius - low, -0.5, 0.5) * step(high - radius, -0.5, 0.5)


def wound_cell(shape: Shape3, rng: np.random.Generator) -> Floats:
    """Whole jelly roll in its can: foils, coatings and separators in a spiral, a core, dents, gaps, a tab."""
    side = max(shape[1:])
    place = _about_the_middle(shape, rng)
    outer = side * rng.uniform(0.34, 0.45)
    core = outer * rng.uniform(0.08, 0.3)
    pitch = max(6.0, outer * rng.uniform(0.045, 0.16))

    # the innermost turns fall in where nothing holds them
    kink = np.cos(place.angle - rng.uniform(0, 2 * np.pi)).clip(0) ** rng.uniform(4, 20)
    fall = rng.choice([0.0, 1.0]) * rng.uniform(0.2, 0.8) * core * kink
    wound = place.radius + fall * np.exp(-(place.radius - core).clip(0) / (2 * pitch))
    wound += rng.uniform(0, 0.25) * pitch * smooth_noise(shape, rng.uniform(0.06, 0.2) * side, rng)
    # layers are pressed more tightly in some turns than in others
    wound += 0.2 * pitch * np.interp(wound, *_wander(core, outer, 1.5 * pitch, rng)).astype(np.float32)
    turn = wound / pitch - rng.choice([-1, 1]) * place.angle / (2 * np.pi)
    phase = (turn % 1.0).astype(np.float32)

    texture = fractal_noise(shape, 0.02 * side, 3, rng)
    granules = step(smooth_noise(shape, max(1.3, 0.004 * side), rng), -0.5, 1.0)
    cathode = rng.uniform(0.45, 0.75) * (1 + 0.05 * texture) * (0.8 + 0.3 * granules)
    anode = rng.uniform(0.12, 0.3) * (1 + 0.06 * texture) * (0.9 + 0.15 * granules)
    between = rng.uniform(0.04, 0.12)  # separator and electrolyte
    volume = np.full(shape, between, np.float32) * (1 + 0.05 * texture)
    foil = max(0.8 / pitch, rng.uniform(0.02, 0.05))
    layers: list[tuple[float, float, Floats | float]] = [
        (0.05, 0.40, cathode),
        (0.225 - foil / 2, 0.225 + foil / 2, rng.uniform(0.2, 0.35)),  # aluminium
        (0.52, 0.95, anode),
        (0.735 - foil / 2, 0.735 + foil / 2, rng.uniform(0.75, 0.95)),  # copper
    ]
    for low, high, grey in layers:
        volume += _band(phase * pitch, low * pitch, high * pitch) * (grey - volume)
    gaps = step(smooth_noise(shape, 0.08 * side, rng), 0.0, 0.3) * rng.integers(0, 2)
    volume *= 1 - gaps * _band(phase * pitch, 0.42 * pitch, 0.5 * pitch)
    start = rng.uniform(-np.pi, np.pi)
    tab = _band(wound, core + 1.2 * pitch, core + 1.45 * pitch)
    tab *= step(np.cos(place.angle - start) - np.cos(0.12 * side / (core + 2 * pitch) / 2), -0.01, 0.01)
    volume += tab * (rng.uniform(0.5, 0.9) - volume)

    volume *= step(wound - core, -0.5, 0.5) * step(outer - wound, -0.5, 0.5)
    if rng.random() < 0.4:  # a centre pin
        pin = core * rng.uniform(0.5, 0.8)
        volume += _band(place.radius, pin - max(1.5, 0.15 * core), pin) * (0.8 - volume)
    gap, wall = pitch * rng.uniform(0.05, 0.8), max(1.5, side * rng.uniform(0.005, 0.02))
    steel = rng.uniform(0.6, 0.95) * (1 + 0.02 * texture)
    volume += _band(place.radius, outer + gap, outer + gap + wall) * (steel - volume)
    return volume.astype(np.float32)


def _wander(low: float, high: float, scale: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return places from `low` to `high`, about `scale` apart, and random values there, -1 to 1."""
    places = np.linspace(low, high, max(2, round((high - low) / scale)))
    return places, rng.uniform(-1, 1, len(places))


def tubes(shape: Shape3, rng: np.random.Generator) -> Floats:
    """Tubes and shells in one another, about one centre or not quite; powder, grainy matter or air within."""
    side = max(shape[1:])
    place = _about_the_middle(shape, rng)
    outer = side * rng.uniform(0.3, 0.47)
    content = _content(shape, rng)
    texture = fractal_noise(shape, rng.uniform(0.005, 0.03) * side, 3, rng)
    volume = np.zeros(shape, np.float32)
    shift = rng.choice([0.0, 0.006, 0.02]) * side
    last = rng.integers(0, 4)
    for number in range(last + 1):
        direction = rng.uniform(0, 2 * np.pi)
        radius = place.radius + rng.uniform(0, shift) * (number > 0) * np.cos(place.angle - direction)
        inner = outer
        for _ in range(1 if rng.random() < 0.7 else rng.integers(2, 7)):  # a wall, or the layers of an onion
            thickness = max(1.2, side * rng.uniform(0.004, 0.03))
            wall = rng.uniform(0.15, 0.9) * (1 + rng.uniform(0, 0.08) * texture)
            volume += step(inner - radius, -0.5, 0.5) * (wall - volume)
            inner -= thickness
        within = content
        if number != last and rng.random() < 0.5:
            within = (rng.uniform(0, 0.3) * (1 + 0.05 * texture)).astype(np.float32)
        volume += step(inner - radius, -0.5, 0.5) * (within - volume)
        outer = inner * rng.uniform(0.4, 0.95)
        if outer < 0.05 * side:
            break
    return volume.astype(np.float32)


def _content(shape: Shape3, rng: np.random.Generator) -> Floats:
    """Return what fills a tube: packed beads, or grainy matter of a few phases."""
    side = max(shape[1:])
    fine = fractal_noise(shape, rng.uniform(0.01, 0.04) * side, 4, rng)
    void = rng.uniform(0, 0.15)
    if rng.random() < 0.5:
        median = side * rng.uniform(0.02, 0.05)
        packed = pack_spheres(shape, median, rng.uniform(0.05, 0.4), rng.uniform(0.35, 0.55), rng)
        depth, bead = depth_in_spheres(shape, packed)
        grey = rng.uniform(0.3, 0.8) * (1 + 0.1 * rng.standard_normal(len(packed.radii) + 1))
        return np.where(depth > 0, grey[bead] * (1 + 0.05 * fine), void).astype(np.float32)
    solid = rng.uniform(0.25, 0.7) * (1 + rng.uniform(0.05, 0.2) * fine)
    pores = step(smooth_noise(shape, rng.uniform(0.006, 0.03) * side, rng), 0.3, 0.6) * rng.uniform(0, 1)
    return (solid + pores * (void - solid)).astype(np.float32)


def growth_rings(shape: Shape3, rng: np.random.Generator) -> Floats:
    """Stem of a tree: rows of cells along wavy annual rings, late wood, rays, vessels, a pith, bark."""
    side = max(shape[1:])
    place = _about_the_middle(shape, rng)
    wavy = rng.uniform(0, 0.025) * smooth_noise(shape, rng.uniform(0.08, 0.25) * side, rng)
    radius = place.radius * (1 + wavy * np.minimum(place.radius / (0.15 * side), 1))

    widths = side * rng.uniform(0.025, 0.12) * rng.lognormal(0, 0.3, 200)
    borders = np.concatenate([[0], np.cumsum(widths)])
    year = np.searchsorted(borders, radius.ravel(), "right").reshape(shape) - 1
    season = (radius - borders[year]) / widths[year]  # 0 in spring, 1 in autumn
    late = rng.uniform(0.4, 1.0, 200)[year] * season ** rng.uniform(2, 6)

    size = max(3.2, side * rng.uniform(0.008, 0.02))
    to_wall = _to_cell_walls(radius, place.angle, size, 0.75 * side, rng)
    thick = size * (rng.uniform(0.06, 0.14) + rng.uniform(0.15, 0.4) * late)
    matter = step(thick - to_wall, -0.6, 0.6)

    count = rng.integers(10, 90)
    turn = place.angle + 0.3 * wavy
    toward = (turn / (2 * np.pi) * count + rng.uniform(0, 1)) % 1 - 0.5  # rays at about equal angles
    spacing = 2 * np.pi * radius / count
    width = np.minimum(rng.uniform(0.4, 1.2) * size, 0.35 * spacing)  # near the pith they do not merge
    ray = step(width / 2 - np.abs(toward) * spacing, -0.6, 0.6)
    ray *= step(radius - side * rng.uniform(0.02, 0.15), 0, 1)
    matter = np.maximum(matter, rng.uniform(0.5, 1) * ray)
    pores = rng.uniform(1.2, 2.6) * size
    if rng.random() < 0.6:
        matter = _with_vessels(matter, place, borders, pores, rng)

    grey = rng.uniform(0.4, 0.8) * (1 + 0.05 * fractal_noise(shape, 3, 2, rng)) * (0.8 + 0.3 * late)
    volume = 0.02 + matter * grey
    pith = side * rng.uniform(0.008, 0.03)
    soft = 0.15 * (1 + 0.2 * smooth_noise(shape, 0.3 * size, rng))
    volume += step(pith - radius, -0.7, 0.7) * (soft - volume)
    edge = side * rng.choice([rng.uniform(0.36, 0.46), 2.0])  # a stem in air, or a field within it
    bark = rng.uniform(0.3, 0.6) * (1 + 0.3 * fractal_noise(shape, 0.03 * side, 4, rng))
    volume += step(radius - 0.93 * edge, -1, 1) * (bark - volume)
    ragged = radius + 0.008 * side * smooth_noise(shape, 0.04 * side, rng)
    return (volume * step(edge - ragged, -0.6, 0.6)).astype(np.float32)


def _to_cell_walls(
    radius: Floats, angle: Floats, size: float, reach: float, rng: np.random.Generator
) -> Floats:
    """Return the distance to the wall between the two nearest cells of rows that run round the pith."""
    rows = np.arange(0.5, reach / size) * size
    numbers = np.maximum(1, np.rint(2 * np.pi * rows / (1.1 * size))).astype(int)
    r = np.repeat(rows, numbers) + 0.08 * size * rng.standard_normal(numbers.sum())
    within = np.concatenate([np.arange(number) / number for number in numbers])
    turned = np.repeat(rng.uniform(0, 2 * np.pi, len(rows)), numbers)
    spread = 0.12 * size / np.maximum(r, size) * rng.standard_normal(len(r))
    a = 2 * np.pi * within + turned + spread
    tree = cKDTree(np.column_stack([r * np.sin(a), r * np.cos(a)]))
    where = np.column_stack([(radius * np.sin(angle)).ravel(), (radius * np.cos(angle)).ravel()])
    distance, _ = tree.query(where, k=2, workers=-1)
    return ((distance[:, 1] - distance[:, 0]) / 2).reshape(radius.shape).astype(np.float32)


def _with_vessels(
    matter: Floats, place: _Polar, borders: np.ndarray, size: float, rng: np.random.Generator
) -> Floats:
    """Put wide vessels with thin walls into the spring wood of each year."""
    seen = borders[(borders > 3 * size) & (borders < place.radius.max())]
    if not len(seen):
        return matter
    rows = seen + size * rng.uniform(0.7, 1.5, len(seen))
    numbers = np.maximum(1, 2 * np.pi * rows / (size * rng.uniform(2.2, 5))).astype(int)
    r = np.repeat(rows, numbers) + 0.4 * size * rng.standard_normal(numbers.sum())
    a = rng.uniform(0, 2 * np.pi, len(r))
    tree = cKDTree(np.column_stack([r * np.sin(a), r * np.cos(a)]))
    y, x = place.radius * np.sin(place.angle), place.radius * np.cos(place.angle)
    distance, nearest = tree.query(np.column_stack([y.ravel(), x.ravel()]), workers=-1)
    inside = (size * rng.uniform(0.6, 1.0, len(r))[nearest] - distance).reshape(matter.shape)
    wall = np.where(inside > 0.15 * size + 1, 0.0, 1.0)
    return np.where(inside > 0, wall, matter).astype(np.float32)
