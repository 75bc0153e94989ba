"""TIFF files that are coded, cut or described in ways that libraries trip over: read right, or refused."""

import re
import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile

from tests.volumes.readers.opening import opened, pixels_of, refusal

PIXELS = np.random.default_rng(0).integers(0, 60000, (20, 24, 32), dtype="uint16")
SMOOTH = np.add.outer(np.arange(6) * 3, np.add.outer(np.arange(48), np.arange(64))).astype("uint8")

# Every compression that docs/formats.md names, and the types of number that it is made for.
CODECS = {
    "lzw": ("uint8", "uint16", "float32"),
    "adobe_deflate": ("uint8", "uint16", "float32"),
    "packbits": ("uint8", "uint16", "float32"),
    "lzma": ("uint8", "float32"),
    "zstd": ("uint8", "uint16", "float32"),
    "lerc": ("uint8", "uint16", "float32"),
    "jpeg": ("uint8",),
    "jpeg2000": ("uint8", "uint16"),
    "jpegxl": ("uint8", "uint16", "float32"),
    "jpegxr": ("uint8", "uint16"),
    "png": ("uint8", "uint16"),
}


@pytest.mark.parametrize("folder", [False, True])
@pytest.mark.parametrize("codec", CODECS)
def test_lazy_property_read_after_its_file_is_closed(codec: str, folder: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    for dtype in CODECS[codec]:
        pixels = SMOOTH.astype(dtype)
        if folder:
            for number, page in enumerate(pixels):
                tifffile.imwrite(tmp_path / f"s{number}.tif", page, compression=codec)
            expected = np.stack([tifffile.imread(tmp_path / f"s{number}.tif") for number in range(6)])
            volume, warned = opened(tmp_path)
        else:
            tifffile.imwrite(path, pixels, compression=codec, photometric="minisblack")
            expected = tifffile.imread(path)
            volume, warned = opened(path)
        assert not warned
        assert volume.data.dtype == np.dtype(dtype)
        np.testing.assert_array_equal(pixels_of(volume), expected)


def test_first_page_does_not_speak_for_the_coding_of_others(tmp_path: Path) -> None:
    """Tables of JPEG, strips, and order of bits may differ from page to page of one size."""
    options = [
        {"compression": "jpeg", "compressionargs": {"level": 95}},
        {"compression": "jpeg", "compressionargs": {"level": 20}},
        {"compression": "zlib", "predictor": True},
        {"compression": "zlib", "rowsperstrip": 5},
        {},
    ]
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        for page, option in zip(SMOOTH, options, strict=False):
            tiff.write(page, metadata=None, **option)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        expected = np.stack([page.asarray() for page in tiff.pages])
    np.testing.assert_array_equal(pixels_of(opened(tmp_path / "a.tif")[0]), expected)


def test_order_of_bits_in_uncompressed_bytes(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", SMOOTH[0], extratags=[(65000, 3, 1, 2, True)])
    stored = (tmp_path / "a.tif").read_bytes()
    stored = stored.replace(SMOOTH[0].tobytes(), imagecodecs.bitorder_encode(SMOOTH[0].tobytes()))
    # tifffile writes no FillOrder (266).
    fill_order, other = (struct.pack("<HHI", tag, 3, 1) for tag in (266, 65000))
    (tmp_path / "a.tif").write_bytes(stored.replace(other, fill_order))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), SMOOTH[0])
    np.testing.assert_array_equal(pixels_of(opened(tmp_path / "a.tif")[0]), SMOOTH[0])


@pytest.mark.parametrize("options", [{"imagej": True}, {"shaped": True}])
def test_metadata_promise_more_than_the_file_holds_behind_one_page(options: dict, tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PIXELS, truncate=True, imagej=options.get("imagej", False))
    np.testing.assert_array_equal(pixels_of(opened(path)[0]), PIXELS)
    path.write_bytes(path.read_bytes()[:-1])
    assert "is truncated: 20 slices promised, 19 complete" in refusal(path)
    # Nor is it a slice of a folder.
    assert "'a.tif'" in refusal(tmp_path)


def write_described(path: Path, pages: int, description: str, **options: object) -> None:
    with tifffile.TiffWriter(path) as tiff:
        for number, page in enumerate(PIXELS[:pages]):
            text = description if number == 0 else None
            tiff.write(page, description=text, metadata=None, contiguous=False, **options)


OME = tifffile.OmeXml()
OME.addimage("uint16", (20, 24, 32), (20, 1, 1, 24, 32, 1), axes="ZYX")
IMAGEJ = "ImageJ=1.53k\nimages={count}\nslices={count}\nloop=false\n"
SHAPED = '{{"shape": [{count}, 24, 32]}}'


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("kind", ["ImageJ", "tifffile", "OME"])
def test_metadata_promise_another_number_of_pages(kind: str, compression: str | None, tmp_path: Path) -> None:
    path = tmp_path / "a.tif"

    def described(count: int) -> str:
        if kind == "OME":
            text = OME.tostring().replace('SizeZ="20"', f'SizeZ="{count}"')
            return text.replace('PlaneCount="20"', f'PlaneCount="{count}"')
        return (IMAGEJ if kind == "ImageJ" else SHAPED).format(count=count)

    write_described(path, 12, described(20), compression=compression)
    sentence = refusal(path)
    assert "promise" in sentence
    assert "20" in sentence
    write_described(path, 20, described(12), compression=compression)
    volume, warned = opened(path)
    np.testing.assert_array_equal(pixels_of(volume), PIXELS)
    assert kind == "tifffile" or "12 of its 20 pages" in warned
    write_described(path, 20, described(20), compression=compression)
    volume, warned = opened(path)
    assert not warned
    np.testing.assert_array_equal(pixels_of(volume), PIXELS)


def test_imagej_tells_of_images_but_not_of_slices(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    write_described(path, 1, "ImageJ=1.53k\nimages=20\n")
    assert "20 slices promised, 1 complete" in refusal(path)
    write_described(path, 20, "ImageJ=1.53k\nimages=20\n")
    volume, warned = opened(path)
    assert (volume.axes, warned) == (("z", "y", "x"), "")


def test_second_ome_image_is_told_of(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as tiff:
        tiff.write(PIXELS[:12], metadata={"axes": "ZYX"})
        tiff.write(PIXELS[12:, :20], metadata={"axes": "ZYX"})
    volume, warned = opened(tmp_path / "a.ome.tif")
    assert "2 images" in warned
    np.testing.assert_array_equal(pixels_of(volume), PIXELS[:12])


def test_ome_series_of_several_files_each_coded_its_own_way(tmp_path: Path) -> None:
    first, second = tmp_path / "a.ome.tif", tmp_path / "b.ome.tif"
    tifffile.imwrite(second, PIXELS[10:], byteorder=">", compression="zlib", metadata=None)
    tifffile.imwrite(first, PIXELS[:10], metadata=None, description="")
    planes = "".join(
        f'<TiffData IFD="{number % 10}" FirstZ="{number}" PlaneCount="1"><UUID FileName="{path.name}">'
        f"urn:uuid:{path.stem[0] * 8}-1111-1111-1111-111111111111</UUID></TiffData>"
        for number, path in enumerate([first] * 10 + [second] * 10)
    )
    text = re.sub(r"<TiffData.*/>", planes, OME.tostring())
    text = re.sub(r'UUID="[^"]*"', f'UUID="urn:uuid:{"a" * 8}-1111-1111-1111-111111111111"', text, count=1)
    tifffile.imwrite(first, PIXELS[:10], metadata=None, description=text)
    np.testing.assert_array_equal(tifffile.imread(first), PIXELS)
    np.testing.assert_array_equal(pixels_of(opened(first)[0]), PIXELS)
    second.unlink()
    assert "plane 10" in refusal(first)


def test_ome_axes_that_cannot_be_read(tmp_path: Path) -> None:
    text = OME.tostring().replace('DimensionOrder="XYCZT"', 'DimensionOrder="XYQQQ"')
    assert "XYQQQ" in text
    write_described(tmp_path / "a.tif", 20, text)
    volume, warned = opened(tmp_path / "a.tif")
    assert "its pages are its slices" in warned
    np.testing.assert_array_equal(pixels_of(volume), PIXELS)


def test_part_of_a_page_that_was_never_written(tmp_path: Path) -> None:
    """Sparse files of GDAL: a tile without bytes has the value that stands for none."""
    path = tmp_path / "a.tif"
    tile = imagecodecs.zlib_encode(PIXELS[0, :16, :16].tobytes())
    tifffile.imwrite(
        path,
        iter([tile, b"", b"", b""]),
        shape=(32, 32),
        dtype="uint16",
        tile=(16, 16),
        compression="zlib",
        photometric="minisblack",
        extratags=[(42113, 2, 0, "7", True)],
    )
    volume, warned = opened(path)
    assert "read as 7" in warned
    np.testing.assert_array_equal(pixels_of(volume), tifffile.imread(path))
    assert volume.slice(0, 0)[20, 20] == 7


def test_bits_that_are_not_a_type_of_number(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", PIXELS[0])
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+b") as tiff:
        tiff.pages[0].tags["BitsPerSample"].overwrite(48)
    assert "48 bits" in refusal(tmp_path / "a.tif")


def test_strips_that_the_tags_do_not_list(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", SMOOTH[0], compression="zlib", rowsperstrip=12)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+b") as tiff:
        tiff.pages[0].tags["ImageLength"].overwrite(60)
    assert "not all listed" in refusal(tmp_path / "a.tif")


def test_wrong_byte_count_of_the_only_strip(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", SMOOTH[0])
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+b") as tiff:
        tiff.pages[0].tags["StripByteCounts"].overwrite(9)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), SMOOTH[0])
    np.testing.assert_array_equal(pixels_of(opened(tmp_path / "a.tif")[0]), SMOOTH[0])
