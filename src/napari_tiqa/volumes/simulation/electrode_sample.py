"""The sample tomogram: an electrode scanned twice, its true phases, its record of faults; made once, cached.

The first scan, "electrode", is of everyday quality, and in four known ranges of slices one fault of the
acquisition is strong. The second, "electrode, better acquisition", shows the same material scanned better
throughout, as the two scans of figure 4 in Zhang et al. (npj Computational Materials 8, 2022). What a perfect
segmentation of both would be is known, since the material is.
"""

import hashlib
import itertools
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import platformdirs
import tifffile
from numpy.typing import NDArray

from napari_tiqa.errors import VolumeError, explained
from napari_tiqa.json_text import read_json
from napari_tiqa.volumes.open import open_volume
from napari_tiqa.volumes.simulation.acquisition import (
    MOST_CHANNELS,
    Acquisition,
    Floats,
    detect,
    filtered_back_projection,
    inscribed_circle,
    project,
)
from napari_tiqa.volumes.simulation.microstructures import electrode_phases, microstructure
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.whole_file import whole_file, write_text

VERSION = 2  # of the sample's content: raise it when any voxel would change
SHAPE = (96, 256, 256)
SEED = 47
VOXEL_SIZE = 0.33  # µm
UNIT = "µm"
NAMES = ("electrode", "electrode, better acquisition")

EVERYDAY = Acquisition(projections=320, photons=15_000, gain_error=0.003, blur=0.6)
BETTER = Acquisition(projections=400, photons=200_000, gain_error=0.0005, blur=0.35)

RAMP = 4  # slices over which a fault comes and goes

# The stored 16-bit value v means the attenuation v / PER_UNIT - 0.5; 0 is kept for outside the circle.
PER_UNIT = 26_214.0

_SCANS = ("electrode.tif", "electrode_better.tif")
_PHASES = "electrode_phases.tif"

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Fault:
    """A range of slices of the first scan in which one fault is strong.

    Attributes
    ----------
    name : str
        For people.
    first, last : int
        The range, both included; strongest from `first + RAMP` to `last - RAMP`.
    setting : str
        The field of ``Acquisition`` that differs.
    strongest : float
        Its value in the middle of the range.
    says : str
        Its value in words, to be formatted with it.
    """

    name: str
    first: int
    last: int
    setting: str
    strongest: float
    says: str

    def strength(self, index: int) -> float:
        """Return how much of the fault slice `index` has, 0 to 1."""
        inside = min(index - self.first, self.last - index) + 1
        return float(np.clip(inside / (RAMP + 1), 0, 1))


FAULTS = (
    Fault("ring artefacts (detector gain errors)", 8, 23, "gain_error", 0.03, "gain error {:.1%}"),
    Fault("photon noise", 30, 45, "photons", 600, "{:.0f} photons a pixel"),
    Fault("optical blur", 52, 67, "blur", 2.6, "{:.1f} px"),
    Fault("too few projections (streaks)", 74, 89, "projections", 44, "{:.0f}"),
)


def electrode_sample(
    progress: Progress | None = None, directory: Path | None = None
) -> tuple[Volume, Volume]:
    """Return the two sample tomograms; make them where they are not cached or damaged.

    Making them takes some seconds on two cores; from the cache they come at once.

    Parameters
    ----------
    progress : callable, optional
        Called as ``progress(slices_done, slices_in_all)`` from this thread while they are made, first with 0.
    directory : Path, optional
        Where they are kept; the user's cache directory for napari-tiqa if not given.

    Returns
    -------
    tuple of two Volume
        "electrode", whose strong faults :data:`FAULTS` lists, and "electrode, better acquisition": shape
        (96, 256, 256), uint16, attenuation as ``value / PER_UNIT - 0.5``, 0 outside the reconstruction
        circle. Each lies as an ImageJ TIFF in the directory, with the true phases and ``electrode.json``,
        the record of faults and settings, beside them.

    Raises
    ------
    VolumeError
        Where the directory cannot be written.
    """
    folder = _kept(directory, progress)
    first, better = (
        replace(open_volume(folder / file), name=name) for file, name in zip(_SCANS, NAMES, strict=True)
    )
    return first, better


def sample_phases(progress: Progress | None = None, directory: Path | None = None) -> NDArray[np.uint8]:
    """Return the true phases of the sample electrode, what a perfect segmentation of both scans would be.

    Parameters are those of :func:`electrode_sample`, with which they are made and kept. Shape (96, 256, 256),
    uint8: a value of ``microstructures.PHASES``, 0 outside the circle.
    """
    return tifffile.imread(_kept(directory, progress) / _PHASES)


def acquisition_of(index: int) -> Acquisition:
    """Return how slice `index` of the first scan was acquired."""
    acquisition = EVERYDAY
    for fault in FAULTS:
        usual = getattr(EVERYDAY, fault.setting)
        # along the ramp each slice is worse than the last by the same factor: steps of equal visibility
        value = usual * (fault.strongest / usual) ** fault.strength(index)
        if fault.strength(index):
            whole = fault.setting == "projections"
            acquisition = replace(acquisition, **{fault.setting: round(value) if whole else value})
    return acquisition


def fault_table() -> pd.DataFrame:
    """Return which slices of the first scan have which fault, and how strong it is there.

    Returns
    -------
    pandas.DataFrame
        A row for each slice with a fault: ``slice``; ``fault``, its name; ``setting`` and ``value``, the
        field of ``Acquisition`` that differs from `EVERYDAY` and its value there; ``strength``, 0 to 1 of the
        fault's strongest; ``says``, fault and value in words.
    """
    rows = []
    for fault in FAULTS:
        for index in range(fault.first, fault.last + 1):
            value = float(getattr(acquisition_of(index), fault.setting))
            says = f"{fault.name.partition(' (')[0]}: {fault.says.format(value).replace('%', ' %')}"
            rows.append((index, fault.name, fault.setting, value, fault.strength(index), says))
    return pd.DataFrame(rows, columns=["slice", "fault", "setting", "value", "strength", "says"])


def _kept(directory: Path | None, progress: Progress | None) -> Path:
    """Return the folder of the sample, made there unless it is intact."""
    folder = directory or Path(platformdirs.user_cache_dir("napari-tiqa"), "samples")
    record = folder / "electrode.json"
    paths = tuple(folder / file for file in (*_SCANS, _PHASES))
    if not _is_intact(record, paths):
        _make(record, paths, progress)
    return folder


def _is_intact(record: Path, paths: tuple[Path, ...]) -> bool:
    try:
        known = read_json(record)
        return known["version"] == VERSION and known["sha256"] == _checksums(paths)
    except (OSError, ValueError, KeyError, TypeError):
        return False  # missing, unreadable or of another form: the sample is made again


def _checksums(paths: tuple[Path, ...]) -> dict[str, str]:
    sums = {}
    for path in paths:
        with path.open("rb") as file:
            sums[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return sums


def _make(record: Path, paths: tuple[Path, ...], progress: Progress | None) -> None:
    settings = [acquisition_of(index) for index in range(SHAPE[0])], [BETTER] * SHAPE[0]
    *scans, phases = paths
    total = len(scans) * SHAPE[0]
    report = progress or (lambda done, total: None)
    report(0, total)
    with explained(
        VolumeError,
        f"The sample tomogram cannot be kept in {record.parent}",
        "make room there, or make it writable",
    ):
        record.parent.mkdir(parents=True, exist_ok=True)
        material = microstructure("electrode", SHAPE, SEED)
        for scan, path in enumerate(scans):
            stack = np.zeros(SHAPE, np.uint16)
            for done, (index, plane) in enumerate(_scan(material, settings[scan]), start=1):
                stack[index] = plane
                report(scan * SHAPE[0] + done, total)
            _write_tiff(stack, path)
        _write_tiff(electrode_phases(material), phases)
        text = json.dumps(_record(paths), indent=2, ensure_ascii=False)
        # last of all: what has no record was interrupted, and is made again
        write_text(record, text)


def _scan(material: Floats, settings: list[Acquisition]) -> Iterator[tuple[int, NDArray[np.uint16]]]:
    """Scan every slice of `material` with its own settings; yield (index, stored values) as they are done."""
    batches = []
    same_geometry = itertools.groupby(range(len(settings)), key=lambda index: settings[index].projections)
    for _, run in same_geometry:
        indices = tuple(run)
        batches += [indices[i : i + MOST_CHANNELS] for i in range(0, len(indices), MOST_CHANNELS)]

    def scan(batch: tuple[int, ...]) -> list[tuple[int, NDArray[np.uint16]]]:
        acquisition = settings[batch[0]]
        rays = project(np.stack([material[index] for index in batch], axis=-1), acquisition)
        sinograms = [
            detect(rays[..., channel], settings[index], _seed_of_row(index))
            for channel, index in enumerate(batch)
        ]
        slices = filtered_back_projection(np.stack(sinograms, axis=-1), acquisition.arc)
        return [(index, _stored(slices[..., channel])) for channel, index in enumerate(batch)]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done in pool.map(scan, batches):
            yield from done


def _seed_of_row(index: int) -> int:
    """Seed of the faults of one detector row: the two scans share the detector."""
    return SEED * 1000 + index


def _stored(plane: Floats) -> NDArray[np.uint16]:
    values = np.clip(np.rint((plane + 0.5) * PER_UNIT), 1, 65_535)
    return np.where(inscribed_circle(plane.shape[0]), values, 0).astype(np.uint16)


def _record(paths: tuple[Path, ...]) -> dict[str, Any]:
    return {
        "version": VERSION,
        "voxel_size": VOXEL_SIZE,
        "unit": UNIT,
        "attenuation": f"value / {PER_UNIT} - 0.5",
        "faults": [asdict(fault) for fault in FAULTS],
        "ramp": RAMP,
        "usual_acquisition": asdict(EVERYDAY),
        "better_acquisition": asdict(BETTER),
        "sha256": _checksums(paths),
    }


def _write_tiff(stack: NDArray[np.unsignedinteger], path: Path) -> None:
    metadata = {"axes": "ZYX", "spacing": VOXEL_SIZE, "unit": "um"}
    tiff = BytesIO()
    tifffile.imwrite(tiff, stack, imagej=True, resolution=(1 / VOXEL_SIZE,) * 2, metadata=metadata)
    with whole_file(path) as file:
        file.write(tiff.getbuffer())
