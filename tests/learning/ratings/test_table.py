"""Ratings: reading and merging them, what they say, and one sentence for what is wrong with them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_tiqa.errors import RatingError
from napari_tiqa.learning.ratings.table import (
    Rating,
    agreement_in_words,
    check_images,
    krippendorff_alpha,
    mean_scores,
    most_disputed,
    rating_table,
    rating_warnings,
    read_ratings,
    self_consistency,
    write_ratings,
)

# Krippendorff's own example of four observers and twelve units, whose ordinal alpha he gives as .815.
OBSERVERS = {
    "A": "1 2 3 3 2 1 4 1 2 . . .",
    "B": "1 2 3 3 2 2 4 1 2 5 . 3",
    "C": ". 3 3 3 2 3 4 2 2 5 1 .",
    "D": "1 2 3 3 2 4 4 1 2 5 1 .",
}


def ratings_of(scores: dict[str, str]) -> pd.DataFrame:
    """Return a table from each rater's scores of images 0, 1, ... in a row, "." for none."""
    return rating_table(
        Rating(f"{image}.tif", rater, int(score), f"2026-01-01T10:00:{image:02}.000+00:00")
        for rater, row in scores.items()
        for image, score in enumerate(row.split())
        if score != "."
    )


def csv_file(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(["image,rater,score,time", *lines]) + "\n", encoding="utf-8")
    return path


# -- files -----------------------------------------------------------------------------------------


def test_ratings_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    ratings = rating_table(
        [
            Rating("0001.tif", 'Ann "Ö", Lab 2', 4, "2026-01-01T10:00:00.000+00:00"),
            Rating("0002.tif", "Ben", 1, "2026-01-01T10:00:01.000+00:00"),
        ]
    )
    write_ratings(ratings, tmp_path / "ratings.csv")
    pd.testing.assert_frame_equal(read_ratings(tmp_path / "ratings.csv"), ratings)
    assert (tmp_path / "ratings.csv").read_text(encoding="utf-8").startswith("image,rater,score,time\n")


def test_files_of_several_raters_merge_and_what_was_merged_before_counts_once(tmp_path: Path) -> None:
    anna = csv_file(
        tmp_path / "anna.csv", "a.tif,Anna,4,2026-01-01T10:00:02", "a.tif,Anna,4,2026-01-01T10:09:00"
    )
    ben = csv_file(
        tmp_path / "ben.csv", "a.tif,Ben,2,2026-01-01T10:00:01", "a.tif,Anna,4,2026-01-01T10:00:02"
    )
    merged = read_ratings([anna, ben])
    assert merged["rater"].tolist() == ["Ben", "Anna", "Anna"]
    assert self_consistency(merged).loc["Anna", "twice"] == 1


def test_a_file_that_excel_saved_is_read(tmp_path: Path) -> None:
    path = tmp_path / "excel.csv"
    path.write_text("image,rater,score,time\r\na.tif,Anna,5,\r\n", encoding="utf-8-sig")
    assert read_ratings(path).loc[0, "score"] == 5


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("a.tif,Anna,6,", "Line 3 .* gives 'a.tif' the score '6', which is not one of 1, 2, 3, 4, 5"),
        ("a.tif,Anna,0,", "the score '0'"),
        ("a.tif,Anna,2.5,", "the score '2.5'"),
        ("a.tif,Anna,good,", "the score 'good'"),
        ("a.tif,Anna", "the score ''"),
        ("a.tif,,3,", "Line 3 .* names no rater"),
        (",Anna,3,", "Line 3 .* names no image"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, complaint: str) -> None:
    with pytest.raises(RatingError, match=complaint):
        read_ratings(csv_file(tmp_path / "ratings.csv", "b.tif,Anna,3,", line))


@pytest.mark.parametrize(
    "content", [b"", b"slice,position,score\n1,2,3\n", b"\xff\xfe\x00\x01", b'image,rater,score,time\n"a']
)
def test_what_is_no_table_of_ratings_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ratings.csv"
    path.write_bytes(content)
    with pytest.raises(RatingError, match=r"not a table of ratings.*image,rater,score,time"):
        read_ratings(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RatingError, match=r"none\.csv cannot be read"):
        read_ratings(tmp_path / "none.csv")


def test_ratings_of_images_that_are_gone_are_refused() -> None:
    with pytest.raises(RatingError, match=r"not in scans \(10\.tif and 1 more\)"):
        check_images(ratings_of(OBSERVERS), [f"{number}.tif" for number in range(10)], "scans")


def test_what_cannot_be_written_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        RatingError, match=r"cannot be saved as .* free some space or make the folder writable"
    ):
        write_ratings(ratings_of(OBSERVERS), tmp_path / "gone" / "ratings.csv")


# -- what they say ---------------------------------------------------------------------------------


def test_alpha_is_krippendorffs_own_example() -> None:
    assert krippendorff_alpha(ratings_of(OBSERVERS)) == pytest.approx(0.815, abs=5e-4)


@pytest.mark.parametrize(
    "scores", [{"A": "1 2 3"}, {"A": "1 2 .", "B": ". . 3"}, {"A": "3 3", "B": "3 3"}], ids=str
)
def test_alpha_is_unknown_where_nothing_can_be_compared(scores: dict[str, str]) -> None:
    alpha = krippendorff_alpha(ratings_of(scores))
    assert np.isnan(alpha)
    assert "not known" in agreement_in_words(alpha)


def test_every_rater_counts_once_in_the_mean_also_one_who_saw_the_image_twice() -> None:
    ratings = pd.concat([ratings_of({"A": "1", "B": "5"}), ratings_of({"A": "2"})])
    assert mean_scores(ratings)["0.tif"] == pytest.approx((1.5 + 5) / 2)


def test_self_consistency_compares_a_raters_two_scores() -> None:
    once, again = {"A": "1 2 3 4", "B": "5 5 . ."}, {"A": "1 4 . .", "B": ". . . ."}
    table = self_consistency(pd.concat([ratings_of(once), ratings_of(again)]))
    assert table.loc["A"].tolist() == [4, 2, 0.5, 1.0]
    assert table.loc["B", ["rated", "twice"]].tolist() == [2, 0]
    assert np.isnan(table.loc["B", "difference"])


def test_the_most_disputed_images_come_first_with_who_said_what() -> None:
    table = most_disputed(ratings_of({"Anna": "2 3 4 1", "Ben": "5 3 3 ."}))
    assert table.index.tolist() == ["0.tif", "2.tif"]
    assert table.loc["0.tif", "scores"] == "Anna 2, Ben 5"
    assert table.loc["0.tif", "difference"] == 3
    assert len(most_disputed(ratings_of({"Anna": "2 3 4 1", "Ben": "5 3 3 ."}), 1)) == 1


# -- warnings --------------------------------------------------------------------------------------

MANY = " ".join("12345" * 6)


def test_enough_ratings_that_agree_need_no_warning() -> None:
    assert rating_warnings(ratings_of({"A": MANY, "B": MANY})) == []


@pytest.mark.parametrize(
    ("scores", "warning"),
    [
        ({"A": "1 2 3 4 5", "B": "1 2 3 4 5"}, "Only 5 images are rated"),
        ({"A": MANY}, "All ratings are by A"),
        ({"A": MANY, "B": " ".join("31524" * 6)}, "agree too little to learn from .*alpha"),
        ({"A": MANY, "B": ". " * 30 + MANY}, "No image was rated by two raters"),
        ({"A": "3 4 " * 15, "B": "3 4 " * 15}, "rated 3.0 to 4.0: add better and worse ones"),
    ],
    ids=["too few", "one rater", "no agreement", "nothing shared", "all alike"],
)
def test_what_stands_against_learning_is_said(scores: dict[str, str], warning: str) -> None:
    (said,) = rating_warnings(ratings_of(scores))
    assert pd.Series([said]).str.contains(warning).all()


def test_a_rater_who_contradicts_himself_is_named() -> None:
    ratings = pd.concat([ratings_of({"A": MANY, "B": MANY}), ratings_of({"B": "5 5"})])
    (said,) = rating_warnings(ratings)
    assert said.startswith("B's two scores of one image are 3.5 points apart")


def test_no_ratings_at_all_are_no_error() -> None:
    nothing = rating_table([])
    assert rating_warnings(nothing) == ["No image has been rated yet."]
    assert mean_scores(nothing).empty
    assert self_consistency(nothing).empty
    assert most_disputed(nothing).empty
    assert np.isnan(krippendorff_alpha(nothing))
