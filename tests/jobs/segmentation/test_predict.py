"""Segmenting a volume: what comes out, interruptions, places and models that are refused, the shell."""

import io
import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import dask.array
import numpy as np
import pandas as pd
import pytest
import scipy.ndimage
import tifffile

from napari_tiqa.cli import main
from napari_tiqa.errors import BundleError, Cancelled, ExportError, SegmentationError, VolumeError
from napari_tiqa.jobs.process.client import shared_model_process
from napari_tiqa.jobs.segmentation.agreement import fitting_truth
from napari_tiqa.jobs.segmentation.predict import PredictProgress, open_segmentation, segment
from napari_tiqa.jobs.segmentation.result import Segmentation, decided
from napari_tiqa.scoring.bundle import DEFAULT_MODEL
from napari_tiqa.segmentation.agreement import f1_score
from napari_tiqa.segmentation.classes import Classes
from napari_tiqa.segmentation.segmenter import ELECTRODE_MODEL
from napari_tiqa.segmentation.uncertainty import uncertainty_map
from napari_tiqa.volumes.napari_reader import read_layer
from napari_tiqa.volumes.open import as_volume, open_volume
from napari_tiqa.volumes.volume import Volume

WINDOW = (0.0, 1.0)


def pixels(shape: tuple[int, ...] = (5, 48, 70), seed: int = 0) -> np.ndarray:
    """Return blobs as bright as particles on darker ones, 0 to 1."""
    smooth = scipy.ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), 3)
    return np.where(smooth > 0, 0.8, 0.3).astype(np.float32)


def tomogram(shape: tuple[int, ...] = (5, 48, 70)) -> Volume:
    sizes = (2.0, 0.65, 0.65)[-len(shape) :]
    return replace(as_volume(pixels(shape)), voxel_size=sizes, unit="µm", name="cell")


def whole(volume: Any, **options: Any) -> np.ndarray:
    """Return all probabilities, made anew."""
    return segment(volume, window=WINDOW, again=True, **options).probabilities.compute()


# -- what comes out ------------------------------------------------------------------------------------


def test_slices_are_segmented_and_the_others_are_empty(tmp_path: Path) -> None:
    seen: list[PredictProgress] = []
    found = segment(
        tomogram(), slices=[3, 0], window=WINDOW, output=tmp_path / "a.zarr", progress=seen.append
    )
    assert found.probabilities.shape == (2, 5, 48, 70)
    assert found.probabilities.chunks == ((2,), (1,) * 5, (48,), (70,))
    assert found.probabilities.dtype == np.float16
    assert found.done.tolist() == [True, False, False, True, False]
    probabilities = found.probabilities.compute()
    assert np.isnan(probabilities[:, [1, 2, 4]]).all()
    assert probabilities[:, [0, 3]].sum(0) == pytest.approx(1, abs=2e-3)
    assert [one.index for one in seen] == [None, 3, 0]
    assert [one.done for one in seen] == [0, 1, 2]
    assert seen[-1].seconds_left == 0
    assert found.segmentation()[[1, 2, 4]].compute().max() == 0
    assert np.isnan(found.uncertainty()[1].compute()).all()
    bright = pixels()[3] > 0.5
    agree = (found.segmentation()[3].compute() == 2) == bright
    assert agree.mean() > 0.9  # it has learned that active material is bright


def test_a_slice_can_be_read_as_soon_as_it_is_done() -> None:
    means = {}

    def look(progress: PredictProgress) -> None:
        if progress.index is not None:
            assert progress.segmentation.done[progress.index]
            means[progress.index] = float(
                progress.segmentation.uncertainty()[progress.index].mean().compute()
            )

    found = segment(tomogram(), window=WINDOW, again=True, progress=look)
    assert list(means) == [0, 1, 2, 3, 4]
    assert found.table()["uncertainty"].tolist() == pytest.approx(list(means.values()), rel=1e-4)


def test_the_table_is_what_the_maps_say(three_classes: Path) -> None:
    found = segment(tomogram(), model=three_classes, slices=[4, 1], window=WINDOW)
    table = found.table()
    names = ["pores", "active", "wire"]
    shares = [f"share of {name}" for name in names]
    bounds = [(f"share of {name}", f"least share of {name}", f"largest share of {name}") for name in names]
    assert table.columns.tolist() == ["slice", "position", *sum(bounds, ()), "uncertainty"]
    assert table["slice"].tolist() == [1, 4]
    assert table["position"].tolist() == [2.0, 8.0]
    assert table.attrs["window"]["low"] == 0
    segmentation = found.segmentation().compute()
    for index, row in zip([1, 4], table[shares].to_numpy(), strict=True):
        assert row == pytest.approx([np.mean(segmentation[index] == value) for value in (1, 2, 7)], abs=1e-5)
    for number, (_, least, largest) in enumerate(bounds):
        likely = found.slice(4)[number]
        row = table.set_index("slice").loc[4]
        assert row[least] == pytest.approx(np.mean(likely >= 0.75), abs=1e-5)
        assert row[largest] == pytest.approx(np.mean(likely >= 0.25), abs=1e-5)


def test_of_more_than_two_classes_the_most_probable_one_is_taken(three_classes: Path) -> None:
    found = segment(tomogram(), model=three_classes, slices=[0], window=WINDOW)
    probabilities = found.probabilities[:, 0].compute()
    values = np.array([1, 2, 7])[probabilities.argmax(0)]
    assert np.array_equal(found.segmentation()[0].compute(), values)
    assert set(np.unique(values)) == {2, 7}  # its third class is likelier than its first everywhere
    assert probabilities[2] == pytest.approx(2 * probabilities[0], rel=1e-2, abs=1e-3)


def test_the_threshold_is_the_least_probability_of_the_second_class() -> None:
    found = segment(tomogram(), slices=[2], window=WINDOW)
    second = found.probabilities[1, 2].compute()
    for threshold in (0, 0.1, 0.5, 0.9, 1):
        expected = np.where(second >= np.float16(threshold), 2, 1)
        assert np.array_equal(found.segmentation(threshold)[2].compute(), expected)
    with pytest.raises(
        SegmentationError, match=r"threshold 1.2 is not a probability: choose one from 0 to 1"
    ):
        found.segmentation(1.2)


def test_an_image_is_a_volume_of_one_slice() -> None:
    image = tomogram((48, 70))
    found = segment(image, window=WINDOW)
    assert found.probabilities.shape == (2, 48, 70)
    assert found.done.tolist() == [True]
    assert found.segmentation().shape == found.uncertainty().shape == (48, 70)
    assert np.array_equal(found.slice(0), found.probabilities.compute())
    assert found.table()["slice"].tolist() == [0]


@pytest.mark.parametrize("axis", [1, 2])
def test_slices_along_another_axis(axis: int) -> None:
    volume = tomogram((40, 34, 36))
    found = segment(volume, slices=[7], axis=axis, window=WINDOW)
    plane = np.take(volume.data.compute(), 7, axis)
    alone = segment(plane, window=WINDOW).probabilities.compute()
    assert found.slice(7) == pytest.approx(alone, abs=2e-3)
    assert np.array_equal(np.take(found.probabilities.compute(), 7, 1 + axis), found.slice(7))
    assert found.table()["position"].tolist() == pytest.approx([7 * 0.65])


def test_pixels_that_are_not_finite_have_no_probability() -> None:
    image = pixels((64, 96))
    image[10:20, 30:50] = np.nan
    image[0, 0] = np.inf
    missing = ~np.isfinite(image)
    found = segment(image, window=WINDOW)
    assert np.array_equal(np.isnan(found.probabilities.compute()), np.stack([missing, missing]))
    assert np.array_equal(found.segmentation().compute() == 0, missing)
    uncertainty = found.uncertainty().compute()
    assert np.array_equal(np.isnan(uncertainty), missing)
    row = found.table().iloc[0]
    assert row["uncertainty"] == pytest.approx(np.nanmean(uncertainty), rel=1e-4)
    assert row[[f"share of {name}" for name in found.classes.names]].sum() == pytest.approx(1)


def test_padding_outside_the_reconstruction_circle_belongs_to_no_class() -> None:
    image = pixels((96, 96))
    rows, columns = np.indices(image.shape) - 47.5
    outside = rows**2 + columns**2 > 46**2
    image[outside] = 0.0
    found = segment(image, window=WINDOW)
    assert np.array_equal(found.segmentation().compute() == 0, outside)
    row = found.table().iloc[0]
    inside = found.segmentation().compute()[~outside]
    assert row["share of active material"] == pytest.approx(np.mean(inside == 2), abs=1e-5)


def test_nothing_but_nan_is_segmented_as_nothing() -> None:
    volume = pixels()
    volume[1] = np.nan
    found = segment(volume, slices=[1], window=WINDOW)
    assert found.done[1]
    assert found.segmentation()[1].compute().max() == 0
    row = found.table().set_index("slice").loc[1]
    assert np.isnan(row.drop("position")).all()


def test_the_window_is_the_volumes_own() -> None:
    found = segment(tomogram(), slices=[0])
    darker = replace(tomogram(), data=tomogram().data * 0.01)
    assert segment(darker, slices=[0]).slice(0) == pytest.approx(found.slice(0), abs=5e-3)
    assert found.window.low == pytest.approx(0.3 - 0.05 * 0.5)


def test_a_volume_larger_than_memory(tmp_path: Path) -> None:
    """42 GB, of which two slices are asked for."""
    plane = np.tile(pixels((64, 64)).astype(float), (8, 8))

    def one(block_info: dict) -> np.ndarray:
        index = block_info[None]["array-location"][0][0]
        return np.roll(plane, index)[None]

    data = dask.array.map_blocks(one, chunks=((1,) * 20000, *((n,) for n in plane.shape)), dtype=float)
    volume = Volume(data, ("z", "y", "x"), (1.0,) * 3, "pixel", "long")
    found = segment(volume, slices=[0, -1], window=WINDOW, output=tmp_path / "long.zarr")
    assert np.flatnonzero(found.done).tolist() == [0, 19999]
    assert found.segmentation()[19999].compute().max() == 2


def decided_slowly(probabilities: np.ndarray, classes: Classes) -> np.ndarray:
    values = classes.label_values(np.nan_to_num(probabilities).argmax(0))
    return np.where(np.isnan(probabilities[0]), 0, values)


@pytest.mark.parametrize("count", [3, 5])
def test_classes_by_their_bits_are_those_by_their_numbers(count: int) -> None:
    odds = np.random.default_rng(0).random((count, 50, 60)) ** 6
    probabilities = (odds / odds.sum(0)).astype(np.float16)
    probabilities[:, 3, 4] = np.nan
    classes = Classes(tuple(range(1, count + 1)), ("a",) * count)
    assert np.array_equal(decided(probabilities, classes), decided_slowly(probabilities, classes))


# -- going on ------------------------------------------------------------------------------------------


def indices_done(volume: Any, **options: Any) -> list[int]:
    """Segment and return the slices that were not there before."""
    seen: list[PredictProgress] = []
    segment(volume, window=WINDOW, progress=seen.append, **options)
    return [one.index for one in seen if one.index is not None]


def test_what_is_there_is_not_segmented_again(tmp_path: Path) -> None:
    output = tmp_path / "a.zarr"
    assert indices_done(tomogram(), slices=[1, 2], output=output) == [1, 2]
    assert indices_done(tomogram(), slices=slice(0, 4), output=output) == [0, 3]
    assert indices_done(tomogram(), slices=slice(0, 4), output=output) == []
    assert indices_done(tomogram(), slices=[2], output=output, again=True) == [2]
    assert open_segmentation(output).done.tolist() == [True] * 4 + [False]
    assert len(open_segmentation(output).table()) == 4


def test_a_slice_that_was_changed_in_memory_is_segmented_again() -> None:
    volume = pixels((6, 40, 48), seed=1)
    assert indices_done(volume) == [0, 1, 2, 3, 4, 5]
    volume[4] = volume[4, ::-1]  # of the six, none that the volume is known by
    assert indices_done(volume) == [4]


def test_the_temporary_folder_goes_with_its_process(tmp_path: Path) -> None:
    script = """
        from napari_tiqa.jobs.process.temporary_folder import temporary_folder
        folder = temporary_folder("segmentations")
        assert folder == temporary_folder("segmentations")
        (folder / "slice").write_text("kept")
        print(folder)
    """
    homes = {name: str(tmp_path) for name in ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA")}
    command = [sys.executable, "-c", textwrap.dedent(script)]
    home = Path(subprocess.check_output(command, env=os.environ | homes, text=True).strip()).parent
    assert home.is_relative_to(tmp_path)
    assert not list(home.iterdir())
    (home / "of_a_killed_process").mkdir()
    (home / "of_a_killed_process" / ".in_use").touch()
    subprocess.run(command, env=os.environ | homes, check=True)
    assert not list(home.iterdir())


def test_a_cancelled_run_goes_on(tmp_path: Path) -> None:
    volume, output, cancel = tomogram((12, 48, 70)), tmp_path / "a.zarr", threading.Event()

    def progress(news: PredictProgress) -> None:
        if news.done == 2:
            cancel.set()

    with pytest.raises(Cancelled, match=r"of 12 slices are segmented; run it again to resume"):
        segment(volume, window=WINDOW, output=output, progress=progress, cancel=cancel)
    done = np.flatnonzero(open_segmentation(output).done).tolist()
    assert 2 <= len(done) < 12
    assert indices_done(volume, output=output) == list(range(len(done), 12))
    assert np.array_equal(open_segmentation(output).probabilities.compute(), whole(volume))


def test_a_killed_run_goes_on(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "scan.tif", pixels((40, 48, 70)), photometric="minisblack")
    output = tmp_path / "out.zarr"
    command = [sys.executable, "-m", "napari_tiqa.cli", "segment", "predict", "scan.tif"]
    run = subprocess.Popen(
        [*command, "-o", "out.zarr", "--window", "0", "1"], cwd=tmp_path, stderr=subprocess.DEVNULL
    )
    log = output / "probability" / "0" / "slices.csv"
    while not (log.exists() and log.read_text().count("\n") >= 3):
        assert run.poll() is None
        time.sleep(0.005)
    run.send_signal(signal.SIGKILL)
    run.wait()
    done = np.flatnonzero(open_segmentation(output).done).tolist()
    assert 3 <= len(done) < 40
    again = indices_done(tmp_path / "scan.tif", output=output)
    assert sorted([*done, *again]) == list(range(40))
    assert np.array_equal(open_segmentation(output).probabilities.compute(), whole(tmp_path / "scan.tif"))


def test_a_disk_that_takes_no_more(tmp_path: Path) -> None:
    output = tmp_path / "a.zarr"
    segment(tomogram(), slices=[0], window=WINDOW, output=output)
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, most))
    try:
        with pytest.raises(SegmentationError, match=r"a.zarr cannot be written \(File too large\): remove"):
            segment(tomogram(), window=WINDOW, output=output)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    assert indices_done(tomogram(), output=output) == [1, 2, 3, 4]
    assert np.array_equal(open_segmentation(output).probabilities.compute(), whole(tomogram()))


def test_a_slice_whose_probabilities_were_damaged_is_segmented_again(tmp_path: Path) -> None:
    output = tmp_path / "a.zarr"
    segment(tomogram(), window=WINDOW, output=output)
    chunks = [output / "probability" / "0" / "1" / str(index) / "0" / "0" for index in range(5)]
    damaged = bytearray(chunks[1].read_bytes())
    damaged[-5] ^= 0xFF
    chunks[1].write_bytes(damaged)
    chunks[2].write_bytes(chunks[3].read_bytes())  # whole, and of another slice
    chunks[4].unlink()
    assert indices_done(tomogram(), output=output) == [1, 2, 4]
    assert np.array_equal(open_segmentation(output).probabilities.compute(), whole(tomogram()))


def test_a_line_that_was_cut_short_counts_as_not_there(tmp_path: Path) -> None:
    output = tmp_path / "a.zarr"
    segment(tomogram(), slices=[0, 1], window=WINDOW, output=output)
    log = output / "probability" / "0" / "slices.csv"
    text = log.read_text()
    log.write_text(text[:-4])
    assert open_segmentation(output).done.tolist() == [True, False, False, False, False]
    assert indices_done(tomogram(), slices=[0, 1], output=output) == [1]
    assert log.read_text() == text


def test_slices_before_one_that_cannot_be_read_are_kept(tmp_path: Path) -> None:
    planes = pixels((12, 40, 48))

    def plane(block_info: dict) -> np.ndarray:
        index = block_info[None]["array-location"][0][0]
        if index == 7:
            raise OSError("bad block")
        return planes[index : index + 1]

    data = dask.array.map_blocks(plane, chunks=((1,) * 12, (40,), (48,)), dtype=np.float32)
    volume = Volume(data, ("z", "y", "x"), (1.0,) * 3, "pixel", "scan")
    with pytest.raises(VolumeError, match=r"Cannot read slice 7 .*bad block"):
        segment(volume, window=WINDOW, output=tmp_path / "a.zarr")
    assert np.flatnonzero(open_segmentation(tmp_path / "a.zarr").done).tolist() == list(range(7))


# -- what is refused -----------------------------------------------------------------------------------


def test_slices_that_do_not_belong_together_are_not_mixed(tmp_path: Path, three_classes: Path) -> None:
    output, volume = tmp_path / "a.zarr", tomogram((40, 48, 70))
    segment(volume, slices=[0], window=WINDOW, output=output)
    other = replace(volume, data=volume.data + 1)
    for options, what in [
        ({"model": three_classes, "window": WINDOW}, "by another model"),
        ({"window": (0.0, 2.0)}, "in the intensity window 0 to 1"),
        ({"axis": 1, "window": WINDOW}, "along axis 0"),
    ]:
        with pytest.raises(
            SegmentationError, match=f"a.zarr holds a segmentation {what}: choose another name"
        ):
            segment(volume, slices=[1], output=output, **options)  # type: ignore[arg-type]
    with pytest.raises(SegmentationError, match="of another volume"):
        segment(other, slices=[1], window=WINDOW, output=output)
    assert np.flatnonzero(open_segmentation(output).done).tolist() == [0]


def test_two_runs_do_not_write_the_same(tmp_path: Path) -> None:
    refused = []

    def progress(_: PredictProgress) -> None:
        with pytest.raises(SegmentationError) as error:
            segment(tomogram(), slices=[1], window=WINDOW, output=tmp_path / "a.zarr")
        refused.append(str(error.value))

    segment(tomogram(), slices=[0], window=WINDOW, output=tmp_path / "a.zarr", progress=progress)
    assert "Another run is writing to" in refused[0]


def test_places_that_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "scan.tif", pixels(), photometric="minisblack")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("1")
    for name, error, words in [
        ("scan.tif", ExportError, "is the volume to be segmented"),
        ("thesis", SegmentationError, "thesis does not hold a segmentation by napari-tiqa"),
        ("nowhere/a.zarr", ExportError, "There is no folder .*nowhere: make it"),
        ("scan.tif/a.zarr", ExportError, "lies inside the volume to be segmented"),
        ("/proc/a.zarr", SegmentationError, "/proc/a.zarr cannot be written"),
    ]:
        with pytest.raises(error, match=words):
            segment(tmp_path / "scan.tif", window=WINDOW, output=tmp_path / name)
    assert (tmp_path / "thesis" / "chapter.txt").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scan.tif", "thesis"]


def test_an_empty_folder_as_dialogs_make_them_will_do(tmp_path: Path) -> None:
    (tmp_path / "a.zarr").mkdir()
    assert indices_done(tomogram(), slices=[0], output=tmp_path / "a.zarr") == [0]


def test_models_that_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="for another purpose"):
        segment(tomogram(), model=DEFAULT_MODEL, output=tmp_path / "a.zarr")
    with pytest.raises(BundleError, match="There is no model bundle"):
        segment(tomogram(), model=tmp_path / "none.tiqa", output=tmp_path / "a.zarr")
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_is_replaced_on_the_way(tmp_path: Path, three_classes: Path) -> None:
    model = tmp_path / "model.tiqa"
    model.write_bytes(ELECTRODE_MODEL.read_bytes())

    def replace_it(news: PredictProgress) -> None:
        if news.index == 0:
            model.write_bytes(three_classes.read_bytes())

    with pytest.raises(SegmentationError, match="was replaced while it was at work: segment again"):
        segment(
            tomogram((30, 48, 70)),
            model=model,
            window=WINDOW,
            output=tmp_path / "a.zarr",
            progress=replace_it,
        )


def test_a_volume_without_contrast_needs_a_window() -> None:
    with pytest.raises(VolumeError, match="constant"):
        segment(np.ones((3, 40, 40), np.float32))
    assert segment(np.ones((3, 40, 40), np.float32), slices=[0], window=WINDOW).done[0]


# -- the shell -----------------------------------------------------------------------------------------


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / "scan.tif"
    metadata = {"spacing": 2.0, "unit": "um", "axes": "ZYX"}
    planes = pixels((5, 48, 600))
    tifffile.imwrite(path, planes, imagej=True, resolution=(1 / 0.65, 1 / 0.65), metadata=metadata)
    return path


def segment_in_shell(*arguments: object) -> int:
    return main(["segment", "predict", *map(str, arguments), "--window", "0", "1"])


def test_the_shell_writes_images_of_the_volume(
    scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], three_classes: Path
) -> None:
    output = tmp_path / "out.zarr"
    assert (
        segment_in_shell(scan, "--model", three_classes, "-o", output, "--slices", "1:3", "--uncertainty")
        == 0
    )
    printed = capsys.readouterr()
    assert (
        printed.out.splitlines()[0]
        == "slice,position,share of pores,least share of pores,largest share of pores,share of active,"
        "least share of active,largest share of active,share of wire,least share of wire,"
        "largest share of wire,uncertainty"
    )
    assert len(printed.out.splitlines()) == 3
    assert "2 of 5 slices are segmented (CPU" in printed.err
    segmentation, uncertainty = (open_volume(output, name) for name in ("segmentation", "uncertainty"))
    found: Segmentation = open_segmentation(output)
    assert np.array_equal(segmentation.data.compute(), found.segmentation().compute())
    assert np.array_equal(uncertainty.data.compute(), found.uncertainty().compute(), equal_nan=True)
    for image in (segmentation, uncertainty):
        assert image.voxel_size == pytest.approx((2.0, 0.65, 0.65))
        assert image.unit == "µm"
    assert set(np.unique(segmentation.pyramid[1].compute())) <= {0, 2, 7}  # no means of labels
    active = open_volume(output, "probability").tomogram(c=1)
    assert np.array_equal(active.data.compute(), found.probabilities[1].compute(), equal_nan=True)
    assert active.voxel_size == pytest.approx((2.0, 0.65, 0.65))
    assert not list(output.glob(".*unfinished"))
    layers = [(keywords["name"], kind, keywords["scale"]) for _, keywords, kind in read_layer(str(output))]
    sizes = pytest.approx((2.0, 0.65, 0.65))
    assert layers == [("uncertainty", "image", sizes), ("segmentation", "labels", sizes)]


def test_the_shell_compares_with_a_truth(
    scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], three_classes: Path
) -> None:
    output, labels = tmp_path / "out.zarr", np.where(pixels((5, 48, 600)) > 0.5, 2, 1).astype(np.uint8)
    labels[:, :, 300:] = 0  # nobody has labelled the right half
    labels[3] = 0
    tifffile.imwrite(tmp_path / "labels.tif", labels, photometric="minisblack")
    assert segment_in_shell(scan, "-o", output, "--slices", "2:4", "--truth", tmp_path / "labels.tif") == 0
    printed = capsys.readouterr()
    table = pd.read_csv(io.StringIO(printed.out)).set_index("slice")
    said = open_segmentation(output).segmentation()[2].compute()
    assert table.loc[2, "f1"] == pytest.approx(f1_score(said, labels[2]), abs=1e-4)
    assert np.isnan(table.loc[3, "iou"])
    assert "active material" in printed.err
    labels[2, 0, 0] = 7  # a third class, which the model does not know
    tifffile.imwrite(tmp_path / "labels.tif", labels, photometric="minisblack")
    for slices, code in [("2", 2), ("3", 0)]:
        done = segment_in_shell(scan, "-o", output, "--slices", slices, "--truth", tmp_path / "labels.tif")
        assert done == code
    assert "holds the value 7, and the model tells apart 2 classes, 1, 2: choose a" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (
            np.ones((5, 48, 601), np.uint8),
            r"The truth has the shape \(5, 48, 601\), the image \(5, 48, 600\)",
        ),
        (np.ones((5, 48, 600), np.float32), "Labels are whole numbers"),
    ],
)
def test_a_truth_that_does_not_fit_is_refused_before_any_work(labels: np.ndarray, words: str) -> None:
    with pytest.raises(SegmentationError, match=words):
        fitting_truth(labels, as_volume(pixels((5, 48, 600))), Classes((1, 2), ("a", "b")))


def test_what_the_shell_refuses(scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert segment_in_shell(scan, "-o", scan) == 2
    assert "is the volume to be segmented" in capsys.readouterr().err
    assert segment_in_shell(scan, "-o", tmp_path / "out.zarr", "--slices", "99") == 2
    assert "There is no slice 99" in capsys.readouterr().err
    assert segment_in_shell(scan, "-o", tmp_path / "out.zarr", "--threshold", "7") == 2
    assert "threshold 7 is not a probability" in capsys.readouterr().err
    assert not (tmp_path / "out.zarr").exists()


def test_another_threshold_needs_no_network(
    scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out.zarr"
    assert segment_in_shell(scan, "-o", output, "--slices", "0") == 0
    shared_model_process().close()
    assert (
        segment_in_shell(
            scan, "--model", "default", "-o", output, "--slices", "0", "--threshold", "0.9", "--uncertainty"
        )
        == 0
    )
    assert "no network needed" in capsys.readouterr().err
    found = open_segmentation(output)
    assert np.array_equal(
        open_volume(output, "segmentation").data[0].compute(), found.segmentation(0.9)[0].compute()
    )
    assert np.array_equal(
        open_volume(output, "uncertainty").data[0].compute(), uncertainty_map(found.slice(0))
    )
