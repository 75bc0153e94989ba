"""The progress bar of a job: there while it is under way."""

from qtpy.QtWidgets import QProgressBar, QSizePolicy

from napari_tiqa.widgets.shared.background_job import JobState


class JobBar(QProgressBar):
    """Moves to and fro until the first part is done, then shows how much is; its text never widens a dock."""

    def __init__(self, tooltip: str) -> None:
        super().__init__()
        self.setToolTip(tooltip)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_state(self, state: JobState) -> None:
        """Appear and go with the job."""
        self.setVisible(state.busy)
        if state is JobState.STARTING:
            self.show_busy()

    def show_busy(self) -> None:
        """Move to and fro."""
        self.setRange(0, 0)

    def show_done(self, done: int, total: int, text: str) -> None:
        """Show how many parts are done, and that in words."""
        self.setRange(0, total)
        self.setValue(done)
        self.setFormat(text)


def time_left(seconds: float | None) -> str:
    """Return "12 s left", "3 min left" or "2 h 5 min left"; empty where it is not known yet."""
    if seconds is None or seconds != seconds:
        return ""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s left"
    minutes = round(seconds / 60)
    return f"{minutes} min left" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min left"
