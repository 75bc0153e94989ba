"""A folder of TIFF slices, one per file, in natural order."""

import math
from pathlib import Path

import tifffile

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.readers.file_order import files_in, order_warnings
from napari_tiqa.volumes.readers.tiff import open_tiff
from napari_tiqa.volumes.readers.tiff_chain import PageLayout, read_chain
from napari_tiqa.volumes.readers.tiff_metadata import promised_planes, quietly, tiff_note
from napari_tiqa.volumes.readers.tiff_pages import Page, PageStack, check_pixels_present, pages_of
from napari_tiqa.volumes.stored import lazy
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.wording import counted

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
        first = first or chain[0]
        if not chain[0].same_pixels(first):
            raise VolumeError(
                f"'{path.name}' in '{folder}' has {chain[0]} while '{paths[0].name}' has {first}: "
                "a tomogram needs slices of one size and type."
            )
        with quietly(), tifffile.TiffFile(path) as tiff:
            # ImageJ and tifffile may put all planes of a stack behind one page.
            planes = max(len(chain), *promised_planes(tiff))
            if planes != 1:
                raise VolumeError(
                    f"'{path.name}' in '{folder}' holds {planes} pages: "
                    "give that file by itself, or a folder with one slice per file."
                )
            pages += pages_of([tiff.pages[0]])
    warnings = order_warnings([path.name for path in paths], str(folder))
    if unwritten := check_pixels_present(pages):
        verb = "has" if unwritten == 1 else "have"
        warnings += (
            f"{counted(unwritten, 'file')} in '{folder}' {verb} parts that were never written: they are "
            f"read as {pages[0].coding.unwritten:g}.",
        )

    calibrated = open_tiff(paths[0])
    # A single slice does not tell the distance to the next one, but for our own: cubic voxels are the rule.
    with tifffile.TiffFile(paths[0]) as tiff:
        apart = tiff_note(tiff).get("slice_distance")
    if not isinstance(apart, int | float) or not (math.isfinite(apart) and apart > 0):
        apart = calibrated.voxel_size[-1]
    return Volume(
        data=lazy(PageStack(pages, (len(pages),)), (1, *pages[0].coding.shape)),
        axes=("z", "y", "x"),
        voxel_size=(float(apart), *calibrated.voxel_size[-2:]),
        unit=calibrated.unit,
        name=folder.name,
        source=str(folder),
        window=calibrated.window,
        applied=calibrated.applied,
        warnings=(*calibrated.warnings, *warnings),
    )
