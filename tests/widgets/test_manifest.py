"""napari finds the dock, the reader and the sample data where the manifest says they are."""

from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import tifffile
from napari import Viewer
from napari.utils.notifications import notification_manager
from npe2 import PluginManifest
from npe2.cli import validate

from napari_tiqa.widgets.open_tomogram import add_tomograms
from tests.places import ROOT

TIFF = {"*.tif", "*.tiff", "*.btf", "*.tf8"}


@pytest.fixture
def manifest() -> PluginManifest:
    return PluginManifest.from_distribution("napari-tiqa")


def test_every_command_can_be_imported(manifest: PluginManifest) -> None:
    assert manifest.contributions.commands
    manifest.validate_imports()  # raises what is missing


def test_npe2_finds_the_manifest_valid(capsys: pytest.CaptureFixture[str], manifest: PluginManifest) -> None:
    validate(str(ROOT / "napari.yaml"), imports=True, debug=True)  # a warning would be an error here
    assert capsys.readouterr().out.strip() == "✔ Manifest for 'TIQA image quality' valid!"
    package, _, name = str(manifest.icon).partition(":")
    assert resources.files(package).joinpath(name).read_text().startswith("<svg")
    assert "Measurement" in manifest.categories


def test_the_top_level_manifest_is_the_packages_own() -> None:
    link = ROOT / "napari.yaml"
    assert link.resolve() == (ROOT / "src" / "napari_tiqa" / "napari.yaml").resolve()


def test_every_file_that_opens_by_its_ending_is_offered_to_the_reader(manifest: PluginManifest) -> None:
    from napari_tiqa.volumes.open import SINGLE, WITH_DATASETS

    reader, *_ = manifest.contributions.readers
    endings = {f"*{ending}" for ending in [*SINGLE, *WITH_DATASETS]} - TIFF
    assert endings <= set(reader.filename_patterns)
    assert not TIFF & set(reader.filename_patterns)  # else napari asks by which reader to open one
    assert "*.zarr" in reader.filename_patterns
    assert reader.accepts_directories


def test_napari_opens_a_tiff_without_asking(viewer: Viewer, tmp_path: Path) -> None:
    path = tmp_path / "cell.tif"
    tifffile.imwrite(path, np.zeros((5, 32, 32), np.uint16), photometric="minisblack")
    (layer,) = viewer.open(path)  # raises MultipleReaderError where a user would be asked
    assert layer.data.shape == (5, 32, 32)


def test_a_tiff_is_opened_lazily_with_its_scale_and_unit_from_the_menu(
    viewer: Viewer, tmp_path: Path
) -> None:
    path = tmp_path / "cell.tif"
    stack = np.random.default_rng(0).integers(0, 99, (4, 32, 32), dtype=np.uint16)
    tifffile.imwrite(
        path, stack, imagej=True, resolution=(2, 2), metadata={"axes": "ZYX", "unit": "um", "spacing": 1.5}
    )
    (tmp_path / "damaged.tif").write_bytes(b"II*")
    with notification_manager:
        add_tomograms(viewer, [str(path), str(tmp_path / "damaged.tif")])
        said = [str(each.message) for each in notification_manager.records]
    (layer,) = viewer.layers
    assert layer.name == "cell"
    assert tuple(layer.scale) == pytest.approx((1.5, 0.5, 0.5))
    assert str(layer.units[-1]) == "micrometer"
    assert tuple(layer.axis_labels) == ("z", "y", "x")
    assert "damaged.tif" in said[-1]
