"""What a model was trained on is left out of its evaluation, or said: by its place and by its content."""

import pytest

from napari_tiqa.learning.evaluation.comparison import not_trained_on
from napari_tiqa.learning.images.dataset import Dataset
from napari_tiqa.learning.images.groups import Group
from napari_tiqa.volumes.digest import slice_digest
from tests.textures import grainy


@pytest.fixture
def dataset() -> Dataset:
    """Return three originals of as many specimens."""
    groups = [Group.unlabelled(f"/scans/{n}.tif", grainy(1, 224, 224, seed=n), [""], [0]) for n in range(3)]
    return Dataset(groups, ["a", "b", "c"], [["a.png"], ["b.png"], ["c.png"]])


def test_originals_are_known_by_place_and_by_content(dataset: Dataset) -> None:
    digests = [slice_digest(group.images[0]) for group in dataset.groups]
    copied = {"scans": ["/run/originals/layer.tif"], "digests": digests[1:2]}
    for card in ({"scans": ["/scans/1.tif"]}, copied):
        chosen, (sentence,) = not_trained_on(dataset, [{"training": card}])
        assert chosen == [0, 2]
        assert sentence == "Judged on the 2 specimens of 3 that were not used in training."
    chosen, (sentence,) = not_trained_on(dataset, [{"training": {"digests": digests}}])
    assert chosen == [0, 1, 2]
    assert sentence.startswith("All of these specimens were used in training")
    assert not_trained_on(dataset, [{"training": {"digests": ["0" * 16]}}, {}]) == ([0, 1, 2], [])
