"""The scores that the quality dock has kept with a layer, for docks that show them too."""

from typing import Any

from napari_tiqa.widgets.quality.score_run import load_runs
from napari_tiqa.widgets.shared.result_layers import METADATA_KEY
from napari_tiqa.widgets.shared.slice_source import SliceSource


class KeptScores:
    """Reads the scores of a layer's slices, once, as it takes a while."""

    def __init__(self) -> None:
        self._kept: Any = None  # the metadata that was read; the quality dock replaces it with each run
        self._asked: tuple[Any, ...] = ()
        self._scores: dict[int, float] = {}

    def of(self, source: SliceSource) -> dict[int, float]:
        """Return slice to score, 1 (worst) to 5 (best), of the last run along the source's axis."""
        kept = source.layer.metadata.get(METADATA_KEY)
        asked = (source.layer.unique_id, source.dimension, *source.at.items())
        if self._kept is not kept or self._asked != asked:
            self._kept, self._asked, self._scores = kept, asked, _last_scores(source)
        return self._scores


def _last_scores(source: SliceSource) -> dict[int, float]:
    runs, _ = load_runs(source.layer.metadata)
    for run in reversed(runs):
        if run.dimension == source.dimension and run.at == dict(source.at):
            return dict(zip(run.slices.tolist(), run.scores.tolist(), strict=True))
    return {}
