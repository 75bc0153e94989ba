"""What users chose in docks, kept between sessions in a file of the user's, ``docks.json``.

What belongs to a layer (axis, window, typed centre) is not kept: it is looked up anew for each. A file that
is damaged, or holds what a dock does not offer any more, is as good as none.
"""

import atexit
import json
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import platformdirs
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDoubleSpinBox,
    QSpinBox,
    QTabWidget,
    QWidget,
)

from napari_tiqa.errors import TiqaError
from napari_tiqa.json_text import read_json
from napari_tiqa.whole_file import write_text

_WRITE_AFTER = 400  # ms: a slider that is dragged changes its value many times a second

_Values = dict[str, dict[str, Any]]
_changed: dict[Path, _Values] = defaultdict(lambda: defaultdict(dict))  # not written yet


def remember(dock: str, **choices: Any) -> None:
    """Give widgets the values that the user last left them with, and keep those chosen from now on.

    Parameters
    ----------
    dock : str
        What they are of: "tune".
    **choices
        By the name of each in the file: tabs, a box of choices, a number, a tick, a field of magicgui, or any
        object with a signal ``changed``, a method ``kept()`` that returns a JSON-able value, and
        ``keep(value)``, which may raise TiqaError, ValueError, TypeError or LookupError for a value that it
        cannot take.
    """
    known = _read(_file()).get(dock, {})
    for name, widget in choices.items():
        get, put, changed = _ways(widget)
        if name in known:
            with suppress(TiqaError, ValueError, TypeError, LookupError, AttributeError):
                put(known[name])
        changed.connect(partial(_note, dock, name, get))


def write_now() -> None:
    """Write what was chosen lately; a file that cannot be written stays as it was."""
    for file, values in list(_changed.items()):
        del _changed[file]
        kept = _read(file)
        for dock, chosen in values.items():
            kept[dock] = {**kept.get(dock, {}), **chosen}
        with suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            write_text(file, json.dumps(kept, indent=1, ensure_ascii=False))


atexit.register(write_now)


def _note(dock: str, name: str, get: Callable[[], Any], *_: object) -> None:
    if not _changed and QApplication.instance() is not None:
        QTimer.singleShot(_WRITE_AFTER, write_now)
    _changed[_file()][dock][name] = get()


def _file() -> Path:
    return Path(platformdirs.user_data_dir("napari-tiqa", appauthor=False)) / "docks.json"


def _read(file: Path) -> _Values:
    """Return what the file holds; what is damaged of it is left out."""
    try:
        kept: Any = read_json(file)
    except (OSError, ValueError):
        return {}
    docks = kept.items() if isinstance(kept, dict) else ()
    return {dock: values for dock, values in docks if isinstance(values, dict)}


def _ways(widget: Any) -> tuple[Callable[[], Any], Callable[[Any], object], Any]:
    """Return how a widget's value is read and set, and the signal that tells of another one."""
    if isinstance(widget, QTabWidget):
        return lambda: widget.tabText(widget.currentIndex()), partial(_turn, widget), widget.currentChanged
    if isinstance(widget, QComboBox):
        return partial(_chosen, widget), partial(_choose, widget), widget.currentIndexChanged
    if isinstance(widget, QSpinBox | QDoubleSpinBox):
        return widget.value, widget.setValue, widget.valueChanged
    if isinstance(widget, QAbstractButton):
        return widget.isChecked, widget.setChecked, widget.toggled
    if isinstance(widget, QWidget) or not hasattr(widget, "value"):
        return widget.kept, widget.keep, widget.changed
    return lambda: widget.value, partial(setattr, widget, "value"), widget.changed


def _turn(tabs: QTabWidget, title: str) -> None:
    tabs.setCurrentIndex([tabs.tabText(number) for number in range(tabs.count())].index(title))


def _chosen(box: QComboBox) -> Any:
    data = box.currentData()
    return data if isinstance(data, str | int | float) else box.currentText()


def _choose(box: QComboBox, value: Any) -> None:
    values = [box.itemData(row) for row in range(box.count())]
    row = values.index(value) if value in values else box.findText(value)
    if row < 0:
        raise LookupError(value)
    box.setCurrentIndex(row)
