"""Bundles that lie: refused in a sentence, in bounded memory, and nothing in them is ever run."""

import hashlib
import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_tiqa.errors import BundleError
from napari_tiqa.scoring import bundle_file
from napari_tiqa.scoring.bundle import load_card, purpose_of
from napari_tiqa.scoring.predict import load_model
from napari_tiqa.segmentation.segmenter import ELECTRODE_MODEL, load_segmenter

Change = Callable[[dict[str, Any], dict[str, np.ndarray]], None]


class Code:
    """Runs code where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def rewritten(model: Path, path: Path, change: Change = lambda card, arrays: None) -> Path:
    """Write a bundle again with another card or other arrays, its checksum right."""
    with zipfile.ZipFile(model) as archive:
        card = json.loads(archive.read("card.json"))
        arrays = dict(np.load(io.BytesIO(archive.read("weights.npz"))))
    change(card, arrays)
    weights = io.BytesIO()
    np.savez(weights, **arrays)
    return packed(path, card, weights.getvalue())


def packed(path: Path, card: dict[str, Any], weights: bytes, method: int = zipfile.ZIP_STORED) -> Path:
    card = card | {"weights_sha256": hashlib.sha256(weights).hexdigest()}
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("card.json", json.dumps(card))
        archive.writestr("weights.npz", weights)
    return path


def with_bytes(path: Path, at: bytes, offset: int, value: bytes) -> None:
    """Set bytes of each member's headers in the zip, counted from their mark."""
    content = bytearray(path.read_bytes())
    place = content.find(at)
    while place >= 0:
        content[place + offset : place + offset + len(value)] = value
        place = content.find(at, place + 1)
    path.write_bytes(content)


def refused(path: Path, match: str) -> None:
    assert purpose_of(path) in ("quality score", "segmentation")
    with pytest.raises(BundleError, match=match) as error:
        load_model(path)
    assert len(str(error.value)) < 500


@pytest.mark.parametrize(("field", "value"), [("flag", b"\x01\x00"), ("method", b"\x63\x00")])
def test_an_encrypted_or_unknown_archive(
    field: str, value: bytes, untrained_model: Path, tmp_path: Path
) -> None:
    path = rewritten(untrained_model, tmp_path / "m.tiqa")
    local, central = {"flag": (6, 8), "method": (8, 10)}[field]
    with_bytes(path, b"PK\x03\x04", local, value)
    with_bytes(path, b"PK\x01\x02", central, value)
    refused(path, "is not a model bundle or is damaged")


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_a_damaged_member_of_any_compression(method: int, untrained_model: Path, tmp_path: Path) -> None:
    path = packed(tmp_path / "m.tiqa", load_card(untrained_model), bytes(range(250)) * 4000, method)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 100] = bytes(100)
    path.write_bytes(content)
    refused(path, "is not a model bundle or is damaged")


def test_more_than_a_bundle_ever_has_is_not_unpacked(
    untrained_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle_file, "MOST_OF_WEIGHTS", 20 << 20)
    card = load_card(untrained_model)
    refused(packed(tmp_path / "a.tiqa", card, bytes(21 << 20), zipfile.ZIP_DEFLATED), "not a model bundle")
    inner = io.BytesIO()
    np.savez_compressed(inner, zeros=np.zeros(21 << 20, np.uint8))
    assert len(inner.getvalue()) < 1 << 20
    refused(packed(tmp_path / "b.tiqa", card, inner.getvalue()), "do not fit")
    monkeypatch.setattr(bundle_file, "MOST_OF_CARD", 100)
    refused(rewritten(untrained_model, tmp_path / "c.tiqa"), "not a model bundle")


def test_an_array_larger_than_its_bytes(untrained_model: Path, tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (1 << 40,)}
    )
    weights = io.BytesIO()
    with zipfile.ZipFile(weights, "w") as archive:
        archive.writestr("score/kernel.npy", header.getvalue())
    path = packed(tmp_path / "m.tiqa", load_card(untrained_model), weights.getvalue())
    refused(path, "do not fit")


@pytest.mark.parametrize(
    "change",
    [
        {"head_units": 10**6},
        {"head_units": 10**400},
        {"head_units": True},
        {"artefacts": ["a"] * 10**5},
        {"artefacts": 3},
    ],
    ids=str,
)
def test_a_network_larger_than_any_is_not_built(
    change: dict[str, Any], untrained_model: Path, tmp_path: Path
) -> None:
    path = rewritten(untrained_model, tmp_path / "m.tiqa", lambda card, _: card.update(change))
    refused(path, "is damaged")


@pytest.mark.parametrize(
    "change",
    [
        {"width": 1e6},
        {"width": float("nan")},
        {"classes": {"values": list(range(10**5)), "names": ["n"] * 10**5, "unlabelled": None}},
        {"classes": {"values": [10**400, 1], "names": ["a", "b"], "unlabelled": 0}},
        {"classes": {"values": [1, 2]}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_segmenter_larger_than_any_is_not_built(change: dict[str, Any], tmp_path: Path) -> None:
    path = rewritten(ELECTRODE_MODEL, tmp_path / "m.tiqa", lambda card, _: card.update(change))
    with pytest.raises(BundleError) as error:
        load_segmenter(path)
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_numbers(value: float, untrained_model: Path, tmp_path: Path) -> None:
    def spoil(_card: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        arrays["score/bias"] = np.full_like(arrays["score/bias"], value)

    refused(rewritten(untrained_model, tmp_path / "m.tiqa", spoil), "do not fit")


def test_loading_never_runs_code(untrained_model: Path, tmp_path: Path) -> None:
    trap = tmp_path / "run"
    hostile = np.empty(1, object)
    hostile[0] = Code(trap)
    weights = io.BytesIO()
    np.savez(weights, **{"score/kernel": hostile})
    card = load_card(untrained_model)
    refused(packed(tmp_path / "array.tiqa", card, weights.getvalue()), "do not fit")
    pickled = io.BytesIO()
    np.save(pickled, hostile)
    refused(packed(tmp_path / "weights.tiqa", card, pickled.getvalue()), "do not fit")
    with zipfile.ZipFile(tmp_path / "card.tiqa", "w") as archive:
        archive.writestr("card.json", pickled.getvalue())
        archive.writestr("weights.npz", weights.getvalue())
    refused(tmp_path / "card.tiqa", "not a model bundle")
    for member in ("../outside", "/tmp/outside", "code.py", "__init__.py"):  # passed over, never unpacked
        path = Path(shutil.copy(untrained_model, tmp_path / "more.tiqa"))
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(member, f"import os; os.mkdir({str(trap)!r})")
        assert load_card(path) == card
    assert not trap.exists()
    assert not (tmp_path.parent / "outside").exists()
