"""What the quality dock adds to napari's style sheet, in the colours of its theme."""

from napari.utils.theme import Theme


def dock_style(theme: Theme) -> str:
    """Return a style sheet for the dock: lists as flat as napari's own, and a window that can be read."""
    return f"""
        QTreeWidget {{ background: {theme.background.as_rgb()}; border: 1px solid {theme.primary.as_rgb()}; }}
        QTreeWidget::item {{ padding: 1px 0px; }}
        QTreeWidget::item:selected {{ background: {theme.current.as_rgb()}; color: {theme.text.as_rgb()}; }}
        QHeaderView::section {{ border: none; padding: 3px; }}
        QLineEdit:read-only {{ background: transparent; }}
        QSplitter::handle {{ background: transparent; }}
    """


def table_style(theme: Theme) -> str:
    """Return a style sheet for the table: as flat as the dock's lists."""
    ground, line = theme.background.as_rgb(), theme.primary.as_rgb()
    return f"""
        QTableWidget {{ background: {ground}; border: 1px solid {line}; }}
        QTableCornerButton::section {{ background: {ground}; border: none; }}
        QTableWidget QHeaderView::section {{ background: {ground}; border: none; padding: 4px; }}
    """
