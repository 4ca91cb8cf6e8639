"""Ctrl-C and SIGTERM as one orderly end; any further ones change nothing."""

from collections.abc import Collection
import signal
from types import FrameType
from typing import NoReturn

_BOTH = (signal.SIGINT, signal.SIGTERM)


class StopFlag:
    """Becomes set at the first signal. To be looked at: nothing is interrupted."""

    def __init__(self) -> None:
        self.is_set = False
        for number in _BOTH:
            signal.signal(number, self._set)

    def _set(self, number: int, frame: FrameType | None) -> None:
        self.is_set = True


def exit_on(numbers: Collection[signal.Signals] = _BOTH) -> None:
    """Raise SystemExit(0) in the main thread, wherever it is, at the first of these signals."""
    for number in numbers:
        signal.signal(number, _exit)


def ignore() -> None:
    """Let no further signal change anything; when the interpreter ends it gives handlers up."""
    for number in _BOTH:
        signal.signal(number, signal.SIG_IGN)


def _exit(number: int, frame: FrameType | None) -> NoReturn:
    for each in _BOTH:
        # not SIG_IGN: Python complains of a signal that had come before that was set
        signal.signal(each, lambda number, frame: None)
    raise SystemExit(0)
