"""Ctrl-C, SIGTERM and a closed terminal as one orderly end; further ones change nothing."""

from collections.abc import Collection
import signal
from types import FrameType
from typing import NoReturn

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _unless_ignored(numbers: Collection[signal.Signals]) -> list[signal.Signals]:
    """Leave out SIGHUP where somebody has seen to it that a program outlives its terminal."""
    return [number for number in numbers if not (
        number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN)]


class StopFlag:
    """Becomes set at the first signal. To be looked at: nothing is interrupted."""

    def __init__(self) -> None:
        self.is_set = False
        for number in _unless_ignored(_ENDS):
            signal.signal(number, self._set)

    def _set(self, number: int, frame: FrameType | None) -> None:
        self.is_set = True


def exit_on(numbers: Collection[signal.Signals] = _ENDS) -> None:
    """Raise SystemExit(0) in the main thread, wherever it is, at the first of these signals."""
    for number in _unless_ignored(numbers):
        signal.signal(number, _exit)


def ignore() -> None:
    """Let no further signal change anything; when the interpreter ends it gives handlers up."""
    for number in _ENDS:
        signal.signal(number, signal.SIG_IGN)


def _exit(number: int, frame: FrameType | None) -> NoReturn:
    for each in _unless_ignored(_ENDS):
        # not SIG_IGN: Python complains of a signal that had come before that was set
        signal.signal(each, lambda number, frame: None)
    raise SystemExit(0)
