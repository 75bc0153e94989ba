"""Pipelines mapped lazily over volumes."""

from dataclasses import replace

import dask.array
import numpy as np
import pytest

from napari_tiqa.errors import FilterError, VolumeError
from napari_tiqa.filtering.lazy import filter_volume
from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.slices import map_slices
from napari_tiqa.volumes.volume import Volume

WINDOW = (0.0, 200.0)
SMOOTH = Pipeline([Step("gaussian", {"sigma": 1.5})])


def tomogram(shape: tuple[int, ...] = (15, 40, 50), dtype: str = "float32") -> Volume:
    pixels = np.random.default_rng(0).random(shape) * 200
    data = dask.array.from_array(pixels.astype(dtype), chunks=(3, 16, 16)[-len(shape) :])
    return Volume(data, ("z", "y", "x")[-len(shape) :], (2.0, 0.5, 0.5)[-len(shape) :], "µm", "cell")


def test_each_slice_is_what_the_pipeline_makes_of_it() -> None:
    volume = tomogram()
    filtered = filter_volume(volume, SMOOTH, window=WINDOW)
    pixels = volume.data.compute()
    assert np.array_equal(filtered.data.compute(), [SMOOTH(plane, WINDOW) for plane in pixels])
    assert np.array_equal(filtered.data[4, 10:20, ::3].compute(), SMOOTH(pixels[4], WINDOW)[10:20, ::3])
    assert np.array_equal(filtered.data[:, 7].compute(), filtered.data.compute()[:, 7])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slices_may_lie_along_any_axis(axis: int) -> None:
    volume = tomogram()
    filtered = filter_volume(volume, SMOOTH, axis=axis, window=WINDOW)
    wanted = [SMOOTH(plane, WINDOW) for plane in np.moveaxis(volume.data.compute(), axis, 0)]
    assert np.array_equal(np.moveaxis(filtered.data.compute(), axis, 0), wanted)
    assert filtered.data.chunks[axis] == (1,) * volume.data.shape[axis]


def test_a_single_slice_and_whole_numbers() -> None:
    volume = tomogram((40, 50), "uint16")
    filtered = filter_volume(volume, SMOOTH, window=WINDOW)
    assert filtered.data.dtype == np.uint16
    assert np.array_equal(filtered.data.compute(), SMOOTH(volume.data.compute(), WINDOW))


def test_only_the_slice_asked_for_is_read() -> None:
    """So that a viewer shows it at once."""

    def plane(block_info: dict) -> np.ndarray:
        (first, _), _, _ = block_info[None]["array-location"]
        if first != 3:
            raise OSError("this slice is not wanted")
        return np.random.default_rng(3).random((1, 40, 50))

    data = dask.array.map_blocks(plane, chunks=((1,) * 6, (40,), (50,)), dtype=float)
    volume = Volume(data, ("z", "y", "x"), (1.0,) * 3, "pixel", "broken")
    assert filter_volume(volume, SMOOTH, window=(0, 1)).data[3].compute().std() > 0


def test_what_the_volume_is_stays() -> None:
    volume = replace(tomogram(), pyramid=(tomogram().data, tomogram().data), source="cell.tif")
    filtered = filter_volume(volume, SMOOTH, window=WINDOW)
    assert (filtered.axes, filtered.voxel_size, filtered.unit) == (volume.axes, volume.voxel_size, "µm")
    assert (filtered.name, filtered.source) == ("cell", "cell.tif")
    assert filtered.pyramid == ()  # of the unfiltered volume


def test_the_window_is_that_of_the_whole_unfiltered_volume() -> None:
    """Else a filter could win by changing it, and slices would be filtered differently."""
    volume = tomogram()
    relative = Pipeline([Step("gaussian", {"sigma": 3})])
    filtered = filter_volume(volume, relative)
    assert filtered.window is not None
    assert filtered.window.low < 20
    assert filtered.window.high > 180
    assert filtered.window == filter_volume(filtered, relative, again=True).window


def test_slices_are_mapped_further_as_those_of_a_file() -> None:
    filtered = filter_volume(tomogram(), SMOOTH, window=WINDOW)
    means = dict(map_slices(filtered, 0, [5, 0], np.mean))
    assert means == {5: filtered.slice(0, 5).mean(), 0: filtered.slice(0, 0).mean()}


def test_a_slice_asked_for_again_is_not_filtered_again() -> None:
    """A viewer asks for the one that it shows whenever it draws."""
    read = []

    def plane(block_info: dict) -> np.ndarray:
        read.append(block_info[None]["array-location"][0][0])
        return np.random.default_rng(3).random((1, 40, 50))

    data = dask.array.map_blocks(plane, chunks=((1,) * 6, (40,), (50,)), dtype=float)
    filtered = filter_volume(
        Volume(data, ("z", "y", "x"), (1.0,) * 3, "pixel", "slow"), SMOOTH, window=(0, 1)
    )
    read.clear()
    for index in (2, 3, 2):
        filtered.data[index].compute()
    assert read == [2, 3]


def test_a_ring_centre_is_found_once_for_all_slices() -> None:
    pipeline = Pipeline([Step("ring_removal")])
    filtered = filter_volume(tomogram((5, 64, 64)), pipeline, window=WINDOW)
    (step,) = filtered.applied[-1]["pipeline"]["steps"]
    assert step["parameters"]["centre_y"] is not None
    settled = Pipeline.from_dict(filtered.applied[-1]["pipeline"])
    assert np.array_equal(filtered.slice(0, 1), settled(tomogram((5, 64, 64)).slice(0, 1), WINDOW))


def test_the_same_pipeline_twice_is_refused() -> None:
    once = filter_volume(tomogram(), SMOOTH, window=WINDOW)
    with pytest.raises(FilterError, match=r"'cell' has been filtered with Gaussian \(sigma 1.5 px\) already"):
        filter_volume(once, SMOOTH)
    twice = filter_volume(once, SMOOTH, again=True)
    assert len(twice.applied) == 2


def test_what_counts_as_the_same_pipeline() -> None:
    off = Step("gaussian", {"sigma": 9}, on=False)
    once = filter_volume(tomogram(), SMOOTH, window=WINDOW)
    assert len(filter_volume(once, Pipeline([Step("gaussian", {"sigma": 1.6})])).applied) == 2
    with pytest.raises(FilterError, match="already"):  # a step that is off does nothing
        filter_volume(once, Pipeline([off, *SMOOTH.steps]))
    with pytest.raises(FilterError, match="already"):  # also where something else came in between
        filter_volume(filter_volume(once, Pipeline([Step("gaussian", {"sigma": 0.5})])), SMOOTH)


def test_a_centre_that_is_found_is_the_same_as_one_that_was_found() -> None:
    pipeline = Pipeline([Step("ring_removal")])
    once = filter_volume(tomogram((5, 64, 64)), pipeline, window=WINDOW)
    with pytest.raises(FilterError, match="already"):
        filter_volume(once, pipeline)


def test_a_pipeline_that_does_nothing_is_refused() -> None:
    with pytest.raises(FilterError, match="No step of the pipeline is on"):
        filter_volume(tomogram(), Pipeline([Step("gaussian", on=False)]))


def test_a_time_axis_is_to_be_fixed_first() -> None:
    series = as_volume(np.random.default_rng(0).random((2, 3, 20, 20)))
    with pytest.raises(VolumeError, match="2 positions along 't'"):
        filter_volume(series, SMOOTH)
    assert filter_volume(series.tomogram(t=1), SMOOTH).data.shape == (3, 20, 20)


def test_an_axis_that_is_not_there() -> None:
    with pytest.raises(VolumeError, match="no axis 3"):
        filter_volume(tomogram(), SMOOTH, axis=3)
