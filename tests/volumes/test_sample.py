"""The sample tomogram: its two scans and true phases, the slices where its faults are, its cache."""

import json
import shutil

import numpy as np
import pytest
import tifffile
from napari.layers import Image, Labels, Points

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.simulation.acquisition import inscribed_circle
from napari_tiqa.volumes.simulation.electrode_sample import (
    FAULTS,
    PER_UNIT,
    SEED,
    SHAPE,
    acquisition_of,
    electrode_sample,
    fault_table,
    sample_phases,
)
from napari_tiqa.volumes.simulation.microstructures import PHASES, electrode_phases, microstructure
from napari_tiqa.volumes.simulation.napari_sample import electrode_layers

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache that once was damaged, repaired once for all tests here: making the sample takes seconds."""
    folder = tmp_path_factory.mktemp("cache")
    (folder / "electrode.tif").write_bytes(b"II*\x00 and then the disk was full")
    (folder / "electrode.json").write_text('{"version": ', encoding="utf-8")
    seen = []
    electrode_sample(progress=lambda done, total: seen.append((done, total)), directory=folder)
    assert seen == [(done, 2 * SHAPE[0]) for done in range(2 * SHAPE[0] + 1)]
    return folder


@pytest.fixture
def copied_cache(cache, tmp_path):
    return shutil.copytree(cache, tmp_path / "cache")


@pytest.fixture(scope="module")
def errors(cache):
    """Root mean square error of each slice against the material itself, for the two scans."""
    material = microstructure("electrode", SHAPE, SEED)
    inside = inscribed_circle(SHAPE[1])
    per_scan = []
    for volume in electrode_sample(directory=cache):
        attenuation = np.asarray(volume.data, np.float32) / PER_UNIT - 0.5
        per_scan.append(np.sqrt(np.mean((attenuation - material)[:, inside] ** 2, axis=1)))
    return per_scan


class Remade(Exception):
    """Raised at the first sign of the sample being made again."""


def fail_when_made(done, total):
    raise Remade


def test_two_scans_of_one_material(cache):
    first, better = electrode_sample(directory=cache)
    assert (first.name, better.name) == ("electrode", "electrode, better acquisition")
    for volume in (first, better):
        assert volume.data.shape == SHAPE
        assert volume.data.dtype == np.uint16
        assert volume.axes == ("z", "y", "x")
        assert volume.unit == "µm"
        assert volume.voxel_size == (0.33, 0.33, 0.33)
        plane = volume.slice(0, 27)
        assert not plane[~inscribed_circle(SHAPE[1])].any()
        assert plane[inscribed_circle(SHAPE[1])].min() > 0
    alike = np.corrcoef(first.slice(0, 27).ravel(), better.slice(0, 27).ravel())[0, 1]
    assert 0.9 < alike < 0.9999


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.setting)
def test_each_fault_is_worst_where_the_table_says(errors, fault):
    error = errors[0]
    clean = [i for i in range(SHAPE[0]) if not any(f.strength(i) for f in FAULTS)]
    full = [i for i in range(SHAPE[0]) if fault.strength(i) == 1]
    assert len(full) >= 8
    assert np.median(error[full]) > 1.5 * error[clean].max()
    assert error[full].min() > 1.2 * error[clean].max()
    around = np.arange(fault.first - 1, fault.last + 2)
    strengths = [fault.strength(i) for i in around]
    assert np.corrcoef(strengths, error[around])[0, 1] > 0.85  # it comes and goes with the ramps


def test_faults_do_not_overlap_and_leave_clean_stretches():
    strong = np.array([[fault.strength(i) > 0 for i in range(SHAPE[0])] for fault in FAULTS])
    assert strong.any(axis=1).all()
    assert strong.sum(axis=0).max() == 1
    starts = np.diff(np.concatenate([[True], strong.any(axis=0), [True]]).astype(int))
    assert (starts == -1).sum() == len(FAULTS) + 1  # clean before, between and after them
    for fault in FAULTS:
        middle = acquisition_of((fault.first + fault.last) // 2)
        assert getattr(middle, fault.setting) == pytest.approx(fault.strongest)


def test_the_better_scan_is_better_in_every_slice(errors):
    first, better = errors
    assert (better < 0.85 * first).all()


def test_the_second_call_reads_the_cache(cache):
    before = {path.name: path.stat().st_mtime_ns for path in cache.iterdir()}
    electrode_sample(progress=fail_when_made, directory=cache)
    assert {path.name: path.stat().st_mtime_ns for path in cache.iterdir()} == before
    assert sorted(before) == [
        "electrode.json",
        "electrode.tif",
        "electrode_better.tif",
        "electrode_phases.tif",
    ]


def test_the_true_phases_are_those_of_the_material_that_both_scans_show(cache):
    phases = sample_phases(progress=fail_when_made, directory=cache)
    assert phases.shape == SHAPE
    assert phases.dtype == np.uint8
    outside = ~inscribed_circle(SHAPE[1])
    assert not phases[:, outside].any()
    assert set(np.unique(phases[:, ~outside])) == set(PHASES)
    for volume in electrode_sample(directory=cache):
        scanned = volume.slice(0, 27) / PER_UNIT - 0.5
        # Seen through noise and blur: a threshold on the scan finds nearly the same phase, where it lies.
        alike = ((scanned >= 0.5) == (phases[27] == 2))[~outside].mean()
        shifted = ((scanned >= 0.5) == (np.roll(phases[27], 2, 1) == 2))[~outside].mean()
        assert alike > 0.96
        assert alike > shifted + 0.02


def test_few_voxels_of_an_electrode_are_near_the_threshold_of_its_phases():
    seeds = range(3)
    materials = np.stack([microstructure("electrode", (160, 160), seed) for seed in seeds])
    near = np.abs(materials - 0.5) < 0.02
    assert near.mean() < 0.01
    for material, phases in zip(materials, electrode_phases(materials), strict=True):
        bright, dark = material[phases == 2].mean(), material[phases == 1].mean()
        assert bright > 0.68
        assert dark < 0.36


def test_the_table_of_faults_is_what_is_in_the_volume(errors):
    table = fault_table()
    assert table["slice"].is_unique
    for _, row in table.iterrows():
        assert getattr(acquisition_of(row["slice"]), row["setting"]) == row["value"]
    usual = np.delete(errors[0], table["slice"])
    strongest = table[table["strength"] == 1]
    assert len(strongest) == 8 * len(FAULTS)
    assert errors[0][strongest["slice"]].min() > 1.3 * usual.max()
    for _, of_fault in table.groupby("fault"):
        rising = of_fault[of_fault["slice"] <= of_fault["slice"].iloc[0] + 4]
        assert errors[0][rising["slice"]].argmax() == 4
        assert rising["strength"].is_monotonic_increasing


def test_the_record_beside_the_files_says_what_is_where(cache):
    record = json.loads((cache / "electrode.json").read_text(encoding="utf-8"))
    told = [(fault["setting"], fault["first"], fault["last"]) for fault in record["faults"]]
    assert told == [(fault.setting, fault.first, fault.last) for fault in FAULTS]
    assert record["usual_acquisition"]["photons"] == acquisition_of(0).photons


def test_other_programs_read_the_voxel_size(cache):
    with tifffile.TiffFile(cache / "electrode.tif") as file:
        assert file.imagej_metadata["spacing"] == pytest.approx(0.33)
        assert file.imagej_metadata["unit"] == "um"
        assert file.series[0].shape == SHAPE
        pixels, per = file.pages[0].tags["XResolution"].value
        assert per / pixels == pytest.approx(0.33, rel=1e-4)


def truncate(folder):
    with (folder / "electrode.tif").open("r+b") as file:
        file.truncate(1_000_000)


def flip_a_byte(folder):
    with (folder / "electrode_better.tif").open("r+b") as file:
        file.seek(5_000_000)
        byte = file.read(1)
        file.seek(5_000_000)
        file.write(bytes([byte[0] ^ 1]))


def paint_in_the_phases(folder):
    phases = tifffile.imread(folder / "electrode_phases.tif")
    phases[40, 100:110] = 1
    tifffile.imwrite(folder / "electrode_phases.tif", phases)


def lose_a_stack(folder):
    (folder / "electrode_better.tif").unlink()


def lose_the_record(folder):
    (folder / "electrode.json").unlink()


def write_another_version(folder):
    record = json.loads((folder / "electrode.json").read_text(encoding="utf-8"))
    (folder / "electrode.json").write_text(json.dumps(record | {"version": 0}), encoding="utf-8")


@pytest.mark.parametrize(
    "damage",
    [truncate, flip_a_byte, paint_in_the_phases, lose_a_stack, lose_the_record, write_another_version],
    ids=lambda damage: damage.__name__,
)
def test_a_damaged_cache_is_noticed(copied_cache, damage):
    damage(copied_cache)
    with pytest.raises(Remade):
        electrode_sample(progress=fail_when_made, directory=copied_cache)
    assert not list(copied_cache.glob("*.part"))


def test_a_cache_that_cannot_be_written_is_said_in_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(VolumeError, match=r"cannot be kept in .*file"):
        electrode_sample(directory=tmp_path / "file" / "samples")


def test_napari_gets_both_scans_and_their_phases_with_scale_and_units(cache, tmp_path, monkeypatch):
    shutil.copytree(cache, tmp_path / "napari-tiqa" / "samples")
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda app: str(tmp_path / app))
    kinds = {"image": Image, "labels": Labels, "points": Points}
    made = electrode_layers(fail_when_made)
    better, first, faults, phases = (kinds[kind](data, **keywords) for data, keywords, kind in made)
    assert first.name == "electrode"
    assert better.name == "electrode, better acquisition"
    assert tuple(first.scale) == (0.33, 0.33, 0.33)
    assert [str(unit) for unit in first.units] == ["micrometer"] * 3
    assert first.axis_labels == ("z", "y", "x")
    assert [fault["first"] for fault in first.metadata["faults"]] == [fault.first for fault in FAULTS]
    assert [row["slice"] for row in first.metadata["faults_by_slice"]] == faults.features["slice"].tolist()
    assert better.metadata["faults_by_slice"] == []
    assert json.dumps(first.metadata)  # as napari keeps it in a project
    assert faults.name == "electrode, true faults"
    assert (tuple(faults.scale), faults.units) == (tuple(first.scale), first.units)
    assert faults.data[:, 0].tolist() == faults.features["slice"].tolist()
    assert faults.features["says"][4] == "ring artefacts: gain error 3.0 %"
    assert first.contrast_limits == better.contrast_limits
    assert phases.name == "electrode, true phases"
    assert not phases.visible
    assert (tuple(phases.scale), phases.units) == (tuple(first.scale), first.units)
    assert dict(zip(phases.features["index"], phases.features["phase"], strict=True)) == PHASES
