"""The record of a pipeline that was applied to a volume, and the refusal to apply it a second time."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from napari_tiqa.errors import FilterError
from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.version import __version__, version_of
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow

# What computes the filters: another version may give other last digits.
_LIBRARIES = ("numpy", "scipy", "scikit-image", "opencv-python-headless", "PyWavelets")


def applied_record(pipeline: Pipeline, volume: Volume, axis: int, window: IntensityWindow) -> dict[str, Any]:
    """Return what a filtered volume was made from and how, as plain values that JSON can hold.

    The pipeline is that which is applied, automatic values found, to the slices of `volume` along `axis`.
    """
    return {
        "pipeline": pipeline.to_dict(),
        "steps": pipeline.describe(),
        "window": asdict(window),
        "axis": axis,
        "volume": volume.name,
        "source": volume.source,
        "shape": list(volume.data.shape),
        "dtype": str(volume.data.dtype),
        "voxel_size": list(volume.voxel_size),
        "unit": volume.unit,
        "napari_tiqa": __version__,
        "libraries": {name: version_of(name) for name in _LIBRARIES},
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def refuse_twice(pipeline: Pipeline, volume: Volume) -> None:
    """Raise a FilterError where a record of the volume has the same steps; automatic values equal any."""
    record = earlier_record(pipeline, volume)
    if record is not None:
        raise FilterError(
            f"'{volume.name}' has been filtered with {pipeline.describe()} already "
            f"({record.get('created', 'date unknown')}): filter the original, or use --again (in Python: "
            "again=True) to filter twice."
        )


def earlier_record(pipeline: Pipeline, volume: Volume) -> Mapping[str, Any] | None:
    """Return the record of the same pipeline in what was applied to a volume, None where there is none."""
    wanted = [(step.filter, dict(step.parameters)) for step in pipeline.steps if step.on]
    for record in volume.applied:
        if wanted and _same_steps(wanted, _active_steps(record)):
            return record
    return None


def _active_steps(record: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return filter and parameters of each applied step of a record; none where it is damaged."""
    try:
        steps = [step for step in record["pipeline"]["steps"] if step.get("on", True)]
        return [(step["filter"], dict(step["parameters"])) for step in steps]
    except (KeyError, TypeError, AttributeError, ValueError):
        return []


def _same_steps(wanted: list[tuple[str, dict[str, Any]]], applied: list[tuple[str, dict[str, Any]]]) -> bool:
    return [name for name, _ in wanted] == [name for name, _ in applied] and all(
        # What is found automatically (None) would be found again.
        mine[name] is None or theirs.get(name) is None or mine[name] == theirs[name]
        for (_, mine), (_, theirs) in zip(wanted, applied, strict=True)
        for name in mine
    )
