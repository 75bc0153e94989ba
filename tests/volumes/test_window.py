"""The intensity window: the same for the same tomogram, and blind to padding, NaN and hot pixels."""

import numpy as np
import pytest

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.volumes.window_estimate import estimate_window


@pytest.fixture
def tomogram() -> np.ndarray:
    rng = np.random.default_rng(0)
    phases = rng.choice([100.0, 200.0], (60, 16, 16)).repeat(10, 1).repeat(10, 2)
    return (phases + rng.normal(0, 5, phases.shape)).astype("float32")


def test_covers_the_phases(tomogram: np.ndarray) -> None:
    window = estimate_window(as_volume(tomogram))
    low, high = np.percentile(tomogram, (0.5, 99.5))
    assert window.low == pytest.approx(low - 0.05 * (high - low), abs=2)
    assert window.high == pytest.approx(high + 0.05 * (high - low), abs=2)
    assert "percentile" in window.rule


@pytest.mark.parametrize("chunks", [(1, 160, 160), (60, 160, 160), (7, 50, 33)])
def test_does_not_depend_on_chunks(tomogram: np.ndarray, chunks: tuple[int, ...]) -> None:
    volume = as_volume(tomogram)
    assert estimate_window(as_volume(volume.data.rechunk(chunks))) == estimate_window(volume)


def test_leaves_out_padding_nan_and_hot_pixels(tomogram: np.ndarray) -> None:
    yy, xx = np.ogrid[:160, :160]
    inside = np.hypot(yy - 79.5, xx - 79.5) < 76
    clean = estimate_window(as_volume(tomogram))
    padded = np.where(inside, tomogram, -1000).astype("float32")
    padded[10:20, 40:90] = np.nan
    padded[::7, 80, 80] = 1e30
    padded[3, 80, 70] = np.inf
    window = estimate_window(as_volume(padded))
    assert window.low == pytest.approx(clean.low, abs=2)
    assert window.high == pytest.approx(clean.high, abs=2)


def test_keeps_the_air_that_has_the_paddings_value() -> None:
    slices = np.zeros((30, 128, 128), "uint8")
    slices[:, 44:84, 44:84] = 200
    window = estimate_window(as_volume(slices))
    assert window.low < 0 < 200 < window.high


def test_reads_a_few_slices_only() -> None:
    asked = set()

    class Deep:
        shape = (500, 64, 64)
        dtype = np.dtype("uint8")
        ndim = 3

        def __getitem__(self, key: tuple) -> np.ndarray:
            asked.update(range(500)[key[0]])
            return np.broadcast_to(np.indices((64, 64)).sum(0).astype("uint8"), self.shape)[key]

    estimate_window(as_volume(Deep()))
    assert 0 < len(asked) <= 24


class Damaged:
    """An array of which some slices cannot be read."""

    def __init__(self, pixels: np.ndarray, damaged: set[int]) -> None:
        self.pixels, self.damaged = pixels, damaged
        self.shape, self.dtype, self.ndim = pixels.shape, pixels.dtype, pixels.ndim

    def __getitem__(self, key: tuple) -> np.ndarray:
        if self.damaged & set(range(len(self.pixels))[key[0]]):
            raise OSError("read error on the disk")
        return self.pixels[key]


def test_unreadable_slices_are_left_out(tomogram: np.ndarray) -> None:
    clean = estimate_window(as_volume(tomogram))
    window = estimate_window(as_volume(Damaged(tomogram, set(range(20, 40)))))
    assert window.low == pytest.approx(clean.low, abs=2)
    assert window.high == pytest.approx(clean.high, abs=2)
    assert "of 16 sampled slices" in window.rule
    with pytest.raises(VolumeError, match=r"slice 1 of 'array'.*read error on the disk"):
        estimate_window(as_volume(Damaged(tomogram, set(range(60)))))


def test_2d_and_bool() -> None:
    image = np.arange(10000.0).reshape(100, 100)
    assert estimate_window(as_volume(image)).low < 100
    mask = estimate_window(as_volume(image > 5000))
    assert mask.low < 0 < 1 < mask.high


def test_rare_values_still_give_a_window() -> None:
    nearly_empty = np.zeros((30, 128, 128))
    nearly_empty[15, 64:66, 64:66] = 7
    window = estimate_window(as_volume(nearly_empty))
    assert window.low < 0 < 7 < window.high


@pytest.mark.parametrize("value", [0.0, 3.5, np.nan])
def test_nothing_to_see(value: float) -> None:
    with pytest.raises(VolumeError, match="'array'"):
        estimate_window(as_volume(np.full((5, 64, 64), value)))


@pytest.mark.parametrize(("low", "high"), [(1, 1), (2, 1), (np.nan, 1), (0, np.inf)])
def test_window_that_cannot_be_used(low: float, high: float) -> None:
    with pytest.raises(VolumeError, match="intensity window"):
        IntensityWindow(low, high, "set by hand")
