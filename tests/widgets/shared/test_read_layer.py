"""A napari layer becomes a Volume: dimensions, voxel size, unit, lazily; what is no tomogram is refused."""

import dask.array as da
import numpy as np
import pytest
from napari.layers import Image, Labels, Points

from napari_tiqa.errors import VolumeError
from napari_tiqa.widgets.shared.read_layer import axis_names, kept_dimensions, read_layer


def test_scale_unit_and_name_of_a_tomogram() -> None:
    layer = Image(np.zeros((4, 5, 6), "u2"), name="cell", scale=(2, 0.5, 0.5), units="um")
    volume = read_layer(layer)
    assert volume.axes == ("z", "y", "x")
    assert volume.voxel_size == (2, 0.5, 0.5)
    assert (volume.unit, volume.name) == ("µm", "cell")


def test_a_dimension_in_another_unit_is_converted() -> None:
    layer = Image(np.zeros((4, 5, 6), "u2"), scale=(0.002, 1, 1), units=("mm", "um", "um"))
    volume = read_layer(layer)
    assert volume.unit == "µm"
    assert volume.voxel_size == pytest.approx((2, 1, 1))


def test_mirrored_layers_have_positive_voxels() -> None:
    assert read_layer(Image(np.zeros((4, 5, 6)), scale=(-2, 1, 1))).voxel_size == (2, 1, 1)


def test_a_single_image_is_one_slice() -> None:
    volume = read_layer(Image(np.arange(30.0).reshape(5, 6)))
    assert volume.axes == ("y", "x")
    assert volume.slice_count(0) == 1


def test_multiscale_gives_the_full_resolution() -> None:
    levels = [np.full((8, 16, 16), 7, "u1"), np.full((4, 8, 8), 3, "u1")]
    volume = read_layer(Image(levels, multiscale=True))
    assert volume.data.shape == (8, 16, 16)
    assert (volume.slice(0, 2) == 7).all()


def test_time_is_fixed_where_the_slider_is() -> None:
    movie = np.arange(3)[:, None, None, None] * np.ones((3, 4, 5, 6))
    volume = read_layer(Image(movie), at=(2, 1, 0, 0), along=1)
    assert volume.data.shape == (4, 5, 6)
    assert (volume.slice(0, 0) == 2).all()


def test_along_time_the_height_is_fixed() -> None:
    movie = np.arange(4)[None, :, None, None] * np.ones((3, 4, 5, 6))
    volume = read_layer(Image(movie), at=(0, 3, 0, 0), along=0)
    assert volume.data.shape == (3, 5, 6)
    assert (volume.slice(0, 2) == 3).all()
    assert kept_dimensions(4, 0) == (0, 2, 3)


def test_dask_layers_are_not_computed() -> None:
    def explode(_: object) -> np.ndarray:
        raise AssertionError("a pixel was read")

    lazy = da.zeros((100, 64, 64), chunks=(1, 64, 64), dtype="u1").map_blocks(
        explode, dtype="u1", meta=np.empty((0, 0, 0), "u1")
    )
    # Given contrast limits, napari has no reason to look at the pixels either.
    layer = Image(lazy, contrast_limits=(0, 255), visible=False)
    assert isinstance(read_layer(layer).data, da.Array)


def test_the_layers_own_array_is_read_not_a_copy() -> None:
    pixels = np.zeros((4, 5, 6))
    volume = read_layer(Image(pixels))
    pixels[2] = 7
    assert (volume.slice(0, 2) == 7).all()


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (Image(np.zeros((5, 5, 3), "u1"), rgb=True, name="photo"), "RGB"),
        (Labels(np.zeros((5, 5), int), name="grains"), "labels layer"),
        (Points(np.zeros((2, 3)), name="beads"), "points layer"),
        (Image(np.zeros((5, 6, 7)), name="small"), "outside 'small'"),
    ],
)
def test_what_cannot_be_scored_is_refused_by_name(layer: Image, words: str) -> None:
    with pytest.raises(VolumeError, match=words) as refused:
        read_layer(layer, at=(9,) * layer.ndim)
    assert layer.name in str(refused.value)


def test_axes_are_named_by_the_layer_or_by_custom() -> None:
    assert axis_names(Image(np.zeros((2, 3, 4, 5)))) == ("t", "z", "y", "x")
    assert axis_names(Image(np.zeros((3, 4, 5)), axis_labels=("depth", "row", "column")))[0] == "depth"


def test_the_readers_source_is_kept() -> None:
    layer = Image(np.zeros((3, 4, 5)), metadata={"napari_tiqa": {"source": "/data/cell.tif"}})
    assert read_layer(layer).source == "/data/cell.tif"
