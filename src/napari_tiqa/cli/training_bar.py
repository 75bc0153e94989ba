"""The line on standard error while a training runs: stage, epoch, how well it does, time left."""

import sys

from tqdm import tqdm


class TrainingBar:
    """A bar for each stage of a training; use it in a ``with`` statement."""

    def __init__(self) -> None:
        # A log file gets a line now and then, a terminal a bar.
        interval = 0.1 if sys.stderr.isatty() else 30
        self._bar = tqdm(
            desc="starting",
            file=sys.stderr,
            mininterval=interval,
            leave=False,
            bar_format="{desc}: {percentage:3.0f}%|{bar}|{postfix}",
            total=1,
        )
        self._stage = ""
        self._figures = ""

    def __enter__(self) -> "TrainingBar":
        """Return the bar."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take it off the screen."""
        self._bar.close()

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
        """Show how far a training is.

        Parameters
        ----------
        stage : str
            In words.
        done, total : int
            Of the stage.
        epoch, epochs : int
            Epochs that are done, and in all; 0 where the stage has none.
        figures : str
            How well the last epoch did, such as "loss 0.2"; empty in between.
        seconds_left : float, optional
            Of the whole training.
        warnings : tuple of str
            Sentences to print above the bar.
        """
        for warning in warnings:
            self._bar.write(f"Note: {warning}", file=sys.stderr)
        if stage != self._stage:
            self._stage = stage
            self._bar.reset(total or 1)
            self._bar.set_description_str(stage, refresh=False)
        self._bar.total = total or 1
        self._figures = figures or self._figures
        parts = []
        if epochs:
            parts.append(f"epoch {min(epoch + 1, epochs)} of {epochs}")
            parts.append(self._figures)
        if seconds_left is not None:
            parts.append(f"{_duration(seconds_left)} left")
        self._bar.set_postfix_str(", ".join(filter(None, parts)), refresh=False)
        self._bar.update(done - self._bar.n)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
