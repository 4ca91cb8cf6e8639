"""How long to wait before something that failed is tried again."""

import time


class Backoff:
    """
    Delays that double from `first` to `most` seconds.

    They begin anew once the thing has worked for twice `most`.
    """

    def __init__(self, first: float, most: float) -> None:
        self._first, self._most = first, most
        self._delay = first
        self._last = time.monotonic()

    def next_delay(self) -> float:
        """Give the seconds to wait after a failure that happened just now."""
        now = time.monotonic()
        if now - self._last > 2 * self._most:
            self._delay = self._first
        delay, self._delay = self._delay, min(self._delay * 2, self._most)
        self._last = now + delay
        return delay
