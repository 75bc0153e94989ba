"""The list of recent bundles: order, what is gone, what is damaged."""

import json
import zipfile
from pathlib import Path

import pytest

from napari_tiqa.scoring.bundle import SEGMENTATION
from napari_tiqa.scoring.recent_models import recent_models, remember_model


@pytest.fixture
def user_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the user's data folder elsewhere."""
    folder = tmp_path / "user data"
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    return folder / "napari-tiqa"


def bundle(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(b"bundle")
    return path


def test_the_latest_comes_first_once_and_what_is_gone_is_not_offered(user_data: Path, tmp_path: Path) -> None:
    assert recent_models() == []
    first, second = bundle(tmp_path, "first.tiqa"), bundle(tmp_path, "second.tiqa")
    for path in (first, second, first):
        remember_model(path)
    assert recent_models() == [first, second]
    second.unlink()
    assert recent_models() == [first]


def test_each_purpose_has_a_list_of_its_own(user_data: Path, tmp_path: Path) -> None:
    scorer, segmenter = bundle(tmp_path, "scorer.tiqa"), tmp_path / "segmenter.tiqa"
    with zipfile.ZipFile(segmenter, "w") as archive:
        archive.writestr("card.json", json.dumps({"purpose": SEGMENTATION}))
    remember_model(scorer)
    remember_model(segmenter)
    assert recent_models() == [scorer]
    assert recent_models(SEGMENTATION) == [segmenter]


def test_a_damaged_list_is_an_empty_one(user_data: Path, tmp_path: Path) -> None:
    user_data.mkdir(parents=True)
    for text in ("{", "[]", '{"models": 3}', '{"models": [3]}'):
        (user_data / "recent_models.json").write_text(text)
        assert recent_models() == []
    kept = bundle(tmp_path, "kept.tiqa")
    remember_model(kept)
    assert recent_models() == [kept]


def test_a_list_that_cannot_be_written_ends_nothing(user_data: Path, tmp_path: Path) -> None:
    user_data.parent.mkdir()
    user_data.write_text("a file where the folder should be")
    remember_model(bundle(tmp_path, "lost.tiqa"))
    assert recent_models() == []
