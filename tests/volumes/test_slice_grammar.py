"""What people write for slices: one grammar for docks, shell and Python."""

import pytest

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.slice_grammar import check_slices, slices_of


@pytest.mark.parametrize(
    ("text", "slices"),
    [
        ("7", [7]),
        ("-1", [99]),
        ("0,5,9", [0, 5, 9]),
        ("40-43", [40, 41, 42, 43]),
        ("40–42", [40, 41, 42]),
        ("40:43", [40, 41, 42]),
        ("0-90:30", [0, 30, 60, 90]),
        ("0:90:30", [0, 30, 60]),
        ("::40", [0, 40, 80]),
        ("97:", [97, 98, 99]),
        ("-2:", [98, 99]),
        (":-98", [0, 1]),
        ("-3--1", [97, 98, 99]),
        ("98--1", [98, 99]),
        ("2::-1", [2, 1, 0]),
        ("98:200", [98, 99]),
        ("200:300", []),
        (" 9 , 5, 5-7,9 ", [9, 5, 6, 7]),
        ("::50, 3", [0, 50, 3]),
    ],
)
def test_each_way_to_write_slices(text: str, slices: list[int]) -> None:
    assert slices_of(text, 100) == slices


@pytest.mark.parametrize("text", ["", "12,", "a", "1-2:0", "1:2:0", "1:2:3:4", "1.5", "5-", "1 2"])
def test_what_is_not_understood_is_named(text: str) -> None:
    with pytest.raises(VolumeError, match=f"'{text}' does not name slices: write 7, 40-60 .60 included"):
        check_slices(text)
    with pytest.raises(VolumeError, match="does not name slices"):
        slices_of(text, 100)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("100", "There is no slice 100: choose from 0 to 99"),
        ("-101", "There is no slice -101"),
        ("90-100", "There is no slice 100"),
        ("9-3", "'9-3' runs backwards: write the lower slice first"),
    ],
)
def test_slices_that_are_not_there(text: str, sentence: str) -> None:
    check_slices(text)
    with pytest.raises(VolumeError, match=sentence):
        slices_of(text, 100)
