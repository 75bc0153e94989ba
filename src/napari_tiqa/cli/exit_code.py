"""How every command ends: by an exit code and a sentence where something went wrong, early by Ctrl-C."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from napari_tiqa.errors import Cancelled, ModelProcessError, TiqaError


def exit_code(command: Callable[[], int]) -> int:
    """Run a command and return its exit code; the errors that a user can cause become one sentence."""
    try:
        code = command()
        sys.stdout.flush()
    except TiqaError as error:
        print(f"napari-tiqa: {error}", file=sys.stderr)
        return 130 if isinstance(error, Cancelled) else 1 if isinstance(error, ModelProcessError) else 2
    except KeyboardInterrupt:
        print("napari-tiqa: Interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output (such as head) has what it wanted.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


@contextmanager
def cancelled_by_interrupt() -> Iterator[threading.Event]:
    """Yield an event that the first Ctrl-C sets; the second ends the work at once."""
    cancel = threading.Event()

    def interrupt(*_: object) -> None:
        cancel.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield cancel
    finally:
        signal.signal(signal.SIGINT, before)
