"""Progress bars of the shell: on standard error, with what is done, the total and the time left."""

from collections.abc import Callable

from tqdm import tqdm


def advance_of(bar: tqdm) -> Callable[[int, int], None]:
    """Return what moves a bar to what is done of a total that is known only then."""

    def advance(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)

    return advance
