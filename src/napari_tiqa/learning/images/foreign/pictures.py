"""Photographs that packages ship, drawn scenes, and screens with text, axes, tables and windows."""

from functools import lru_cache

import cv2
import matplotlib.cbook
import numpy as np
import pywt.data
import skimage.data
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from skimage.color import rgb2gray

from napari_tiqa.learning.images.foreign.fields import fractal_field, scaled, smooth_field

SHIPPED = (
    *("astronaut", "camera", "cat", "clock", "page", "retina", "rocket", "stereo_motorcycle"),
    *("hubble_deep_field", "coins", "immunohistochemistry", "moon", "grace_hopper", "ascent"),
)
"""Names of photographs in scikit-image, matplotlib and PyWavelets."""

_WORDS = (
    *("scan", "slice", "view", "file", "edit", "layers", "opacity", "contrast", "gamma"),
    *("blending", "volume", "sample", "2023", "projection"),
)


@lru_cache(maxsize=len(SHIPPED))
def shipped(name: str) -> np.ndarray:
    """Return one of `SHIPPED`: shape (rows, columns, 3), float32 in [0, 1]."""
    if name == "grace_hopper":
        path = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
        image = np.asarray(cv2.imread(str(path)))
    elif name == "ascent":
        image = pywt.data.ascent()
    else:
        image = getattr(skimage.data, name)()
        image = image[0] if isinstance(image, tuple) else image
    image = np.atleast_3d(image)[..., :3]
    return (np.repeat(image, 3 // image.shape[2], axis=2) / np.float32(255)).astype(np.float32)


def photograph(rng: np.random.Generator) -> np.ndarray:
    """Cut out, mirror, turn and develop one of the shipped photographs; grey."""
    image = shipped(str(rng.choice(SHIPPED)))
    rows, columns = image.shape[:2]
    height, width = (int(length * rng.uniform(0.35, 1)) for length in (rows, columns))
    height, width = (max(length, min(96, rows, columns)) for length in (height, width))
    top, left = int(rng.integers(rows - height + 1)), int(rng.integers(columns - width + 1))
    piece = image[top : top + height, left : left + width]
    mix = rng.dirichlet([2, 3, 1]) if rng.random() < 0.5 else np.array([0.2125, 0.7154, 0.0721])
    return _developed(piece @ mix.astype(np.float32), rng)


def scene(rng: np.random.Generator) -> np.ndarray:
    """Draw a scene: dead leaves, a landscape, things on a table, or fields seen from above."""
    draw = (_leaves, _landscape, _table, _fields)[rng.integers(4)]
    return _developed(draw(int(rng.integers(224, 500)), rng), rng)


def screen(rng: np.random.Generator) -> np.ndarray:
    """Draw a figure with axes and labels, a page of text, a table, or windows of a program; grey."""
    draw = (_figure, _figure, _page, _windows)[rng.integers(4)]
    image = draw(rng)
    return 1 - image if rng.random() < 0.4 else image


def screen_of(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a slice, (rows, columns), in axes with a title and a colour bar, or in a program's window."""
    if rng.random() < 0.5:
        figure = Figure(figsize=(rng.uniform(3, 7), rng.uniform(3, 6)), dpi=rng.uniform(60, 110))
        axes = figure.subplots()
        shown = axes.imshow(image, cmap=str(rng.choice(["gray", "viridis", "magma"])))
        axes.set(title=_phrase(rng), xlabel=_phrase(rng), ylabel=_phrase(rng))
        figure.colorbar(shown, ax=axes)
        return _rendered(figure)
    screen = _windows(rng)
    height, width = screen.shape
    side = int(rng.uniform(0.4, 0.75) * min(height, width))
    top, left = int(rng.integers(height - side)), int(rng.integers(width - side))
    pane = cv2.resize(scaled(image), (side, side), interpolation=cv2.INTER_AREA)
    screen[top : top + side, left : left + side] = pane
    if rng.random() < 0.5:
        written = np.zeros(screen.shape, np.uint8)
        _write(written, _phrase(rng), (left, top + side // 2), 0.6, 255)
        screen = np.maximum(screen, written / np.float32(255))
    return screen


def _developed(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    image = scaled(image)[:: rng.choice([1, 1, -1]), :: rng.choice([1, -1])]
    image = np.ascontiguousarray(image) ** np.float32(np.exp(rng.uniform(-0.5, 0.5)))
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 2))
    if rng.random() < 0.3:
        image = image + rng.normal(0, rng.uniform(0.005, 0.05), image.shape)
    if rng.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 90))]
        _, coded = cv2.imencode(".jpg", (255 * np.clip(image, 0, 1)).astype(np.uint8), quality)
        image = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.float32) / 255
    return np.asarray(image, np.float32)


def _leaves(side: int, rng: np.random.Generator) -> np.ndarray:
    """Shapes with textures and shading that cover each other, sizes by a power law (dead leaves)."""
    image = np.full((side, side), 0.5, np.float32)
    textures = [fractal_field(side, rng.uniform(0.8, 1.8), rng) for _ in range(3)]
    for _ in range(int(rng.integers(60, 300))):
        reach = min(side / 3, 6 / rng.random() ** 0.8)
        centre = tuple(int(c) for c in rng.integers(0, side, 2))
        cover = np.zeros_like(image)
        if rng.random() < 0.5:
            axes = (int(reach), max(1, int(reach * rng.uniform(0.3, 1))))
            cv2.ellipse(cover, centre, axes, rng.uniform(0, 180), 0, 360, 1.0, -1, cv2.LINE_AA)
        else:
            corners = np.array(centre) + rng.normal(0, reach, (int(rng.integers(3, 6)), 2))
            cv2.fillConvexPoly(cover, cv2.convexHull(corners.astype(np.int32)), 1.0, cv2.LINE_AA)
        light = rng.normal(0, 0.15) * np.linspace(-1, 1, side, dtype=np.float32)[:, None]
        body = rng.random() + light + rng.uniform(0, 0.12) * textures[rng.integers(3)]
        image += cover * (body.astype(np.float32) - image)
    return image


def _landscape(side: int, rng: np.random.Generator) -> np.ndarray:
    """Sky, ridges behind each other in haze, and a ground in perspective."""
    y = np.linspace(0, 1, side, dtype=np.float32)[:, None]
    image = rng.uniform(0.6, 0.95) - rng.uniform(0, 0.4) * y + 0.06 * smooth_field(side, side / 6, rng)
    for haze in np.linspace(0.8, 0.1, int(rng.integers(2, 5))):
        ridge = 0.75 - 0.45 * haze + 0.06 * fractal_field(side, 1.3, rng)[0]
        wood = haze * 0.7 + (1 - haze) * (0.3 + 0.12 * fractal_field(side, 0.9, rng))
        image = np.where(y > ridge, wood, image)
    if rng.random() < 0.5:
        depth = 1 / np.maximum(y - 0.7, 0.01)
        x = (np.linspace(-1, 1, side) * depth).astype(np.float32)
        tiles = (np.floor(x) + np.floor(depth)) % 2
        image = np.where(y > 0.72, 0.3 + 0.3 * tiles + 0 * image, image)
    return image


def _table(side: int, rng: np.random.Generator) -> np.ndarray:
    """Balls and boxes with light, shadow and highlights before a wall."""
    y, x = np.mgrid[0 : 1 : side * 1j, 0 : 1 : side * 1j].astype(np.float32)
    wall = rng.uniform(0.3, 0.9) + 0.2 * (x - 0.5) * rng.normal() + 0.03 * fractal_field(side, 1.2, rng)
    image = np.where(y > rng.uniform(0.4, 0.7), rng.uniform(0.2, 0.7) + 0.2 * (y - 0.5), wall)
    for _ in range(int(rng.integers(2, 9))):
        cy, cx, r = rng.uniform(0.2, 0.85), rng.uniform(0.1, 0.9), rng.uniform(0.05, 0.22)
        shadow = np.exp(-(((x - cx - r) / (1.3 * r)) ** 2 + ((y - cy - r) / (0.3 * r)) ** 2))
        image = image * (1 - 0.6 * shadow)
        height = 1 - ((x - cx) / r) ** 2 - ((y - cy) / r) ** 2
        lit = np.clip(0.7 * np.sqrt(np.maximum(height, 0)) - 0.5 * (x - cx + y - cy) / r, 0, None)
        ball = rng.uniform(0.1, 0.8) * (0.4 + lit) + 0.5 * np.clip(lit - 0.75, 0, 1)
        if rng.random() < 0.6:
            image = np.where(height > 0, ball, image)
        else:
            inside = (np.abs(x - cx) < r) & (np.abs(y - cy) < 0.8 * r)
            image = np.where(inside, rng.random() + 0.2 * (x - cx) / r, image)
    return image


def _fields(side: int, rng: np.random.Generator) -> np.ndarray:
    """Fields, roads and houses from above."""
    angle = rng.uniform(0, np.pi)
    y, x = np.mgrid[:side, :side]
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    pitch, other = rng.uniform(20, 70, 2)
    greys = rng.uniform(0.2, 0.8, 997)
    plot = (np.floor(u / pitch) * 31 + np.floor(v / other) * 57).astype(int) % 997
    furrows = 0.05 * np.sin(u * rng.uniform(0.5, 2)) * (greys[plot] > 0.5)
    image = (greys[plot] + furrows + 0.04 * fractal_field(side, 1, rng)).astype(np.float32)
    for _ in range(int(rng.integers(1, 5))):
        start, end = (tuple(int(c) for c in rng.integers(0, side, 2)) for _ in range(2))
        cv2.line(image, start, end, 0.9, int(rng.integers(2, 8)), cv2.LINE_AA)
    for _ in range(int(rng.integers(0, 60))):
        box = ((rng.uniform(0, side), rng.uniform(0, side)), tuple(rng.uniform(4, 14, 2)), np.degrees(angle))
        cv2.fillPoly(image, [cv2.boxPoints(box).astype(np.int32)], rng.uniform(0.5, 1))
    return image


def _figure(rng: np.random.Generator) -> np.ndarray:
    figure = Figure(figsize=(rng.uniform(3, 8), rng.uniform(3, 6)), dpi=rng.uniform(60, 110))
    panels = figure.subplots(int(rng.integers(1, 3)), int(rng.integers(1, 3)), squeeze=False).ravel()
    x = np.linspace(0, 10, 100)
    for axes in panels:
        kind = rng.integers(6)
        if kind == 0:
            for _ in range(int(rng.integers(1, 5))):
                walk = np.cumsum(rng.normal(size=100))
                axes.plot(x, walk, label=_phrase(rng), marker=rng.choice(["", "o"]))
            axes.legend()
        elif kind == 1:
            axes.bar(range(8), rng.random(8))
        elif kind == 2:
            axes.scatter(*rng.normal(size=(2, 80)), s=rng.uniform(4, 40))
        elif kind == 3:
            axes.imshow(smooth_field(60, 6, rng), cmap=str(rng.choice(["gray", "viridis", "jet"])))
        elif kind == 4:
            axes.axis("off")
            cells = [[f"{value:.2f}" for value in row] for row in rng.random((8, 4))]
            axes.table(cells, loc="center", colLabels=[_phrase(rng)[:8] for _ in range(4)])
        else:
            axes.hist(rng.normal(size=300), bins=int(rng.integers(8, 40)))
        axes.set(title=_phrase(rng), xlabel=_phrase(rng))
        axes.grid(bool(rng.random() < 0.4))
    return _rendered(figure)


def _rendered(figure: Figure) -> np.ndarray:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return rgb2gray(np.asarray(canvas.buffer_rgba())[..., :3]).astype(np.float32)


def _page(rng: np.random.Generator) -> np.ndarray:
    height, width = (int(n) for n in rng.integers(250, 900, 2))
    paper = np.full((height, width), rng.integers(210, 256), np.uint8)
    size = rng.uniform(0.4, 1)
    line = int(34 * size)
    for top in range(line, height, line):
        if rng.random() < 0.9:
            text = " ".join(_phrase(rng) for _ in range(8))
            _write(paper, text, (int(rng.integers(5, 40)), top), size, 25, font=int(rng.integers(0, 6)))
    return paper / np.float32(255)


def _windows(rng: np.random.Generator) -> np.ndarray:
    height, width = (int(n) for n in rng.integers(300, 1000, 2))
    image = np.full((height, width), rng.integers(25, 230), np.uint8)
    for _ in range(int(rng.integers(3, 10))):
        top, left = int(rng.integers(height - 60)), int(rng.integers(width - 80))
        bottom, right = int(rng.integers(top + 50, height)), int(rng.integers(left + 70, width))
        grey = int(rng.integers(256))
        ink = 12 if grey > 127 else 240
        cv2.rectangle(image, (left, top), (right, bottom), grey, -1)
        cv2.rectangle(image, (left, top), (right, bottom), ink, 1)
        cv2.rectangle(image, (left, top), (right, top + 18), int(rng.integers(256)), -1)
        for row in range(top + 32, bottom - 6, int(rng.integers(16, 40))):
            if rng.random() < 0.3:
                cv2.rectangle(image, (left + 8, row - 12), (left + 60, row + 2), ink, 1)
            _write(image, _phrase(rng)[: (right - left) // 8], (left + 10, row), 0.4, ink)
    return image / np.float32(255)


def _write(
    image: np.ndarray, text: str, place: tuple[int, int], size: float, ink: int, font: int = 0
) -> None:
    cv2.putText(image, text, place, font, size, ink, 1, cv2.LINE_AA)  # only takes uint8


def _phrase(rng: np.random.Generator) -> str:
    return " ".join(rng.choice(_WORDS, int(rng.integers(1, 4))))
