"""The corpus: small sound inputs of each format, made here, always the same; what the fuzzer changes."""

import hashlib
import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import mrcfile
import numpy as np
import tifffile
import zarr

from napari_tiqa.filtering.pipeline import Pipeline, Step
from napari_tiqa.jobs.filtering import export as exports
from napari_tiqa.jobs.process.kept_work import KeptWork
from napari_tiqa.jobs.segmentation.store import SegmentationStore
from napari_tiqa.learning.training.recipe import TrainingRecipe
from napari_tiqa.scoring.bundle import FORMAT, FORMAT_VERSION, SCORE, SEGMENTATION
from napari_tiqa.scoring.table import ScoredSlice, score_table, write_scores
from napari_tiqa.segmentation.classes import Classes
from napari_tiqa.segmentation.recipe import SegmentationRecipe
from napari_tiqa.segmentation.training_set import Origin, TrainingSet, save_training_set
from napari_tiqa.volumes.applied import KEY
from napari_tiqa.volumes.open import as_volume

Tree = dict[str, bytes]
"""An input: files by their path within its folder."""

SHAPE = (6, 20, 24)
PLAN = {"volume": "fuzz", "slices": 4}
SMOOTHED = Pipeline([Step("gaussian", {"sigma": 1.0})])


def volume(dtype: Any = np.uint16, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """Return pixels that vary, so that a window can be estimated."""
    return (np.random.default_rng(0).random(shape) * 200).astype(dtype)


def tree_of(folder: Path) -> Tree:
    """Read all files of a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def made(make: Callable[[Path], object]) -> Tree:
    """Return what a function writes into a folder."""
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder))
        return tree_of(Path(folder))


def tiff() -> list[Tree]:
    """Return TIFF files: classic, big-endian, BigTIFF, ImageJ, OME, tiled, and each coding."""
    kinds: list[dict[str, Any]] = [
        {},
        {"byteorder": ">"},
        {"bigtiff": True},
        {"imagej": True, "metadata": {"spacing": 2.0, "unit": "um", "axes": "ZYX"}, "resolution": (2, 2)},
        {"ome": True, "metadata": {"axes": "ZYX", "PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm"}},
        {"tile": (16, 16), "compression": "zlib", "predictor": True},
        {"rowsperstrip": 4, "compression": "lzw"},
        {"compression": "packbits", "metadata": None},
        {"compression": "zstd", "metadata": None},
        {"compression": "lzma"},
    ]
    stacks = [(volume(), kind) for kind in kinds]
    for coding in ("jpeg", "jpeg2000", "png", "jpegxl"):
        stacks.append((volume(np.uint8, (3, 20, 24)), {"compression": coding}))
    stacks.append((volume(np.float32, (3, 20, 24)), {"compression": "lerc"}))
    trees = []
    for pixels, kind in stacks:
        file = io.BytesIO()
        tifffile.imwrite(file, pixels, photometric="minisblack", **kind)
        trees.append({"in.tif": file.getvalue()})
    return trees


def tiff_folder() -> list[Tree]:
    """Return folders of slices, numbered, of two codings."""

    def make(folder: Path, coding: str | None) -> None:
        for number, plane in enumerate(volume()):
            tifffile.imwrite(folder / f"z{number}.tif", plane, compression=coding)

    return [made(lambda folder, coding=coding: make(folder, coding)) for coding in (None, "zlib")]


def hdf5() -> list[Tree]:
    """Return HDF5 files: Data Exchange, NeXus with axes, chunked and coded, virtual, with links."""

    def file_of(make: Callable[[h5py.File], object], **how: Any) -> Tree:
        memory = io.BytesIO()
        with h5py.File(memory, "w", **how) as file:
            make(file)
        return {"in.h5": memory.getvalue()}

    def exchange(file: h5py.File) -> None:
        file["exchange/data"] = volume()

    def chunked(file: h5py.File) -> None:
        file.create_dataset("a", data=volume(), chunks=(2, 10, 12), compression="gzip", shuffle=True)
        file.create_dataset("b", data=volume(np.float32, (4, 5)), fletcher32=True)

    def nexus(file: h5py.File) -> None:
        data = file.create_group("entry/data")
        file.attrs["default"], file["entry"].attrs["default"] = "entry", "data"
        data.attrs["signal"], data.attrs["axes"] = "pixels", ["z", "y", "x"]
        data["pixels"] = volume(">f4")
        for name, length in zip("zyx", SHAPE, strict=True):
            data[name] = np.arange(length) * 0.5
            data[name].attrs["units"] = "um"

    def virtual(file: h5py.File) -> None:
        layout = h5py.VirtualLayout(SHAPE, "u2")
        file["part"] = volume()
        for index in range(SHAPE[0]):
            layout[index] = h5py.VirtualSource(".", "part", SHAPE)[index]
        file.create_virtual_dataset("whole", layout)

    def linked(file: h5py.File) -> None:
        file["real/data"] = volume()
        file["exchange/data"] = h5py.SoftLink("/real/data")
        file["away"] = h5py.ExternalLink("other.h5", "/data")

    trees = [file_of(make) for make in (exchange, chunked, nexus, virtual, linked)]
    return [*trees, file_of(chunked, libver="latest"), file_of(nexus, libver="latest")]


def zarr_arrays() -> list[Tree]:
    """Return arrays of Zarr 2 and 3, plain, in shards, and in a group."""

    def make(folder: Path, **how: Any) -> None:
        array = zarr.create_array(folder / "in.zarr", shape=SHAPE, dtype="uint16", **how)
        array[:] = volume()

    def group(folder: Path) -> None:
        zarr.create_group(folder / "in.zarr", zarr_format=2).create_array(
            "a", data=volume(), chunks=(2, 20, 24)
        )

    ways: list[dict[str, Any]] = [
        {"zarr_format": 2, "chunks": (2, 10, 24)},
        {"zarr_format": 3, "chunks": (2, 10, 24)},
        {"zarr_format": 3, "chunks": (2, 10, 12), "shards": (2, 20, 24)},
        {"zarr_format": 2, "chunks": (3, 20, 24), "compressors": None},
    ]
    return [made(lambda folder, how=how: make(folder, **how)) for how in ways] + [made(group)]


def ome_zarr() -> list[Tree]:
    """Return OME-Zarr images of version 0.4 and 0.5 with two levels and units."""

    def make(folder: Path, version: str) -> None:
        axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
        levels = [
            {"path": str(n), "coordinateTransformations": [{"type": "scale", "scale": [0.5 * 2**n] * 3}]}
            for n in range(2)
        ]
        images = {"multiscales": [{"version": version, "axes": axes, "datasets": levels}]}
        attributes = images | {KEY: {"applied": [{"window": {"low": 0.0, "high": 200.0, "rule": "given"}}]}}
        new = version == "0.5"
        root = zarr.create_group(
            folder / "in.zarr", zarr_format=3 if new else 2, attributes={"ome": images} if new else attributes
        )
        for n in range(2):
            root.create_array(str(n), data=volume()[:: 2**n, :: 2**n, :: 2**n].copy(), chunks=(3, 10, 12))

    return [made(lambda folder, version=version: make(folder, version)) for version in ("0.4", "0.5")]


def mrc() -> list[Tree]:
    """Return MRC files of three modes, one of them a stack of volumes."""

    def make(folder: Path, pixels: np.ndarray) -> None:
        with mrcfile.new(folder / "in.mrc") as file:
            file.set_data(pixels)
            file.voxel_size = 12.5

    kinds = [volume(np.int8), volume(np.uint16), volume(np.float32), volume(np.int16, (2, *SHAPE))]
    return [made(lambda folder, pixels=pixels: make(folder, pixels)) for pixels in kinds]


def npy() -> list[Tree]:
    """Return .npy files in C and Fortran order, of both versions of the header."""
    trees = []
    for pixels, version in (
        (volume(), (1, 0)),
        (np.asfortranarray(volume(">f8")), (2, 0)),
        (volume(np.uint8, (20, 24)), (1, 0)),
    ):
        file = io.BytesIO()
        np.lib.format.write_array(file, pixels, version)
        trees.append({"in.npy": file.getvalue()})
    return trees


def bundles() -> list[Tree]:
    """Return model bundles of both purposes with few weights; no network is built from them here."""
    weights = io.BytesIO()
    np.savez(
        weights, **{"score/kernel": np.ones((4, 4), np.float16), "calibration/x": np.ones(3, np.float32)}
    )
    about: dict[str, dict[str, Any]] = {
        SCORE: {"backbone": "EfficientNet-Lite0", "head_units": 16, "artefacts": ["ring", "blur", "noise"]},
        SEGMENTATION: {
            "encoder": "resnet34",
            "width": 1.0,
            "fine_detail": False,
            "classes": {"values": [1, 2], "names": ["a", "b"], "unlabelled": 0},
        },
    }
    trees = []
    for purpose, more in about.items():
        card = {"format": FORMAT, "format_version": FORMAT_VERSION, "purpose": purpose, **more}
        card["weights_sha256"] = hashlib.sha256(weights.getvalue()).hexdigest()
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("card.json", json.dumps(card))
            archive.writestr("weights.npz", weights.getvalue())
        trees.append({"in.tiqa": file.getvalue()})
    return trees


def pipelines() -> list[Tree]:
    """Return pipelines of one and several steps."""
    steps = [Step("gaussian", {"sigma": 2.0}), Step("median"), Step("gaussian", {"sigma": 1}, on=False)]
    return [{"in.json": json.dumps(Pipeline(steps[:count]).to_dict()).encode()} for count in (1, 3)]


def recipes() -> list[Tree]:
    """Return a recipe of each kind of training."""
    texts = (TrainingRecipe(("a.tif",)).to_json(), SegmentationRecipe().to_json())
    return [{"in.json": text.encode()} for text in texts]


def ratings() -> list[Tree]:
    """Return a table of ratings by two raters."""
    rows = [
        f"{image}.tif,{rater},{score},2026-01-0{score}T00:00:00Z"
        for rater in ("Ann", "Bo")
        for image, score in zip("abcde", (1, 2, 3, 4, 5), strict=True)
    ]
    return [{"in.csv": "\n".join(["image,rater,score,time", *rows, ""]).encode()}]


def sessions() -> list[Tree]:
    """Return a rating session with three images."""
    record = {
        "format": "napari-tiqa ratings",
        "format_version": 1,
        "scale": [1, 5],
        "repeat_share": 0.2,
        "seed": 3,
        "skipped": {"Ann": [{"image": "1.tif", "after": 0}]},
        "sources": [{"image": "0.tif", "specimen": "s", "slice": 1, "window": [0, 1]}],
    }

    def make(folder: Path) -> None:
        (folder / "images").mkdir()
        for number, plane in enumerate(volume(np.uint8, (3, 20, 24))):
            tifffile.imwrite(folder / "images" / f"{number}.tif", plane)
        (folder / "session.json").write_text(json.dumps(record))
        (folder / "ratings.csv").write_text("image,rater,score,time\n0.tif,Ann,3,\n1.tif,Bo,4,2026\n")

    return [made(make)]


def datasets() -> list[Tree]:
    """Return a dataset of one original and a version of it."""

    def make(folder: Path) -> None:
        (folder / "images").mkdir()
        for name in ("a0", "a1"):
            plane = volume(np.uint8, (8, 8)).repeat(28, 0).repeat(28, 1)
            tifffile.imwrite(folder / "images" / f"{name}.tif", plane, compression="zlib")
        record = {"format": "napari-tiqa dataset", "format_version": 1, "made": "by a test"}
        (folder / "dataset.json").write_text(json.dumps(record))
        rows = ["file,original,specimen,distortion,level,label", "a0.tif,a,s,,0,5", "a1.tif,a,s,noise,1,3"]
        (folder / "images.csv").write_text("\n".join([*rows, ""]))
        (folder / "ratings.csv").write_text("image,rater,score,time\na0.tif,Ann,5,\na1.tif,Bo,3,\n")

    return [made(make)]


def score_tables() -> list[Tree]:
    """Return a score table with its record."""
    rows = [ScoredSlice(n, n * 0.5, 3.0 + n / 9, reason="" if n else "constant") for n in range(4)]
    return [
        made(lambda folder: write_scores(score_table(rows, {"volume": {"name": "v"}}), folder / "in.csv"))
    ]


def unfinished_exports() -> list[Tree]:
    """Return exports of each format that were ended after four of six slices."""

    class Ended(Exception):
        pass

    def make(folder: Path, name: str) -> None:
        def end(said: Any) -> None:
            if said.done >= 4:
                raise Ended

        try:
            exports.export(as_volume(volume()), SMOOTHED, folder / name, window=(0.0, 200.0), progress=end)
        except Ended:
            return
        raise AssertionError("the export was not ended")

    return [made(lambda folder, name=name: make(folder, name)) for name in ("out.zarr", "out.tif", "out")]


def kept_work() -> list[Tree]:
    """Return what a run keeps of its pieces."""

    def make(folder: Path) -> None:
        with KeptWork(folder / "in.unfinished", PLAN) as work:
            work.add("0", {"score": 3.5})
            work.add("1", [1, 2, None])

    return [{name: text for name, text in made(make).items() if not name.endswith(".lock")}]


def segmentation_record(shape: tuple[int, ...] = (3, 8, 10)) -> dict[str, Any]:
    """Return what the segmentation of the corpus was made with."""
    return {
        "shape": list(shape),
        "axis": 0,
        "unit": "pixel",
        "voxel_size": [1.0] * len(shape),
        "window": {"low": 0.0, "high": 1.0, "rule": "given"},
        "classes": {"values": [1, 2], "names": ["a", "b"], "unlabelled": 0},
        "model": {"weights_sha256": "0" * 64},
        "slices_sha256": ["0"] * 3,
    }


def segmentations() -> list[Tree]:
    """Return a segmented volume of which two of three slices are there."""

    def make(folder: Path) -> None:
        with SegmentationStore.begin(folder / "in.zarr", segmentation_record()) as store:
            for index in range(2):
                store.write(index, np.full((2, 8, 10), 0.5, np.float16), 7)

    return [{name: text for name, text in made(make).items() if not name.endswith(".lock")}]


def recent_models() -> list[Tree]:
    """Return the list of models used before, in the user's data folder."""
    lists = {"models": ["/models/a.tiqa", "b.tiqa"], "segmenters": ["c.tiqa"]}
    return [{"napari-tiqa/recent_models.json": json.dumps(lists).encode()}]


def training_sets() -> list[Tree]:
    """Return what a segmenter learns from, with the table of its epochs."""
    planes = (volume(np.uint16, (8, 8)),)
    labels = (np.zeros((8, 8), np.int8),)
    origin = Origin("v", "", 0, (0,), (1.0, 1.0), "pixel", (0.0, 1.0), "given")
    data = TrainingSet(planes, labels, (np.zeros((8, 8), bool),), Classes((1, 2), ("a", "b"), 0), origin)

    def make(folder: Path) -> None:
        save_training_set(folder / "data.npz", data)
        (folder / "progress.csv").write_text(
            "stage,epoch,epochs,loss,srocc,plcc,best\nrank,1,3,0.5,0.1,0.2,True\nrank,2,3,0.4,,,False\n"
        )

    return [made(make)]


@cache
def corpus(target: str) -> list[Tree]:
    """Return the seeds of a target, made when they are first asked for."""
    return SEEDS[target]()


SEEDS: dict[str, Callable[[], list[Tree]]] = {
    "tiff": tiff,
    "tiff-folder": tiff_folder,
    "hdf5": hdf5,
    "zarr": zarr_arrays,
    "ome-zarr": ome_zarr,
    "mrc": mrc,
    "npy": npy,
    "bundle": bundles,
    "pipeline": pipelines,
    "recipe": recipes,
    "ratings": ratings,
    "session": sessions,
    "dataset": datasets,
    "score-table": score_tables,
    "export": unfinished_exports,
    "kept-work": kept_work,
    "segmentation": segmentations,
    "recent-models": recent_models,
    "training-set": training_sets,
}
