"""TIFF files: multi-page, BigTIFF, ImageJ and OME-TIFF; each page is read when it is asked for."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import dask.array
import tifffile

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.applied import applied_in, window_in
from napari_tiqa.volumes.readers.raw import open_raw
from napari_tiqa.volumes.readers.tiff_chain import PageLayout, read_chain
from napari_tiqa.volumes.readers.tiff_metadata import promised_planes, quietly, tiff_note, voxel_size
from napari_tiqa.volumes.readers.tiff_pages import PageStack, check_pixels_present, page_at, pages_of
from napari_tiqa.volumes.stored import lazy
from napari_tiqa.volumes.volume import Volume, check_image
from napari_tiqa.wording import cause, counted

PLANES = {"Y", "X"}
NAMED = {"T": "t", "C": "c", "Z": "z"}


@dataclass(frozen=True)
class _Arranged:
    """The pages of a file in order, and as what they are to be read.

    Attributes
    ----------
    pages : sequence
        tifffile's, in order; one of them where the planes lie one after another behind a single page.
    letters : str
        tifffile's name of each axis, those within a page included.
    shape : tuple of int
        A length per letter.
    offset : int or None
        Where all the pixels lie in the file as one, if they do and are not coded.
    warnings : tuple of str
        Sentences on what was guessed.
    """

    pages: Sequence[tifffile.TiffPage | tifffile.TiffFrame]
    letters: str
    shape: tuple[int, ...]
    offset: int | None = None
    warnings: tuple[str, ...] = ()


def open_tiff(path: Path) -> Volume:
    """Open a TIFF file: its pages are the slices, unless ImageJ or OME metadata say otherwise.

    Voxel sizes are taken from ImageJ and OME metadata. The resolution tags of other files are left alone,
    since writers fill them with a screen's dots per inch. Of several OME images, the first is opened. Raises
    VolumeError for colour images, pages of different size or dtype, a coding that cannot be decoded here, or
    a file with fewer slices than its metadata promise.
    """
    chain = read_chain(path)
    with quietly(), tifffile.TiffFile(path) as tiff:
        arranged = _arrange(tiff, chain, path)
        pages = pages_of(arranged.pages)
        calibration = voxel_size(tiff)
        applied = applied_in(tiff_note(tiff))
        imagej = tiff.is_imagej
    coding, lengths, letters = pages[0].coding, arranged.shape, arranged.letters
    check_image(lengths, coding.dtype, path.name)

    data: dask.array.Array
    warnings = [*arranged.warnings, *calibration.warnings(path.name)]
    if arranged.offset is not None:
        stored = coding.dtype.newbyteorder() if coding.swapped else coding.dtype
        data = open_raw(path, arranged.offset, lengths, stored)
    else:
        leading = lengths[: len(lengths) - len(coding.shape)]
        if math.prod(leading) != len(pages):
            raise _promised_more(path, math.prod(leading), len(pages))
        if unwritten := check_pixels_present(pages):
            warnings.append(
                f"{counted(unwritten, 'page')} of '{path.name}' {'has' if unwritten == 1 else 'have'} parts "
                f"that were never written: they are read as {coding.unwritten:g}."
            )
        data = lazy(PageStack(pages, leading), (1,) * len(leading) + coding.shape)

    if imagej and letters in ("TYX", "CYX"):
        # ImageJ and tifffile call the slices of a plain stack frames or channels.
        letters = "ZYX"
    axes = axis_names(letters)
    order = sorted(range(len(axes)), key=lambda i: "tczyx".index(axes[i]))
    axes = tuple(axes[i] for i in order)
    sizes = dict(zip("zyx", calibration.sizes, strict=True))
    return Volume(
        data=data if order == list(range(len(axes))) else data.transpose(order),
        axes=axes,
        voxel_size=tuple(sizes.get(axis, 1.0) for axis in axes),
        unit=calibration.unit,
        name=path.stem.removesuffix(".ome"),
        source=str(path),
        window=window_in(applied),
        applied=applied,
        warnings=tuple(warnings),
    )


def axis_names(letters: str) -> tuple[str, ...]:
    """Translate tifffile's axis letters; what has no meaning of its own (I, Q) becomes z, t or c."""
    names = [NAMED.get(letter, letter.lower() if letter in PLANES else "") for letter in letters]
    for place in reversed(range(len(names))):
        if not names[place]:
            names[place] = next((name for name in "ztc" if name not in names), "")
    return tuple(names)


def _arrange(tiff: tifffile.TiffFile, chain: list[PageLayout], path: Path) -> _Arranged:
    """Say which pages a file has, in which order, and which axes and shape they are to be given."""
    if tiff.is_ome:
        return _ome_series(tiff, chain, path)
    alike = all(layout == chain[0] for layout in chain)
    # Where a later page has a description of its own, the pages were written one by one. Asking for the
    # series of these would compare each page with each.
    one_by_one = len(chain) > 1 and tiff.pages[1].is_shaped
    if not alike or one_by_one:
        return _as_slices(tiff, chain, path)
    images, planes = promised_planes(tiff)
    promised, here = max(images, planes), len(chain)
    if here == 1 and promised > 1:
        here = _planes_behind(tiff.pages[0], promised, path)
    if here < promised:
        raise _promised_more(path, promised, here)
    if 1 < promised < here:
        return _as_slices(tiff, chain, path, promised)
    if planes < promised:  # more images than the axes say
        if len(chain) > 1:
            return _as_slices(tiff, chain, path, planes if planes > 1 else None)
        page = tiff.pages[0]
        return _Arranged([page], "Z" + page.axes, (promised, *page.shape), page.dataoffsets[0])
    if len(tiff.series) != 1:
        return _as_slices(tiff, chain, path)
    return _as_series(tiff.series[0])


def _as_series(series: tifffile.TiffPageSeries, warnings: tuple[str, ...] = ()) -> _Arranged:
    coding = series.keyframe
    plain = coding.is_contiguous and coding.is_memmappable
    offset = series.dataoffset if plain else None
    return _Arranged(list(series.pages), series.axes, tuple(series.shape), offset, warnings)


def _ome_series(tiff: tifffile.TiffFile, chain: list[PageLayout], path: Path) -> _Arranged:
    """Arrange the planes of the first OME image, which may lie in several files."""
    try:
        series = tiff.series[0]
    except Exception as error:  # whatever tifffile makes of axes and sizes that are not such
        why = cause(error)
        warning = f"The OME metadata of '{path.name}' cannot be read ({why}): its pages are its slices."
        return replace(_as_slices(tiff, chain, path), warnings=(warning,))
    if series.kind != "ome":  # the metadata cannot be read
        return _as_slices(tiff, chain, path)
    frames = list(series.pages)
    if None in frames:
        raise VolumeError(
            f"'{path}' lacks plane {frames.index(None)} of the {len(frames)} that its OME metadata promise: "
            "it is truncated, or other files of the series are not in its folder."
        )
    if len(tiff.series) == 1 and len(frames) < len(chain):
        return _as_slices(tiff, chain, path, len(frames))
    chains = {tiff: chain}
    for frame in frames:
        if frame.parent not in chains:
            chains[frame.parent] = read_chain(Path(frame.parent.filehandle.path))
    layouts = [chains[frame.parent][frame.index] for frame in frames]
    _check_same_pixels(layouts, path)
    if len({frame.parent for frame in frames}) > 1 or any(layout != layouts[0] for layout in layouts):
        # tifffile takes each for one that is coded like the first of the first file.
        for frame in frames:
            frame.parent.filehandle.open()
        pages = [page_at(frame.parent, frame.offset) for frame in frames]
        return _Arranged(pages, series.axes, tuple(series.shape))
    several = len(tiff.series) > 1
    warning = f"'{path.name}' holds {len(tiff.series)} images: the first is opened, the others are not."
    return _as_series(series, (warning,) * several)


def _as_slices(
    tiff: tifffile.TiffFile, chain: list[PageLayout], path: Path, promised: int | None = None
) -> _Arranged:
    """Take every page for a slice, if they are all alike; `promised` where the metadata tell of fewer."""
    _check_same_pixels(chain, path)
    # Of pages that are coded like the first, no more is read than where their pixels lie.
    tiff.pages.useframes = all(layout == chain[0] for layout in chain)
    pages = [tiff.pages[number] for number in range(len(chain))]
    # Pages that tifffile has met as planes of OME have lost their first one.
    pages = [page if page.keyframe else page_at(tiff, page.offset) for page in pages]
    warning = (
        f"The metadata of '{path.name}' tell of {promised} of its {len(chain)} pages: all pages are opened, "
        "as slices."
    )
    first = pages[0]
    return _Arranged(
        pages, "Q" + first.axes, (len(pages), *first.shape), None, () if promised is None else (warning,)
    )


def _check_same_pixels(layouts: Sequence[PageLayout], path: Path) -> None:
    for number, layout in enumerate(layouts):
        if not layout.same_pixels(layouts[0]):
            raise VolumeError(
                f"Page {number} of '{path}' has {layout} while page 0 has {layouts[0]}: "
                "a tomogram needs pages of one size and type."
            )


def _planes_behind(page: tifffile.TiffPage, promised: int, path: Path) -> int:
    """Count the planes that lie one after another behind a file's only page, at most as many as promised."""
    if not page.is_contiguous or not page.nbytes:
        return 1
    return min(promised, (path.stat().st_size - page.dataoffsets[0]) // page.nbytes)


def _promised_more(path: Path, promised: int, complete: int) -> VolumeError:
    return VolumeError(
        f"'{path}' is truncated: {promised} slices promised, {complete} complete; copy it again, or write "
        "it again."
    )
