"""Ctrl-C for tests that run the shell in this process."""

import signal
from collections.abc import Callable
from typing import Any

import pytest

from napari_tiqa.cli.progress_bar import ProgressBar


@pytest.fixture
def interrupt_at(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what has Ctrl-C pressed once, as soon as a command's bar shows so many parts done."""

    def prepare(parts: int, ending: signal.Signals = signal.SIGINT) -> None:
        show, sent = ProgressBar.show, []

        def show_and_interrupt(bar: ProgressBar, stage: str, done: int, total: int, **further: Any) -> None:
            show(bar, stage, done, total, **further)
            if done >= parts and not sent:
                sent.append(done)
                signal.raise_signal(ending)

        monkeypatch.setattr(ProgressBar, "show", show_and_interrupt)

    return prepare
