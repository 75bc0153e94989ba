"""Work on a dask.distributed cluster: pieces go to its workers, their results come back in order.

A piece names slices; they are read, and worked on, where it runs, with the one model process of that worker.
What a worker that is lost had under way is given to another one.
"""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from napari_tiqa.errors import ClusterError, TiqaError
from napari_tiqa.jobs.process.waiting import answer_of
from napari_tiqa.volumes.volume import Volume

if TYPE_CHECKING:
    from distributed import Client

_AHEAD = 3  # pieces a thread of a worker has or waits for
LONGEST = 16
"""Slices a piece: what is lost with a worker, and what a cancel waits for."""

_RETRIES = 2
_ANSWERS_WITHIN = 10.0  # seconds

_T = TypeVar("_T")


class Cluster:
    """The workers that a client, or a scheduler's address, leads to.

    Raises ClusterError if dask.distributed is not installed, or no scheduler answers.
    """

    def __init__(self, client: Any) -> None:
        self._client, self._own = _client_of(client)

    def __enter__(self) -> "Cluster":
        """Return the cluster."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take leave of a scheduler that was given by its address."""
        if self._own:
            self._client.close()

    @property
    def device(self) -> str:
        """What the work runs on, for the record."""
        workers = len(self._client.scheduler_info()["workers"])
        return f"cluster, {workers} worker{'s' * (workers != 1)}"

    def share(self, common: Any) -> Any:
        """Send to each worker, once, what pieces have in common; return what `begin` takes for it."""
        # As a task: the scheduler can make it again, where scattered data are lost with their worker.
        return self._client.submit(_same, common, pure=False)

    def begin(self, function: Callable[[Any, Any], _T], shared: Any, piece: Any) -> "Piece[_T]":
        """Have ``function(common, piece)`` called on a worker; all of it can be pickled."""
        return Piece(self._client.submit(function, shared, piece, pure=False, retries=_RETRIES))

    def results(
        self, function: Callable[[Any, Any], _T], pieces: Iterable[Any], common: Any, cancel: threading.Event
    ) -> Generator[_T, None, None]:
        """Give ``function(common, piece)`` for each piece, in order, a few being under way at a time.

        Raises what the function raises of ours, ClusterError for anything else, and Cancelled once `cancel`
        is set.
        """
        shared = self.share(common)
        most = _AHEAD * (sum(self._client.nthreads().values()) or 1)
        waiting: deque[Piece[_T]] = deque()
        try:
            for piece in pieces:
                waiting.append(self.begin(function, shared, piece))
                if len(waiting) >= most:
                    yield answer_of(waiting.popleft(), cancel)
            while waiting:
                yield answer_of(waiting.popleft(), cancel)
        finally:
            for begun in waiting:
                begun.cancel()


class Piece(Generic[_T]):
    """What a worker has to do, and its answer."""

    def __init__(self, future: Any) -> None:
        self._future = future

    def result(self, timeout: float | None = None) -> _T:
        """Wait for the answer; raises TimeoutError, errors of ours, ClusterError for anything else."""
        try:
            answer: _T = self._future.result(timeout=timeout)
        except (TiqaError, TimeoutError):
            raise
        except Exception as error:
            raise ClusterError(
                f"The cluster could not do its work ({type(error).__name__}: {error}): see that its workers "
                "have the same napari-tiqa, and can read the volume and the model."
            ) from error
        return answer

    def cancel(self) -> bool:
        """Have it done no more."""
        self._future.cancel()
        return True


def _same(common: _T) -> _T:
    return common


def pieces_of(volume: Volume, axis: int, indices: Sequence[int], longest: int = LONGEST) -> list[list[int]]:
    """Put slices, in their order, into pieces of at most so many, cut where a thick chunk ends."""
    lengths = volume.data.chunks[axis] if volume.data.ndim == 3 else (1,)
    pieces: list[list[int]] = []
    before = -1
    for index, chunk in zip(indices, np.searchsorted(np.cumsum(lengths), indices, "right"), strict=True):
        parted = chunk != before and lengths[chunk] > 1
        if not pieces or parted or len(pieces[-1]) >= longest:
            pieces.append([])
        pieces[-1].append(index)
        before = chunk
    return pieces


def _client_of(client: Any) -> tuple["Client", bool]:
    try:
        from distributed import Client
    except ImportError as error:
        raise ClusterError(
            "A cluster needs dask.distributed: install napari-tiqa[cluster], here and on the workers."
        ) from error
    if isinstance(client, Client):
        return client, False
    try:
        return Client(client, timeout=_ANSWERS_WITHIN, set_as_default=False), True
    except (OSError, ValueError, TypeError) as error:
        raise ClusterError(f"No scheduler answers at {client} ({error}): check the address.") from error
