"""Says what goes wrong again and again, but not each time."""

from collections.abc import Callable
import time

_PAUSE = 10.0  # seconds


class Complaints:
    """Says the first, then at most one line every ten seconds, with the number held back."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self._held = 0
        self._quiet_until = 0.0

    def add(self, text: str) -> None:
        """Say it now, or count it."""
        now = time.monotonic()
        if now < self._quiet_until:
            self._held += 1
            return
        self._say(text + (f' (and {self._held} more before)' if self._held else ''))
        self._held, self._quiet_until = 0, now + _PAUSE
