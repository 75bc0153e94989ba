"""What the tests with Keras in their own process share."""

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

from napari_tiqa.learning.training import familiarity
from napari_tiqa.learning.training.foreign import foreign_images


@pytest.fixture(scope="session", autouse=True)
def _few_foreign_images() -> Iterator[None]:
    """Keep a few of the images that each training makes anew for its calibration in half a minute."""

    @cache
    def few() -> dict[str, np.ndarray]:
        return foreign_images(per_sort=8)

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(familiarity, "foreign_images", lambda slices, per_sort: few())
        yield
