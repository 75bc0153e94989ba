"""A case: versions of one slice as the networks see them, and what is known of each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from napari_tiqa.learning.images.groups import Group
from napari_tiqa.learning.images.labels import LabelProjection, observe
from napari_tiqa.scoring.network_input import prepare_slice
from napari_tiqa.scoring.pyramid import finer_tiles
from napari_tiqa.volumes.window import IntensityWindow

WINDOW = IntensityWindow(0, 1, "that of the slice without added faults")


@dataclass(frozen=True)
class Case:
    """Versions of one slice.

    Attributes
    ----------
    specimen : str
        Whose slice it is.
    rows : pandas.DataFrame
        What is known of each version: columns test, specimen, clean, family, generator, size, level, label.
    tiles : numpy.ndarray
        Shape (k, 224, 224), uint8: tiles of all versions.
    version, factor : numpy.ndarray
        Shape (k,): which row each tile is of, and its factor (``scoring.pyramid``), 0 for the overview.
    """

    specimen: str
    rows: pd.DataFrame
    tiles: np.ndarray
    version: np.ndarray
    factor: np.ndarray


def case(
    test: str,
    specimen: str,
    clean: bool,
    planes: Sequence[np.ndarray],
    families: Sequence[str],
    levels: Sequence[int],
    *,
    generators: Sequence[str] = (),
    scale: LabelProjection | None = None,
    finer: bool = False,
    window: IntensityWindow = WINDOW,
    **more: Sequence[float],
) -> Case:
    """Prepare versions of one slice, the reference first.

    Parameters
    ----------
    test, specimen, clean, families, levels, generators
        What is known of them; "" and 0 for the reference.
    planes : sequence of numpy.ndarray
        The versions, of one shape.
    scale : LabelProjection, optional
        Labels them by comparing what is seen of them at 224 px with the reference.
    finer : bool
        Whether also the finer levels of the pyramid are to be scored.
    window : IntensityWindow
        What they are seen in.
    **more
        Further columns.
    """
    tiles, version, factor = [], [], []
    for number, plane in enumerate(planes):
        whole = prepare_slice(plane, window).tiles
        closer = finer_tiles(plane, window) if finer and len(whole) else None
        parts = [whole] if closer is None else [whole, closer.tiles]
        tiles += [_grey(part) for part in parts]
        factor += [np.zeros(len(whole)), *([closer.factors] if closer else [])]
        version += [np.full(sum(map(len, parts)), number)]
    rows = pd.DataFrame(
        {
            "test": test,
            "specimen": specimen,
            "clean": clean,
            "family": list(families),
            "generator": list(generators or families),
            "size": min(planes[0].shape),
            "level": list(levels),
            "label": np.nan,
            **more,
        }
    )
    made = Case(specimen, rows, np.concatenate(tiles), np.concatenate(version), np.concatenate(factor))
    return replace(made, rows=rows.assign(label=_labels(made, scale))) if scale else made


def _labels(made: Case, scale: LabelProjection) -> np.ndarray:
    """Label the overview: levels of each generator stand in rising order; NaN where nothing is scored."""
    scored = np.unique(made.version[made.factor == 0])
    overview = {i: made.tiles[(made.version == i) & (made.factor == 0)][0] for i in scored}
    labels = np.full(len(made.rows), np.nan)
    for generator in made.rows["generator"].unique():
        member = scored[made.rows["generator"].iloc[scored].isin(["", generator])]
        rows = made.rows.iloc[member]
        tiles = np.stack([overview[i] for i in member])
        levels, nothing = rows["level"].to_numpy(), np.full(len(rows), np.nan)
        group = Group(made.specimen, tiles, tuple(rows["family"]), levels, nothing)
        labels[member] = scale.labels(group, observe(group))
    return labels


def _grey(tiles: np.ndarray) -> np.ndarray:
    return np.rint(tiles * 255).astype(np.uint8)
