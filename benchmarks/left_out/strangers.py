"""Images that are not slices, to judge by: they share neither picture nor generator with those of training.

Photographs and microscopy come from other pictures that packages ship, screenshots are this project's own,
label images are made by other algorithms, sinograms by scikit-image, radiographs are sums of real volumes.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pywt.data
import skimage.data
from scipy.ndimage import gaussian_filter, map_coordinates
from skimage.color import rgb2gray
from skimage.filters import threshold_local, threshold_otsu
from skimage.segmentation import felzenszwalb, slic
from skimage.transform import radon, resize

from models.specimens import read_scan
from napari_tiqa.learning.training.foreign import foreign_tiles

PHOTOGRAPHS = ("coffee", "horse", "logo", "text")
MICROGRAPHS = ("cell", "microaneurysms")
VOLUMES = (
    "qim3d_examples/cement_128x128x128.tif",
    "qim3d_examples/shell_225x128x128.tif",
    "qim3d_examples/NT_128x128x128.tif",
    "qim3d_examples/fibers_150x150x150.tif",
    "qim3d_examples/fly_150x256x256.tif",
)
"""Scans whose sums along each axis are radiographs."""

_PICTURES = (".png", ".jpg", ".jpeg", ".tif")
_DOCS = Path(__file__).parents[2] / "docs" / "images"


def strangers(
    data: Path, slices: list[np.ndarray], folder: Path | None = None, each: int = 60
) -> dict[str, np.ndarray]:
    """Return tiles of each sort, shape (n, 224, 224), float32 in [0, 1].

    Parameters
    ----------
    data : pathlib.Path
        Folder with the real scans.
    slices : list of numpy.ndarray
        2-D, to make label images and sinograms of.
    folder : pathlib.Path, optional
        Has further pictures in folders named by sorts, such as "photograph".
    each : int
        How many images of each sort that is drawn.
    """
    makers: dict[str, Callable[[], Iterator[np.ndarray]]] = {
        "photograph": lambda: _cuts([_shipped(name) for name in PHOTOGRAPHS] + [pywt.data.aero() / 255]),
        "screenshot": lambda: _cuts([_read(path) for path in sorted(_DOCS.glob("*.png"))], parts=2),
        "label image": lambda: (_labels(_one(slices, n), n) for n in range(each)),
        "sinogram": lambda: (_sinogram(_one(slices, n), n) for n in range(each)),
        "radiograph": lambda: _radiographs(data),
        "MRI": lambda: (_head(n) for n in range(each)),
        "microscopy": lambda: _micrographs(each),
    }
    found = {}
    for sort, make in makers.items():
        images = list(make())
        if folder and (folder / sort).is_dir():
            paths = [path for path in sorted((folder / sort).iterdir()) if path.suffix.lower() in _PICTURES]
            images += _cuts([_read(path) for path in paths])
        found[sort] = np.concatenate([foreign_tiles(image) for image in images])
    return found


def _one(slices: list[np.ndarray], number: int) -> np.ndarray:
    image = slices[number % len(slices)]
    return image[: (side := min(image.shape)), :side].astype(np.float32)


def _shipped(name: str) -> np.ndarray:
    return _grey(getattr(skimage.data, name)())


def _grey(image: np.ndarray) -> np.ndarray:
    grey = rgb2gray(image[..., :3]) if image.ndim == 3 else image.astype(np.float64)
    return grey if grey.max() <= 1 else grey / 255


def _read(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert image is not None, f"{path} cannot be read"
    return _grey(image[..., ::-1])


def _cuts(images: list[np.ndarray], parts: int = 4) -> Iterator[np.ndarray]:
    """Yield each image as a whole, and its halves or quarters."""
    for image in images:
        yield image
        pieces = [image]
        while len(pieces) < parts:
            pieces = [half for piece in pieces for half in np.array_split(piece, 2, np.argmax(piece.shape))]
        yield from (piece for piece in pieces if np.ptp(piece))


def _labels(image: np.ndarray, number: int) -> np.ndarray:
    rng = np.random.default_rng([number, 1])
    smooth = gaussian_filter(image, rng.uniform(0.7, 2.5))
    kind = number % 6
    if kind == 0:
        return smooth > threshold_otsu(smooth)
    if kind == 1:
        return (smooth > threshold_local(smooth, 51)).astype(np.uint8)
    if kind == 2:
        return slic(smooth, n_segments=int(rng.integers(20, 300)), channel_axis=None, compactness=0.01)
    if kind == 3:
        return felzenszwalb(smooth, scale=100, sigma=1, min_size=60)
    if kind == 4:
        return skimage.data.binary_blobs(256, rng.uniform(0.04, 0.2), volume_fraction=0.4, rng=number)
    values = smooth[:: max(1, len(smooth) // 64), :: max(1, len(smooth) // 64)].reshape(-1, 1).astype("f4")
    stop = (cv2.TERM_CRITERIA_MAX_ITER, 10, 0)
    cv2.setRNGSeed(number)
    _, _, centres = cv2.kmeans(values, 3, np.empty(0), stop, 2, cv2.KMEANS_PP_CENTERS)
    return np.abs(smooth[..., None] - centres.ravel()).argmin(-1)


def _sinogram(image: np.ndarray, number: int) -> np.ndarray:
    rng = np.random.default_rng([number, 2])
    side = int(rng.integers(110, 180))
    plane = resize(image, (side, side), anti_aliasing=True)
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    angles = np.linspace(0, rng.choice([180, 360]), int(rng.integers(120, 260)), endpoint=False)
    lines = radon(np.where(np.hypot(y, x) < side / 2 - 1, plane, 0), angles, circle=True).T
    lines += rng.normal(0, rng.choice([0, 0.01, 0.05]) * lines.max(), lines.shape)
    return lines if number % 4 else lines.T


def _radiographs(data: Path) -> Iterator[np.ndarray]:
    for number, path in enumerate(VOLUMES):
        volume, window = read_scan(data, path)
        cube = np.clip((np.asarray(volume.data, np.float32) - window.low) / (window.high - window.low), 0, 1)
        for axis in range(3):
            rng = np.random.default_rng([number, axis])
            depth = cube.sum(axis)
            lit = np.exp(-rng.uniform(0.7, 2.5) * depth / depth.max())
            lit *= 1 + 0.05 * np.linspace(-1, 1, lit.shape[1])
            for image in (lit, rng.poisson(lit * 2000), -np.log(lit)):
                yield image
                yield resize(image.astype(float), (512, 512), order=3)


def _head(number: int) -> np.ndarray:
    """Deform the Shepp-Logan phantom, give it other greys, gyri, a coil's shading and noise."""
    rng = np.random.default_rng([number, 3])
    phantom = resize(skimage.data.shepp_logan_phantom(), (256, 256), anti_aliasing=True)
    y, x = np.mgrid[:256, :256].astype(float)
    bend = [gaussian_filter(rng.normal(size=(256, 256)), 30) * 30 * rng.uniform(2, 8) for _ in range(2)]
    phantom = map_coordinates(phantom, [y + bend[0], x + bend[1]], order=1)
    greys = np.interp(phantom, np.linspace(0, 1, 6), [0, *rng.uniform(0.1, 1, 5)])
    gyri = np.sin(gaussian_filter(rng.normal(size=(256, 256)), 12) * rng.uniform(100, 300))
    image = greys * (1 + rng.uniform(0.02, 0.2) * gyri) * np.exp(0.4 * (x / 256 - 0.5) * rng.normal())
    noise = rng.normal(0, rng.uniform(0.01, 0.05), (2, 256, 256))
    return np.hypot(gaussian_filter(image, 0.8) + noise[0], noise[1])


def _micrographs(each: int) -> Iterator[np.ndarray]:
    yield from _cuts([_shipped(name) for name in MICROGRAPHS])
    import napari

    cells = Path(napari.__file__).parent / "resources" / "multichannel_cells.png"
    if cells.exists():
        yield from _cuts([_read(cells)])
    for number in range(each // 2):
        rng = np.random.default_rng([number, 4])
        # Cells are what exceeds a threshold of a smooth field; by number bright, dark, or with bright rims.
        field = gaussian_filter(rng.normal(size=(300, 300)), rng.uniform(5, 12))
        field /= field.std()
        body = np.clip((field - rng.uniform(0.3, 1.2)) * 4, 0, 1)
        grain = gaussian_filter(rng.normal(size=(300, 300)), 1.2)
        kinds = (
            0.05 + body * (0.5 + 0.4 * grain),
            0.8 - 0.5 * body * (1 + 0.5 * grain),
            0.1 + np.abs(np.gradient(body)[0]) * 3 + 0.2 * body,
        )
        image = gaussian_filter(kinds[number % 3], 1)
        yield rng.poisson(np.clip(image, 0, None) * rng.uniform(60, 500))
