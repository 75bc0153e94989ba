"""A folder of TIFF slices, one per file, in natural order."""

import re
from collections.abc import Container
from pathlib import Path

import tifffile

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.stored import lazy
from napari_tiqa.volumes.tiff import (
    Page,
    PageStack,
    check_decodable,
    check_pixels_present,
    open_tiff,
    page_of,
    tiff_note,
)
from napari_tiqa.volumes.tiff_chain import PageLayout, read_chain
from napari_tiqa.volumes.volume import Volume

SUFFIXES = (".tif", ".tiff")


def open_tiff_folder(folder: Path) -> Volume:
    """Open a folder whose TIFF files are the slices of one tomogram.

    Slice 10 comes after slice 9, with or without leading zeros. Only the headers are read. The voxel size is
    that of the first file's ImageJ or OME metadata. Raises VolumeError for no TIFF file, or a file, which is
    named, that cannot be read, holds several pages, or differs from the first in size or dtype.
    """
    paths = files_in(folder, SUFFIXES)
    if not paths:
        raise VolumeError(
            f"The folder '{folder}' holds no TIFF files and is not a Zarr folder: "
            "give a folder of TIFF slices, a Zarr folder or a file."
        )
    pages: list[Page] = []
    first: PageLayout | None = None
    for path in paths:
        chain = read_chain(path)
        if len(chain) != 1:
            raise VolumeError(
                f"'{path.name}' in '{folder}' holds {len(chain)} pages: "
                "give that file by itself, or a folder with one slice per file."
            )
        first = first or chain[0]
        if not chain[0].same_pixels(first):
            raise VolumeError(
                f"'{path.name}' in '{folder}' has {chain[0]} while '{paths[0].name}' has {first}: "
                "a tomogram needs slices of one size and type."
            )
        with tifffile.TiffFile(path) as tiff:
            pages.append(page_of(tiff.pages[0]))
        check_decodable(pages[-1].coding, path)
    check_pixels_present(pages)

    calibrated = open_tiff(paths[0])
    # A single slice does not tell the distance to the next one, but for our own: cubic voxels are the rule.
    with tifffile.TiffFile(paths[0]) as tiff:
        apart = float(tiff_note(tiff).get("slice_distance", calibrated.voxel_size[-1]))
    return Volume(
        data=lazy(PageStack(pages, (len(pages),)), (1, *pages[0].coding.shape)),
        axes=("z", "y", "x"),
        voxel_size=(apart, *calibrated.voxel_size[-2:]),
        unit=calibrated.unit,
        name=folder.name,
        source=str(folder),
        window=calibrated.window,
        applied=calibrated.applied,
    )


def files_in(folder: Path, suffixes: Container[str]) -> list[Path]:
    """Return the files with some suffixes (lower case), "slice10" after "slice9"; no hidden ones."""
    files = (path for path in folder.iterdir() if path.suffix.lower() in suffixes)
    return sorted((path for path in files if not path.name.startswith(".")), key=_natural_order)


def _natural_order(path: Path) -> list[tuple[int, int | str]]:
    """Return a key that sorts numbers in a file name by their value."""
    return [
        (0, int(part)) if part.isdigit() else (1, part.lower())
        for part in re.split(r"(\d+)", path.name)
        if part
    ]
