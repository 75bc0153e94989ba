"""File > Open Sample: the sample tomogram, first made in a thread while napari shows how far it is."""

import threading

from qtpy.QtCore import QEventLoop, QObject, Qt, QThread, Signal
from qtpy.QtWidgets import QApplication, QMainWindow, QProgressDialog

from napari_tiqa.errors import Cancelled
from napari_tiqa.volumes.simulation.napari_sample import LayerData, electrode_layers


class _Making(QObject):
    """Makes the sample in a thread; its signals arrive in the thread that this object lives in."""

    progressed = Signal(int, int)  # slices done, slices in all
    ended = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.layers: list[LayerData] = []
        self.error: BaseException | None = None
        self._cancelled = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._make, name="napari-tiqa sample", daemon=True).start()

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    def cancel(self) -> None:
        self._cancelled.set()

    def _make(self) -> None:
        try:
            self.layers = electrode_layers(self._report)
        except BaseException as error:  # raised again where the sample was asked for
            self.error = error
        self.ended.emit()

    def _report(self, done: int, total: int) -> None:
        if self.cancelled:
            raise Cancelled("The sample tomogram is not complete: it was cancelled.")
        self.progressed.emit(done, total)


def open_electrode() -> list[LayerData]:
    """Return the two scans of the sample electrode as layers; the first call on a machine makes them.

    napari asks for a sample in the thread of its window, which a dialog with a progress bar keeps alive.

    Returns
    -------
    list of (data, keyword arguments, "image")
        See :func:`~napari_tiqa.volumes.simulation.napari_sample.electrode_layers`.

    Raises
    ------
    VolumeError
        The cache directory cannot be written.
    Cancelled
        The dialog was cancelled; what was made is thrown away.
    """
    application = QApplication.instance()
    if application is None or QThread.currentThread() is not application.thread():
        return electrode_layers()
    making = _Making()
    dialogs: list[QProgressDialog] = []

    def show(done: int, total: int) -> None:
        if not dialogs:  # no dialog for a sample that is in the cache
            dialogs.append(_dialog(total))
            dialogs[0].canceled.connect(making.cancel)
        if not making.cancelled:
            dialogs[0].setValue(done)

    loop = QEventLoop()
    making.progressed.connect(show)
    making.ended.connect(loop.quit)
    making.start()
    loop.exec()
    for dialog in dialogs:
        dialog.close()
        dialog.deleteLater()
    if making.error is not None:
        raise making.error
    return making.layers


def _dialog(total: int) -> QProgressDialog:
    windows = [w for w in QApplication.topLevelWidgets() if isinstance(w, QMainWindow) and w.isVisible()]
    sentence = "Making the sample tomogram. It is kept, and opens at once the next time."
    dialog = QProgressDialog(sentence, "Cancel", 0, total, windows[0] if windows else None)
    dialog.setWindowTitle("napari-tiqa")
    dialog.setToolTip("Slices of the two scans simulated so far.")
    dialog.setWindowModality(Qt.WindowModality.ApplicationModal)
    dialog.setAutoReset(False)  # after the last slice the files are still to be written
    dialog.show()
    return dialog
