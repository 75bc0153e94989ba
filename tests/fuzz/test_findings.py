"""What the fuzzer found: each fault by the least input that shows it."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import zarr

from napari_tiqa.errors import FilterError, RatingError, SegmentationError, VolumeError
from napari_tiqa.filtering.pipeline import Pipeline
from napari_tiqa.jobs.segmentation.store import SegmentationStore
from napari_tiqa.learning.ratings.session_files import SESSION_FILE, new_record, read_record
from napari_tiqa.volumes.open import open_volume
from tests.fuzz.mutations.containers import Trap
from tests.fuzz.run import write
from tests.fuzz.seeds import corpus


def test_a_zarr_that_would_be_unpickled_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "in.zarr"
    zarr.create_array(place, data=np.ones((1, 8, 8), "u2"), zarr_format=2, chunks=(1, 8, 8))
    about = json.loads((place / ".zarray").read_text())
    (place / ".zarray").write_text(json.dumps(about | {"compressor": {"id": "pickle", "protocol": 5}}))
    (place / "0.0.0").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(VolumeError, match=r"pickle"):
        open_volume(place)
    assert not (tmp_path / "fuzz-outside").exists()


def test_what_a_library_repeats_of_a_file_is_cut_short(tmp_path: Path) -> None:
    header = b"9" * 5000 + b"\n"
    (tmp_path / "in.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(VolumeError) as error:
        open_volume(tmp_path / "in.npy")
    assert len(str(error.value).replace(str(tmp_path), "")) < 600


def test_a_step_that_is_on_in_many_letters() -> None:
    step = {"filter": "gaussian", "parameters": {}, "on": "9" * 5000}
    with pytest.raises(FilterError) as error:
        Pipeline.from_dict(Pipeline().to_dict() | {"steps": [step]})
    assert len(str(error.value)) < 600


@pytest.mark.parametrize(
    "change",
    [{"seed": "3"}, {"seed": -1}, {"repeat_share": 1e30}, {"repeat_share": float("inf")}, {"sources": [1]}],
    ids=str,
)
def test_a_session_that_cannot_be_gone_on_with(change: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / SESSION_FILE).write_text(json.dumps(new_record() | change))
    with pytest.raises(RatingError, match="is damaged"):
        read_record(tmp_path)


@pytest.mark.parametrize("low", [{}, "x", None])
def test_a_segmentation_whose_window_is_not_one(low: object, tmp_path: Path) -> None:
    write(corpus("segmentation")[0], tmp_path)
    attributes = tmp_path / "in.zarr" / ".zattrs"
    about = json.loads(attributes.read_text())
    about["napari_tiqa"]["segmentation"]["window"]["low"] = low
    attributes.write_text(json.dumps(about))
    with pytest.raises(SegmentationError, match="is damaged"):
        SegmentationStore.open(tmp_path / "in.zarr")
