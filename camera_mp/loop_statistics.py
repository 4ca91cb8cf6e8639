"""How well a periodic loop ran: histograms of fixed memory, and what they say in one line."""

from array import array
from dataclasses import dataclass
import math
from typing import Any

import numpy as np

_SECOND = 1_000_000_000


class Histogram:
    """
    Counts durations in fixed memory (8 kB), with 32 equal buckets an octave, as HdrHistogram.

    Exact below 64 ns; from there to 17 s (2**34 ns) a percentile is the upper end of its bucket:
    never less than the true value and less than 1/32 more. Longer ones are counted as overflow.
    """

    BUCKETS = 960  # the bucket of 2**34 ns would be the next: that one takes the overflow
    SIZE = BUCKETS + 2

    def __init__(self, words: 'memoryview[int] | None' = None) -> None:
        # signed 64-bit words: the buckets, the overflow, the longest
        self._words = memoryview(array('q', bytes(8 * self.SIZE))) if words is None else words

    def record(self, duration_ns: int) -> None:
        """Count one duration of 0 ns or more."""
        words = self._words
        octave = max(duration_ns.bit_length() - 6, 0)
        words[min((octave << 5) + (duration_ns >> octave), self.BUCKETS)] += 1
        if duration_ns > words[-1]:
            words[-1] = duration_ns

    @property
    def count(self) -> int:
        """How many durations were recorded."""
        return int(self._counts().sum())

    @property
    def overflow(self) -> int:
        """How many of them were of 2**34 ns or longer."""
        return self._words[self.BUCKETS]

    @property
    def max_ns(self) -> int:
        """Give the longest, exact; after `since` perhaps the upper end of its bucket. 0: none."""
        return self._words[-1]

    def percentile(self, percent: float) -> int:
        """Give the nanoseconds that `percent` of the durations do not exceed; 0 if none."""
        cumulated = self._counts().cumsum()
        rank = max(math.ceil(cumulated[-1] * percent / 100 - 1e-9), 1)
        return self._upper_end(int(cumulated.searchsorted(rank)))

    def since(self, earlier: 'Histogram') -> 'Histogram':
        """Give what came after `earlier`, a former state of this histogram."""
        difference = array('q', (self._counts() - earlier._counts()).tobytes())
        used = np.flatnonzero(difference)
        longest = self.max_ns
        if longest == earlier.max_ns:
            longest = self._upper_end(int(used[-1])) if used.size else 0
        return Histogram(memoryview(difference + array('q', [longest])))

    def to_dict(self) -> dict[str, Any]:
        """Give percentiles and the buckets in use as [upper end, count]; for JSON, in ns."""
        percentiles = {f'p{percent:g}': self.percentile(percent) for percent in (50, 99, 99.9)}
        counts = self._counts()
        buckets = [[self._upper_end(bucket), int(counts[bucket])]
                   for bucket in np.flatnonzero(counts).tolist()]
        return {**percentiles, 'max': self.max_ns, 'overflow': self.overflow, 'buckets': buckets}

    def _counts(self) -> 'np.ndarray[Any, np.dtype[np.int64]]':
        return np.frombuffer(self._words, np.int64, self.BUCKETS + 1)

    def _upper_end(self, bucket: int) -> int:
        if bucket >= self.BUCKETS:
            return self.max_ns
        octave = max(bucket // 32 - 1, 0)
        return min(((bucket - 32 * octave + 1) << octave) - 1, self.max_ns)


@dataclass(frozen=True)
class LoopStatistics:
    """
    How a loop ran, from its start or, with `since`, from an earlier moment.

    lateness: from the deadline to the call. gap: from call to call. callback: how long it took.
    """

    rate: float  # asked for, Hz
    elapsed_ns: int
    missed: int
    lateness: Histogram
    gap: Histogram
    callback: Histogram

    @property
    def ticks(self) -> int:
        """How many periods had their call."""
        return self.lateness.count

    @property
    def periods(self) -> int:
        """How many periods came: each was ticked or missed."""
        return self.ticks + self.missed

    @property
    def rate_reached(self) -> float:
        """Ticks a second."""
        return self.ticks * _SECOND / self.elapsed_ns if self.elapsed_ns else 0.0

    def since(self, earlier: 'LoopStatistics') -> 'LoopStatistics':
        """Give what happened after `earlier`, which the same loop gave: a window."""
        return LoopStatistics(self.rate, self.elapsed_ns - earlier.elapsed_ns,
                              self.missed - earlier.missed, self.lateness.since(earlier.lateness),
                              self.gap.since(earlier.gap), self.callback.since(earlier.callback))

    def __str__(self) -> str:
        """Give the report of one line."""
        return (f'{self.ticks} of {self.periods} ticks, {self.missed} missed, lateness p99.9 '
                f'{self.lateness.percentile(99.9) / 1e6:.2f} ms, '
                f'max {self.lateness.max_ns / 1e6:.2f} ms')

    def to_dict(self) -> dict[str, Any]:
        """Give all of it for JSON."""
        return {'rate': self.rate, 'rate_reached': self.rate_reached,
                'elapsed_ns': self.elapsed_ns, 'periods': self.periods, 'ticks': self.ticks,
                'missed': self.missed, 'lateness_ns': self.lateness.to_dict(),
                'gap_ns': self.gap.to_dict(), 'callback_ns': self.callback.to_dict()}


def histograms(words: 'array[int]') -> tuple[Histogram, Histogram, Histogram]:
    """Lay lateness, gap and callback over a loop's words; the first word counts the missed."""
    view, size = memoryview(words)[1:], Histogram.SIZE
    return Histogram(view[:size]), Histogram(view[size:2 * size]), Histogram(view[2 * size:])
