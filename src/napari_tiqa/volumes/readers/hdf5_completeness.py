"""Whether all that an HDF5 dataset promises was written and is there; HDF5 reads what is missing as zeros."""

import math
import os
import re
from pathlib import Path
from typing import Any

import h5py

from napari_tiqa.errors import VolumeError

_BLOCK = re.compile(r"%(\d*)b")


Shape = tuple[int, ...]
_Known = dict[tuple[str, str], Shape | None]  # of sources by file and name; None while one is looked at


def check_complete(dataset: h5py.Dataset, label: str, known: _Known | None = None) -> tuple[str, ...]:
    """Raise VolumeError where a part of a dataset is missing; return sentences on what may be.

    A virtual dataset must have all its sources, with all that is mapped from them; raw data files must be as
    long as promised; a dataset must have been written. Chunks that were never written may be meant so.
    """
    if dataset.is_virtual:
        known = {} if known is None else known
        known[_place(dataset)] = None
        for source in dataset.virtual_sources():
            _check_source(dataset, source, label, known)
        known[_place(dataset)] = dataset.shape
        return ()
    if dataset.external:
        _check_raw_files(dataset, label)
        return ()
    if not dataset.id.get_storage_size():
        raise VolumeError(f"'{label}' holds no pixels: it was made but never written; write it again.")
    if dataset.chunks is None:
        return ()
    wanted = math.prod(-(-length // side) for length, side in zip(dataset.shape, dataset.chunks, strict=True))
    written = dataset.id.get_num_chunks()
    if written >= wanted:
        return ()
    return (
        f"Of the {wanted} chunks of '{label}' {wanted - written} were never written: "
        f"their pixels are read as {dataset.fillvalue:g}.",
    )


def _check_source(dataset: h5py.Dataset, source: Any, label: str, known: _Known) -> None:
    for file_name, name in _blocks(dataset, source):
        try:
            if file_name == ".":
                shape = _shape_of(dataset.file, name, label, known)
            else:
                place = _found(file_name, Path(dataset.file.filename).parent)
                if place is None:
                    raise VolumeError(
                        f"'{label}' is put together from other files, of which '{file_name}' is missing: "
                        "put it where it was, since its part would be read as zeros."
                    )
                known_shape = known.get((os.path.realpath(place), name.strip("/")))
                if known_shape is None:
                    with h5py.File(place, "r") as file:
                        known_shape = _shape_of(file, name, label, known)
                shape = known_shape
        except (KeyError, OSError) as error:
            raise VolumeError(
                f"'{label}' is put together from other files, of which '{file_name}' has no dataset '{name}' "
                "that can be read: copy it again, since its part would be read as zeros."
            ) from error
        _check_mapped(shape, source, label)


def _shape_of(file: h5py.File, name: str, label: str, known: _Known) -> Shape:
    """Return the shape of a source, which is complete itself; each is looked at once."""
    found = file[name]
    place = _place(found)
    if place not in known:
        check_complete(found, label, known)
        known[place] = found.shape
    shape = known[place]
    if shape is None:
        raise VolumeError(f"'{label}' is put together from itself, by way of '{name}': write it again.")
    return shape


def _place(dataset: h5py.Dataset) -> tuple[str, str]:
    return os.path.realpath(dataset.file.filename), dataset.name.strip("/")


def _check_mapped(shape: Shape, source: Any, label: str) -> None:
    """Check that a source reaches as far as what is mapped from it."""
    space = source.src_space
    if space.get_select_type() == h5py.h5s.SEL_ALL:  # whatever its shape is now
        short = not _is_numbered(source) and source.vspace.get_select_npoints() > math.prod(shape)
    else:
        ends = space.get_select_bounds()[1] if space.get_select_npoints() else ()
        short = len(ends) > len(shape) or any(e >= n for e, n in zip(ends, shape, strict=False))
    if short:
        raise VolumeError(
            f"'{label}' is put together from other files, of which '{source.file_name}' has {shape}, "
            "less than what is taken from it: it is not complete; copy it again."
        )


def _is_numbered(source: Any) -> bool:
    return bool(_BLOCK.search(source.file_name + source.dset_name))


def _blocks(dataset: h5py.Dataset, source: Any) -> list[tuple[str, str]]:
    """Return file and dataset of a source, or of each where their names hold a number (%b)."""
    if not _is_numbered(source):
        return [(source.file_name, source.dset_name)]
    start, stride, count, _ = source.vspace.get_regular_hyperslab()
    unlimited = next((axis for axis, n in enumerate(count) if n == h5py.h5s.UNLIMITED), 0)
    number = max(-(-(dataset.shape[unlimited] - start[unlimited]) // stride[unlimited]), 1)
    # HDF5 ends the dataset before the first file that is missing, as if there were no later ones.
    number = max(number, *(block + 1 for block in _blocks_beside(dataset, source.file_name)))

    def numbered(name: str, block: int) -> str:
        return _BLOCK.sub(lambda found: str(block).zfill(int(found[1] or 0)), name).replace("%%", "%")

    return [(numbered(source.file_name, block), numbered(source.dset_name, block)) for block in range(number)]


def _blocks_beside(dataset: h5py.Dataset, file_name: str) -> list[int]:
    """Return the numbers of the source files that lie beside a virtual dataset's; 0 among them."""
    number = _BLOCK.search(file_name)
    if not number:
        return [0]
    before, after = (re.escape(part) for part in file_name.split(number[0], 1))
    names = os.listdir(Path(dataset.file.filename).parent)
    found = (re.fullmatch(rf"{before}(\d+){after}", name) for name in names)
    return [0, *(int(match[1]) for match in found if match)]


def _found(file_name: str, folder: Path) -> Path | None:
    """Look for a source where HDF5 does: as it is, in the prefixed folder, beside the file."""
    prefix = os.environ.get("HDF5_VDS_PREFIX", "").replace("${ORIGIN}", str(folder))
    places = [Path(file_name)] if os.path.isabs(file_name) else []
    places += [Path(prefix) / file_name] if prefix else []
    places += [folder / file_name, Path(file_name), folder / Path(file_name).name]
    return next((place for place in places if place.is_file()), None)


def _check_raw_files(dataset: h5py.Dataset, label: str) -> None:
    """Check the files without a header that hold a dataset's pixels one after another."""
    prefix = os.environ.get("HDF5_EXTFILE_PREFIX", "")
    prefix = prefix.replace("${ORIGIN}", str(Path(dataset.file.filename).parent))
    left = dataset.size * dataset.dtype.itemsize
    for name, offset, size in dataset.external:
        name = os.fsdecode(name)
        part = min(size, left)
        place = Path(prefix) / name
        if not place.is_file() or place.stat().st_size < offset + part:
            raise VolumeError(
                f"'{label}' keeps its pixels in '{name}', which is missing or truncated: put that file "
                "where it was, or copy it again."
            )
        left -= part
    if left:
        raise VolumeError(f"'{label}' keeps its pixels in other files, which are too short for its shape.")
