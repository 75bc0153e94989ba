"""Composite groups: one artefact upon another, ordered and labelled by what each leaves of the quality."""

import numpy as np
import pytest

from models.composites import composite_group
from napari_tiqa.learning.images.groups import COUNTERPART, distortion_group
from napari_tiqa.learning.images.labels import LabelProjection, observe
from napari_tiqa.scoring.scale import ARTEFACTS
from napari_tiqa.volumes.simulation.microstructures import microstructure

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def original():
    return 0.1 + 0.8 * microstructure("foam", (224, 224), seed=2)


@pytest.fixture(scope="module")
def projection(original):
    group = distortion_group("foam", original, 0)
    return LabelProjection.from_levels([group], [observe(group)])


@pytest.mark.parametrize("scanned", [False, True])
def test_a_composite_falls_with_its_level_from_what_its_base_left(original, projection, scanned):
    composites = [composite_group("foam", original, seed, scanned) for seed in range(6)]
    assert any(one.base for one in composites)
    assert any(one.base is None for one in composites)
    for composite in composites:
        group = composite.labelled(projection)
        assert group.labels.min() >= 1
        assert (group.labels[0] == 5) == (composite.base is None)
        for family in set(group.families) - {""}:
            own = np.array(group.families) == family
            assert np.all(np.diff([group.labels[0], *group.labels[own]]) <= 0)
            if composite.base:  # nothing grows upon its own kind
                assert COUNTERPART[family] != composite.base.families[1]


def test_the_points_lost_add_up_and_stand_where_they_belong(original, projection):
    composite = next(one for seed in range(9) if (one := composite_group("foam", original, seed)).base)
    group = composite.labelled(projection)
    np.testing.assert_allclose(group.parts().sum(1), 5 - group.labels)
    base = ARTEFACTS.index(COUNTERPART[composite.base.families[1]])
    assert group.parts()[0, base] == pytest.approx(5 - group.labels[0])
    last = ARTEFACTS.index(COUNTERPART[group.families[-1]])
    assert group.parts()[-1, last] > 0


def test_the_same_seed_makes_the_same_composite(original):
    first, again = (composite_group("foam", original, 3).group.images for _ in range(2))
    np.testing.assert_array_equal(first, again)
