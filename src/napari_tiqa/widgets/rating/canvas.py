"""Where an image to rate is shown: neutral dark ground, every image of a session at the same zoom."""

import cv2
import numpy as np
from qtpy.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from qtpy.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent
from qtpy.QtWidgets import QSizePolicy, QWidget

GROUND, TEXT = "#333333", "#d8d8d8"
_MARGIN = 8  # px


class RatingCanvas(QWidget):
    """Shows one 8-bit image, or a sentence in its place.

    All images are shown at one zoom, at which the largest of them fits: a whole number of screen pixels for
    each image pixel, or, where they are larger than the canvas, shrunk by area averaging. Pressing the mouse
    on a shrunk image shows its own pixels around the pointer.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image: np.ndarray | None = None
        self._text = ""
        self._largest = (1, 1)
        self._pressed: QPointF | None = None
        self._drawn: tuple[float, QImage] | None = None  # the image as last drawn, and at what zoom
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 120)

    @property
    def image(self) -> np.ndarray | None:
        """The image shown, None for a sentence or nothing."""
        return self._image

    @property
    def text(self) -> str:
        """The sentence shown in place of an image."""
        return self._text

    @property
    def zoom(self) -> float:
        """Screen pixels per image pixel."""
        ratio = self.devicePixelRatioF()
        rows, columns = self._largest
        fitting = min(
            (self.height() - 2 * _MARGIN) * ratio / rows, (self.width() - 2 * _MARGIN) * ratio / columns
        )
        return float(np.floor(fitting)) if fitting >= 1 else max(fitting, 1e-3)

    def set_largest(self, shape: tuple[int, int]) -> None:
        """Say how large the images get: rows and columns, px."""
        self._largest = shape
        self.update()

    def show_image(self, image: np.ndarray) -> None:
        """Show an image, shape (rows, columns), uint8."""
        self._image, self._text, self._drawn, self._pressed = image, "", None, None
        self._say_how_to_look_closer()
        self.update()

    def show_text(self, text: str) -> None:
        """Show a sentence, or with an empty one nothing."""
        self._image, self._text, self._drawn, self._pressed = None, text, None, None
        self.setToolTip("")
        self.update()

    def _say_how_to_look_closer(self) -> None:
        self.setToolTip("Press the mouse to see the image's own pixels." if self.zoom < 1 else "")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the image in the middle."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(GROUND))
        if self._image is None:
            painter.setPen(QColor(TEXT))
            font = self.font()
            font.setPointSizeF(font.pointSizeF() * 1.3)
            painter.setFont(font)
            inside = self.rect().adjusted(20, 20, -20, -20)
            painter.drawText(inside, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._text)
            return
        ratio = self.devicePixelRatioF()
        zoom = self.zoom
        place = self._place(zoom)
        if self._pressed is not None:
            # What lies under the pointer stays there while the rest grows to the image's own pixels.
            grown = 1 / zoom
            place = QRectF(self._pressed + (place.topLeft() - self._pressed) * grown, place.size() * grown)
            zoom = 1.0
        picture = self._at(zoom)
        painter.setClipRect(QRect(QPoint(), self.size()))
        top_left = (place.topLeft() * ratio).toPoint()  # on whole screen pixels, else Qt would smooth
        painter.drawImage(QPointF(top_left) / ratio, picture)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Show a shrunk image's own pixels."""
        if self._image is not None and self.zoom < 1 and event.button() == Qt.MouseButton.LeftButton:
            self._pressed = event.position()
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Show the whole image again."""
        self._pressed = None
        self.update()

    def _place(self, zoom: float) -> QRectF:
        assert self._image is not None
        rows, columns = self._image.shape
        size = zoom / self.devicePixelRatioF()
        width, height = columns * size, rows * size
        return QRectF((self.width() - width) / 2, (self.height() - height) / 2, width, height)

    def _at(self, zoom: float) -> QImage:
        if self._drawn is not None and self._drawn[0] == zoom:
            return self._drawn[1]
        assert self._image is not None
        rows, columns = (max(1, round(side * zoom)) for side in self._image.shape)
        way = cv2.INTER_NEAREST if zoom >= 1 else cv2.INTER_AREA
        pixels = np.ascontiguousarray(cv2.resize(self._image, (columns, rows), interpolation=way))
        picture = QImage(pixels.data, columns, rows, columns, QImage.Format.Format_Grayscale8).copy()
        picture.setDevicePixelRatio(self.devicePixelRatioF())
        self._drawn = zoom, picture
        return picture
