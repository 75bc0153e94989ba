"""The errors a user can cause; each message is one sentence: what happened and what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


class TiqaError(Exception):
    """Base of every error that napari-tiqa raises on purpose.

    The message is complete for a user as it stands: docks show it, the shell prints it, neither adds a
    traceback.

    Attributes
    ----------
    table : pandas.DataFrame or None
        The slices that were scored before a run over a volume ended with this error.
    """

    table: "pd.DataFrame | None" = None


class VolumeError(TiqaError):
    """A tomogram that cannot be opened, or a slice, axis or window that it does not have."""


class VolumeWarning(UserWarning):
    """What a tomogram's file leaves open or contradicts, and what was taken instead; one sentence."""


class ArgumentError(TiqaError, TypeError):
    """An argument that is not of the kind that a function takes."""


class BundleError(TiqaError):
    """A model bundle that is missing, corrupt, foreign or newer than this version."""


class TableError(TiqaError):
    """A score table that cannot be read or written."""


class TrainingError(TiqaError):
    """Images or settings that a model cannot be trained with."""


class RatingError(TiqaError):
    """Ratings, or images to rate, that cannot be read, written or learned from."""


class FilterError(TiqaError):
    """A filter, a parameter or a pipeline that cannot be applied, read or written."""


class SegmentationError(TiqaError):
    """Labels, settings or a segmentation model that an image cannot be segmented with."""


class ExportError(TiqaError):
    """A filtered volume that cannot be written: the place is taken, full or not writable.

    Attributes
    ----------
    replaceable : bool
        Whether what is in the way is an export of ours, which `overwrite` would replace.
    """

    replaceable = False


class ResumeError(TiqaError):
    """A file of an unfinished run that cannot be gone on from, or be written."""


class ClusterError(TiqaError):
    """A cluster that does not answer, or could not do its work."""


class ModelProcessError(TiqaError):
    """The model process could not start, died, or failed on a request."""


class Cancelled(TiqaError):
    """The work was cancelled by the user."""


NO_MEMORY = "Memory ran out: close other programs, or choose a smaller volume or fewer slices."
"""What is said of a MemoryError, wherever it comes from."""


@contextmanager
def explained(error: type[TiqaError], problem: str, remedy: str) -> Iterator[None]:
    """Raise an OSError within as one of ours: "the problem (No space left on device): the remedy."."""
    try:
        yield
    except OSError as cause:
        raise error(f"{problem} ({cause.strerror or cause}): {remedy}.") from cause
