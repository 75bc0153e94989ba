"""Noise alone is told from every slice: any noise at any size, also where a slice lies below it."""

from collections.abc import Callable

import numpy as np
import pytest

from napari_tiqa.learning.images.distortions import LEVELS
from napari_tiqa.scoring.native_tiles import prepare_native_tiles
from napari_tiqa.scoring.network_input import prepare_slice
from napari_tiqa.scoring.pyramid import view_slice
from napari_tiqa.scoring.structure import NOISE_ONLY, lacks_structure
from napari_tiqa.volumes.simulation.acquisition import Acquisition, acquire
from napari_tiqa.volumes.simulation.microstructures import KINDS, microstructure
from napari_tiqa.volumes.window import IntensityWindow

Noise = Callable[[np.random.Generator, int], np.ndarray]


UNIT, EIGHT_BIT = IntensityWindow(0, 1, "given"), IntensityWindow(0, 255, "given")


def _alone(plane: np.ndarray) -> bool:
    """Tell whether a slice lacks structure in a window as wide as its values."""
    return lacks_structure(plane, IntensityWindow(-1e9, 1e9, "given"))


def _within(noise: np.ndarray, outside: float, radius: float = 0.49) -> np.ndarray:
    y, x = np.indices(noise.shape) - (len(noise) - 1) / 2
    return np.where(np.hypot(y, x) < radius * len(noise), noise, noise.dtype.type(outside))


NOISES: dict[str, Noise] = {
    "uniform": lambda rng, side: rng.random((side, side)),
    "gaussian": lambda rng, side: rng.standard_normal((side, side), np.float32),
    "heavy tails": lambda rng, side: rng.standard_cauchy((side, side)),
    "counts": lambda rng, side: rng.poisson(1, (side, side)),
    "few counts": lambda rng, side: rng.poisson(0.05, (side, side)),
    "8 bit": lambda rng, side: rng.integers(0, 256, (side, side)).astype(np.uint8),
    "faint in 8 bit": lambda rng, side: np.rint(rng.normal(100, 0.4, (side, side))).astype(np.uint8),
    "faint in 64 bit": lambda rng, side: 1e6 + 1e-3 * rng.standard_normal((side, side)),
    "in a circle": lambda rng, side: _within(rng.standard_normal((side, side)), 0),
    "in a small circle": lambda rng, side: _within(rng.random((side, side)), 0.5, radius=0.4),
    "in a circle, 8 bit": lambda rng, side: _within(rng.integers(0, 256, (side, side)), 0).astype(np.uint8),
    "in a circle, NaN": lambda rng, side: _within(rng.standard_normal((side, side)), np.nan),
}


@pytest.mark.parametrize("noise", NOISES.values(), ids=NOISES)
def test_noise_of_any_kind_and_size_lacks_structure(noise: Noise) -> None:
    rng = np.random.default_rng(1)
    sides = [32] * 20 + [57] * 20 + [100] * 20 + [224] * 10 + [511] * 3 + [2048]
    missed = [side for side in sides if not _alone(noise(rng, side))]
    assert len(missed) <= 2


def test_noise_of_a_reconstruction_lacks_structure() -> None:
    scan = Acquisition(projections=400, photons=1000)
    assert _alone(acquire(np.zeros((256, 256), np.float32), scan, 0))


@pytest.mark.parametrize("kind", KINDS)
def test_a_slice_under_any_noise_keeps_its_structure(kind: str) -> None:
    rng = np.random.default_rng(0)
    for seed in range(3):
        plane = microstructure(kind, (224, 224), seed)
        assert not lacks_structure(plane, UNIT)
        for variance in LEVELS["noise"]:
            noisy = plane + rng.normal(0, np.sqrt(variance), plane.shape)
            assert not lacks_structure(noisy, UNIT)
            assert not lacks_structure(np.clip(noisy, 0, 1), UNIT)
            assert not lacks_structure(np.rint(np.clip(noisy, 0, 1) * 255).astype(np.uint8), EIGHT_BIT)


def test_noise_cut_off_by_black_and_white_may_hide_a_slice() -> None:
    rng = np.random.default_rng(0)
    for side, deviation in ((224, 1), (600, 1), (1024, 5)):
        assert not lacks_structure(0.5 + rng.normal(0, deviation, (side, side)), UNIT)
    assert lacks_structure(0.5 + rng.normal(0, 1, (1024, 1024)), UNIT)  # a slice would show through


def test_structure_anywhere_counts() -> None:
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((600, 600)).astype(np.float32)
    y, x = np.indices(noise.shape)
    tube = np.abs(np.hypot(y - 300, x - 300) - 280) < 6
    fine = np.sin(2 * np.pi * x / 3)
    shading = (x - 300) / 300
    for name, structure in {"tube": 0.5 * tube, "fine": 0.2 * fine, "shading": 0.2 * shading}.items():
        assert not _alone(noise + structure.astype(np.float32)), name


def test_what_is_too_small_or_constant_is_not_called_noise() -> None:
    assert not _alone(np.random.default_rng(0).random((15, 300)))
    assert not _alone(np.full((100, 100), 3))
    assert not _alone(np.full((100, 100), np.nan))


def test_noise_alone_is_not_scored_in_any_view() -> None:
    plane = np.random.default_rng(0).random((400, 400), np.float32)
    for see in (prepare_slice, prepare_native_tiles, view_slice):
        seen = see(plane, UNIT)
        assert (len(seen.tiles), seen.reason) == (0, NOISE_ONLY)
