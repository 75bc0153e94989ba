"""A result's layer lies where its source lies, however that is turned."""

import numpy as np
import pytest
from napari.layers import Image

from napari_tiqa.widgets.shared.derived_layer import derived_layer

# napari warns of any layer that is turned out of its slices, also of the source.
pytestmark = pytest.mark.filterwarnings("ignore:Non-orthogonal slicing:UserWarning")


@pytest.fixture
def tilted() -> Image:
    affine = np.eye(4)
    affine[:3] += np.random.default_rng(0).normal(size=(3, 4)) / 10
    return Image(
        np.zeros((5, 6, 7)),
        scale=(2, 0.5, 0.7),
        translate=(5, -3, 1),
        rotate=(10, 20, 30),
        shear=(0.1, 0.2, 0.3),
        affine=affine,
        units=("mm", "um", "um"),
        axis_labels=("height", "row", "column"),
    )


def test_a_whole_result_lies_on_its_source(tilted: Image) -> None:
    layer = derived_layer(tilted, np.ones((5, 6, 7)), "result", colormap="viridis")
    for corner in ((0, 0, 0), (4, 5, 6)):
        np.testing.assert_allclose(layer.data_to_world(corner), tilted.data_to_world(corner), atol=1e-12)
    assert (layer.units, layer.axis_labels) == (tilted.units, tilted.axis_labels)
    assert (layer.name, layer.colormap.name) == ("result", "viridis")


@pytest.mark.parametrize("dimension", [0, 1, 2])
def test_a_slice_lies_where_it_was_cut(dimension: int, tilted: Image) -> None:
    plane = np.arange(5 * 6 * 7.0).reshape(5, 6, 7).take(3, dimension)
    layer = derived_layer(tilted, plane, "result", {dimension: 3})
    np.testing.assert_array_equal(np.squeeze(layer.data, dimension), plane)
    for place in ((0, 0, 0), (2, 4, 5)):
        inside, whole = np.array(place), np.array(place)
        inside[dimension], whole[dimension] = 0, 3
        np.testing.assert_allclose(layer.data_to_world(inside), tilted.data_to_world(whole), atol=1e-12)


def test_a_slice_of_one_time_step_lies_in_it() -> None:
    movie = Image(np.zeros((3, 5, 6, 7)), scale=(60, 2, 1, 1), translate=(10, 0, 0, 0))
    layer = derived_layer(movie, np.zeros((6, 7)), "result", {1: 4, 0: 2})
    assert layer.data.shape == (1, 1, 6, 7)
    np.testing.assert_allclose(layer.data_to_world((0, 0, 5, 6)), movie.data_to_world((2, 4, 5, 6)))
