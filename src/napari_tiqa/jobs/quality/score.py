"""Score an image or a volume, in one view of its slices or first as a whole and then at every scale."""

import os
import threading
from collections.abc import Callable
from typing import Any

import pandas as pd

from napari_tiqa.arguments import checked_arguments
from napari_tiqa.errors import VolumeError
from napari_tiqa.jobs.process.cluster import Cluster
from napari_tiqa.jobs.process.kept_work import KeptWork
from napari_tiqa.jobs.quality.score_run import ScoreProgress, ScoreRun
from napari_tiqa.scoring.views import PYRAMID
from napari_tiqa.volumes.open import as_volume
from napari_tiqa.volumes.slice_grammar import Slices
from napari_tiqa.volumes.window import IntensityWindow


@checked_arguments
def score_image(
    image: Any,
    *,
    model: str | os.PathLike[str] | None = None,
    window: IntensityWindow | tuple[float, float] | None = None,
    view: str = PYRAMID,
    region: Any = None,
) -> float:
    """Score one slice.

    Parameters
    ----------
    image : array-like, Volume or path
        2-D, any real dtype, at least 3 px a side.
    model : path-like, optional
        A model bundle; the default model where omitted.
    window : IntensityWindow or (low, high), optional
        Intensity window in the image's units; estimated from this image where omitted. To compare slices
        of one volume, pass the volume's.
    view : str
        What is looked at, see `score_volume`.
    region : "circle", path or array-like, optional
        Where the pixels lie that count, see `score_volume`.

    Returns
    -------
    float
        1 (worst) to 5 (best); NaN where the image cannot be scored (constant, or no finite pixel).

    Raises
    ------
    VolumeError
        If the image is not 2-D or cannot be read, or the window or the view is not one.
    BundleError
        If the model cannot be used.
    ModelProcessError
        If the model process cannot start or dies.
    """
    volume = as_volume(image).tomogram()
    if volume.data.ndim != 2:
        raise VolumeError(f"{volume.name} is a volume, not a slice: use score_volume for it.")
    return float(score_volume(volume, model=model, window=window, view=view, region=region)["score"].iloc[0])


@checked_arguments
def score_volume(
    volume: Any,
    *,
    slices: Slices = None,
    axis: int | str = 0,
    model: str | os.PathLike[str] | None = None,
    window: IntensityWindow | tuple[float, float] | None = None,
    view: str = PYRAMID,
    region: Any = None,
    resume: str | os.PathLike[str] | None = None,
    client: Any = None,
    progress: Callable[[ScoreProgress], object] | None = None,
    cancel: threading.Event | None = None,
) -> pd.DataFrame:
    """Score the slices of a volume along one axis.

    A slice's score, its uncertainty and its parts are means over the tiles of a level of scale, combined to
    one (``scoring.combination``). They depend on the slice, the window, the view and the model alone: not on
    chunks, on batches or on which other slices are scored.

    Parameters
    ----------
    volume : Volume, array-like or path
        Shape (z, y, x), any real dtype; a 2-D image is a volume of one slice.
    slices : slice, iterable of int or str, optional
        Indices along the axis, negative ones from the end, or a text such as "40-60" or "::10", see
        ``volumes.slice_grammar``; a second mention of a slice is ignored. All slices where omitted.
    axis : int or str
        Which axis to go along: 0, 1, 2 or "z", "y", "x".
    model : path-like, optional
        A model bundle; the default model where omitted.
    window : IntensityWindow or (low, high), optional
        Overrides the volume's own intensity window, which is estimated where it has none.
    view : str
        "pyramid": the slice at every scale, from its own pixels to the whole of it at 224 px, a few tiles
        each, see ``scoring.pyramid``; up to 280 px a side, that is the overview. "overview": the whole slice
        at 224 px alone, as in the paper, up to twelve times as fast. "native": at most nine tiles of its own
        pixels alone, see ``scoring.native_tiles``.
    region : "circle", path or array-like, optional
        Where the pixels lie that count; whole slices where omitted. "circle" is that of the reconstruction,
        inscribed in the slices across z. A mask or label image (nonzero inside) has the shape of the slices
        along the axis, and holds for each, or that of the volume. See ``scoring.region_view``: nothing
        outside has a part in the score, nor in a window that is estimated.
    resume : path-like, optional
        A file in which each slice is kept as soon as it is scored: after any end, the same call with the same
        file resumes there, with the same result. It is removed at the end of the run.
    client : distributed.Client or str, optional
        A dask.distributed cluster, or its scheduler's address, whose workers read and score the slices; each
        has a model process of its own. They have to see the files of volume and model.
    progress : callable, optional
        Called after each batch, in this thread, with a ScoreProgress; what it raises ends the run.
    cancel : threading.Event, optional
        Set it, from any thread, to end the run in less than a second.

    Returns
    -------
    pandas.DataFrame
        Columns slice, position, score, uncertainty, one for each of ``scoring.scale.ARTEFACTS``, overview,
        scale, reason, a row per slice in the order asked for; ``attrs`` is the record of the run. See
        ``scoring.table.ScoredSlice``. A slice unlike the training images keeps its score and has a reason.

    Raises
    ------
    VolumeError
        If the volume or the region cannot be read, there is no such axis, slices, window or view, or the
        region has another shape or fewer than 1024 px of each slice.
    BundleError
        If the model cannot be used.
    ModelProcessError
        If the model process cannot start or dies; the next call starts it anew.
    ResumeError
        If `resume` is of another run, in use, or cannot be written.
    ClusterError
        If `client` does not answer, or its workers cannot do the work.
    Cancelled
        If `cancel` was set.

    Notes
    -----
    An error that ends the run under way carries what was scored before it as its ``table``.
    """
    run = ScoreRun.of(volume, slices, axis, model, window, view, region, cancel)
    with KeptWork(resume, run.plan() if resume is not None else {}) as run.kept:
        if client is None:
            return run.score(progress, overview_first=False)
        with Cluster(client) as run.cluster:
            return run.score(progress, overview_first=False)


def score_overview_first(
    volume: Any,
    *,
    slices: Slices = None,
    axis: int | str = 0,
    model: str | os.PathLike[str] | None = None,
    window: IntensityWindow | tuple[float, float] | None = None,
    region: Any = None,
    progress: Callable[[ScoreProgress], object] | None = None,
    cancel: threading.Event | None = None,
) -> pd.DataFrame:
    """Score slices at every scale, as `score_volume`, but all of them as a whole before.

    The overview takes a small part of the time, and its curve is there to be looked at while the other scales
    follow. No tile is scored twice, but slices are read twice. That costs nothing for what is in memory and
    little for a file that the system still has in its cache; of a larger one, reading overlaps with the
    network, which takes longer than most disks (up to eleven tiles a slice). Keeping the tiles instead would
    take up to 2 MB a slice.

    Where the run ends early, its table has the overview of all slices scored until then, since a curve must
    be of one kind: its record says so (``view``), and what was ``asked`` for.
    """
    run = ScoreRun.of(volume, slices, axis, model, window, PYRAMID, region, cancel)
    return run.score(progress, overview_first=True)
