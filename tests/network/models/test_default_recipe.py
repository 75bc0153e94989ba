"""What the default model is trained on, and ``python -m models.default``."""

from dataclasses import replace

import numpy as np

from models.default import main
from models.default_recipe import simulated_originals, teachable
from models.specimens import FIRST as SCANS
from napari_tiqa.learning.images.groups import distortion_group
from napari_tiqa.volumes.simulation.microstructures import KINDS


def test_a_folder_without_the_scans_is_said_in_one_sentence(tmp_path, capsys):
    assert main([str(tmp_path), "-o", str(tmp_path / "m.tiqa")]) == 2
    assert "give the folder with the training scans" in capsys.readouterr().err
    assert not (tmp_path / "m.tiqa").exists()


def test_simulated_originals_cover_every_kind():
    originals = simulated_originals()
    assert {original.specimen for original in originals} == {f"simulated {kind}" for kind in KINDS}
    assert all(original.image.shape == (224, 224) for original in originals)
    assert all(0 <= original.image.min() < original.image.max() <= 1 for original in originals)


def test_scans_with_faults_of_their_own_teach_no_scale():
    image = np.full((224, 224), 0.5, np.float32)
    group = distortion_group("x", image, 0).with_labels(np.arange(16.0))
    assert np.isfinite(teachable([group])[0].labels).all()
    assert np.isnan(teachable([replace(group, clean=False)])[0].labels).all()
    assert any(not scan.clean for scan in SCANS)
