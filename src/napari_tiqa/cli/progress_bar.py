"""The line on standard error while a command works: stage, what is done of how much, time left."""

import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from tqdm import tqdm

from napari_tiqa.progress import Progress


class ProgressBar:
    """One bar, whose stages follow one another; use it in a ``with`` statement.

    The unit is that of the parts of the work, such as "slices"; empty to show no numbers of them.
    """

    def __init__(self, unit: str = "") -> None:
        count = f" {{n_fmt}}/{{total_fmt}} {unit}" if unit else ""
        self._bar: tqdm[NoReturn] = tqdm(
            desc="starting",
            file=sys.stderr,
            mininterval=0.1 if sys.stderr.isatty() else 30,  # a log file gets a line now and then
            leave=False,
            bar_format=f"{{desc}}: {{percentage:3.0f}}%|{{bar}}|{count}{{postfix}}",
        )
        self._stage = self._figures = ""

    def __enter__(self) -> "ProgressBar":
        """Return the bar."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take it off the screen."""
        self._bar.close()

    def follow(
        self,
        stage: str | Mapping[str, str] | None = None,
        figures: Callable[[Any], str] | None = None,
    ) -> Callable[[Progress], None]:
        """Return a callable that shows a job's ``Progress``: as one stage, or as the stages that it names.

        A mapping says what these are called here.
        """

        def show(progress: Any) -> None:
            self.show(
                stage if isinstance(stage, str) else stage[progress.stage] if stage else progress.stage,
                progress.done,
                progress.total,
                epoch=getattr(progress, "epoch", 0),
                epochs=getattr(progress, "epochs", 0),
                figures=figures(progress) if figures else "",
                seconds_left=progress.seconds_left,
                warnings=getattr(progress, "warnings", ()),
            )

        return show

    def show(
        self,
        stage: str,
        done: int,
        total: int,
        *,
        epoch: int = 0,
        epochs: int = 0,
        figures: str = "",
        seconds_left: float | None = None,
        warnings: tuple[str, ...] = (),
    ) -> None:
        """Show how far a stage is; epochs are 0 where it has none.

        Figures are what the work has found so far, such as "loss 0.2"; where empty, the last ones stay. The
        time left is that of the whole work; warnings are printed above the bar.
        """
        for warning in warnings:
            self._bar.write(f"Note: {warning}", file=sys.stderr)
        # A new stage and its first parts are shown at once, also in a log file.
        at_once = stage != self._stage or (done <= 2 and done != self._bar.n)
        self._stage = stage
        self._figures = figures or self._figures
        parts = [f"epoch {min(epoch + 1, epochs)} of {epochs}"] if epochs else []
        parts += [self._figures] if epochs or figures else []
        parts += [] if seconds_left is None else [f"{_duration(seconds_left)} left"]
        self._bar.set_postfix_str(", ".join(filter(None, parts)), refresh=False)
        self._bar.set_description_str(stage, refresh=False)
        self._bar.total = total or 1
        if at_once:
            self._bar.n = self._bar.last_print_n = done
            self._bar.refresh()
        else:
            self._bar.update(done - self._bar.n)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
