"""MRC files (.mrc, .rec, .map): the header as MRC2014 and IMOD write it, the pixels as a raw stack."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mrcfile.dtypes import HEADER_DTYPE
from mrcfile.utils import dtype_from_mode

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.readers.raw import open_raw
from napari_tiqa.volumes.units import Calibration, calibration
from napari_tiqa.volumes.volume import Volume, check_image

HEADER_BYTES = 1024
VOLUME_STACKS = range(401, 631)  # space groups, MRC2014
IMOD_STAMP = 1146047817  # word 39, which MRC2014 leaves free
SIGNED_BYTES = 1  # bit of IMOD's flags, word 40
NAMES = "xyz"


@dataclass(frozen=True)
class _Header:
    """The numbers of a header in one byte order; whether they can be true of a file."""

    fields: Any
    order: str
    dtype: np.dtype | None
    shape: tuple[int, int, int]
    start: int

    @classmethod
    def of(cls, stored: bytes, order: str) -> "_Header":
        fields = np.frombuffer(stored, HEADER_DTYPE.newbyteorder(order))[0]
        try:
            dtype = dtype_from_mode(fields["mode"]).newbyteorder(order)
        except ValueError:
            dtype = None
        shape = int(fields["nz"]), int(fields["ny"]), int(fields["nx"])
        return cls(fields, order, dtype, shape, HEADER_BYTES + int(fields["nsymbt"]))

    def bytes_promised(self) -> int:
        sections, rows, columns = self.shape
        return self.start + sections * rows * columns * (self.dtype.itemsize if self.dtype else 1)

    def fits(self, size: int) -> bool:
        """Tell whether a file of a size in bytes can have this header."""
        return (
            0 <= int(self.fields["mode"]) <= 101
            and min(self.shape) > 0
            and self.start >= HEADER_BYTES
            and self.bytes_promised() <= size
        )


def open_mrc(path: Path) -> Volume:
    """Open an MRC file; its voxel size in ångström is given in nm.

    The byte order is that of the machine stamp, or, where the header makes no sense in it, the other one.
    Bytes
    (mode 0) are signed, as MRC2014 says, but where IMOD's flags or the greatest value say otherwise. Raises
    VolumeError as ``open_volume``.
    """
    with path.open("rb") as file:
        stored = file.read(HEADER_BYTES)
    size = path.stat().st_size
    if len(stored) < HEADER_BYTES:
        raise VolumeError(f"'{path}' is truncated: it has {size} bytes, less than a header; copy it again.")
    warnings: list[str] = []
    header = _in_byte_order(stored, size, path, warnings)
    dtype = header.dtype
    if dtype is None:
        raise VolumeError(
            f"'{path}' stores its pixels in MRC mode {int(header.fields['mode'])}, which cannot be read: "
            "convert it to 8 or 16 bit integers or 32 bit floating point."
        )
    if min(header.shape) < 1 or header.start < HEADER_BYTES:
        raise VolumeError(f"The header of '{path}' makes no sense ({header.shape} pixels): copy it again.")
    if int(header.fields["mode"]) == 0 and _has_unsigned_bytes(header, path, warnings):
        dtype = np.dtype("uint8")
    if size > header.bytes_promised():
        beyond = size - header.bytes_promised()
        warnings.append(
            f"'{path.name}' has {beyond} bytes more than its header promises: only the {header.shape[0]} "
            "sections that the header tells of are opened."
        )

    stored_axes = _stored_axes(header, path, warnings)
    shape: tuple[int, ...] = header.shape
    per_volume = int(header.fields["mz"])
    axes: tuple[str, ...] = stored_axes
    if int(header.fields["ispg"]) in VOLUME_STACKS and per_volume != shape[0]:
        if per_volume > 0 and shape[0] % per_volume == 0:
            axes, shape = ("t", *axes), (shape[0] // per_volume, per_volume, *shape[1:])
        else:
            warnings.append(
                f"'{path.name}' has {shape[0]} sections, which are not a whole number of volumes of "
                f"{per_volume}: all are opened as slices of one."
            )
    elif int(header.fields["ispg"]) in VOLUME_STACKS:
        axes, shape = ("t", *axes), (1, *shape)
    elif int(header.fields["ispg"]) == 0 and shape[0] == 1:
        axes, shape = axes[1:], shape[1:]
    check_image(shape, dtype, path.name)
    data = open_raw(path, header.start, shape, dtype)
    order = sorted(range(len(axes)), key=lambda i: "tzyx".index(axes[i]))
    found = _voxel_size(header, tuple(axes[i] for i in order if axes[i] != "t"))
    return Volume(
        data=data if order == list(range(len(axes))) else data.transpose(order),
        axes=tuple(axes[i] for i in order),
        voxel_size=(1.0,) * (len(axes) - len(found.sizes)) + found.sizes,
        unit=found.unit,
        name=path.stem,
        source=str(path),
        warnings=(*warnings, *found.warnings(path.name)),
    )


def _in_byte_order(stored: bytes, size: int, path: Path, warnings: list[str]) -> _Header:
    """Read the header in the order of its machine stamp, or in that in which it can be true."""
    stamped = {b"\x44\x44": "<", b"\x44\x41": "<", b"\x11\x11": ">"}.get(stored[212:214])
    first = _Header.of(stored, stamped or "<")
    other = _Header.of(stored, ">" if first.order == "<" else "<")
    names = {"<": "little-endian", ">": "big-endian"}
    if other.fits(size) and not first.fits(size):
        if stamped:
            warnings.append(
                f"'{path.name}' is marked as {names[stamped]}, but its header makes sense only as "
                f"{names[other.order]}: it is opened as that."
            )
        return other
    if not stamped and not first.fits(size) and stored[208:211] != b"MAP":
        raise VolumeError(f"'{path}' is not an MRC file, whatever its name says: check where it comes from.")
    return first


def _has_unsigned_bytes(header: _Header, path: Path, warnings: list[str]) -> bool:
    """Tell whether bytes are 0 to 255, as IMOD and older programs write them, not -128 to 127."""
    stamp, flags = np.frombuffer(header.fields.tobytes(), f"{header.order}i4")[38:40]
    if stamp == IMOD_STAMP:
        return not flags & SIGNED_BYTES
    least, greatest = float(header.fields["dmin"]), float(header.fields["dmax"])
    if 0 <= least < greatest <= 255 and greatest > 127:
        warnings.append(
            f"'{path.name}' holds bytes up to {greatest:g} by its header: they are read as 0 to 255, "
            "though MRC says -128 to 127."
        )
        return True
    return False


def _stored_axes(header: _Header, path: Path, warnings: list[str]) -> tuple[str, ...]:
    """Return what sections, rows and columns run along: mostly z, y and x."""
    given = [int(header.fields[name]) for name in ("maps", "mapr", "mapc")]
    if sorted(given) == [1, 2, 3]:
        return tuple(NAMES[number - 1] for number in given)
    if any(given):
        warnings.append(f"'{path.name}' numbers its axes {given[::-1]}: they are taken as x, y and z.")
    return ("z", "y", "x")


def _voxel_size(header: _Header, axes: tuple[str, ...]) -> Calibration:
    nanometres = []
    for axis in axes:
        length, intervals = float(header.fields["cella"][axis]), int(header.fields[f"m{axis}"])
        # Stored in single precision; its noise in the last digits is not worth showing.
        nanometres.append(float(f"{length / intervals:.6g}") / 10 if intervals else 0.0)
    if not any(nanometres):  # left out
        return Calibration.unknown(len(axes))
    return calibration(nanometres, ["nm"] * len(axes))
