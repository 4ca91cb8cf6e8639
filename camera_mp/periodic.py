"""
Call a function at a fixed rate, on time, and know exactly how well that went.

Needs numpy and the standard library only: a program of your own may use it without ROS.
"""

from array import array
from collections.abc import Callable
import ctypes
import errno
import os
import time
from typing import NamedTuple

from camera_mp.errors import SettingError
from camera_mp.loop_statistics import Histogram, histograms, LoopStatistics

MIN_RATE, MAX_RATE = 1, 20_000  # Hz: stop() may take a period; a tick of Python costs 5 to 10 us
_TIMER_ABSTIME = 1              # linux/time.h
_SECOND = 1_000_000_000


class _Timespec(ctypes.Structure):
    _fields_ = [('tv_sec', ctypes.c_long), ('tv_nsec', ctypes.c_long)]


_clock_nanosleep = ctypes.CDLL(None).clock_nanosleep  # ctypes lets go of the GIL in a call
_clock_nanosleep.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.POINTER(_Timespec),
                             ctypes.c_void_p]


def sleep_until(deadline_ns: int) -> None:
    """
    Sleep until `deadline_ns` of CLOCK_MONOTONIC, which is that of time.monotonic_ns.

    It returns early at a signal, so that the signal is acted on: look at the clock again.
    """
    code = _clock_nanosleep(time.CLOCK_MONOTONIC, _TIMER_ABSTIME,
                            _Timespec(*divmod(deadline_ns, _SECOND)), None)
    if code not in (0, errno.EINTR):
        raise OSError(code, os.strerror(code))


class Tick(NamedTuple):
    """One call: when it was due (CLOCK_MONOTONIC) and which period it is, counted from 0."""

    scheduled_ns: int
    number: int


class PeriodicLoop:
    """
    Calls a function `rate` times a second at absolute deadlines, a fixed grid that never drifts.

    A period whose deadline passes while the callback of an earlier one still runs is missed: it
    is counted and skipped, never caught up, so that no burst follows a stop of the machine.
    Each period that came is either ticked or missed. A rate beyond the machine thus misses many.

    It costs some 5 us a tick, keeps nothing of a tick, takes no lock and writes no log.
    `stop` and `statistics` may be called at any time by anyone: the callback, another thread, a
    signal handler. Other threads that hold the GIL delay a tick, though: keep heavy ones out of
    the process, and see camera_mp.realtime.

    rate: Hz, 1 to 20000, else SettingError; its period is rounded to a nanosecond.
    clock, sleep_until: for tests; the latter may return early.
    """

    def __init__(self, rate: float, *, clock: Callable[[], int] = time.monotonic_ns,
                 sleep_until: Callable[[int], None] = sleep_until) -> None:
        if not MIN_RATE <= rate <= MAX_RATE:  # false for NaN too
            raise SettingError(
                f'rate: {rate} is not allowed; allowed: {MIN_RATE} to {MAX_RATE} Hz')
        self.rate = rate
        self.period_ns = round(_SECOND / rate)
        self._clock, self._sleep_until = clock, sleep_until
        self._first_ns = self._end_ns = 0  # the first deadline; when it ended
        self._called_ns = 0
        self._stopped = False
        # one piece of memory, so that a reader copies it in one step under the GIL
        self._words = array('q', bytes(8 * (1 + 3 * Histogram.SIZE)))
        self._lateness, self._gap, self._callback = histograms(self._words)

    def run(self, callback: Callable[[Tick], object]) -> None:
        """
        Call `callback` once a period, first after one period, until `stop`; once a loop.

        What the callback or a signal handler raises ends the loop and is raised here. A signal
        interrupts the sleep, so a KeyboardInterrupt does not wait for the next deadline.
        """
        if self._first_ns:
            raise RuntimeError('a PeriodicLoop runs once: make a new one')
        deadline = self._first_ns = self._clock() + self.period_ns
        number = 0
        try:
            while (called := self._wait(deadline)) is not None:
                try:
                    callback(Tick(deadline, number))
                finally:
                    number = self._account(number, deadline, called)
                    deadline = self._first_ns + number * self.period_ns
        finally:
            self._stopped = True
            self._end_ns = self._clock()

    def stop(self) -> None:
        """End the loop, within one period; before `run`: that it returns at once."""
        self._stopped = True

    def statistics(self) -> LoopStatistics:
        """Give the statistics since the start; a copy, which goes on being true."""
        words = self._words[:]
        if not self._first_ns:
            elapsed = 0
        else:
            elapsed = (self._end_ns or self._clock()) - self._first_ns + self.period_ns
        return LoopStatistics(self.rate, elapsed, words[0], *histograms(words))

    def _wait(self, deadline: int) -> int | None:
        """Give the time at which we woke, at or after the deadline; None: stopped."""
        while not self._stopped:
            now = self._clock()
            if now >= deadline:
                return now
            self._sleep_until(deadline)
        return None

    def _account(self, number: int, deadline: int, called: int) -> int:
        """Record a tick and give the number of the next: the first not yet in the past."""
        done = self._clock()
        following = max(number + 1, -((self._first_ns - done) // self.period_ns))
        self._words[0] += following - number - 1
        self._lateness.record(called - deadline)
        self._callback.record(done - called)
        if number:
            self._gap.record(called - self._called_ns)
        self._called_ns = called
        return following
