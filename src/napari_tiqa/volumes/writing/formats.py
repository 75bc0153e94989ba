"""The formats that volumes are written in, by the names that people and options give them."""

from dataclasses import dataclass
from pathlib import Path

from napari_tiqa.errors import ExportError
from napari_tiqa.volumes.writing.ome_zarr import OmeZarrWriter
from napari_tiqa.volumes.writing.tiff import TiffFileWriter, TiffSlicesWriter
from napari_tiqa.volumes.writing.volume_writer import VolumeWriter


@dataclass(frozen=True)
class VolumeFormat:
    """One way to store a volume.

    Attributes
    ----------
    title : str
        For people.
    suffixes : tuple of str
        Endings that stand for this format; the first one is proposed, an empty one is a plain folder.
    writer : type of VolumeWriter
    """

    title: str
    suffixes: tuple[str, ...]
    writer: type[VolumeWriter]


FORMATS = {
    "ome-zarr": VolumeFormat("OME-Zarr", (".zarr",), OmeZarrWriter),
    "tiff": VolumeFormat("One TIFF file", (".tif", ".tiff", ".btf", ".tf8"), TiffFileWriter),
    "tiff-slices": VolumeFormat("Folder of TIFF slices", ("",), TiffSlicesWriter),
}
"""By the name in options and records."""


def format_for(path: Path, name: str | None = None) -> str:
    """Return the name of the format that a path is to be written in.

    The ending of the path tells it: .zarr, .tif, or none for a folder of slices. A `name` that was asked
    for has to fit the path, so that the result can be opened again; else ExportError.
    """
    if name is not None and name not in FORMATS:
        raise ExportError(f"There is no format '{name}': choose one of {', '.join(FORMATS)}.")
    suffix = path.suffix.lower()
    meant = next((key for key, form in FORMATS.items() if suffix in form.suffixes), None)
    if name is None and meant is None:
        raise ExportError(
            f"The ending of '{path.name}' does not tell a format: use .zarr, .tif, or no ending for a "
            "folder of TIFF slices."
        )
    # Any name will do for a folder, unless it is that of another format.
    if name is not None and meant != name and (name == "tiff" or meant is not None):
        wanted = FORMATS[name].suffixes[0]
        advice = f"end it with {wanted}" if wanted else "leave its ending out"
        raise ExportError(f"'{path.name}' does not fit the format {name}: {advice}.")
    return name or str(meant)
