"""Groups made at native size: faults that are as visible at any size, labels that fall, parts that add up."""

from functools import partial

import cv2
import numpy as np
import pytest

from models.faults.blur import blur, fringes, motion
from models.faults.noise import noise, zingers
from models.faults.rings import rings
from models.faults.scans import FAULTS, Scanner
from models.faults.shading import cupping, truncation
from models.faults.smoothing import compressed, denoised, posterised
from models.label_scale import label_scale
from models.native_groups import native_group, noise_alone, scanned_group
from models.originals import Original
from napari_tiqa.learning.images.groups import FAMILIES
from napari_tiqa.scoring.network_input import TILE_SIZE, area_mean
from napari_tiqa.scoring.scale import ARTEFACTS
from napari_tiqa.volumes.simulation.microstructures import microstructure

MAKERS = [
    noise,
    zingers,
    blur,
    motion,
    fringes,
    rings,
    cupping,
    truncation,
    denoised,
    compressed,
    posterised,
]


@pytest.fixture(scope="module")
def slice_():
    return 0.1 + 0.8 * microstructure("foam", (448, 448), seed=2)


@pytest.fixture(scope="module")
def source(slice_):
    def draw(side, rng):
        return Original("foam", cv2.resize(slice_, (side, side), interpolation=cv2.INTER_AREA), clean=True)

    return draw


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("seed", range(3))
def test_a_stronger_fault_is_further_from_the_slice(slice_, make, seed):
    fault = make(slice_, 2.0, np.random.default_rng(seed))
    assert fault.family in FAMILIES
    strengths = np.geomspace(fault.low, fault.high, 4)
    away = [np.abs(area_mean(fault.apply(slice_, s) - slice_)).mean() for s in strengths]
    assert away[-1] > away[0]
    assert away[-1] > 0.0005


def test_rings_cross_the_image_wherever_their_centre_lies():
    flat = np.full((224, 224), 0.5, np.float32)
    for seed in range(40):
        ringed = rings(flat, 1.0, np.random.default_rng(seed)).apply(flat, 0.3)
        assert np.ptp(ringed) > 0.03, seed


@pytest.mark.parametrize("side", [224, 255, 640])
def test_noise_of_a_strength_is_as_visible_at_any_size(side):
    flat = np.full((side, side), 0.5, np.float32)
    for seed in range(6):
        fault = noise(flat, side / TILE_SIZE, np.random.default_rng(seed))
        left = area_mean(fault.apply(flat, 0.004)).std()
        assert left == pytest.approx(np.sqrt(0.004), rel=0.2)


def test_blur_of_a_strength_is_as_wide_at_any_size():
    widths = []
    for side in (224, 448, 1344):
        edge = np.zeros((side, side), np.float32)
        edge[:, side // 2 :] = 1
        rng = np.random.default_rng(4)
        row = area_mean(blur(edge, side / TILE_SIZE, rng).apply(edge, 5.0))[112]
        widths.append(int(((row > 0.1) & (row < 0.9)).sum()))
    assert max(widths) - min(widths) <= 2


@pytest.mark.parametrize("name", FAULTS)
def test_a_stronger_fault_of_a_scan_is_further_from_the_scan_without(slice_, name):
    image = cv2.resize(slice_, (128, 128), interpolation=cv2.INTER_AREA)
    scanner = Scanner.draw(128, np.random.default_rng(1))
    clean = scanner.sinogram(image)
    low, high, fault = FAULTS[name]
    made = scanner.slices([scanner.detected(clean), *(fault(scanner, clean, s) for s in (low, high))])
    mild, strong = (np.abs(plane - made[0]).mean() for plane in made[1:])
    assert mild < strong
    assert np.corrcoef(made[0].ravel(), image.ravel())[0, 1] > 0.7


@pytest.mark.parametrize("make", [native_group, scanned_group])
def test_labels_fall_along_each_family_and_parts_add_up(source, make):
    for seed in range(4):
        group = make(source, label_scale(), np.random.default_rng(seed))
        assert group.images.shape == (10, TILE_SIZE, TILE_SIZE)
        assert group.labels[0] <= 5
        assert group.labels.min() >= 1
        for family in set(group.families) - {""}:
            own = np.array(group.families) == family
            assert np.all(np.diff([group.labels[0], *group.labels[own]]) <= 1e-9)
        np.testing.assert_allclose(group.parts().sum(1), 5 - group.labels, atol=1e-9)


def test_the_same_seed_makes_the_same_group(source):
    make = partial(native_group, source, label_scale())
    first, again = (make(np.random.default_rng(3)).images for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_noise_alone_is_a_1_and_nothing_but_noise():
    group = noise_alone(np.random.default_rng(0))
    assert (group.labels == 1).all()
    assert (group.parts()[:, ARTEFACTS.index("noise")] == 4).all()
    assert group.images.std(axis=(1, 2)).min() > 5
