"""How every command ends: an exit code, and one sentence on standard error where something went wrong."""

import os
import sys
from collections.abc import Callable

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
