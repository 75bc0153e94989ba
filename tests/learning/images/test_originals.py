"""Originals: what a user's files and folders give to train on, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy.ndimage import gaussian_filter

from napari_tiqa.errors import TrainingError, VolumeError
from napari_tiqa.learning.images.originals import read_originals
from napari_tiqa.learning.ratings.images import ImageSource
from napari_tiqa.learning.ratings.session import create_session
from napari_tiqa.volumes.open import as_volume


def image(seed: int, shape: tuple[int, int] = (240, 240)) -> np.ndarray:
    texture = gaussian_filter(np.random.default_rng(seed).random(shape), 2)
    return (texture / texture.max() * 60000).astype(np.uint16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hold three images and a tomogram of 8 slices."""
    folder = tmp_path_factory.mktemp("originals")
    for seed in range(3):
        tifffile.imwrite(folder / f"image{seed}.tif", image(seed))
    tifffile.imwrite(folder / "scan.tif", np.stack([image(seed) for seed in range(10, 18)]))
    return folder


def test_images_and_spread_slices_of_a_tomogram(folder):
    originals, warnings = read_originals([str(folder / "image0.tif"), str(folder / "scan.tif")], slices=4)
    assert [original.name for original in originals] == ["image0", *(f"scan_z{z}" for z in (1, 3, 5, 7))]
    assert len({original.specimen for original in originals}) == 2
    assert all(original.image.shape == (224, 224) for original in originals)
    assert all(0 <= original.image.min() < original.image.max() <= 1 for original in originals)
    assert warnings == []


def test_a_folder_of_slices_is_a_tomogram_and_one_of_different_images_is_not(tmp_path):
    for name, sizes in (("stack", (240, 240, 240)), ("images", (240, 250, 260))):
        (tmp_path / name).mkdir()
        for seed, size in enumerate(sizes):
            tifffile.imwrite(tmp_path / name / f"{seed}.tif", image(seed, (size, size)))
    assert len(read_originals([str(tmp_path / "stack")])[0]) == 1
    assert len(read_originals([str(tmp_path / "stack")], slices=9)[0]) == 3
    separate, _ = read_originals([str(tmp_path / "images")])
    assert len({original.specimen for original in separate}) == 3
    # Who rates files of a folder sees images in it, whatever their sizes are.
    assert len(read_originals([str(tmp_path / "stack")], rated={"0.tif"})[0]) == 3


def test_a_long_slice_gives_several_originals(tmp_path):
    tifffile.imwrite(tmp_path / "long.tif", image(0, (240, 700)))
    originals, _ = read_originals([str(tmp_path / "long.tif")])
    assert [original.name for original in originals] == ["long_tile1", "long_tile2", "long_tile3"]
    assert {original.file for original in originals} == {"long.tif"}


def test_what_was_guessed_of_a_file_is_among_the_warnings(tmp_path):
    metadata = {"unit": "parsec", "axes": "YX"}
    tifffile.imwrite(tmp_path / "a.tif", image(0), imagej=True, metadata=metadata)
    _, (warning,) = read_originals([str(tmp_path / "a.tif")])
    assert "'parsec'" in warning


def test_copies_are_left_out_and_said(folder, tmp_path):
    (tmp_path / "copy.tif").write_bytes((folder / "image0.tif").read_bytes())
    originals, (warning,) = read_originals([str(folder / "image0.tif"), str(tmp_path / "copy.tif")])
    assert [original.name for original in originals] == ["image0"]
    assert "copy of image0" in warning


def test_equal_names_are_told_apart(folder, tmp_path):
    tifffile.imwrite(tmp_path / "image0.tif", image(5))
    paths = [str(folder / "image0.tif"), str(tmp_path / "image0.tif")]
    originals, _ = read_originals(paths)
    assert [original.name for original in originals] == ["image0", "image0_2"]
    with pytest.raises(TrainingError, match=r"called image0\.tif, so it is unclear"):
        read_originals(paths, rated={"image0.tif"})


def test_small_images_are_refused_by_name(folder, tmp_path):
    tifffile.imwrite(tmp_path / "small.tif", image(0)[:223])
    with pytest.raises(TrainingError, match=r"is under 224 px a side \(small\.tif: 223 x 240\)"):
        read_originals([str(folder / "image0.tif"), str(tmp_path / "small.tif")])


def test_slices_without_texture_are_left_out_and_said(tmp_path):
    stack = np.stack([image(0), np.zeros((240, 240), np.uint16)])
    tifffile.imwrite(tmp_path / "half.tif", stack)
    originals, (warning,) = read_originals([str(tmp_path / "half.tif")], slices=2)
    assert [original.name for original in originals] == ["half_z0"]
    assert "no texture" in warning
    assert "half_z1" in warning


def test_unreadable_files_are_named(tmp_path):
    (tmp_path / "broken.tif").write_bytes(b"II*\0 nothing of the kind")
    with pytest.raises(VolumeError, match=r"broken\.tif"):
        read_originals([str(tmp_path / "broken.tif")])
    with pytest.raises(VolumeError, match=r"gone\.tif"):
        read_originals([str(tmp_path / "gone.tif")])


def test_a_rated_session_keeps_window_and_specimens(tmp_path):
    scans = [as_volume(np.stack([image(seed), image(seed + 1)])) for seed in (0, 3)]
    create_session(tmp_path / "session", [ImageSource(scan, count=2) for scan in scans], seed=0)
    originals, _ = read_originals([str(tmp_path / "session")])
    assert len(originals) == 4
    by_file = {original.file: original for original in originals}
    record = json.loads((tmp_path / "session" / "session.json").read_text())
    cut = record["sources"][0]
    pixels = tifffile.imread(tmp_path / "session" / "images" / cut["image"])
    # In the window 0..255, so that no original is brighter or darker than its raters saw it.
    mean = by_file[cut["image"]].image.mean() * 255
    assert mean == pytest.approx(pixels.mean(), abs=1)
    single, _ = read_originals([str(tmp_path / "session" / "images" / cut["image"])])
    np.testing.assert_array_equal(single[0].image, by_file[cut["image"]].image)
    assert single[0].specimen == by_file[cut["image"]].specimen


def test_a_damaged_session_is_refused(tmp_path):
    (tmp_path / "session.json").write_text("{")
    with pytest.raises(TrainingError, match=r"session\.json is damaged"):
        read_originals([str(tmp_path)])
    (tmp_path / "session.json").write_text('{"format": "napari-tiqa ratings", "format_version": 2}')
    with pytest.raises(TrainingError, match="update napari-tiqa"):
        read_originals([str(tmp_path)])
