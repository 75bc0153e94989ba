"""HDF5 files with links, missing parts or another program at work: read right, or refused."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.volumes.readers.opening import opened, pixels_of, refusal

PIXELS = np.random.default_rng(0).integers(0, 60000, (12, 24, 32), dtype="uint16")


@pytest.fixture
def master(tmp_path: Path) -> Path:
    """Return a file with a dataset, links to another file's of the same name, and links into the void."""
    with h5py.File(tmp_path / "target.h5", "w") as file:
        file["entry/data"] = PIXELS
    with h5py.File(tmp_path / "master.h5", "w") as file:
        file["entry/data"] = PIXELS * 0
        file["linked"] = h5py.ExternalLink("target.h5", "/entry/data")
        file["group"] = h5py.ExternalLink("target.h5", "/entry")
        file["lost"] = h5py.ExternalLink("lost.h5", "/entry/data")
        file["soft"] = h5py.SoftLink("/nothing")
        file["round"] = h5py.SoftLink("/")
    return tmp_path / "master.h5"


@pytest.mark.parametrize("name", ["linked", "/linked", "group/data", "round/linked"])
def test_dataset_is_known_by_the_path_asked_for(name: str, master: Path) -> None:
    volume, warned = opened(master, name)
    assert not warned
    assert volume.source == f"{master}:/{name.strip('/')}"
    np.testing.assert_array_equal(pixels_of(volume), PIXELS)


def test_links_are_listed_once_and_those_into_the_void_named(master: Path) -> None:
    sentence = refusal(master)
    assert "2 volumes" in sentence
    assert "/entry/data" in sentence
    assert "/linked" in sentence or "/group/data" in sentence
    assert "'lost.h5'" in refusal(master, "lost")
    assert "'lost.h5'" in refusal(master, "lost/below")
    assert "'/nothing'" in refusal(master, "soft")


def test_file_of_links_only(tmp_path: Path, master: Path) -> None:
    with h5py.File(tmp_path / "links.h5", "w") as file:
        file["first"] = h5py.ExternalLink("target.h5", "/entry/data")
    volume, warned = opened(tmp_path / "links.h5")
    assert not warned
    np.testing.assert_array_equal(pixels_of(volume), PIXELS)
    with h5py.File(tmp_path / "links.h5", "a") as file:
        file["second"] = h5py.ExternalLink("lost.h5", "/entry/data")
    assert "'lost.h5'" in opened(tmp_path / "links.h5")[1]
    with h5py.File(tmp_path / "links.h5", "a") as file:
        del file["first"]
    assert "'lost.h5'" in refusal(tmp_path / "links.h5")


def test_nexus_axes_beside_a_link_are_those_of_its_group(tmp_path: Path, master: Path) -> None:
    with h5py.File(tmp_path / "a.nxs", "w") as file:
        file.attrs["default"] = "entry"
        entry = file.create_group("entry")
        entry.attrs.update({"signal": "recon", "axes": ["z", "y", "x"]})
        entry["recon"] = h5py.ExternalLink("target.h5", "/entry/data")
        for name, length in zip("zyx", PIXELS.shape, strict=True):
            # In metres and single precision, far from 0.
            entry[name] = (0.01 + np.arange(length) * 6.5e-7).astype("float32")
            entry[name].attrs["units"] = "m"
    volume, warned = opened(tmp_path / "a.nxs")
    assert not warned
    assert volume.voxel_size == pytest.approx((6.5e-7,) * 3, rel=1e-3)
    np.testing.assert_array_equal(pixels_of(volume), PIXELS)


def write_virtual(folder: Path) -> Path:
    layout = h5py.VirtualLayout(PIXELS.shape, PIXELS.dtype)
    for number, page in enumerate(PIXELS):
        write_source(folder, number, page)
        layout[number] = h5py.VirtualSource(f"s{number}.h5", "page", shape=page.shape)
    with h5py.File(folder / "virtual.h5", "w") as file:
        file.create_virtual_dataset("recon", layout)
    layout = h5py.VirtualLayout(PIXELS.shape, PIXELS.dtype)
    layout[:] = h5py.VirtualSource("virtual.h5", "recon", shape=PIXELS.shape)
    with h5py.File(folder / "nested.h5", "w") as file:
        file.create_virtual_dataset("recon", layout)
    return folder / "virtual.h5"


def write_source(folder: Path, number: int, page: np.ndarray, name: str = "page") -> None:
    with h5py.File(folder / f"s{number}.h5", "w") as file:
        file[name] = page


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "s7.h5").unlink(),
        lambda folder: write_source(folder, 7, PIXELS[7], "other"),
        lambda folder: write_source(folder, 7, PIXELS[7][:9]),
    ],
    ids=["file is missing", "dataset is missing", "dataset is short"],
)
def test_part_of_a_virtual_dataset_is_missing(damage: Callable[[Path], None], tmp_path: Path) -> None:
    path = write_virtual(tmp_path)
    np.testing.assert_array_equal(pixels_of(opened(tmp_path / "nested.h5")[0]), PIXELS)
    damage(tmp_path)
    assert "'s7.h5'" in refusal(path)
    assert "'s7.h5'" in refusal(tmp_path / "nested.h5")


def test_virtual_dataset_of_itself_is_refused_at_once(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        layout = h5py.VirtualLayout(PIXELS.shape, PIXELS.dtype)
        for number in range(len(PIXELS)):
            layout[number] = h5py.VirtualSource(f"{other}.h5", "recon", shape=PIXELS.shape)[number]
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            file.create_virtual_dataset("recon", layout)
    assert "from itself" in refusal(tmp_path / "a.h5")


def test_numbered_source_of_a_virtual_dataset_is_missing(tmp_path: Path) -> None:
    for number, page in enumerate(PIXELS):
        write_source(tmp_path, number, page[None])
    space = h5py.h5s.create_simple(PIXELS.shape, (h5py.h5s.UNLIMITED, *PIXELS.shape[1:]))
    space.select_hyperslab((0, 0, 0), (h5py.h5s.UNLIMITED, 1, 1), (1, 1, 1), (1, *PIXELS.shape[1:]))
    source = h5py.h5s.create_simple((1, *PIXELS.shape[1:]))
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_virtual(space, b"s%b.h5", b"page", source)
    with h5py.File(tmp_path / "a.h5", "w", libver="latest") as file:
        whole = h5py.h5s.create_simple(PIXELS.shape, (h5py.h5s.UNLIMITED, *PIXELS.shape[1:]))
        h5py.h5d.create(file.id, b"recon", h5py.h5t.NATIVE_UINT16, whole, creation)
    np.testing.assert_array_equal(pixels_of(opened(tmp_path / "a.h5")[0]), PIXELS)
    (tmp_path / "s7.h5").unlink()
    assert "'s7.h5'" in refusal(tmp_path / "a.h5")


def test_raw_file_of_a_dataset_is_cut_or_missing(tmp_path: Path) -> None:
    raw = tmp_path / "raw.bin"
    PIXELS.tofile(raw)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("recon", PIXELS.shape, "uint16", external=[(str(raw), 0, h5py.h5f.UNLIMITED)])
    np.testing.assert_array_equal(pixels_of(opened(tmp_path / "a.h5")[0]), PIXELS)
    os.truncate(raw, PIXELS.nbytes - 1)
    assert "raw.bin" in refusal(tmp_path / "a.h5")
    raw.unlink()
    assert "raw.bin" in refusal(tmp_path / "a.h5")


def test_dataset_that_was_not_written_or_in_part(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("recon", PIXELS.shape, "uint16")
    assert "never written" in refusal(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("recon", PIXELS.shape, "uint16", chunks=(1, 24, 32), fillvalue=9)[:5] = PIXELS[:5]
    volume, warned = opened(tmp_path / "a.h5")
    assert "7 were never written: their pixels are read as 9" in warned
    assert np.all(volume.slice(0, 5) == 9)


_WRITE = """
import sys, h5py
file = h5py.File(sys.argv[1], "w", libver=sys.argv[3])
data = file.create_dataset("recon", (12, 24, 32), "uint16", chunks=(1, 24, 32), maxshape=(None, 24, 32))
data[:] = 7
file.flush()
if sys.argv[2] == "swmr":
    file.swmr_mode = True
print("written", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(
    ("mode", "version"), [("swmr", "latest"), ("plain", "latest"), ("plain", "earliest")]
)
def test_file_still_being_written(mode: str, version: str, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITE, path, mode, version], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"written\n"
        if mode == "swmr":
            volume, warned = opened(path)
            assert "is being written" in warned
            assert np.all(volume.slice(0, 11) == 7)
        else:
            assert "is open for writing" in refusal(path)
        writer.kill()
    if version == "latest" and mode == "plain":
        assert "h5clear" in refusal(path)  # the flag stays, and what lies behind it may not be whole


@pytest.mark.parametrize("value", [np.array([], "S3"), h5py.Empty("S3"), 5, np.zeros((2, 2))])
@pytest.mark.parametrize("name", ["default", "signal"])
def test_nexus_attribute_that_names_nothing(name: str, value: object, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.nxs", "w") as file:
        file["entry/recon"] = PIXELS
        file.attrs[name] = value
    np.testing.assert_array_equal(pixels_of(opened(tmp_path / "a.nxs")[0]), PIXELS)


def test_pieces_too_many_to_list(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("recon", (10**7,) * 3, "uint16", chunks=(1, 1, 1))[0, 0, 0] = 1
    assert "larger chunks" in refusal(tmp_path / "a.h5")
