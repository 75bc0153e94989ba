"""The choice of a model: the bundled one, a bundle used or trained lately, or one from a file."""

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QSizePolicy, QWidget

from napari_tiqa.scoring.bundle import SCORE
from napari_tiqa.scoring.recent_models import recent_models, remember_model
from napari_tiqa.widgets.shared.forms import button, line, quietly
from napari_tiqa.wording import expanded

_TOOLTIP = Qt.ItemDataRole.ToolTipRole


class ModelBox(QWidget):
    """Offers recent models of one purpose; a bundle trained in another dock is there when the list opens.

    `purpose` is ``bundle.SCORE`` or ``bundle.SEGMENTATION``; `bundled` names the model that comes with
    napari-tiqa.
    """

    changed = Signal()

    def __init__(
        self,
        tooltip: str,
        purpose: str = SCORE,
        bundled: str = "default model",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._purpose = purpose
        self._bundled = bundled
        self.box = _Box()
        self.box.setToolTip(tooltip)
        self.box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.button = button("Choose…", "Choose a model bundle file (.tiqa).", self._ask)
        self.setLayout(line((self.box, 1), self.button))
        self._offer(None)
        self.box.about_to_open.connect(lambda: self._offer(self.path))
        self.box.currentIndexChanged.connect(lambda _: self.changed.emit())

    @property
    def path(self) -> Path | None:
        """The chosen bundle, None for the one that comes with napari-tiqa."""
        return self.box.currentData()

    def kept(self) -> str:
        """Return the choice as it is remembered; "" for the model that comes with napari-tiqa."""
        return str(self.path or "")

    def keep(self, path: str) -> None:
        """Choose what was remembered, where it is still there."""
        if path and Path(path).is_file():
            self.choose(path)

    def choose(self, path: Path | str | None) -> None:
        """Choose a bundle, or the one that comes with napari-tiqa (None)."""
        self._offer(None if path is None else expanded(path).absolute())
        self.changed.emit()

    def _offer(self, chosen: Path | None) -> None:
        """List the models that there are now, with one chosen."""
        models = [None, *recent_models(self._purpose)]
        if chosen not in models:
            models.insert(1, chosen)
        names = [self._bundled if path is None else path.stem for path in models]
        with quietly(self.box):
            self.box.clear()
            for row, (path, name) in enumerate(zip(models, names, strict=True)):
                alike = path is not None and names.count(name) > 1
                self.box.addItem(f"{name} ({path.parent.name})" if path and alike else name, path)
                self.box.setItemData(row, str(path or "The model that comes with napari-tiqa."), _TOOLTIP)
            self.box.setCurrentIndex(models.index(chosen))

    def _ask(self) -> None:
        dialog = QFileDialog(self, "Choose a model", "", "Model bundle (*.tiqa)")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        if dialog.exec():
            (path,) = dialog.selectedFiles()
            remember_model(path)
            self.choose(path)


class _Box(QComboBox):
    about_to_open = Signal()

    def showPopup(self) -> None:
        self.about_to_open.emit()
        super().showPopup()
