"""How every command ends: by an exit code and a sentence where something went wrong, early by a signal."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from napari_tiqa.cli.streams import discard, guarded_streams
from napari_tiqa.errors import NO_MEMORY, Cancelled, ModelProcessError, TiqaError

INTERRUPTED = 130

# Ctrl-C; what systems and schedulers send when time is up; a terminal that is closed.
_ENDINGS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

_Handler = Callable[[int, FrameType | None], object]


def exit_code(command: Callable[[], int]) -> int:
    """Run a command and return its exit code; the errors that a user can cause become one sentence."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with guarded_streams(), _on_endings(interrupt):
        try:
            code = command()
            sys.stdout.flush()
        except TiqaError as error:
            print(f"napari-tiqa: {error}", file=sys.stderr)
            ended_early = isinstance(error, Cancelled)
            code = INTERRUPTED if ended_early else 1 if isinstance(error, ModelProcessError) else 2
        except MemoryError:
            print(f"napari-tiqa: {NO_MEMORY}", file=sys.stderr)
            code = 2
        except KeyboardInterrupt:
            print("napari-tiqa: Interrupted.", file=sys.stderr)
            code = INTERRUPTED
        except BrokenPipeError:
            discard(sys.stdout)  # the reader of our output (such as head) has what it wanted
            code = 0
    return code


@contextmanager
def cancelled_by_interrupt() -> Iterator[threading.Event]:
    """Yield an event that the first Ctrl-C, SIGTERM or SIGHUP sets; the second ends the work at once."""
    cancel = threading.Event()

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()

    with _on_endings(interrupt):
        yield cancel


@contextmanager
def _on_endings(handler: _Handler) -> Iterator[None]:
    """Handle what asks a command to end, but for what the caller has it ignore, as ``nohup`` does."""
    before = {number: signal.getsignal(number) for number in _ENDINGS}
    handled = [number for number, known in before.items() if known not in (signal.SIG_IGN, None)]
    for number in handled:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, before[number])
