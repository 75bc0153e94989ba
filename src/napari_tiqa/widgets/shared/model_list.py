"""A list of models to tick: the default one, bundles used or trained lately, and any from a file."""

from pathlib import Path

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from napari_tiqa.scoring.recent_models import recent_models, remember_model

_PATH = Qt.ItemDataRole.UserRole
_DEFAULT = "default model"
_ROW = 20  # px


class ModelList(QWidget):
    """Models with a tick each: the one used last first, the default model last."""

    def __init__(self, tooltip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tree = _Tree()
        self.tree.setToolTip(tooltip)
        self.button = QPushButton("Add…")
        self.button.setToolTip("Add a model bundle from a file (.tiqa).")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tree, 1)
        layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
        self.offer()
        first = self.tree.topLevelItem(0)
        for item in {id(item): item for item in (first, self._items()[-1])}.values():
            item.setCheckState(0, Qt.CheckState.Checked)
        self.button.clicked.connect(self._ask)

    def ticked(self) -> list[Path | None]:
        """Return the ticked bundles, None for the default model, in the order of the list."""
        return [item.data(0, _PATH) for item in self._items() if item.checkState(0) == Qt.CheckState.Checked]

    def tick_only(self, *models: Path | str | None) -> None:
        """Tick these models and no others; those that are not in the list are put there."""
        paths = [None if model is None else Path(model).expanduser().absolute() for model in models]
        self.offer(*paths)
        for item in self._items():
            ticked = item.data(0, _PATH) in paths
            item.setCheckState(0, Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)

    def offer(self, *more: Path | None) -> None:
        """List the models that there are now; ticks stay."""
        ticked = self.ticked()
        known = [item.data(0, _PATH) for item in self._items()]
        models = [path for path in [*more, *known, *recent_models()] if path is not None and path.is_file()]
        self.tree.clear()
        for path in [*dict.fromkeys(models), None]:
            item = QTreeWidgetItem([_DEFAULT if path is None else path.stem])
            item.setData(0, _PATH, path)
            item.setToolTip(0, str(path or "The model that comes with napari-tiqa."))
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(0, Qt.CheckState.Checked if path in ticked else Qt.CheckState.Unchecked)
            self.tree.addTopLevelItem(item)

    def _items(self) -> list[QTreeWidgetItem]:
        return [self.tree.topLevelItem(row) for row in range(self.tree.topLevelItemCount())]

    def _ask(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "Add models", "", "Model bundle (*.tiqa)")
        for path in paths:
            remember_model(path)
        if paths:
            self.tick_only(*paths, *self.ticked())


class _Tree(QTreeWidget):
    """A list that is somewhat over two rows high, to show that there may be more."""

    def __init__(self) -> None:
        super().__init__()
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.setMinimumHeight(2 * _ROW)

    def sizeHint(self) -> QSize:
        return QSize(200, 2 * _ROW + 12)
