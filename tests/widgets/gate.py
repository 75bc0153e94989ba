"""A stack of slices that jobs can be held back on."""

import threading
from typing import Any

import numpy as np

from tests.textures import grainy

WITHIN = 60  # s


class Gate:
    """A stack of slices that holds back who reads it in the background, until it is opened."""

    ndim, shape, dtype = 3, (4, 48, 48), np.dtype(np.float32)

    def __init__(self) -> None:
        self._values = grainy(*self.shape)
        self.reached, self.opened = threading.Event(), threading.Event()
        self.opened.set()

    def __getitem__(self, place: Any) -> np.ndarray:
        if threading.current_thread() is not threading.main_thread() and not self.opened.is_set():
            self.reached.set()
            assert self.opened.wait(WITHIN)
        return self._values[place]

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        return self[:]
