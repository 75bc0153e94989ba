"""Where a trained model goes: a line with a place that no other model has taken."""

from pathlib import Path

import platformdirs
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_tiqa.errors import TrainingError
from napari_tiqa.widgets.shared.file_row import FileRow
from napari_tiqa.wording import free_path

_BUNDLE_FILES = "Model bundle (*.tiqa)"


class ModelOutput(FileRow):
    """The file that a training writes its model to; `stem` is its default name."""

    def __init__(self, stem: str, parent: QWidget | None = None) -> None:
        super().__init__(
            self._ask_output,
            "a .tiqa file",
            "Where the finished model is written; the files of the training are kept beside it.",
            parent,
        )
        self._stem = stem
        self.propose()

    @property
    def model_path(self) -> Path:
        """Return where the model goes; TrainingError if the field is empty."""
        if self.path is None:
            raise TrainingError("Choose where to save the model.")
        path = self.path.absolute()
        return path if path.suffix == ".tiqa" else path.with_name(f"{path.name}.tiqa")

    def propose(self) -> None:
        """Fill in a place for the next model that no other has taken."""
        folder = Path(platformdirs.user_documents_dir(), "napari-tiqa models")
        self.set_path(free_path(folder / f"{self._stem}.tiqa"))

    def _ask_output(self) -> str:
        dialog = QFileDialog(self, "Save model", self.line.text(), _BUNDLE_FILES)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("tiqa")
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)  # Train asks
        return dialog.selectedFiles()[0] if dialog.exec() else ""
