"""Frames of several cameras that were taken at the same time."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
import math
import time
from types import TracebackType

from camera_mp.errors import FrameTimeout, SettingError, WriterDied
from camera_mp.frame import Frame
from camera_mp.ring import FrameReader, futex, RingMapping

_Take = Callable[[RingMapping, int], Frame | None]
_Stamps = list[tuple[int, int]]  # stamp and number of each frame not seen yet, oldest first


def newest_within(stamps: Sequence[Sequence[int]], slop_ns: int) -> list[int] | None:
    """
    Choose one stamp of each series, all within the slop, as new as can be; None if none are.

    Gives the index of each. There is one newest choice: of any two the later stamp of each series
    makes a third that is within the slop, too. So each series gives way only if it must.
    """
    chosen = [len(series) - 1 for series in stamps]
    while min(chosen) >= 0:
        limit = min(series[index] for series, index in zip(stamps, chosen, strict=True)) + slop_ns
        within = [_newest_until(limit, series, index)
                  for series, index in zip(stamps, chosen, strict=True)]
        if within == chosen:
            return chosen
        chosen = within
    return None


def _newest_until(limit: int, series: Sequence[int], index: int) -> int:
    while index >= 0 and series[index] > limit:
        index -= 1
    return index


class FrameSet:
    """
    Reads several cameras as one: sets of frames, one of each, whose stamps lie within `slop_ns`.

    `wait` and `borrow` give the newest set that can be made of frames not seen yet; each frame
    is in one set at the most, and no set is older than the one before. A slop of less than half
    the time between two frames makes sets of frames that belong together. As FrameReader it
    never slows a camera, follows restarts and is for one thread.

    Both sleep up to `timeout` seconds (None: for ever). FrameTimeout says which camera is missing
    or how far it lags, WriterDied that the process that wrote it is gone, RingClosed that it has
    ended and no set can come any more.
    """

    def __init__(self, names: Sequence[str], *, slop_ns: int, domain: int | None = None) -> None:
        if not names or len(set(names)) < len(names):
            raise SettingError(f'names: {list(names)} are not allowed; allowed: one or more '
                               'cameras, each once')
        if slop_ns < 0:
            raise SettingError(f'slop_ns: {slop_ns} is not allowed; allowed: 0 or more')
        self._slop_ns = slop_ns
        self._cameras = [_Camera(name, domain) for name in names]

    def wait(self, timeout: float | None = None) -> dict[str, Frame]:
        """Give private, verified copies of the newest set, by name, in the order of the names."""
        return self._read(RingMapping.copy, timeout)

    @contextmanager
    def borrow(self, timeout: float | None = None) -> Iterator[dict[str, Frame]]:
        """
        Lend the newest set where it lies, read-only and without a copy.

        The cameras do not wait: after use, ask frame.intact of each whether it was overwritten.
        """
        yield self._read(RingMapping.borrow, timeout)

    def close(self) -> None:
        """Let go of the memory; frames borrowed from it stay valid."""
        for camera in self._cameras:
            camera.close()

    def __enter__(self) -> 'FrameSet':
        """Give the set itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Close it."""
        self.close()

    def _read(self, take: _Take, timeout: float | None) -> dict[str, Frame]:
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        turn = 0
        while True:
            seen = {camera: camera.look() for camera in self._cameras}
            chosen = newest_within([[stamp for stamp, _ in series] for series in seen.values()],
                                   self._slop_ns)
            if chosen is None:
                late = _late(seen)
                left = deadline - time.monotonic()
                if left <= 0:
                    raise self._outcome(seen, late)
                late[turn % len(late)].sleep(left)
            elif frames := self._take(take, [series[index] for series, index in zip(
                    seen.values(), chosen, strict=True)]):
                return frames  # else one was overwritten meanwhile: newer ones are there
            turn += 1

    def _take(self, take: _Take, chosen: _Stamps) -> dict[str, Frame] | None:
        frames = {}
        for camera, (_, number) in zip(self._cameras, chosen, strict=True):
            frame = camera.take(take, number)
            if frame is None:
                return None
            frames[camera.name] = frame
        for camera, (stamp_ns, number) in zip(self._cameras, chosen, strict=True):
            camera.mark_taken(stamp_ns, number)
        return frames

    def _outcome(self, seen: dict['_Camera', _Stamps], late: list['_Camera']) -> Exception:
        outcomes = [camera.outcome() for camera in late]
        text = '; '.join(map(str, outcomes))
        if any(isinstance(outcome, WriterDied) for outcome in outcomes):
            return WriterDied(text)
        return FrameTimeout(self._lags(seen) if seen[late[0]] else text)

    def _lags(self, seen: dict['_Camera', _Stamps]) -> str:
        newest = {camera: series[-1][0] for camera, series in seen.items()}
        first = max(newest, key=newest.__getitem__)
        lags = ', '.join(f'{camera.name!r} is {(newest[first] - stamp) / 1e6:.1f} ms'
                         for camera, stamp in newest.items() if camera is not first)
        return (f'no frames within {self._slop_ns / 1e6:g} ms: {lags} behind camera '
                f'{first.name!r}')


def _late(seen: dict['_Camera', _Stamps]) -> list['_Camera']:
    """
    Give the cameras without which no set can come; each of them must deliver first.

    Those that have nothing to show, and first the one that was last in the set before: when it
    has delivered the others mostly have. If none: the one whose newest frame is the oldest,
    because no frame of the others fits it and theirs to come are newer still. So it is enough to
    sleep on one ring, and fewer frames wake us than if any of several could.
    """
    missing = [camera for camera, series in seen.items() if not series]
    missing.sort(key=lambda camera: camera.taken_ns, reverse=True)
    return missing or [min(seen, key=lambda camera: seen[camera][-1][0])]


class _Camera(FrameReader):
    """A reader that shows the stamps of what there is, and takes what it is told to."""

    taken_ns = 0  # stamp of its frame in the last set
    _signal = 0

    def look(self) -> _Stamps:
        """Give stamp and number of each frame not seen yet, oldest first."""
        ring = self._ring
        if ring is None:
            return []
        self._signal = ring.signal
        newest = ring.newest
        futex.fence()  # what is read of the frames must not be older than that they are there
        numbers = range(max(self._seen, newest - ring.slots) + 1, newest + 1)
        return [(stamp, number) for number in numbers
                if (stamp := ring.stamp_ns(number)) is not None]

    def take(self, take: _Take, number: int) -> Frame | None:
        """Take a frame that `look` has shown; None if it was overwritten meanwhile."""
        return take(self._ring, number) if self._ring else None

    def mark_taken(self, stamp_ns: int, number: int) -> None:
        """Show this frame and those before it no more."""
        self.taken_ns, self._seen = stamp_ns, number

    def sleep(self, left: float) -> None:
        """Sleep until there may be more to see than `look` saw, for `left` seconds at the most."""
        ring = self._ring
        over = ring is None or ring.is_over()
        if over:
            if ring and ring.signal != self._signal:
                return  # frames that came just before the end are to be looked at first
            self._go_on(ring, lambda ring: None)
        if self._ring is ring:
            self._sleep(self._signal, left, over)

    def outcome(self) -> FrameTimeout | WriterDied:
        """Say what is wrong with a camera that is late; RingClosed if it has ended."""
        self.sleep(0.0)
        return self._outcome()
