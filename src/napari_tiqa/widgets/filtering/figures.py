"""What a pipeline does to the slice's score, to the points lost, and to its detail."""

from html import escape

import numpy as np
from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget

from napari_tiqa.jobs.filtering.objective import DETAIL_WEIGHT
from napari_tiqa.scoring.scale import ARTEFACT_WORDS, ARTEFACTS
from napari_tiqa.scoring.table import ScoredSlice
from napari_tiqa.widgets.filtering.trial import SliceTrial
from napari_tiqa.widgets.shared.forms import form_layout, line
from napari_tiqa.wording import percent

CONSIDERABLE_LOSS = 15.0
"""Per cent of edge steepness; from this loss on, a gain in score comes with a warning."""

_LATE = 300  # ms
_GAP = "\u2002"  # an en space, which rich text does not collapse
_PARTS = "Points that the slice loses to each kind of artefact: unfiltered, then filtered."
_NO_CHANGE = 0.05  # points; less is not worth a sign
_NO_CHANGE_FIDELITY = 0.005


class FilterScore(QWidget):
    """A row for the score, one for the points lost to each artefact, one for the detail.

    All rows are there at any time, a line each, so that nothing below them moves.
    """

    warned = Signal(str)  # whether the score can be believed: a sentence, empty where it can

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.score = _figure(
            "The slice's score, 1 worst to 5 best: unfiltered, then filtered.\n"
            "± is half the width of the interval that holds the true score nine times in ten."
        )
        self.fidelity = _figure(
            "<p>Estimated similarity to a perfect scan of this slice, 0 to 1, less what lost edges cost "
            f"({DETAIL_WEIGHT} if all of their steepness were lost). Settings are ranked by it here, "
            "in Tune and in Compare. It needs an area of the slice that is as large as a tile (224 px).</p>"
        )
        self.parts = _figure(_PARTS)
        self.detail = _figure(
            "How much less steep the edges are than before: what smoothing costs, which the score alone may\n"
            "not show. Steeper edges than before mean that the slice was sharpened."
        )
        form_layout(
            ("Score", self.score),
            ("Lost to", self.parts),
            ("Fidelity", line((self.fidelity, 10), (self.detail, 11))),
            parent=self,
        )
        self._late = QTimer(self, singleShot=True, interval=_LATE)
        self._late.timeout.connect(lambda: self.setEnabled(False))
        self.clear()

    def expect_trial(self) -> None:
        """Grey the figures out if those of newer settings take long."""
        if not self._late.isActive():
            self._late.start()

    def clear(self) -> None:
        """Show that nothing is known yet."""
        self._late.stop()
        for label in (self.score, self.parts, self.fidelity, self.detail):
            label.setText("–")
        self.warned.emit("")

    def show_trial(self, trial: SliceTrial) -> None:
        """Show what came of a trial."""
        self._late.stop()
        self.setEnabled(True)
        before, after = trial.before.row, trial.after.row
        filtered = trial.after is not trial.before
        self.score.setText(_score_text(before, after) if filtered else _alone(before))
        self.fidelity.setText(_fidelity_text(trial.before.objective, trial.after.objective, filtered))
        parts = _parts_text(before, after, filtered)
        self.parts.setText(parts)
        self.parts.setToolTip(f"<p>{parts}</p><p>{_PARTS}</p>")
        self.detail.setText(_detail_text(trial.after.detail_loss) if filtered else "no filter is on")
        self.warned.emit(_warning(trial, filtered))


def _figure(tooltip: str) -> QLabel:
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.RichText)  # also where there is nothing bold in it
    label.setToolTip(tooltip)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label


def _alone(row: ScoredSlice) -> str:
    if not np.isfinite(row.score):
        return f"none: {escape(row.reason)}"
    return f"<b>{row.score:.2f}</b>{_half_width(row)}"


def _score_text(before: ScoredSlice, after: ScoredSlice) -> str:
    if not (np.isfinite(before.score) and np.isfinite(after.score)):
        return f"{_alone(before)} → {_alone(after)}"
    change = after.score - before.score
    sign = _sign(change, _NO_CHANGE)
    return f"{before.score:.2f} → <b>{after.score:.2f}</b>{_half_width(after)}{_GAP}{sign} {change:+z.2f}"


def _half_width(row: ScoredSlice) -> str:
    return f" ± {row.uncertainty:.1f}" if np.isfinite(row.uncertainty) else ""


def _parts_text(before: ScoredSlice, after: ScoredSlice, filtered: bool) -> str:
    """Say what artefacts cost, the worst first; of six, which are too many for a line, those that cost."""
    texts: dict[str, float] = {}
    for artefact in ARTEFACTS:
        was, now = getattr(before, artefact), getattr(after, artefact)
        if max(was, now) >= _NO_CHANGE:
            figures = f"{was:.1f}→<b>{now:.1f}</b>" if filtered else f"{was:.1f}"
            texts[f"{ARTEFACT_WORDS[artefact]} {figures}"] = max(was, now)
    known = np.isfinite(getattr(before, ARTEFACTS[0]))
    if not texts:
        return "none" if known else "not available from this model"
    return ", ".join(sorted(texts, key=lambda text: -texts[text]))


def _fidelity_text(before: float, after: float, filtered: bool) -> str:
    if not (np.isfinite(before) and np.isfinite(after)):
        return "not available"
    if not filtered:
        return f"<b>{before:.3f}</b>"
    change = after - before
    return f"{before:.3f}→<b>{after:.3f}</b> {_sign(change, _NO_CHANGE_FIDELITY)}{change:+z.3f}"


def _sign(change: float, least: float) -> str:
    return "▲" if change >= least else "▼" if change <= -least else "="


def _detail_text(loss: float) -> str:
    if not np.isfinite(loss):
        return "no edges to measure"
    if round(loss) < 0:
        return f"edges <b>{percent(-loss)}</b> steeper"
    return f"edges <b>{percent(loss)}</b> less steep"


def _warning(trial: SliceTrial, filtered: bool) -> str:
    after = trial.after.row
    if after.flagged:
        return f"The slice is now {after.reason}: do not rely on its score."
    gain = after.score - trial.before.row.score
    if filtered and gain > 0 and trial.after.detail_loss >= CONSIDERABLE_LOSS:
        return (
            f"The score rises by {gain:.2f}, but edges are {percent(trial.after.detail_loss)} less steep: "
            "compare before and after (H), or filter less."
        )
    return ""
