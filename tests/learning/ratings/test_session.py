"""A rating session: images from tomograms or a folder, blind order, undo, skip, resume, bad folders."""

import json
import resource
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from napari_tiqa.errors import Cancelled, RatingError, VolumeError
from napari_tiqa.learning.ratings.images import ImageSource, read_image
from napari_tiqa.learning.ratings.session import RatingSession, create_session, open_session
from napari_tiqa.learning.ratings.table import read_ratings
from napari_tiqa.volumes.open import as_volume, open_volume
from tests.places import CELL


def tomogram(slices: int, side: int = 40) -> np.ndarray:
    """Return noise around 1000, uint16, every slice different."""
    return np.random.default_rng(0).normal(1000, 100, (slices, side, side)).astype(np.uint16)


@pytest.fixture
def twelve(tmp_path: Path) -> RatingSession:
    source = ImageSource(as_volume(tomogram(40)))
    return create_session(tmp_path / "session", [source], repeat_share=0.25, seed=1)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Return a folder with ten 8-bit images, as a user has them: TIFF, PNG, JPEG."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, image in enumerate(np.random.default_rng(0).integers(0, 255, (10, 30, 30), np.uint8)):
        cv2.imwrite(str(folder / f"scan {number}{('.tif', '.png', '.jpg')[number % 3]}"), image)
    return folder


def rate_all(session: RatingSession, rater: str, score: int = 3) -> list[str]:
    """Rate to the end and return the images in the order shown."""
    shown = []
    while (image := session.current(rater)) is not None:
        session.rate(rater, image, score)
        shown.append(image)
    return shown


@contextmanager
def no_space_left() -> Iterator[None]:
    """Let every file of this process that grows beyond a few bytes fail, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# -- images ----------------------------------------------------------------------------------------


def test_slices_are_kept_in_the_tomograms_one_window_with_where_they_come_from(tmp_path: Path) -> None:
    stack = tomogram(40)
    stack[20:] += 500
    session = create_session(tmp_path / "s", [ImageSource(as_volume(stack), count=4)], seed=3)
    assert len(session.images) == 4
    record = json.loads((tmp_path / "s/session.json").read_text())
    assert record["format"] == "napari-tiqa ratings"
    assert sorted(source["slice"] for source in session.sources) == [5, 15, 25, 35]
    means = {source["slice"]: session.image(source["image"]).mean() for source in session.sources}
    assert means[5] < means[35] - 50  # a window for each slice would make all alike
    for source in session.sources:
        low, high = source["window"]
        expected = (stack[source["slice"]].astype(float) - low) / (high - low) * 255
        np.testing.assert_allclose(session.image(source["image"]), np.clip(expected, 0, 255), atol=0.51)


def test_crops_have_native_resolution_and_leave_the_padding_out(tmp_path: Path) -> None:
    y, x = np.mgrid[:400, :400] - 199.5
    stack = np.where(np.hypot(y, x) < 199, np.random.default_rng(0).random((6, 400, 400)), 0).astype("f4")
    session = create_session(tmp_path / "s", [ImageSource(as_volume(stack), count=6, crop=100)], seed=0)
    for source in session.sources:
        row, column = source["row"], source["column"]
        crop = stack[source["slice"], row : row + 100, column : column + 100]
        assert (crop == 0).mean() <= 0.1
        assert np.corrcoef(crop.ravel(), session.image(source["image"]).ravel())[0, 1] > 0.99


def test_file_names_do_not_tell_which_images_belong_together(tmp_path: Path) -> None:
    sources = [ImageSource(as_volume(tomogram(30))), ImageSource(as_volume(tomogram(30, 50)))]
    session = create_session(tmp_path / "s", sources, seed=0)
    sides = [session.image(name).shape[0] for name in session.images]
    assert Counter(sides) == {40: 12, 50: 12}
    assert sides != sorted(sides)


def test_equal_and_empty_slices_are_left_out(tmp_path: Path) -> None:
    stack = tomogram(10)
    stack[4], stack[7] = stack[3], 0
    session = create_session(tmp_path / "s", [ImageSource(as_volume(stack))], seed=0)
    assert len(session.images) == 8


@pytest.mark.skipif(not CELL.exists(), reason="needs shared/data beside the repository")
def test_a_real_scan_gives_images_with_contrast(tmp_path: Path) -> None:
    session = create_session(tmp_path / "s", [ImageSource(open_volume(CELL), count=3, crop=224)], seed=0)
    assert [session.image(name).shape for name in session.images] == [(224, 224)] * 3
    assert all(session.image(name).std() > 10 for name in session.images)


def test_a_folder_of_images_is_rated_where_it_is(pictures: Path) -> None:
    session = open_session(pictures)
    assert session.images[:3] == ("scan 0.tif", "scan 1.png", "scan 2.jpg")
    session.rate("Anna", "scan 1.png", 4)
    assert read_ratings(pictures / "ratings.csv")["image"].tolist() == ["scan 1.png"]
    np.testing.assert_array_equal(
        session.image("scan 0.tif"), np.random.default_rng(0).integers(0, 255, (10, 30, 30), np.uint8)[0]
    )


def test_the_same_image_twice_in_a_folder_is_shown_once_and_said(pictures: Path) -> None:
    (pictures / "copy.tif").write_bytes((pictures / "scan 0.tif").read_bytes())
    session = open_session(pictures)
    assert "scan 0.tif" not in session.images
    assert session.notes == ["scan 0.tif is the same image as copy.tif and is left out."]


# -- who sees what next ----------------------------------------------------------------------------


def test_every_rater_sees_all_images_in_an_order_of_their_own_some_twice(twelve: RatingSession) -> None:
    anna, ben = (rate_all(twelve, rater) for rater in ("Anna", "Ben"))
    for shown in (anna, ben):
        assert len(shown) == 15
        assert sorted(Counter(shown).values()) == [1] * 9 + [2] * 3
        for image in (image for image, times in Counter(shown).items() if times == 2):
            first, second = (place for place, other in enumerate(shown) if other == image)
            assert second - first > 4  # not while it is remembered
    assert anna != ben
    assert anna[:12] != sorted(anna[:12])


def test_a_session_is_resumed_where_it_was_left(twelve: RatingSession) -> None:
    order = twelve.order("Anna")
    for image in order[:5]:
        twelve.rate("Anna", image, 2)
    again = open_session(twelve.folder)
    assert again.raters() == ["Anna"]
    assert again.order("Anna") == order
    assert again.current("Anna") == order[5]
    progress = again.progress("Anna")
    assert (progress.done, progress.total) == (5, 15)
    assert again.current("Ben") == again.order("Ben")[0]


def test_undo_takes_back_scores_and_skips_one_by_one_also_of_an_earlier_day(twelve: RatingSession) -> None:
    first, second, third = twelve.order("Anna")[:3]
    twelve.rate("Anna", first, 1)
    twelve.skip("Anna", second)
    twelve.rate("Anna", third, 5)
    twelve.rate("Ben", third, 4)
    session = open_session(twelve.folder)
    for expected in (third, second, first):
        assert session.undo("Anna")
        assert session.current("Anna") == expected
    assert not session.undo("Anna")
    assert read_ratings(session.ratings_file)["rater"].tolist() == ["Ben"]


def test_what_was_skipped_is_not_asked_until_it_is_wanted(twelve: RatingSession) -> None:
    skipped = twelve.order("Anna")[0]
    twelve.skip("Anna", skipped)
    session = open_session(twelve.folder)
    assert skipped not in rate_all(session, "Anna")
    assert session.progress("Anna").skipped == 1
    session.ask_again("Anna")
    assert session.current("Anna") == skipped


@pytest.mark.parametrize(("share", "shown"), [(0, 12), (0.01, 13), (1, 24)])
def test_the_share_shown_twice_is_what_was_asked_for(tmp_path: Path, share: float, shown: int) -> None:
    source = ImageSource(as_volume(tomogram(12)))
    session = create_session(tmp_path / "s", [source], repeat_share=share, seed=0)
    assert len(session.order("Anna")) == shown
    assert max(Counter(session.order("Anna")).values()) == (2 if share else 1)


# -- several raters --------------------------------------------------------------------------------


def test_two_open_sessions_of_one_folder_keep_each_others_ratings(twelve: RatingSession) -> None:
    other = open_session(twelve.folder)
    twelve.rate("Anna", twelve.images[0], 1)
    other.rate("Ben", twelve.images[0], 2)
    twelve.rate("Anna", twelve.images[1], 3)
    assert read_ratings(twelve.ratings_file)["rater"].tolist() == ["Anna", "Ben", "Anna"]


def test_ratings_made_in_a_copy_of_the_folder_merge_once(twelve: RatingSession, tmp_path: Path) -> None:
    image = twelve.images[0]
    theirs = tmp_path / "ben.csv"
    theirs.write_text(f"image,rater,score,time\n{image},Ben,2,2026-01-01T10:00:00+00:00\n")
    twelve.rate("Anna", image, 4)
    assert twelve.merge([theirs]) == 1
    assert twelve.merge([theirs]) == 0
    assert read_ratings(twelve.ratings_file)["rater"].tolist() == ["Ben", "Anna"]


def test_ratings_of_other_images_do_not_merge(twelve: RatingSession, tmp_path: Path) -> None:
    theirs = tmp_path / "ben.csv"
    theirs.write_text("image,rater,score,time\nelsewhere.tif,Ben,2,\n")
    with pytest.raises(RatingError, match=r"not in .*session \(elsewhere.tif\)"):
        twelve.merge([theirs])
    assert not twelve.ratings_file.exists()


# -- bad input -------------------------------------------------------------------------------------


def test_a_full_disk_loses_neither_old_ratings_nor_the_place(twelve: RatingSession) -> None:
    first, second = twelve.order("Anna")[:2]
    twelve.rate("Anna", first, 1)
    with no_space_left():
        with pytest.raises(RatingError, match="cannot be saved"):
            twelve.rate("Anna", second, 5)
        with pytest.raises(RatingError, match="cannot be saved"):
            twelve.skip("Anna", second)
        with pytest.raises(RatingError, match="cannot be saved"):
            twelve.undo("Anna")
    assert twelve.current("Anna") == second
    assert len(read_ratings(twelve.ratings_file)) == 1
    twelve.rate("Anna", second, 5)


def test_a_full_disk_leaves_no_half_made_session(tmp_path: Path) -> None:
    with no_space_left(), pytest.raises(RatingError, match="cannot be kept in"):
        create_session(tmp_path / "s", [ImageSource(as_volume(tomogram(12)))])
    assert not list(tmp_path.iterdir())


def test_preparing_can_be_cancelled_and_leaves_nothing(tmp_path: Path) -> None:
    cancel = threading.Event()
    with pytest.raises(Cancelled, match="nothing was kept"):
        create_session(
            tmp_path / "s",
            [ImageSource(as_volume(tomogram(12)))],
            progress=lambda done, _: cancel.set() if done == 3 else None,
            cancel=cancel,
        )
    assert not list(tmp_path.iterdir())


def test_ratings_of_images_that_are_gone_are_kept_but_not_counted(pictures: Path) -> None:
    session = open_session(pictures)
    for name in ("scan 0.tif", "scan 1.png"):
        session.rate("Anna", name, 4)
    (pictures / "scan 1.png").unlink()
    session = open_session(pictures)
    assert session.notes == ["scan 1.png was rated but is missing: its ratings are kept and not counted."]
    assert session.ratings()["image"].tolist() == ["scan 0.tif"]
    assert session.progress("Anna").done == 1
    session.rate("Anna", "scan 2.jpg", 1)
    assert len(read_ratings(pictures / "ratings.csv")) == 3


def test_a_folder_that_holds_something_is_not_written_into(pictures: Path) -> None:
    with pytest.raises(RatingError, match="is not empty"):
        create_session(pictures, [ImageSource(as_volume(tomogram(12)))])


def test_a_volume_without_contrast_cannot_be_rated(tmp_path: Path) -> None:
    with pytest.raises(VolumeError, match="constant"):
        create_session(tmp_path / "s", [ImageSource(as_volume(np.zeros((5, 30, 30))))])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("rater", "score", "complaint"),
    [("", 3, "type your name"), ("A", 6, "no score 6"), ("A", 0, "no score 0")],
)
def test_a_score_needs_a_name_and_one_of_five_levels(
    twelve: RatingSession, rater: str, score: int, complaint: str
) -> None:
    with pytest.raises(RatingError, match=complaint):
        twelve.rate(rater, twelve.images[0], score)


def test_folders_that_cannot_be_rated_say_why(tmp_path: Path, twelve: RatingSession) -> None:
    with pytest.raises(RatingError, match="There is no folder"):
        open_session(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(RatingError, match="holds no images"):
        open_session(tmp_path / "empty")
    record = twelve.folder / "session.json"
    good = json.loads(record.read_text())
    for bad, complaint in (
        (good | {"format": "other"}, "of another program"),
        (good | {"format_version": 2}, "newer napari-tiqa"),
        ([], "damaged"),
    ):
        record.write_text(json.dumps(bad))
        with pytest.raises(RatingError, match=complaint):
            open_session(twelve.folder)


@pytest.mark.parametrize(
    ("image", "complaint"),
    [
        (np.zeros((9, 9), np.uint16), "uint16 values and would need an intensity window"),
        (np.arange(243, dtype=np.uint8).reshape(9, 9, 3), "a colour image"),
        (np.zeros((2, 9, 9), np.uint8), "of shape"),
    ],
)
def test_an_image_that_is_no_grey_slice_is_named(tmp_path: Path, image: np.ndarray, complaint: str) -> None:
    tifffile.imwrite(tmp_path / "a.tif", image)
    with pytest.raises(RatingError, match=f"'a.tif' .*{complaint}"):
        open_session(tmp_path)


@pytest.mark.parametrize("name", ["broken.tif", "broken.png"])
def test_a_damaged_image_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"II*\x00 no more")
    with pytest.raises(RatingError, match=f"{name} cannot be read"):
        read_image(tmp_path / name)


def test_rating_needs_neither_keras_nor_qt() -> None:
    code = (
        "import sys, napari_tiqa.learning.ratings.session;"
        "print([m for m in ('keras', 'tensorflow', 'qtpy', 'napari') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
