"""How many frames a second a camera gives, as its ring's counters say."""

import time

from camera_mp.ring import RingStatus


class FrameRate:
    """Looks at one ring from time to time; the rate is of the time since the last look."""

    def __init__(self) -> None:
        self._before: tuple[int, int, float] | None = None

    def look(self, status: RingStatus) -> float | None:
        """Give the rate in Hz; None at the first look at a camera and after its restart."""
        now = (status.generation, status.frames, time.monotonic())
        before, self._before = self._before, now
        if before is None or before[0] != now[0]:
            return None
        return (now[1] - before[1]) / (now[2] - before[2])
