"""All groups that the default model is trained on."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from models.label_scale import label_scale
from models.native_groups import native_group, noise_alone, paper_group, scanned_group
from models.originals import Source, real_sources, simulated_sources, texture_sources
from models.specimens import SCANS
from napari_tiqa.learning.images.groups import Group, make_all

PER_SPECIMEN, PER_KIND, PER_TEXTURE, ALONE = 60, 60, 16, 30
"""Groups of each real specimen, of each simulated kind and texture, and of noise alone."""

PAPER_PER_SOURCE = 8
"""Groups with the paper's own distortions, of each specimen, kind and texture."""

_SCANNED_EVERY = 4

Advance = Callable[[int, int], None]
"""Called with groups done and groups in all."""


def made_groups(advance: Advance | None = None) -> list[Group]:
    """Make the groups without any real scan in them: simulated microstructures, textures, noise alone."""
    drawn = [source for source in simulated_sources() for _ in range(PER_KIND)]
    drawn += [source for source in texture_sources() for _ in range(PER_TEXTURE)]
    make = partial(_group, drawn, seed=1)
    groups = make_all(make, len(drawn), advance)
    return groups + [noise_alone(np.random.default_rng([number, 2])) for number in range(ALONE)]


def real_groups(data: Path, advance: Advance | None = None) -> list[Group]:
    """Make the groups of the real scans in a folder, as many of each specimen.

    Raises TrainingError if a scan is missing.
    """
    drawn = [
        sources[number % len(sources)]
        for sources in _of_specimens(data).values()
        for number in range(PER_SPECIMEN)
    ]
    return make_all(partial(_group, drawn, seed=3), len(drawn), advance)


def paper_groups(data: Path, advance: Advance | None = None) -> list[Group]:
    """Make the groups with the paper's own distortions, of the real scans in a folder and of all others."""
    others = [[source] for source in (*simulated_sources(), *texture_sources())]
    drawn = [
        sources[number % len(sources)]
        for sources in (*_of_specimens(data).values(), *others)
        for number in range(PAPER_PER_SOURCE)
    ]

    def make(number: int) -> Group:
        return paper_group(drawn[number], label_scale(), np.random.default_rng([number, 4]))

    return make_all(make, len(drawn), advance)


def _of_specimens(data: Path) -> dict[str, list[Source]]:
    of_specimen: dict[str, list[Source]] = {}
    for scan, source in zip(SCANS, real_sources(data), strict=True):
        of_specimen.setdefault(scan.specimen, []).append(source)
    return of_specimen


def _group(drawn: Sequence[Source], number: int, seed: int) -> Group:
    make = scanned_group if number % _SCANNED_EVERY == 0 else native_group
    return make(drawn[number], label_scale(), np.random.default_rng([number, seed]))
