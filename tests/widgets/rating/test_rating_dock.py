"""The rating dock in a real viewer: prepare, rate blind by key and button, resume, results, bad input."""

import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import tifffile
from napari import Viewer
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QLabel, QPushButton, QWidget

from napari_tiqa.learning.ratings.table import read_ratings
from napari_tiqa.widgets.docks import RatingDock
from napari_tiqa.widgets.rating.canvas import RatingCanvas
from napari_tiqa.widgets.rating.panel import RatingPanel
from napari_tiqa.widgets.rating.window import RatingWindow
from tests.widgets.not_originals import not_originals

WIDGET = ("napari-tiqa", "Rate images")
TIMEOUT = 30_000  # ms, on a busy machine


def tomogram(slices: int, side: int = 48) -> np.ndarray:
    """Return noise that grows from slice to slice, float32."""
    noise = np.random.default_rng(0).normal(size=(slices, side, side)).astype("f4")
    return (
        np.sign(np.sin(np.arange(side) / 3))[None, None] + noise * np.linspace(0.1, 2, slices)[:, None, None]
    )


@pytest.fixture
def dock(viewer: Viewer, qtbot: QtBot) -> RatingDock:
    dock: RatingDock = viewer.window.add_plugin_dock_widget(*WIDGET)[1]
    qtbot.waitUntil(lambda: dock.panel is not None, timeout=TIMEOUT)
    return dock


@pytest.fixture
def panel(dock: RatingDock) -> RatingPanel:
    return dock.panel


@pytest.fixture
def begin(panel: RatingPanel, qtbot: QtBot) -> Callable[[], None]:
    """Prepare what the form asks for, to the end."""

    def begin_and_wait() -> None:
        with qtbot.waitSignal(panel.job.ended, timeout=TIMEOUT):
            assert panel.begin()

    return begin_and_wait


@pytest.fixture
def session(viewer: Viewer, panel: RatingPanel, begin: Callable[[], None], tmp_path: Path) -> RatingPanel:
    """Return the panel with four slices of a layer ready to rate, one of them twice."""
    viewer.add_image(tomogram(8), name="secret name")
    panel.form.count_box.setValue(4)
    panel.form.place.set_path(tmp_path / "session")
    begin()
    return panel


@pytest.fixture
def rate(qtbot: QtBot) -> Callable[..., RatingWindow]:
    """Open the window for a rater and press keys, each once the next image is shown."""

    def press(panel: RatingPanel, rater: str, keys: str) -> RatingWindow:
        if panel.window_of_rater is None:
            panel.rater_box.setEditText(rater)
            panel.rate_button.click()
        window = panel.window_of_rater
        assert window is not None
        for key in keys:
            qtbot.keyClick(window, {"<": Qt.Key.Key_Backspace, "s": Qt.Key.Key_S}.get(key, key))
            qtbot.waitUntil(
                lambda: window.undo_button.isEnabled() or window.image is not None, timeout=TIMEOUT
            )
        return window

    return press


def saved(panel: RatingPanel) -> list[tuple[str, int]]:
    assert panel.session is not None
    if not panel.session.ratings_file.exists():
        return []
    return [(row.rater, row.score) for row in read_ratings(panel.session.ratings_file).itertuples()]


@contextmanager
def no_space_left() -> Iterator[None]:
    """Let every file of this process that grows beyond a few bytes fail, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# -- rating ----------------------------------------------------------------------------------------


def test_two_raters_score_slices_of_a_layer_by_key(
    session: RatingPanel, rate: Callable[..., RatingWindow]
) -> None:
    window = rate(session, "Anna", "135")
    assert session.bar.format() == "3 of 5"
    assert window.bar.format() == "3 of 5"
    assert saved(session) == [("Anna", 1), ("Anna", 3), ("Anna", 5)]  # after every click, not at the end
    rate(session, "Anna", "24")
    assert "Thank you, Anna" in window.canvas.text
    window.close()
    rate(session, "Ben", "12345").close()
    assert [score for rater, score in saved(session) if rater == "Ben"] == [1, 2, 3, 4, 5]
    session.tabs.setCurrentIndex(1)
    names = [session.results.raters.topLevelItem(row).text(0) for row in range(2)]
    assert names == ["Anna", "Ben"]
    assert session.results.raters.topLevelItem(0).text(2) == "1"  # rated twice
    assert "alpha" in session.results.agreement.text()
    assert "Only 4 images are rated" in session.results.warnings.text()
    session.results.disputed.setCurrentItem(session.results.disputed.topLevelItem(0))
    assert session.results.canvas.image is not None
    assert "keras" not in sys.modules


def test_the_rater_sees_neither_names_nor_order(
    session: RatingPanel, rate: Callable[..., RatingWindow]
) -> None:
    window = rate(session, "Anna", "3")
    texts = [window.windowTitle(), window.canvas.text, window.canvas.toolTip()]
    texts += [label.text() for label in window.findChildren(QLabel)]
    texts += [button.text() + button.toolTip() for button in window.findChildren(QPushButton)]
    for name in ("secret", *session.session.images):  # type: ignore[union-attr]
        assert not any(name in text for text in texts)


def test_a_button_rates_and_a_double_click_rates_once(
    session: RatingPanel, rate: Callable[..., RatingWindow], qtbot: QtBot
) -> None:
    window = rate(session, "Anna", "")
    button = window.score_buttons[4]
    assert button.text() == "4  good"
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)  # while nothing is shown
    assert saved(session) == [("Anna", 4)]


def test_undo_and_skip_by_key(session: RatingPanel, rate: Callable[..., RatingWindow], qtbot: QtBot) -> None:
    window = rate(session, "Anna", "1")
    qtbot.waitUntil(lambda: window.image is not None, timeout=TIMEOUT)
    second = window.image
    rate(session, "Anna", "5<")
    qtbot.waitUntil(lambda: window.image == second, timeout=TIMEOUT)
    assert saved(session) == [("Anna", 1)]
    rate(session, "Anna", "s")
    assert window.bar.format().endswith("1 skipped")
    rate(session, "Anna", "2345")
    assert window.skipped_button.isVisible()
    qtbot.mouseClick(window.skipped_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.image == second, timeout=TIMEOUT)


def test_keys_rate_only_in_the_rating_window(
    session: RatingPanel, viewer: Viewer, rate: Callable[..., RatingWindow], qtbot: QtBot
) -> None:
    window = rate(session, "Anna", "4")
    for widget in (viewer.window._qt_viewer.canvas.native, session):
        qtbot.keyClick(widget, Qt.Key.Key_3)
    assert saved(session) == [("Anna", 4)]
    window.close()
    qtbot.keyClick(viewer.window._qt_viewer.canvas.native, Qt.Key.Key_2)
    assert saved(session) == [("Anna", 4)]


def test_a_rater_goes_on_after_a_pause_and_in_another_dock(
    session: RatingPanel, begin: Callable[[], None], rate: Callable[..., RatingWindow], qtbot: QtBot
) -> None:
    window = rate(session, "Anna", "12")
    qtbot.waitUntil(lambda: window.image is not None, timeout=TIMEOUT)
    third = window.image
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert session.window_of_rater is None
    assert session.rate_button.text() == "Continue rating"
    folder = session.session.folder  # type: ignore[union-attr]
    session.leave_session()
    session.form.origin_box.setCurrentIndex(1)
    session.form.folder.set_path(folder)
    begin()
    assert [session.rater_box.itemText(row) for row in range(session.rater_box.count())] == ["Anna"]
    assert rate(session, "Anna", "").image == third


def test_all_images_are_shown_at_one_zoom_and_a_press_shows_own_pixels(qtbot: QtBot) -> None:
    canvas = RatingCanvas()
    qtbot.addWidget(canvas)
    canvas.resize(416, 416)
    canvas.show()
    canvas.set_largest((100, 100))
    for side in (100, 50):
        canvas.show_image(np.full((side, side), 255, np.uint8))
        picture = canvas.grab().toImage()
        row = [picture.pixelColor(x, 208).red() for x in range(416)]
        assert row.count(255) == 4 * side
    canvas.set_largest((800, 800))
    stripes = np.zeros((800, 800), np.uint8)
    stripes[:, ::2] = 200
    canvas.show_image(stripes)
    assert canvas.grab().toImage().pixelColor(208, 208).red() == pytest.approx(100, abs=3)
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(208, 208))
    picture = canvas.grab().toImage()
    assert {picture.pixelColor(x, 208).red() for x in range(200, 216)} == {0, 200}
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton)
    assert canvas.grab().toImage().pixelColor(208, 208).red() == pytest.approx(100, abs=3)


# -- images and ratings from elsewhere -------------------------------------------------------------


def test_the_form_follows_the_layers_and_says_how_many_images_there_will_be(
    viewer: Viewer, panel: RatingPanel
) -> None:
    assert panel.form.run.start_button.text() == "Prepare 0 images"
    deep = viewer.add_image(tomogram(30), name="deep")
    flat = viewer.add_image(tomogram(1)[0], name="flat")
    viewer.layers.extend(not_originals())
    assert panel.form.run.start_button.text() == "Prepare 13 images"
    assert [source.volume.name for source in panel.form.image_sources()] == ["flat", "deep"]
    viewer.layers.remove(flat)
    panel.form.count_box.setValue(99)
    assert panel.form.run.start_button.text() == "Prepare 30 images"
    deep.name = "Cell: no. 7"
    assert "Cell no 7" in str(panel.form.place.path)


def test_a_layer_removed_while_its_images_are_prepared_still_gives_them(
    viewer: Viewer, panel: RatingPanel, tmp_path: Path, qtbot: QtBot
) -> None:
    layer = viewer.add_image(slowly_read(tomogram(12)))
    panel.form.place.set_path(tmp_path / "s")
    with qtbot.waitSignal(panel.job.ended, timeout=TIMEOUT):
        panel.begin()
        viewer.layers.remove(layer)
    assert len(panel.session.images) == 12  # type: ignore[union-attr]


def slowly_read(volume: np.ndarray) -> da.Array:
    """Return a volume of which a slice takes a hundredth of a second."""

    def slow(block: np.ndarray) -> np.ndarray:
        time.sleep(0.01)
        return block

    return da.from_array(volume, (1, 48, 48)).map_blocks(slow, dtype="f4")


def test_preparing_can_be_cancelled(viewer: Viewer, panel: RatingPanel, tmp_path: Path, qtbot: QtBot) -> None:
    viewer.add_image(slowly_read(tomogram(100)), name="long")
    panel.form.count_box.setValue(100)
    panel.form.place.set_path(tmp_path / "s")
    panel.job.progressed.connect(lambda _: panel.form.run.cancel_button.click())
    with qtbot.waitSignal(panel.job.ended, timeout=TIMEOUT):
        panel.begin()
    assert "nothing was kept" in panel.message.text()
    assert not list(tmp_path.iterdir())
    assert panel.form.run.start_button.isEnabled()


def test_ratings_of_a_colleague_are_merged(session: RatingPanel, tmp_path: Path) -> None:
    theirs = tmp_path / "ben.csv"
    image = session.session.images[0]  # type: ignore[union-attr]
    theirs.write_text(f"image,rater,score,time\n{image},Ben,2,\n")
    session.merge([theirs])
    assert session.message.text() == "Ratings added: 1."
    session.merge([theirs])
    assert session.message.text() == "All these ratings were there already."
    assert saved(session) == [("Ben", 2)]


# -- bad input -------------------------------------------------------------------------------------


def test_a_full_disk_is_said_and_the_image_stays(
    session: RatingPanel, rate: Callable[..., RatingWindow], qtbot: QtBot
) -> None:
    window = rate(session, "Anna", "1")
    qtbot.waitUntil(lambda: window.image is not None, timeout=TIMEOUT)
    image = window.image
    with no_space_left():
        qtbot.keyClick(window, "5")
    assert "cannot be saved" in window.message.text()
    assert window.image == image
    assert window.score_buttons[5].isEnabled()
    rate(session, "Anna", "5")
    assert saved(session) == [("Anna", 1), ("Anna", 5)]


def test_an_image_that_is_gone_is_said_and_can_be_skipped(
    session: RatingPanel, rate: Callable[..., RatingWindow], qtbot: QtBot
) -> None:
    gone = session.session.order("Anna")[1]  # type: ignore[union-attr]
    session.session.image_paths[gone].unlink()  # type: ignore[union-attr]
    window = rate(session, "Anna", "1")
    qtbot.waitUntil(lambda: "cannot be read" in window.canvas.text, timeout=TIMEOUT)
    assert not window.score_buttons[1].isEnabled()
    qtbot.keyClick(window, "1")
    assert saved(session) == [("Anna", 1)]
    qtbot.keyClick(window, Qt.Key.Key_S)
    qtbot.waitUntil(lambda: window.image not in (None, gone), timeout=TIMEOUT)


@pytest.mark.parametrize("kind", ["no layer", "no folder", "gone", "empty", "16 bit", "bad ratings"])
def test_what_cannot_be_rated_is_said_in_one_sentence(
    panel: RatingPanel, tmp_path: Path, qtbot: QtBot, kind: str
) -> None:
    sentence = {
        "no layer": "There is no image layer to rate",
        "no folder": "No folder of images to rate is chosen",
        "gone": "There is no folder",
        "empty": "holds no images",
        "16 bit": "would need an intensity window",
        "bad ratings": "gives 'a.tif' the score '9'",
    }[kind]
    if kind in ("16 bit", "bad ratings"):
        pixels = np.arange(81).reshape(9, 9).astype(np.uint16 if kind == "16 bit" else np.uint8)
        tifffile.imwrite(tmp_path / "a.tif", pixels)
        (tmp_path / "ratings.csv").write_text("image,rater,score,time\na.tif,Anna,9,\n")
    if kind == "no layer":
        panel.form.place.set_path(tmp_path / "new")
    else:
        panel.form.origin_box.setCurrentIndex(1)
    if kind not in ("no layer", "no folder"):
        panel.form.folder.set_path(tmp_path / "x" if kind == "gone" else tmp_path)
    if panel.begin():
        qtbot.waitUntil(lambda: not panel.job.state.busy, timeout=TIMEOUT)
    assert sentence in panel.message.text()
    assert panel.session is None
    assert not panel.tabs.isTabEnabled(1)


def test_nobody_rates_without_a_name(session: RatingPanel) -> None:
    assert not session.rate_button.isEnabled()
    session.rater_box.setEditText("  ")
    assert not session.rate_button.isEnabled()
    session.rater_box.setEditText("Anna")
    assert session.rate_button.isEnabled()


def test_a_floating_dock_has_its_raters_look_at_a_window_as_large_as_naparis(
    session: RatingPanel, dock: RatingDock, viewer: Viewer, rate: Callable[..., RatingWindow]
) -> None:
    viewer.window.resize(900, 700)
    dock.parentWidget().setFloating(True)
    dock.parentWidget().resize(300, 300)
    assert rate(session, "Anna", "").width() == 900


def test_closing_the_dock_closes_the_rating_window(
    session: RatingPanel, dock: RatingDock, viewer: Viewer, rate: Callable[..., RatingWindow], qtbot: QtBot
) -> None:
    window = rate(session, "Anna", "3")
    with qtbot.waitSignal(window.closed, timeout=TIMEOUT):
        viewer.window.remove_dock_widget(dock)
    viewer.add_image(tomogram(3))  # nobody listens any more


def test_everything_has_a_tooltip(session: RatingPanel, rate: Callable[..., RatingWindow]) -> None:
    window = rate(session, "Anna", "")
    widgets: list[QWidget] = [*window.findChildren(QPushButton), *session.findChildren(QPushButton)]
    assert [widget for widget in widgets if not widget.toolTip()] == []
