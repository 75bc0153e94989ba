"""Tabs that take the height of the page that is shown, where Qt's own take that of the highest one."""

from qtpy.QtWidgets import QSizePolicy, QTabWidget, QWidget


class FittingTabs(QTabWidget):
    """Pages behind tabs; a dock is scrolled no further than the page that is shown goes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.currentChanged.connect(self._fit)

    @property
    def pages(self) -> list[QWidget]:
        """All pages, in the order of their tabs."""
        return [self.widget(number) for number in range(self.count())]

    def add(self, title: str, page: QWidget) -> None:
        """Add a page."""
        self.addTab(page, title)
        self._fit()

    def hasHeightForWidth(self) -> bool:
        """Return True: pages have sentences, which take more lines in a narrower dock."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height that the page shown takes, with the tabs above it."""
        page = self.currentWidget()
        if page is None:
            return self.tabBar().sizeHint().height()
        frame = self.height() - page.height() if page.isVisible() else self.tabBar().sizeHint().height()
        high = page.heightForWidth(width) if page.hasHeightForWidth() else page.sizeHint().height()
        return high + frame

    def _fit(self, _shown: int = 0) -> None:
        for page in self.pages:
            policy = QSizePolicy.Policy
            page.setSizePolicy(
                policy.Preferred, policy.Preferred if page is self.currentWidget() else policy.Ignored
            )
        self.updateGeometry()
