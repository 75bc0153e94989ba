"""What the tests with Keras in their own process share."""

from collections.abc import Iterator
from functools import cache

import pytest

from napari_tiqa.learning.training import calibration
from napari_tiqa.learning.training.foreign import foreign_images


@pytest.fixture(scope="session", autouse=True)
def _foreign_images_once() -> Iterator[None]:
    """Keep the images that each training makes anew for its calibration, the same each time, in 6 s."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(calibration, "foreign_images", cache(foreign_images))
        yield
