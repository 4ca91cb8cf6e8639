"""A reader of a ring; any number of them, in any process, at their own pace."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import time
from types import TracebackType

from camera_mp.errors import FrameTimeout, RingClosed, WriterDied
from camera_mp.frame import Frame
from camera_mp.ring import file
from camera_mp.ring.mapping import RingMapping, RingStatus

_LOOK = 0.25   # seconds of sleep after which to see whether the writer lives
_POLL = 0.02   # seconds between looks for a ring that is not there

_Pick = Callable[[RingMapping], Frame | None]


class FrameReader:
    """
    Reads a camera's frames from shared memory, without ever slowing its writer.

    `wait` and `borrow` give the newest frame not seen yet, `next` and `borrow_next` every frame
    in order; `missed` counts those that were overwritten before `next` came to them.
    It may be made before its camera starts, and goes on by itself when the camera restarts or
    changes size; what is left in the old memory is read first. For one thread. A camera whose
    frames cost much to make draws them only as long as it has such a reader.

    Each way of reading sleeps up to `timeout` seconds (None: for ever) and then raises
    FrameTimeout, or WriterDied if the process that wrote is gone and no other came.
    RingClosed comes at once when the writer has ended the stream and all of it was read.
    RingCorrupt: what lies under this name is no ring.
    """

    def __init__(self, name: str, domain: int | None = None) -> None:
        self.name = name
        self.missed = 0
        self._path = file.ring_path(name, domain)
        self._ring: RingMapping | None = None
        self._seen = 0  # number of the last frame read or missed
        if self._attach() and self._ring:
            newest = self._ring.newest
            self._seen = newest - self._ring.holds(newest)

    def _attach(self) -> bool:
        """Map what the name leads to, if it is new and somebody writes it or it goes on ours."""
        if self._ring is not None and self._ring.is_current():
            return False
        ring = RingMapping.open(self._path)
        if ring is None:
            return False
        goes_on = self._ring is not None and ring.generation == self._ring.generation
        if not goes_on and not ring.writer_lives():
            return False
        ring.begin_reading()
        self._ring, self._seen = ring, self._seen if goes_on else 0
        return True

    def wait(self, timeout: float | None = None) -> Frame:
        """Give a private, verified copy of the newest frame not seen yet."""
        return self._read(self._newest(RingMapping.copy), timeout)

    def next(self, timeout: float | None = None) -> Frame:  # noqa: A003
        """Give a private, verified copy of the oldest frame not seen yet."""
        return self._read(self._oldest(RingMapping.copy), timeout)

    @contextmanager
    def borrow(self, timeout: float | None = None) -> Iterator[Frame]:
        """
        Lend the newest frame not seen yet where it lies, read-only and without a copy.

        The writer does not wait: after use, ask frame.intact whether it was overwritten.
        """
        yield self._read(self._newest(RingMapping.borrow), timeout)

    @contextmanager
    def borrow_next(self, timeout: float | None = None) -> Iterator[Frame]:
        """Lend the oldest frame not seen yet; if it is overwritten meanwhile it is missed."""
        frame = self._read(self._oldest(RingMapping.borrow), timeout)
        try:
            yield frame
        finally:
            self.missed += not frame.intact

    @property
    def generation(self) -> int | None:
        """Give when the writer of what is read began: another one is a camera that restarted."""
        return self._ring.generation if self._ring else None

    def status(self) -> RingStatus | None:
        """Tell what the camera is doing now; None if there is no ring of this name."""
        ring = RingMapping.open(self._path)
        return ring.status() if ring else None

    def close(self) -> None:
        """Let go of the memory; frames borrowed from it stay valid."""
        self._ring = None

    def __enter__(self) -> 'FrameReader':
        """Give the reader itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Close it."""
        self.close()

    def _newest(self, take: Callable[[RingMapping, int], Frame | None]) -> _Pick:
        def pick(ring: RingMapping) -> Frame | None:
            while (number := ring.newest) > self._seen:
                frame = take(ring, number)
                if frame is not None:
                    self._seen = number
                    return frame
                if number == ring.newest:
                    break  # its slot is in use again though no frame came: wait for that one
            return None
        return pick

    def _oldest(self, take: Callable[[RingMapping, int], Frame | None]) -> _Pick:
        def pick(ring: RingMapping) -> Frame | None:
            while (newest := ring.newest) > self._seen:
                number = max(self._seen + 1, newest - ring.slots + 1)
                self.missed += number - self._seen - 1
                self._seen = number
                frame = take(ring, number)
                if frame is not None:
                    return frame
                self.missed += 1
            return None
        return pick

    def _read(self, pick: _Pick, timeout: float | None) -> Frame:
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            ring = self._ring
            signal = ring.signal if ring else 0
            frame = pick(ring) if ring else None
            over = frame is None and (ring is None or ring.is_over())
            if over:
                frame = self._go_on(ring, pick)
            if frame is not None:
                return frame
            left = _LOOK if deadline is None else deadline - time.monotonic()
            if left <= 0:
                raise self._outcome()
            if self._ring is ring:
                self._sleep(signal, left, over)

    def _go_on(self, ring: RingMapping | None, pick: _Pick) -> Frame | None:
        """Read what came just before the end, else turn to the ring that has the name now."""
        frame = pick(ring) if ring else None
        if frame is None and not self._attach() and ring and ring.is_closed:
            raise RingClosed(f'camera {self.name!r} has ended: {ring.status().reason}')
        return frame

    def _sleep(self, signal: int, left: float, over: bool) -> None:
        if self._ring is None or over:
            time.sleep(min(left, _POLL))
        else:
            self._ring.sleep(signal, min(left, _LOOK))

    def _outcome(self) -> FrameTimeout | WriterDied:
        ring = self._ring
        if ring is None:
            return FrameTimeout(f'camera {self.name!r} is not running ({self._path})')
        if not ring.writer_lives():
            return WriterDied(f'the process that wrote camera {self.name!r} died')
        return FrameTimeout(f'no new frame from camera {self.name!r} ({ring.state.name.lower()})')
