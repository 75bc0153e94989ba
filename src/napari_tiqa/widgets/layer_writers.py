"""napari's File > Save Selected Layers: a volume as OME-Zarr or TIFF, slice by slice, and its scores as CSV.

Named in napari.yaml. Where an export of Filter and tune resumes after an interruption and stays out of
napari's way, these write what a layer holds now while napari waits; a lazy layer is computed slice by slice.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from napari.layers import Layer
from napari.utils import progress

from napari_tiqa.errors import ExportError
from napari_tiqa.scoring.table import write_scores
from napari_tiqa.volumes.readers.ome_zarr import is_zarr
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.writing.formats import FORMATS, format_for
from napari_tiqa.volumes.writing.volume_writer import VolumeLayout
from napari_tiqa.widgets.quality.score_run import load_runs
from napari_tiqa.widgets.shared.read_layer import read_layer


def write_volume(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write an image layer as OME-Zarr (.zarr) or TIFF, with voxel size, unit and filters applied.

    Parameters
    ----------
    path : str
        Its ending tells the format. A file is replaced, as napari has asked; a folder only where it is a
        Zarr group.
    data : array-like
        Shape (z, y, x) or (y, x), any real dtype; the levels of a multiscale layer, of which the first is
        written.
    attributes : dict
        Of the layer, as napari hands them to writers.

    Returns
    -------
    list of str
        The path.

    Raises
    ------
    ExportError
        More than three dimensions, a format that cannot hold the volume, or a place that cannot be written.
    VolumeError
        The layer is in colour, or a slice cannot be read.
    """
    layer = Layer.create(data, attributes, "image")
    if layer.ndim > 3:
        raise ExportError(
            f"'{layer.name}' has {layer.ndim} dimensions and a volume has three: export one time or channel "
            "of it with Filter and tune, or slice it first."
        )
    volume = read_layer(layer)
    place = Path(path)
    kind = FORMATS[format_for(place)].writer
    layout = VolumeLayout.of(volume, 0, volume.applied)
    kind.check(layout)
    if place.is_dir() and not is_zarr(place) and any(place.iterdir()):
        raise ExportError(f"'{place}' is a folder with other files in it: choose another name.")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        # Beside its place until it is whole: it may be the very file that the layer is read from.
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}.") as folder:
            written = Path(folder) / place.name
            _write(kind(written, layout), volume)
            if place.is_dir():
                shutil.rmtree(place)
            written.replace(place)
    except OSError as error:
        raise ExportError(f"'{place}' cannot be written ({error.strerror}): choose another place.") from error
    return [path]


def write_csv(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write the last scores of an image layer as ``napari-tiqa score`` does, with the record beside them.

    Parameters
    ----------
    path : str
        Ends with .csv.
    data : array-like
        Not looked at.
    attributes : dict
        Of the layer, whose metadata hold the runs of Slice quality.

    Returns
    -------
    list of str
        The path.

    Raises
    ------
    ExportError
        The layer has no scores, or the place cannot be written.
    """
    runs, _ = load_runs(attributes.get("metadata") or {})
    if not runs:
        raise ExportError(f"'{attributes['name']}' has no scores yet: score it in Slice quality first.")
    write_scores(runs[-1].table(), path)
    return [path]


def _write(writer: Any, volume: Volume) -> None:
    count = writer.layout.count
    writer.begin(0)
    try:
        for index in progress(range(count), desc=f"TIQA: saving {volume.name}"):
            writer.write(index, volume.slice(0, index))
    finally:
        writer.close()
