"""Filtered volumes as files: formats, records, interruptions, and places that are refused."""

import json
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import dask.array
import numpy as np
import pytest
import tifffile
import zarr

from napari_tiqa.errors import Cancelled, ExportError, FilterError, VolumeError
from napari_tiqa.filtering.lazy import filter_volume
from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.jobs.filtering.export import export, export_size
from napari_tiqa.jobs.filtering.unfinished_export import done_slices, unfinished_folder
from napari_tiqa.progress import Progress
from napari_tiqa.volumes.napari_reader import read_layer
from napari_tiqa.volumes.open import as_volume, open_volume
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.writing.ome_zarr import halved
from napari_tiqa.volumes.writing.tiff import TiffFileWriter
from napari_tiqa.volumes.writing.volume_writer import VolumeLayout

WINDOW = (0.0, 200.0)
SMOOTH = Pipeline([Step("gaussian", {"sigma": 1.5})])
OUTPUTS = ["better.zarr", "better.tif", "better.ome.tif", "better"]


def tomogram(shape: tuple[int, ...] = (7, 40, 50), dtype: str = "float32") -> Volume:
    pixels = (np.random.default_rng(0).random(shape) * 200).astype(dtype)
    sizes = (2.0, 0.65, 0.65)[-len(shape) :]
    return replace(as_volume(pixels), voxel_size=sizes, unit="µm", name="cell")


def filtered(volume: Volume, pipeline: Pipeline = SMOOTH) -> np.ndarray:
    return np.stack([pipeline(plane, WINDOW) for plane in volume.data.compute()])


# -- formats -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "int16", "float64"])
def test_every_format_opens_again_as_it_was(tmp_path: Path, name: str, dtype: str) -> None:
    volume = tomogram(dtype=dtype)
    record = export(volume, SMOOTH, tmp_path / name, window=WINDOW)
    again = open_volume(tmp_path / name)
    assert np.array_equal(again.data.compute(), filtered(volume))
    assert again.data.dtype == volume.data.dtype
    assert (again.axes, again.unit) == (("z", "y", "x"), "µm")
    assert again.voxel_size == pytest.approx((2.0, 0.65, 0.65))
    assert again.applied == (record,)
    assert again.window is not None  # scored in the window of the volume it comes from
    assert (again.window.low, again.window.high) == WINDOW
    assert list(tmp_path.iterdir()) == [tmp_path / name]  # nothing else is left


@pytest.mark.parametrize("name", OUTPUTS)
def test_napari_opens_it_with_size_and_record(tmp_path: Path, name: str) -> None:
    record = export(tomogram(), SMOOTH, tmp_path / name, window=WINDOW)
    ((data, keywords, kind),) = read_layer(str(tmp_path / name))
    assert kind == "image"
    assert data.shape == (7, 40, 50)
    assert keywords["scale"] == pytest.approx((2.0, 0.65, 0.65))
    assert keywords["units"] == ("µm",) * 3
    assert keywords["metadata"]["napari_tiqa"]["applied"] == [record]


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_single_slice(tmp_path: Path, name: str) -> None:
    volume = tomogram((40, 50), "uint16")
    export(volume, SMOOTH, tmp_path / name, window=WINDOW)
    again = open_volume(tmp_path / name)
    assert np.array_equal(again.data.compute().squeeze(), SMOOTH(volume.data.compute(), WINDOW))
    assert again.voxel_size[-2:] == pytest.approx((0.65, 0.65))


@pytest.mark.parametrize("axis", [1, 2])
def test_slices_along_another_axis(tmp_path: Path, axis: int) -> None:
    volume = tomogram((16, 40, 50))
    export(volume, SMOOTH, tmp_path / "better.zarr", axis=axis, window=WINDOW)
    wanted = [SMOOTH(plane, WINDOW) for plane in np.moveaxis(volume.data.compute(), axis, 0)]
    assert np.array_equal(np.moveaxis(open_volume(tmp_path / "better.zarr").data.compute(), axis, 0), wanted)
    with pytest.raises(ExportError, match=r"not across axis .: export to OME-Zarr"):
        export(volume, SMOOTH, tmp_path / "better.tif", axis=axis, window=WINDOW)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_smaller_levels_are_means_of_the_full_one(tmp_path: Path, axis: int, dtype: str) -> None:
    volume = tomogram((21, 35, 1100), dtype)
    export(volume, SMOOTH, tmp_path / "better.zarr", axis=axis, window=WINDOW)
    levels = [level.compute() for level in open_volume(tmp_path / "better.zarr").pyramid]
    assert [level.shape for level in levels] == [(21, 35, 1100), (11, 18, 550), (6, 9, 275)]
    for fine, coarse in pairwise(levels):
        even = np.pad(fine.astype(float), [(0, side % 2) for side in fine.shape], mode="edge")
        z, y, x = coarse.shape
        means = even.reshape(z, 2, y, 2, x, 2).mean((1, 3, 5))
        assert np.abs(coarse - means).max() <= (0.5 if dtype == "uint8" else 1e-3)


def test_the_zarr_says_where_its_levels_lie(tmp_path: Path) -> None:
    export(tomogram((13, 16, 600)), SMOOTH, tmp_path / "better.zarr", window=WINDOW)
    (image,) = dict(zarr.open_group(tmp_path / "better.zarr", mode="r").attrs)["multiscales"]
    assert image["version"] == "0.4"
    assert image["axes"][0] == {"name": "z", "type": "space", "unit": "micrometer"}
    fine, coarse = (level["coordinateTransformations"] for level in image["datasets"])
    assert fine == [{"type": "scale", "scale": [2.0, 0.65, 0.65]}]
    assert coarse[0]["scale"] == [4.0, 1.3, 1.3]
    assert coarse[1]["translation"] == [1.0, 0.325, 0.325]  # the middle of a voxel twice as large


def test_an_odd_last_row_stands_for_itself() -> None:
    small = halved([np.array([[0, 2, 7], [4, 6, 9], [1, 3, 5]], np.float32)])
    assert np.array_equal(small, [[3, 8], [2, 5]])


def test_other_programs_read_size_and_record_of_the_tiff(tmp_path: Path) -> None:
    export(tomogram(), SMOOTH, tmp_path / "better.tif", window=WINDOW)
    with tifffile.TiffFile(tmp_path / "better.tif") as tiff:
        assert tiff.is_imagej
        assert len(tiff.pages) == 7
        assert tiff.imagej_metadata["unit"] == "um"
        assert tiff.imagej_metadata["spacing"] == 2.0
        info = json.loads(tiff.imagej_metadata["Info"])
    assert info["napari_tiqa"]["applied"][0]["steps"] == "Gaussian (sigma 1.5 px)"


def test_an_ome_tiff_where_it_is_asked_for_or_needed(tmp_path: Path) -> None:
    export(tomogram(), SMOOTH, tmp_path / "better.ome.tif", window=WINDOW)
    export(tomogram(dtype="int16"), SMOOTH, tmp_path / "better.tif", window=WINDOW)
    for name in ("better.ome.tif", "better.tif"):
        with tifffile.TiffFile(tmp_path / name) as tiff:
            assert tiff.is_ome
            assert 'PhysicalSizeZ="2.0"' in tiff.ome_metadata


def test_a_tiff_of_more_than_4_gb_is_a_bigtiff(tmp_path: Path) -> None:
    """Most of it stays empty, which takes no room on the disk."""
    layout = VolumeLayout((80, 8192, 8192), np.dtype("u1"), (1.0, 1.0, 1.0), "nm", 0, ({"steps": "x"},))
    writer = TiffFileWriter(tmp_path / "large.tif", layout)
    writer.begin(0)
    writer.write(79, np.full((8192, 8192), 7, np.uint8))
    writer.close()
    volume = open_volume(tmp_path / "large.tif")
    assert volume.data.shape == layout.shape
    assert volume.unit == "nm"
    assert volume.applied == layout.applied
    assert (volume.slice(0, 79) == 7).all()
    assert not volume.slice(0, 78).any()


@pytest.mark.parametrize("dtype", ["bool", "float16", "int64"])
def test_a_zarr_holds_what_a_tiff_cannot(tmp_path: Path, dtype: str) -> None:
    volume = replace(tomogram(), data=(tomogram().data > 100).astype(dtype))
    with pytest.raises(ExportError, match=f"cannot hold {dtype}: export to OME-Zarr"):
        export(volume, SMOOTH, tmp_path / "better.tif", window=(0, 1))
    export(volume, SMOOTH, tmp_path / "better.zarr", window=(0, 1))
    assert open_volume(tmp_path / "better.zarr").data.dtype == dtype


def test_the_end_of_the_name_tells_the_format(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"The ending of 'better.dat' does not tell a format"):
        export(tomogram(), SMOOTH, tmp_path / "better.dat")
    with pytest.raises(ExportError, match="There is no format 'png'"):
        export(tomogram(), SMOOTH, tmp_path / "better", format="png")
    with pytest.raises(ExportError, match=r"does not fit the format ome-zarr: end it with .zarr"):
        export(tomogram(), SMOOTH, tmp_path / "better", format="ome-zarr")
    export(tomogram(), SMOOTH, tmp_path / "better.v2", format="tiff-slices", window=WINDOW)
    assert (tmp_path / "better.v2" / "slice_0006.tif").is_file()


# -- the record ----------------------------------------------------------------------------------------


def test_the_record_says_how_the_volume_came_about(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "scan.tif", tomogram().data.compute(), photometric="minisblack")
    record = export(tmp_path / "scan.tif", SMOOTH, tmp_path / "better.zarr")
    assert Pipeline.from_dict(record["pipeline"]) == SMOOTH
    assert record["source"] == str(tmp_path / "scan.tif")
    assert record["window"]["low"] < 20 < 180 < record["window"]["high"]
    assert {"napari_tiqa", "libraries", "created", "axis", "shape", "dtype"} <= set(record)


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_same_pipeline_twice_is_refused(tmp_path: Path, name: str) -> None:
    export(tomogram(), SMOOTH, tmp_path / name, window=WINDOW)
    with pytest.raises(FilterError, match=r"has been filtered with Gaussian.* already"):
        export(tmp_path / name, SMOOTH, tmp_path / "twice.zarr")
    export(tmp_path / name, SMOOTH, tmp_path / "twice.zarr", again=True, window=WINDOW)
    assert len(open_volume(tmp_path / "twice.zarr").applied) == 2


def test_a_lazily_filtered_volume_is_exported_with_its_record(tmp_path: Path) -> None:
    sharper = Pipeline([Step("median", {"radius": 1})])
    export(filter_volume(tomogram(), SMOOTH, window=WINDOW), sharper, tmp_path / "better.tif")
    first, second = open_volume(tmp_path / "better.tif").applied
    assert first["steps"].startswith("Gaussian")
    assert second["steps"].startswith("Median")


# -- interruptions -------------------------------------------------------------------------------------


def cancel_at_first() -> tuple[Callable[[Progress], None], threading.Event]:
    """Return what cancels an export as soon as it has written something."""
    cancel = threading.Event()
    return lambda _: cancel.set(), cancel


def counted(volume: Volume) -> tuple[Volume, list[int]]:
    """Return the volume and a list of the slices that are read."""
    pixels, read = volume.data.compute(), []

    def plane(block_info: dict) -> np.ndarray:
        index = block_info[None]["array-location"][0][0]
        read.append(index)
        return pixels[index : index + 1]

    chunks = ((1,) * pixels.shape[0], *((side,) for side in pixels.shape[1:]))
    return replace(volume, data=dask.array.map_blocks(plane, chunks=chunks, dtype=pixels.dtype)), read


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_cancelled_export_goes_on_where_it_stopped(tmp_path: Path, name: str) -> None:
    volume, read = counted(tomogram((101, 20, 600), "uint8"))
    progress, cancel = cancel_at_first()
    with pytest.raises(Cancelled, match=r"of \d+ slices are written to .*\.unfinished; run the same export"):
        export(volume, SMOOTH, tmp_path / name, window=WINDOW, progress=progress, cancel=cancel)
    done = done_slices(tmp_path / name)
    assert 0 < done < 50
    assert not (tmp_path / name).exists()
    read.clear()
    news: list[Progress] = []
    export(volume, SMOOTH, tmp_path / name, window=WINDOW, progress=news.append)
    assert [index for index in read if index < done] == [
        0
    ]  # looked at, to tell whether it is the same volume
    assert news[0].done > done
    assert news[-1].done == volume.data.shape[0]
    export(volume, SMOOTH, tmp_path / f"whole_{name}", window=WINDOW)
    assert_same_pixels(tmp_path / name, tmp_path / f"whole_{name}")


def assert_same_pixels(path: Path, other: Path) -> None:
    volume, wanted = open_volume(path), open_volume(other)
    assert np.array_equal(volume.data.compute(), wanted.data.compute())
    assert len(volume.pyramid) == len(wanted.pyramid)
    for level, wanted_level in zip(volume.pyramid, wanted.pyramid, strict=True):
        assert np.array_equal(level.compute(), wanted_level.compute())


EXPORT_SLOWLY = textwrap.dedent(
    """
    import sys, time
    from napari_tiqa.jobs.filtering.export import export
    from napari_tiqa.filtering.pipeline import Pipeline, Step

    def progress(news):
        print(news.done, flush=True)

    pipeline = Pipeline([Step("gaussian", {"sigma": 1.5})])
    export(sys.argv[1], pipeline, sys.argv[2], window=(0.0, 200.0), progress=progress)
    """
)


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume whose export takes seconds."""
    path = tmp_path_factory.mktemp("scan") / "scan.tif"
    pixels = np.random.default_rng(0).random((10, 700, 700)) * 200
    tifffile.imwrite(path, np.tile(pixels.astype(np.float32), (12, 1, 1)), photometric="minisblack")
    return path


@pytest.mark.parametrize("name", ["better.zarr", "better.tif", "better"])
def test_a_killed_export_goes_on_where_it_stopped(tmp_path: Path, scan: Path, name: str) -> None:
    command = [sys.executable, "-c", EXPORT_SLOWLY, str(scan), str(tmp_path / name)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 10:
            process.kill()  # SIGKILL: nothing of Python's is run any more
            break
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    done = done_slices(tmp_path / name)
    assert 10 <= done < 120
    assert not (tmp_path / name).exists()
    news: list[Progress] = []
    export(scan, SMOOTH, tmp_path / name, window=WINDOW, progress=news.append)
    assert news[0].done > done
    assert_same_pixels(tmp_path / name, export_whole(scan, tmp_path / f"whole_{name}"))
    assert not unfinished_folder(tmp_path / name).exists()


def slice_files(folder: Path, name: str) -> list[Path]:
    """Return the files with the pixels of the slices of an unfinished export, in order."""
    data = unfinished_folder(folder / name) / name
    if data.is_file():
        return [data]
    if name.endswith(".zarr"):
        return sorted((data / "0").glob("*/0/0"), key=lambda path: int(path.parts[-3]))
    return sorted(data.glob("*.tif"))


@pytest.mark.parametrize("harm", ["changed", "cut", "removed"])
@pytest.mark.parametrize("name", OUTPUTS)
def test_a_slice_that_was_damaged_since_is_written_again(tmp_path: Path, name: str, harm: str) -> None:
    volume = tomogram((101, 20, 600), "uint8")
    cancelled_export(volume, tmp_path / name)
    files = slice_files(tmp_path, name)
    victim = files[min(2, len(files) - 1)]
    if harm == "removed" and len(files) > 1:
        victim.unlink()
    else:
        content = bytearray(victim.read_bytes())
        place = min(len(content) - 1, 30_000)
        content[place] ^= 0xFF
        victim.write_bytes(content if harm == "changed" else content[:-40])
    if len(files) == 1 and harm != "changed":  # what describes the pages lies behind the pixels
        with pytest.raises(ExportError, match="is damaged: remove that folder"):
            export(volume, SMOOTH, tmp_path / name, window=WINDOW)
        return
    export(volume, SMOOTH, tmp_path / name, window=WINDOW)
    export(volume, SMOOTH, tmp_path / f"whole_{name}", window=WINDOW)
    assert_same_pixels(tmp_path / name, tmp_path / f"whole_{name}")


@pytest.mark.parametrize("text", ["", "{}", "[]", "[" * 100_000, '{"multiscales": 3}'])
def test_damaged_metadata_of_an_unfinished_export_is_told(tmp_path: Path, text: str) -> None:
    volume = tomogram((101, 20, 600), "uint8")
    cancelled_export(volume, tmp_path / "better.zarr")
    (unfinished_folder(tmp_path / "better.zarr") / "better.zarr" / ".zattrs").write_text(text)
    with pytest.raises(ExportError, match=r"better\.zarr\.unfinished is damaged: remove that folder"):
        export(volume, SMOOTH, tmp_path / "better.zarr", window=WINDOW)


def export_whole(scan: Path, output: Path) -> Path:
    export(scan, SMOOTH, output, window=WINDOW)
    return output


def cancelled_export(volume: Volume, output: Path, pipeline: Pipeline = SMOOTH) -> None:
    progress, cancel = cancel_at_first()
    with pytest.raises(Cancelled):
        export(volume, pipeline, output, window=WINDOW, progress=progress, cancel=cancel)


def test_an_unfinished_export_of_something_else_is_not_mixed_in(tmp_path: Path) -> None:
    volume, _ = counted(tomogram((100, 20, 30)))
    output = tmp_path / "better.zarr"
    cancelled_export(volume, output)
    with pytest.raises(ExportError, match=r"\.unfinished holds an unfinished export of another volume or"):
        export(volume, Pipeline([Step("gaussian", {"sigma": 1})]), output, window=WINDOW)
    other = replace(volume, data=volume.data + 1)
    with pytest.raises(ExportError, match="another volume"):  # same name, shape and pipeline
        export(other, SMOOTH, output, window=WINDOW)
    export(other, SMOOTH, output, window=WINDOW, overwrite=True)
    assert np.array_equal(open_volume(output).data.compute(), filtered(other))


def test_two_exports_do_not_write_the_same(tmp_path: Path) -> None:
    refused = []

    def progress(_: Progress) -> None:
        with pytest.raises(ExportError) as error:
            export(tomogram(), SMOOTH, tmp_path / "better", window=WINDOW)
        refused.append(str(error.value))

    export(tomogram(), SMOOTH, tmp_path / "better", window=WINDOW, progress=progress)
    assert "Another export is writing to" in refused[0]
    assert np.array_equal(open_volume(tmp_path / "better").data.compute(), filtered(tomogram()))


def test_a_folder_that_is_not_ours_is_not_thrown_away(tmp_path: Path) -> None:
    (tmp_path / "better.unfinished").mkdir()
    (tmp_path / "better.unfinished" / "thesis.txt").write_text("chapter 1")
    with pytest.raises(ExportError, match=r"better.unfinished is in the way: remove it"):
        export(tomogram(), SMOOTH, tmp_path / "better", window=WINDOW, overwrite=True)
    assert (tmp_path / "better.unfinished" / "thesis.txt").exists()


def end_after_the_last_slice(news: Progress) -> None:
    if news.done == news.total:
        raise Cancelled("in the last moment")


@pytest.mark.parametrize("name", OUTPUTS)
def test_all_slices_were_written_but_not_put_in_place(tmp_path: Path, name: str) -> None:
    with pytest.raises(Cancelled, match="7 of 7 slices"):
        export(tomogram(), SMOOTH, tmp_path / name, window=WINDOW, progress=end_after_the_last_slice)
    export(tomogram(), SMOOTH, tmp_path / name, window=WINDOW)
    assert np.array_equal(open_volume(tmp_path / name).data.compute(), filtered(tomogram()))
    assert list(tmp_path.iterdir()) == [tmp_path / name]


def test_what_appears_there_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    output = tmp_path / "better.tif"

    def progress(_: Progress) -> None:
        output.write_text("somebody else's")

    with pytest.raises(ExportError, match="was made by another program during the export: remove it, then"):
        export(tomogram(), SMOOTH, output, window=WINDOW, progress=progress)
    assert output.read_text() == "somebody else's"
    output.unlink()
    export(tomogram(), SMOOTH, output, window=WINDOW)
    assert open_volume(output).data.shape == (7, 40, 50)


def test_nothing_is_left_of_an_export_that_fails_at_once(tmp_path: Path) -> None:
    with pytest.raises(FilterError, match="does not fit"):
        export(tomogram((5, 20, 20)), Pipeline([Step("gaussian", {"sigma": 20})]), tmp_path / "better")
    assert list(tmp_path.iterdir()) == []


def test_a_slice_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).random((40, 20, 30))

    def plane(block_info: dict) -> np.ndarray:
        index = block_info[None]["array-location"][0][0]
        if index == 30:
            raise OSError("bad block")
        return pixels[index : index + 1]

    data = dask.array.map_blocks(plane, chunks=((1,) * 40, (20,), (30,)), dtype=float)
    volume = Volume(data, ("z", "y", "x"), (1.0,) * 3, "pixel", "scan")
    with pytest.raises(VolumeError, match=r"Cannot read slice 30 .*bad block"):
        export(volume, SMOOTH, tmp_path / "better.zarr", window=(0, 1))
    assert done_slices(tmp_path / "better.zarr") == 30  # those before it are kept


# -- places that are refused ---------------------------------------------------------------------------


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Path]:
    pixels = tomogram().data.compute()
    tifffile.imwrite(tmp_path / "scan.tif", pixels, photometric="minisblack")
    (tmp_path / "slices").mkdir()
    for index, plane in enumerate(pixels):
        tifffile.imwrite(tmp_path / "slices" / f"{index}.tif", plane)
    zarr.save_array(tmp_path / "scan.zarr", pixels)
    return {name: tmp_path / name for name in ("scan.tif", "slices", "scan.zarr")}


def test_the_input_is_never_overwritten(inputs: dict[str, Path], tmp_path: Path) -> None:
    link = tmp_path / "link.tif"
    link.symlink_to(inputs["scan.tif"])
    for source, output in [
        (inputs["scan.tif"], inputs["scan.tif"]),
        (inputs["scan.tif"], link),
        (inputs["slices"], inputs["slices"]),
        (inputs["scan.zarr"], inputs["scan.zarr"]),
    ]:
        with pytest.raises(ExportError, match="is the volume to be filtered"):
            export(source, SMOOTH, output, window=WINDOW, overwrite=True)
    for source, name in [("slices", "better.tif"), ("scan.zarr", "better.zarr")]:
        with pytest.raises(ExportError, match="lies inside the volume to be filtered"):
            export(inputs[source], SMOOTH, inputs[source] / name, window=WINDOW)
    assert np.array_equal(open_volume(inputs["scan.tif"]).data.compute(), tomogram().data.compute())


def test_an_export_is_not_its_own_input(tmp_path: Path) -> None:
    export(tomogram(), SMOOTH, tmp_path / "better.zarr", window=WINDOW)
    with pytest.raises(ExportError, match="is the volume to be filtered"):
        export(tmp_path / "better.zarr", SMOOTH, tmp_path / "better.zarr", again=True, overwrite=True)


@pytest.mark.parametrize("name", OUTPUTS)
def test_only_an_export_is_replaced_and_only_when_asked_to(tmp_path: Path, name: str) -> None:
    output = tmp_path / name
    export(tomogram(), SMOOTH, output, window=WINDOW)
    with pytest.raises(ExportError, match="exists already: choose another name, or add --overwrite"):
        export(tomogram(), SMOOTH, output, window=WINDOW)
    fewer = tomogram((4, 40, 50))
    export(fewer, SMOOTH, output, window=WINDOW, overwrite=True)
    assert np.array_equal(open_volume(output).data.compute(), filtered(fewer))


def test_what_is_no_export_is_never_replaced(inputs: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.txt").write_text("chapter 1")
    for output in [tmp_path / "work", inputs["slices"], inputs["scan.zarr"]]:
        with pytest.raises(ExportError, match="was not exported by napari-tiqa"):
            export(inputs["scan.tif"], SMOOTH, output, window=WINDOW, overwrite=True)
    assert (tmp_path / "work" / "thesis.txt").exists()


def test_an_empty_folder_is_free(tmp_path: Path) -> None:
    """A folder dialog makes one."""
    (tmp_path / "better").mkdir()
    export(tomogram(), SMOOTH, tmp_path / "better", window=WINDOW)
    assert len(list((tmp_path / "better").iterdir())) == 7


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"There is no folder .*nowhere: make it"):
        export(tomogram(), SMOOTH, tmp_path / "nowhere" / "better.zarr", window=WINDOW)


def test_a_volume_that_the_disk_has_no_room_for(tmp_path: Path) -> None:
    data = dask.array.zeros((100_000, 30_000, 30_000), chunks=(1, 3000, 3000), dtype="uint8")
    huge = Volume(data, ("z", "y", "x"), (1.0,) * 3, "pixel", "huge")
    with pytest.raises(ExportError, match=r"may take 90 TB, and the disk of .* has .* left: make room"):
        export(huge, SMOOTH, tmp_path / "better.tif", window=WINDOW)
    assert list(tmp_path.iterdir()) == []
    assert export_size(huge, "ome-zarr") > 1.1 * export_size(huge, "tiff")


ON_A_SMALL_DISK = textwrap.dedent(
    """
    import subprocess, sys
    import numpy as np
    from napari_tiqa.errors import ExportError
    from napari_tiqa.filtering.pipeline import Pipeline, Step
    from napari_tiqa.jobs.filtering.export import export
    from napari_tiqa.volumes.open import open_volume

    folder, name = sys.argv[1:]
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", folder], check=True)
    # Something else fills the disk after the export has begun.
    pixels = np.random.default_rng(0).integers(0, 200, (16, 256, 256)).astype(np.uint8)
    pipeline = Pipeline([Step("gaussian", {"sigma": 0.5})])

    def progress(news):
        if news.done < 16:
            open(f"{folder}/filler", "wb").write(bytes(1_500_000))

    def attempt(progress=None):
        export(pixels, pipeline, f"{folder}/{name}", window=(0.0, 200.0), progress=progress)

    try:
        attempt(progress)
    except ExportError as error:
        print(error)
    subprocess.run(["rm", f"{folder}/filler"], check=True)
    attempt()
    wanted = [pipeline(plane, (0.0, 200.0)) for plane in pixels]
    print(np.array_equal(open_volume(f"{folder}/{name}").data.compute(), wanted))
    """
)


def in_its_own_mounts(script: str, *arguments: object) -> list[str]:
    """Run a script that mounts a file system, which nobody else sees; return the lines it prints."""
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-rm", "true"], capture_output=True).returncode:
        pytest.skip("a file system can be mounted only where namespaces are allowed")
    command = [unshare, "-rm", sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", ["better.zarr", "better.tif", "better"])
def test_a_disk_that_fills_up(tmp_path: Path, name: str) -> None:
    sentence, same = in_its_own_mounts(ON_A_SMALL_DISK, tmp_path, name)
    assert sentence.startswith(f"The disk of {tmp_path} is full after ")
    assert sentence.endswith(" of 16 slices: make room, then run the same export again to resume.")
    assert same == "True"


ON_A_READ_ONLY_DISK = textwrap.dedent(
    """
    import subprocess, sys
    import numpy as np
    from napari_tiqa.errors import ExportError
    from napari_tiqa.filtering.pipeline import Pipeline, Step
    from napari_tiqa.jobs.filtering.export import export

    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", sys.argv[1]], check=True)
    try:
        export(np.eye(30), Pipeline([Step("gaussian")]), f"{sys.argv[1]}/better.zarr", window=(0.0, 1.0))
    except ExportError as error:
        print(error)
    """
)


def test_a_folder_that_is_not_writable(tmp_path: Path) -> None:
    assert in_its_own_mounts(ON_A_READ_ONLY_DISK, tmp_path) == [
        f"The folder {tmp_path} is not writable: choose another place."
    ]
