"""Each format beside its reference reader, on files of any type, byte order, layout, compression and axes.

Pixels and spacing are to be equal. Examples are the same few in each run; NAPARI_TIQA_EXAMPLES=1000 draws as
many at random.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import mrcfile
import numcodecs
import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_tiqa.volumes.open import open_volume
from napari_tiqa.volumes.reading import read
from napari_tiqa.volumes.volume import Volume

EXAMPLES = int(os.environ.get("NAPARI_TIQA_EXAMPLES", 0))
few = settings(
    max_examples=EXAMPLES or 25,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

NUMBERS = ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8")
sides = st.integers(3, 20)
counts = st.integers(1, 4)
orders = st.sampled_from("<>")
sizes = st.floats(1e-3, 1e3).map(lambda size: float(f"{size:.5g}"))


@st.composite
def arrays(
    draw: st.DrawFn, dtypes: Any = NUMBERS, dimensions: Any = (2, 3), swapped: bool = True
) -> np.ndarray:
    """Draw (..., y, x) of few pixels, with NaN and infinities among floats, in either byte order."""
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    count = draw(st.sampled_from(dimensions))
    shape = (*(draw(counts) for _ in range(count - 2)), draw(sides), draw(sides))
    random = np.random.default_rng(draw(st.integers(0, 99)))
    array = random.integers(0, 256, (*shape, dtype.itemsize), "uint8").view(dtype)[..., 0]
    return array.astype(dtype.newbyteorder(draw(orders))) if swapped else array


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def whole(volume: Volume) -> np.ndarray:
    return read(volume.data, tuple(slice(0, length, 1) for length in volume.data.shape))


def assert_same(volume: Volume, reference: np.ndarray, stored_axes: str | None = None) -> None:
    """Compare all pixels, then a slice along each axis of space; axes of length 1 may be left out."""
    axes = stored_axes or ("tzyx" if reference.ndim == 4 else "tczyx"[-reference.ndim :])
    order = sorted(range(len(axes)), key=lambda place: "tczyx".index(axes[place]))
    expected = reference.transpose(order)
    assert volume.data.dtype == reference.dtype.newbyteorder("=")
    pixels = whole(volume)
    np.testing.assert_array_equal(np.squeeze(pixels), np.squeeze(expected))
    names = sorted(axes, key="tczyx".index)
    lengths = dict(zip(names, expected.shape, strict=True))
    assert all(lengths[axis] == length for axis, length in zip(volume.axes, pixels.shape, strict=True))
    leading = [axis for axis in volume.axes if axis in "tc"]
    tomogram = volume.tomogram(**{axis: lengths[axis] - 1 for axis in leading})
    last = pixels[(-1,) * len(leading)]
    for axis in range(3 if last.ndim == 3 else 1):
        if last.ndim == 2:
            np.testing.assert_array_equal(tomogram.slice(0, 0), last)
        elif min(tomogram.slice_shape(axis)) >= 3:
            index = last.shape[axis] // 2
            np.testing.assert_array_equal(tomogram.slice(axis, index), last.take(index, axis))


@st.composite
def tiff_options(draw: st.DrawFn) -> dict[str, Any]:
    compression = draw(st.sampled_from([None, "lzw", "zlib", "zstd", "packbits", "lzma"]))
    options: dict[str, Any] = {"compression": compression, "byteorder": draw(orders)}
    layout = draw(st.sampled_from(["one strip", "strips", "tiles"]))
    if layout == "strips":
        options["rowsperstrip"] = draw(st.integers(1, 20))
    elif layout == "tiles":
        options["tile"] = (16, 32)
    if compression in ("lzw", "zlib", "zstd"):
        options["predictor"] = draw(st.booleans())
    return options


def for_dtype(options: dict[str, Any], dtype: np.dtype) -> dict[str, Any]:
    """Leave out the predictor where tifffile has none for a type."""
    if not options.get("predictor") or (dtype.kind != "f" and dtype.itemsize > 4):
        return {name: value for name, value in options.items() if name != "predictor"}
    return {**options, "predictor": 3 if dtype.kind == "f" else 2}


@few
@given(arrays(NUMBERS, (2, 3, 4), swapped=False), tiff_options(), st.sampled_from(["", "bigtiff", "apart"]))
def test_tiff_beside_tifffile(pixels: np.ndarray, options: dict[str, Any], kind: str) -> None:
    options = for_dtype(options, pixels.dtype)
    with folder() as place:
        path = place / "a.tif"
        if kind == "apart":
            with tifffile.TiffWriter(path, byteorder=options.pop("byteorder")) as tiff:
                for page in pixels.reshape(-1, *pixels.shape[-2:]):
                    tiff.write(page, metadata=None, photometric="minisblack", **options)
            with tifffile.TiffFile(path) as tiff:
                reference = np.stack([page.asarray() for page in tiff.pages])
        else:
            tifffile.imwrite(path, pixels, bigtiff=bool(kind), photometric="minisblack", **options)
            reference = tifffile.imread(path).reshape(pixels.shape)
        assert_same(open_volume(path), reference)


@few
@given(arrays(("u1", "u2", "f4"), (3, 4, 5), swapped=False), st.permutations("TZC"), sizes, sizes, orders)
def test_imagej_beside_tifffile(
    pixels: np.ndarray, order: list[str], across: float, apart: float, byteorder: str
) -> None:
    axes = "TZC"[-(pixels.ndim - 2) :] + "YX" if pixels.ndim > 3 else "ZYX"
    with folder() as place:
        path = place / "a.tif"
        tifffile.imwrite(
            path,
            pixels,
            imagej=True,
            byteorder=byteorder,
            resolution=(1 / across, 2 / across),
            metadata={"axes": axes, "spacing": apart, "unit": "nm"},
        )
        volume = open_volume(path)
        with tifffile.TiffFile(path) as tiff:
            series = tiff.series[0]
            reference, stored = series.asarray(), series.axes.lower()
            tags = tiff.pages[0].tags
            x, y = (tags[f"{axis}Resolution"].value for axis in "XY")
        assert_same(volume, reference, "zyx" if stored in ("tyx", "cyx") else stored)
    spacing = dict(zip(volume.axes, volume.voxel_size, strict=True))
    assert spacing["x"] == pytest.approx(x[1] / x[0])
    assert spacing["y"] == pytest.approx(y[1] / y[0])
    assert spacing.get("z", apart) == pytest.approx(apart)
    assert volume.unit == "nm"


OME_NUMBERS = ("u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8")


@few
@given(arrays(OME_NUMBERS, (2, 3, 4, 5), swapped=False), st.permutations("TZC"), tiff_options(), st.data())
def test_ome_tiff_beside_tifffile(
    pixels: np.ndarray, order: list[str], options: dict[str, Any], data: st.DataObject
) -> None:
    axes = "".join(order[: pixels.ndim - 2]) + "YX"
    given_sizes = {axis: data.draw(sizes) for axis in "XYZ"}
    options = for_dtype(options, pixels.dtype)
    metadata = {"axes": axes} | {f"PhysicalSize{axis}": size for axis, size in given_sizes.items()}
    metadata |= {f"PhysicalSize{axis}Unit": "mm" for axis in "XYZ"}
    with folder() as place:
        path = place / "a.ome.tif"
        tifffile.imwrite(path, pixels, ome=True, photometric="minisblack", metadata=metadata, **options)
        volume = open_volume(path)
        with tifffile.TiffFile(path) as tiff:
            reference, stored = tiff.series[0].asarray(), tiff.series[0].axes.lower()
        assert_same(volume, reference, stored)
    spacing = dict(zip(volume.axes, volume.voxel_size, strict=True))
    assert all(spacing[axis] == given_sizes[axis.upper()] for axis in volume.axes if axis in "zyx")
    assert volume.unit == "mm"


@few
@given(
    arrays(NUMBERS, (3,), swapped=False), tiff_options(), st.sampled_from(["z{}", "z{:03}", "scan_7-{}_x"])
)
def test_tiff_folder_beside_tifffile(pixels: np.ndarray, options: dict[str, Any], name: str) -> None:
    options = for_dtype(options, pixels.dtype)
    with folder() as place:
        paths = [place / f"{name.format(number + 8)}.tif" for number in range(len(pixels))]
        for path, page in zip(paths, pixels, strict=True):
            tifffile.imwrite(path, page, photometric="minisblack", **options)
        assert_same(open_volume(place), tifffile.imread(paths).reshape(pixels.shape))


HDF5_FILTERS: dict[str, Callable[[], dict[str, Any]]] = {
    "none": dict,
    "gzip": lambda: {"compression": "gzip", "shuffle": True, "fletcher32": True},
    "lzf": lambda: {"compression": "lzf"},
    "bitshuffle": lambda: dict(hdf5plugin.Bitshuffle()),
    "lz4": lambda: dict(hdf5plugin.LZ4()),
    "blosc": lambda: dict(hdf5plugin.Blosc()),
    "blosc2": lambda: dict(hdf5plugin.Blosc2()),
    "zstd": lambda: dict(hdf5plugin.Zstd()),
}


@few
@given(
    arrays(dimensions=(2, 3, 4, 5)),
    st.sampled_from([*HDF5_FILTERS, "contiguous", "compact"]),
    st.integers(1, 20),
    st.lists(sizes, min_size=3, max_size=3),
)
def test_hdf5_beside_h5py(pixels: np.ndarray, layout: str, side: int, spacing: list[float]) -> None:
    spatial = min(pixels.ndim, 3)
    with folder() as place:
        path = place / "a.nxs"
        with h5py.File(path, "w") as file:
            file.attrs.update({"signal": "recon", "axes": list("tczyx"[-pixels.ndim :])})
            if layout == "compact":
                creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
                creation.set_layout(h5py.h5d.COMPACT)
                space = h5py.h5s.create_simple(pixels.shape)
                kind = h5py.h5t.py_create(pixels.dtype)
                h5py.Dataset(h5py.h5d.create(file.id, b"recon", kind, space, creation))[...] = pixels
            elif layout == "contiguous":
                file["recon"] = pixels
            else:
                chunks = tuple(min(side, length) for length in pixels.shape)
                file.create_dataset("recon", data=pixels, chunks=chunks, **HDF5_FILTERS[layout]())
            for axis, length, step in zip(
                "zyx"[-spatial:], pixels.shape[-spatial:], spacing[-spatial:], strict=True
            ):
                file[axis] = np.arange(length) * step
                file[axis].attrs["units"] = "mm"
            for axis in "tc":
                file[axis] = np.arange(2)
        with h5py.File(path, "r") as file:
            reference = file["recon"][()]
        volume = open_volume(path)
        assert_same(volume, reference)
        if min(pixels.shape[-spatial:]) > 1:
            assert volume.voxel_size[-spatial:] == pytest.approx(spacing[-spatial:])
            assert volume.unit == "mm"


@few
@given(
    arrays(dimensions=(2, 3, 4, 5)),
    st.sampled_from([2, 3]),
    st.sampled_from(["none", "gzip", "zstd", "blosc"]),
    st.sampled_from("./"),
    st.sampled_from("CF"),
    st.integers(1, 9),
    st.booleans(),
)
def test_zarr_beside_zarr(
    pixels: np.ndarray, version: int, codec: str, separator: str, order: str, side: int, sharded: bool
) -> None:
    chunks = tuple(min(side, length) for length in pixels.shape)
    options: dict[str, Any] = {"chunks": chunks, "zarr_format": version, "order": order}
    options["chunk_key_encoding"] = {"name": "v2" if version == 2 else "default", "separator": separator}
    if version == 3:
        names = {
            "gzip": zarr.codecs.GzipCodec,
            "zstd": zarr.codecs.ZstdCodec,
            "blosc": zarr.codecs.BloscCodec,
        }
        options.pop("order")
        if sharded:
            options["shards"] = tuple(2 * chunk for chunk in chunks)
    else:
        names = {"gzip": numcodecs.GZip, "zstd": numcodecs.Zstd, "blosc": numcodecs.Blosc}
    options["compressors"] = None if codec == "none" else names[codec]()
    with folder() as place:
        path = place / "a.zarr"
        array = zarr.create_array(path, shape=pixels.shape, dtype=pixels.dtype, **options)
        array[...] = pixels
        reference = zarr.open_array(path, mode="r")[...]
        assert_same(open_volume(path), np.asarray(reference))


@few
@given(
    arrays(dimensions=(2, 3, 4, 5)),
    st.sampled_from([2, 3]),
    st.permutations("tczyx"),
    st.lists(sizes, min_size=5, max_size=5),
    st.sampled_from(["nanometer", "micrometer", "millimeter", "angstrom"]),
)
def test_ome_zarr_beside_zarr(
    pixels: np.ndarray, version: int, order: list[str], scale: list[float], unit: str
) -> None:
    used = "tczyx"[-pixels.ndim :]
    axes = [axis for axis in order if axis in used]
    stored = pixels.transpose([used.index(axis) for axis in axes])
    with folder() as place:
        group = zarr.open_group(place / "a.zarr", mode="w", zarr_format=version)
        group.create_array("0", data=np.ascontiguousarray(stored))
        steps = [{"type": "scale", "scale": scale[: len(axes)]}]
        described = [
            {"name": axis, "type": "space", "unit": unit} if axis in "zyx" else {"name": axis}
            for axis in axes
        ]
        image = {"axes": described, "datasets": [{"path": "0", "coordinateTransformations": steps}]}
        group.attrs.update(
            {"multiscales": [image]} if version == 2 else {"ome": {"version": "0.5", "multiscales": [image]}}
        )
        volume = open_volume(place / "a.zarr")
        assert_same(volume, np.asarray(group["0"][...]), "".join(axes))
    spacing = dict(zip(axes, scale, strict=False))
    got = dict(zip(volume.axes, volume.voxel_size, strict=True))
    assert all(got[axis] == pytest.approx(spacing[axis]) for axis in used if axis in "zyx")


@few
@given(
    arrays(("i1", "i2", "u2", "f2", "f4"), (2, 3, 4)),
    st.lists(sizes, min_size=3, max_size=3),
    st.integers(0, 9),
)
def test_mrc_beside_mrcfile(pixels: np.ndarray, spacing: list[float], extended: int) -> None:
    if pixels.dtype.kind == "f":
        pixels = np.nan_to_num(pixels).clip(-1e4, 1e4)  # mrcfile takes the squares
    with folder() as place:
        with mrcfile.new(place / "a.mrc") as mrc:
            mrc.set_data(pixels)
            mrc.set_extended_header(np.zeros(extended, "V16"))
            mrc.voxel_size = tuple(spacing)
            if pixels.dtype == "i1":  # else 0 to 255 by the header's greatest value
                mrc.header.dmin, mrc.header.dmax = -128, 127
        volume = open_volume(place / "a.mrc")
        with mrcfile.open(place / "a.mrc") as mrc:
            assert_same(volume, np.array(mrc.data))
            angstrom = [float(mrc.voxel_size[axis]) for axis in volume.spatial_axes]
    assert volume.voxel_size[-len(angstrom) :] == pytest.approx([size / 10 for size in angstrom], rel=1e-5)


@few
@given(arrays((*NUMBERS, "?"), (2, 3, 4, 5)), st.booleans(), st.sampled_from([(1, 0), (2, 0), (3, 0)]))
def test_npy_beside_numpy(pixels: np.ndarray, fortran: bool, version: tuple[int, int]) -> None:
    with folder() as place:
        with (place / "a.npy").open("wb") as file:
            np.lib.format.write_array(file, np.asfortranarray(pixels) if fortran else pixels, version)
        assert_same(open_volume(place / "a.npy"), np.load(place / "a.npy"))
