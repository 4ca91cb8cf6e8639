"""The driver's time and number of a frame, as the rest of the package has them."""

import time

_UNDISTURBED = 20_000  # ns: more than looking at three clocks takes


def to_realtime(monotonic_ns: int) -> int:
    """
    Give the CLOCK_REALTIME at a moment of CLOCK_MONOTONIC, both in ns.

    The clocks are compared anew each time, so that a step of NTP does not skew later stamps; a
    process may be put to sleep between two clocks: then the best of three looks counts. A stamp
    of 0 or in the future is a driver's nonsense: the time is now.
    """
    took, before, now = _look()
    if took > _UNDISTURBED:
        took, before, now = min((took, before, now), _look(), _look())
    if not 0 < monotonic_ns <= before + took:
        return now
    return now - (before + took // 2 - monotonic_ns)


def _look() -> tuple[int, int, int]:
    """Look at the monotonic clock and the other one; give how long it took first."""
    before, now = time.monotonic_ns(), time.time_ns()
    return time.monotonic_ns() - before, before, now


class Unwrapped:
    """Makes a 32-bit counter one that never wraps round nor goes back."""

    def __init__(self) -> None:
        self._last: int | None = None

    def next(self, number: int) -> int:  # noqa: A003
        """Give the number of the next frame; one that went back or stood still counts as one."""
        if self._last is None:
            self._last = number
        else:
            step = (number - self._last) & 0xFFFFFFFF
            self._last += step if 0 < step < 0x80000000 else 1
        return self._last
