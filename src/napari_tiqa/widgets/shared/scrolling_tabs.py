"""Tabs each of whose pages scrolls by itself, so that what stands above the tabs stays in sight."""

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QTabWidget, QWidget

_LEAST = 180  # px; a window that has no more room than this below the dock's head scrolls as a whole


class ScrollingTabs(QTabWidget):
    """Pages behind tabs; a page that is higher than the room below the tabs scrolls there."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumHeight(_LEAST)

    def sizeHint(self) -> QSize:
        """Return the least height, so that a dock does not scroll as a whole; they take the room there is."""
        return QSize(super().sizeHint().width(), _LEAST)

    @property
    def pages(self) -> list[QWidget]:
        """All pages, in the order of their tabs."""
        areas = [self.widget(number) for number in range(self.count())]
        return [area.widget() for area in areas if isinstance(area, QScrollArea)]

    def add(self, title: str, page: QWidget) -> None:
        """Add a page."""
        area = LowArea(page, self)
        area.setFrameShape(QFrame.Shape.NoFrame)
        self.addTab(area, title)

    def show_page(self, page: QWidget) -> None:
        """Turn to a page."""
        self.setCurrentIndex(self.pages.index(page))


class LowArea(QScrollArea):
    """As high as its content where there is room, and down to `least` px where there is none."""

    def __init__(self, content: QWidget, parent: QWidget | None = None, least: int = 0) -> None:
        super().__init__(parent)
        self._least = least
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(content)

    def sizeHint(self) -> QSize:
        """Return the size of the content."""
        return self._content_size() + QSize(0, 2 * self.frameWidth())

    def minimumSizeHint(self) -> QSize:
        """Return the least height."""
        return QSize(0, min(self._least, self.sizeHint().height()))

    def _content_size(self) -> QSize:
        content = self.widget()
        return content.sizeHint() if content is not None else QSize(0, 0)
