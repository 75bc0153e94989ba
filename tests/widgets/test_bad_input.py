"""What a viewer may hold beside a tomogram: docks say it in one sentence, and say it nowhere else."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from napari import Viewer
from pytestqt.qtbot import QtBot

from tests.textures import grainy
from tests.widgets.all_docks import NAMES, AllDocks, notifications

STACK = grainy(3, 48, 48)
WITH_LAYERS = NAMES[:5]

# napari itself takes neither a line of pixels nor complex ones for an image layer.
NONE_TO_WORK_ON: dict[str, Callable[[Viewer], object]] = {
    "no layer": lambda viewer: None,
    "points": lambda viewer: viewer.add_points(np.zeros((2, 3))),
    "labels": lambda viewer: viewer.add_labels(np.ones((3, 48, 48), int)),
    "RGB": lambda viewer: viewer.add_image(np.zeros((48, 48, 3), np.uint8), rgb=True),
}
USELESS: dict[str, Callable[[Viewer], object]] = {
    "6-D": lambda viewer: viewer.add_image(STACK[None, None, None]),
    "a pixel a slice": lambda viewer: viewer.add_image(STACK[:, :1, :1]),
    "all NaN": lambda viewer: viewer.add_image(np.full_like(STACK, np.nan)),
}
UNUSUAL: dict[str, Callable[[Viewer], object]] = {
    "2-D": lambda viewer: viewer.add_image(STACK[0]),
    "5-D": lambda viewer: viewer.add_image(np.stack([[STACK, STACK]] * 2)),
    "bool": lambda viewer: viewer.add_image(STACK > 0.5),
}


def test_docks_say_in_one_sentence_what_they_cannot_work_on(
    viewer: Viewer, qtbot: QtBot, tmp_path: Path
) -> None:
    docks = AllDocks(viewer, qtbot, tmp_path)
    wrong: dict[str, object] = {}
    with notifications() as shown:
        for case, add in (NONE_TO_WORK_ON | USELESS).items():
            add(viewer)
            docks.wait()
            docks.press_all()
            problems = docks.problems()
            wrong |= {f"{case}: {where}": said for where, said in problems.items() if len(said) > 1}
            told = {name for name in WITH_LAYERS if any(where.startswith(name) for where in problems)}
            if case in USELESS:
                named = [said for where in problems for said in problems[where] if "'Image'" in said]
                assert len(named) >= len(WITH_LAYERS), (case, problems)
            if case in NONE_TO_WORK_ON:  # which the quality dock greets with what to do
                greeting = docks.panels["Slice quality"].message.text()
                assert greeting.startswith("There is no image layer"), case
                told.add("Slice quality")
            assert told == set(WITH_LAYERS), (case, problems)
            viewer.layers.clear()
            docks.wait()
    assert wrong == {}
    assert shown == []


def test_docks_work_on_unusual_images(viewer: Viewer, qtbot: QtBot, tmp_path: Path) -> None:
    docks = AllDocks(viewer, qtbot, tmp_path)
    quality, _filters, segment, _, rate, _ = docks.panels.values()
    with notifications() as shown:
        for case, add in UNUSUAL.items():
            add(viewer)
            docks.wait()
            docks.press_all()
            problems = docks.problems()
            assert {where: said for where, said in problems.items() if len(said) > 1} == {}, case
            (run,) = quality.shelf
            assert run.run.ended == "done", case
            assert len(run.run.valid_scores) == len(run.run.rows) > 0, case
            assert "Image filtered" in viewer.layers, case
            assert segment.tabs.pages[1].shown.segmentation.done.any(), case
            assert rate.session is not None, case
            rate.leave_session()
            viewer.layers.clear()
            docks.wait()
    assert shown == []
