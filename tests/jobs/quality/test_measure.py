"""``measure_volume`` and ``napari-tiqa measure``: a row per slice, in the volume's unit, with its record."""

import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_tiqa import Cancelled, measure_volume
from napari_tiqa.cli import main
from napari_tiqa.physics.figures import FIGURES
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.simulation.microstructures import microstructure


@pytest.fixture(scope="module")
def stack() -> np.ndarray:
    clean = microstructure("foam", (256, 256), 3)
    noise = np.random.default_rng(0).standard_normal((3, 256, 256))
    return (100 * clean + np.array([1, 4, 9])[:, None, None] * noise).astype(np.float32)


def test_a_row_per_slice_in_the_order_asked_for(stack: np.ndarray) -> None:
    reports = []
    table = measure_volume(as_volume(stack), slices=[2, 0], progress=reports.append)
    assert list(table.columns) == ["slice", "position", *FIGURES]
    assert table["slice"].tolist() == [2, 0]
    np.testing.assert_allclose(table["noise_level"], [9, 1], rtol=0.2)
    assert table["contrast_to_noise"].iloc[0] < table["contrast_to_noise"].iloc[1]
    assert [report.done for report in reports] == [1, 2]
    assert table.attrs["unit"] == "pixel"


def test_cancel_ends_the_work(stack: np.ndarray) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        measure_volume(as_volume(stack), cancel=cancel)


def test_lengths_are_in_the_unit_of_the_file(stack: np.ndarray, tmp_path: Path, capsys) -> None:
    path = tmp_path / "scan.tif"
    metadata = {"axes": "ZYX", "unit": "um", "spacing": 2.0}
    tifffile.imwrite(path, stack, imagej=True, resolution=(2, 2), metadata=metadata)
    output = tmp_path / "figures.csv"
    assert main(["measure", str(path), "--slices", "0,1", "-o", str(output)]) == 0
    assert "Measured 2 slices; medians: edge width" in capsys.readouterr().err
    table = pd.read_csv(output)
    pixels = measure_volume(as_volume(stack), slices=[0, 1])
    np.testing.assert_allclose(table["edge_width"], 0.5 * pixels["edge_width"], rtol=1e-6)
    np.testing.assert_allclose(table["position"], [0, 2])
    assert (tmp_path / "figures.csv.json").exists()
