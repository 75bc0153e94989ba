"""Memory that runs out in the network: batches are halved, with the same result."""

import resource

import keras
import numpy as np
import psutil
import pytest

from napari_tiqa.scoring import predict
from napari_tiqa.scoring.out_of_memory import is_out_of_memory

SIDE = 32  # px, so that what is measured is memory and not time
WIDE = 20_000  # channels of 32 x 32 float32: 80 MB for each tile, more than earlier tests have left free


def greedy(channels: int) -> keras.Model:
    """Return a network that needs much memory for each tile, and gives the tile's mean."""
    tile = keras.Input((SIDE, SIDE, 1))
    wide = keras.ops.tile(tile, (1, 1, 1, channels))
    return keras.Model(tile, keras.ops.mean(wide, axis=(1, 2, 3))[:, None])


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch):
    """Leave this process 2 GB of addresses, and have it take as many tiles as ever afterwards."""
    monkeypatch.setattr(predict, "_AT_ONCE", predict.BATCH_SIZE)
    greedy(1).predict_on_batch(np.zeros((1, SIDE, SIDE, 1), np.float32))  # threads and their memory are there
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + 2**31, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@pytest.mark.usefixtures("limited")
def test_batches_are_halved_and_stay_so() -> None:
    tiles = np.random.default_rng(0).random((40, SIDE, SIDE), np.float32)
    done: list[int] = []
    (means,) = predict.forward(greedy(WIDE), tiles, done.append)
    np.testing.assert_allclose(means[:, 0], tiles.mean((1, 2)), rtol=1e-4)
    assert done[0] == predict._AT_ONCE == predict.BATCH_SIZE // 2
    assert done[-1] == len(tiles)


class Refusing(keras.layers.Layer):
    """Has memory for nothing once it is built."""

    refusing = False

    def call(self, tiles):
        if self.refusing:
            raise MemoryError
        return keras.ops.mean(tiles, axis=(1, 2))


def test_a_tile_that_alone_is_too_much_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predict, "_AT_ONCE", predict.BATCH_SIZE)
    layer, tile = Refusing(), keras.Input((SIDE, SIDE, 1))
    network = keras.Model(tile, layer(tile))
    layer.refusing = True
    with pytest.raises(MemoryError):
        predict.forward(network, np.zeros((40, SIDE, SIDE), np.float32))
    assert predict._AT_ONCE == 1


@pytest.mark.parametrize(
    ("error", "memory"),
    [
        (MemoryError(), True),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 5 bytes."), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("shapes do not fit"), False),
        (OSError("out of memory"), False),
    ],
)
def test_libraries_say_it_in_their_ways(error: Exception, memory: bool) -> None:
    assert is_out_of_memory(error) == memory
