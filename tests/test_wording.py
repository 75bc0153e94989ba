"""Numbers with their nouns, and names by what tells them apart."""

from napari_tiqa.wording import counted, what_differs


def test_a_noun_follows_its_number() -> None:
    assert [counted(n, "slice") for n in (0, 1, 2)] == ["0 slices", "1 slice", "2 slices"]
    was = [counted(n, "original", ("was", "were")) for n in (1, 2)]
    assert was == ["1 original was", "2 originals were"]


def test_names_keep_what_the_others_do_not_have() -> None:
    assert what_differs(["scan, axis z"]) == ["scan, axis z"]
    assert what_differs(["scan, axis z", "scan, axis y"]) == ["axis z", "axis y"]
    assert what_differs(["scan, axis z", "scan, axis z, overview"]) == ["scan", "overview"]
    assert what_differs([]) == []
