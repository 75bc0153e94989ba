"""An interrupted training, offered to go on with."""

from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton

from napari_tiqa.widgets.training_runs import TrainingRun


class TrainingOffer(QFrame):
    """An interrupted training, to go on with or not."""

    def __init__(self) -> None:
        super().__init__()
        self.run: TrainingRun | None = None
        self.text = QLabel()
        self.text.setWordWrap(True)
        resume = QPushButton("Resume")
        resume.setToolTip("Go on from the last epoch that had ended.")
        dismiss = QPushButton("Dismiss")
        dismiss.setToolTip("Do not offer this training again; its files stay.")
        self.resume_clicked, self.dismiss_clicked = resume.clicked, dismiss.clicked
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text, 1)
        layout.addWidget(resume)
        layout.addWidget(dismiss)
        self.hide()

    def show_run(self, run: TrainingRun | None, sentence: str) -> None:
        """Offer a run; None takes the offer back."""
        self.run = run
        self.text.setText(sentence)
        self.setVisible(run is not None)

    def allow(self, allowed: bool) -> None:
        """Say whether a training can start now."""
        self.setEnabled(allowed)
