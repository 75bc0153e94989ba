"""Quality against segmentation on simulated electrodes that neither network has seen, with known phases.

    python benchmarks/segmentation_study.py [MODEL] [--specimens N] [--output FOLDER]

Electrodes of seeds from 5000 on, well scanned, in three sizes: the bundled segmenter is trained and judged on
seeds below 1100, the quality model on seeds 0 to 3 and random ones of other sizes. Each slice is distorted
(the paper's blur, noise and rings) and scanned again with faults, each at five levels; every version is
scored and segmented, and compared with the phases. Beside the figures stands what Zhang et al. 2022 have
published, and what issue 5 asks for.
"""

import argparse
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from models.acquisitions import FAULTS, acquisition_with
from napari_tiqa.jobs.process.messages import ModelFile
from napari_tiqa.jobs.study.judge import KnownSlice, VersionJudge
from napari_tiqa.jobs.study.result import POOLED, StudiedVersion, Study
from napari_tiqa.jobs.study.study import study_segmentation, write_study
from napari_tiqa.segmentation.native_distortions import ORIGINAL
from napari_tiqa.segmentation.network_input import unit_image
from napari_tiqa.segmentation.segmenter import ELECTRODE_MODEL, classes_of, segmenter_card
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.simulation.acquisition import acquire
from napari_tiqa.volumes.simulation.electrode_sample import BETTER
from napari_tiqa.volumes.simulation.microstructures import electrode_phases, microstructure
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.volumes.window_estimate import estimate_window

FIRST_SEED = 5000
SIDES = (256, 384, 512)  # px
FAULT_SIDE = 256  # px; the levels of the faults are meant for 224
STUDIED_FAULTS = ("photon noise", "gain rings", "detector blur", "few projections")
PUBLISHED = {"ring": (0.925, 0.887), "noise": (0.829, 0.877), "blur": (0.928, 0.952)}
"""SROCC and PLCC of score and F1, Zhang et al. 2022."""
ASKED = 0.90
FOUND = 0.80


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", type=Path, default=ELECTRODE_MODEL)
    parser.add_argument("--specimens", type=int, default=9)
    parser.add_argument("--output", type=Path, help="write tables and figures of the distortions here")
    options = parser.parse_args()
    card = segmenter_card(options.model)
    print(f"{options.specimens} simulated electrodes, segmented by {card.get('name', options.model)!r}")
    made = distorted(options.model, options.specimens)
    report("Distortions of the paper", made)
    report("Faults of the acquisition", faulty(options.model, options.specimens))
    if options.output:
        write_study(made, options.output)


def distorted(model: Path, specimens: int) -> Study:
    """Study each specimen by itself, since they differ in size, and put all into one."""
    studies = []
    for number in range(specimens):
        side = SIDES[number % len(SIDES)]
        scan = acquire(_material(number, side), replace(BETTER, projections=round(np.pi / 2 * side)), number)
        found = study_segmentation(scan, electrode_phases(_material(number, side)), model=model, seed=number)
        studies.append(found)
    for one in studies:
        one.table.attrs = {}  # which pandas compares one by one when it joins tables
    tables = [one.table.assign(slice=number) for number, one in enumerate(studies)]
    curves = (replace(curve, slice=number) for number, one in enumerate(studies) for curve in one.curves)
    return Study(pd.concat(tables, ignore_index=True), tuple(curves), record=studies[0].record)


def faulty(model: Path, specimens: int) -> Study:
    """Scan each specimen well, and with each fault at five levels."""
    judge = VersionJudge(
        ModelFile.of(model), classes_of(segmenter_card(model)), ModelFile.of(None), threading.Event()
    )
    rows = [row for number in range(specimens) for row in _with_faults(judge, number, model)]
    return Study(pd.DataFrame(rows, columns=list(StudiedVersion._fields)))


def _with_faults(judge: VersionJudge, number: int, model: Path) -> Iterator[StudiedVersion]:
    material = _material(number, FAULT_SIDE)
    good = acquire(material, replace(BETTER, projections=round(np.pi / 2 * FAULT_SIDE)), number)
    window = estimate_window(as_volume(good))
    classes = classes_of(segmenter_card(model))
    known = KnownSlice.of(electrode_phases(material), good, classes, 0, classes.values[-1])
    levels = [(fault, level) for fault in STUDIED_FAULTS for level in range(1, 6)]
    versions = [
        partial(_scanned, material, fault, FAULTS[fault][1][level - 1], number, window)
        for fault, level in levels
    ]
    judged = judge.judgements([lambda: unit_image(good, window), *versions], known)
    for (fault, level), found in zip([(ORIGINAL, 0), *levels], judged, strict=True):
        measures = (found.score, found.f1, found.iou, found.accuracy, found.uncertainty, found.errors_found)
        yield StudiedVersion(number, fault, level, *measures)


def _scanned(
    material: np.ndarray, fault: str, strength: float, seed: int, window: IntensityWindow
) -> np.ndarray:
    return unit_image(acquire(material, acquisition_with(fault, strength), seed), window)


def _material(number: int, side: int) -> np.ndarray:
    return microstructure("electrode", (side, side), FIRST_SEED + number)


def report(title: str, made: Study) -> None:
    """Print what is asked for."""
    print(f"\n== {title} ==")
    means = made.table.groupby(["distortion", "level"], sort=False).mean(numeric_only=True)
    print(means.drop(columns="slice").round(3).to_string())
    _print_correlations(made)
    _print_rise(made)
    _print_errors_found(made)


def _print_correlations(made: Study) -> None:
    print("\nScore against F1 and IoU: SROCC / PLCC over all specimens; mean SROCC within a specimen")
    found = made.correlations.set_index(["distortion", "against"])
    for kind in (*made.distortions, POOLED):
        cells = []
        for against in ("f1", "iou"):
            of = found.loc[(kind, against)]
            cells.append(f"{against} {of['srocc']:6.3f} / {of['plcc']:6.3f}, within {of['within']:.3f}")
        line = f"{kind:16} n {found.loc[(kind, 'f1')]['n']:3.0f}   {'   '.join(cells)}"
        if kind != POOLED:
            line += f"   asked {ASKED:.2f}"
        if kind in PUBLISHED:
            line += "   published {:.3f} / {:.3f}".format(*PUBLISHED[kind])
        print(line)
    print(made.sentence())


def _print_rise(made: Study) -> None:
    print(
        "\nMean uncertainty (nats) from the original to level 5; whether it rises at every level on average;"
    )
    print("the share of steps up in single specimens; specimens where it rises at every level")
    for kind in made.distortions:
        mean = made.levels(kind)["uncertainty"].to_numpy()
        slices = made.table["slice"].unique()
        steps = np.array([np.diff(made.levels(kind, int(one))["uncertainty"]) for one in slices])
        values = " ".join(f"{value:.3f}" for value in mean)
        rises = "yes" if np.all(np.diff(mean) > 0) else "NO"
        always = int((steps > 0).all(axis=1).sum())
        print(f"{kind:16} {values}   rises {rises:3}  {np.mean(steps > 0):4.0%}  {always} of {len(slices)}")


def _print_errors_found(made: Study) -> None:
    print(f"\nWrong pixels among the 20 % most uncertain (asked: {FOUND:.0%} or more)")
    originals = made.table[made.table["distortion"] == ORIGINAL]["errors_found"]
    print(f"{'originals':16} mean {originals.mean():.1%}, least {originals.min():.1%}")
    for kind in made.distortions:
        by_level = made.table[made.table["distortion"] == kind].groupby("level")["errors_found"].mean()
        print(f"{kind:16} {'  '.join(f'level {level} {value:.0%}' for level, value in by_level.items())}")


if __name__ == "__main__":
    main()
