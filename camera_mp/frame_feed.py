"""The frames of a camera for those who go on working whatever becomes of the camera."""

import threading
import time

from camera_mp.capture_process import Log
from camera_mp.errors import FrameTimeout, RingClosed, RingCorrupt, RingError
from camera_mp.frame import Frame, FrameFormat
from camera_mp.ring import FrameReader

_LOOK = 0.25     # seconds that one look waits for a frame
_PAUSE = 0.1     # seconds between looks at a camera that has ended, or whose ring is broken
_SILENCE = 3.0   # seconds without a frame that are worth a line


class FrameFeed:
    """
    Gives frames, the newest or every one, and says when they stop and when they come again.

    missed: how many of `every` frame were overwritten before a look came to them. For one
    thread at a time.
    """

    def __init__(self, name: str, *, every: bool, log: Log, domain: int | None = None) -> None:
        self.missed = 0
        self._reader = FrameReader(name, domain)
        self._lend = self._reader.borrow_next if every else self._reader.borrow
        self._name, self._log = name, log
        self._counted = 0
        self._format: FrameFormat | None = None
        self._number = 0
        self._trouble = ''
        self._last = time.monotonic()

    def look(self, stopping: threading.Event) -> Frame | None:
        """Wait a moment for a frame and lend it, None if there is none; `stopping` cuts it."""
        try:
            with self._lend(_LOOK) as frame:
                self.missed += self._reader.missed - self._counted
            # what is overwritten from here on is seen by who reads it
            self._counted = self._reader.missed
        except FrameTimeout as error:
            if time.monotonic() - self._last > _SILENCE:
                self._complain(error)
            return None
        except RingError as error:
            self._complain(error)
            if isinstance(error, RingClosed | RingCorrupt):  # these come at once
                stopping.wait(_PAUSE)
            return None
        self._welcome(frame)
        return frame

    def _complain(self, error: RingError) -> None:
        if not self._trouble:
            self._log.warning(str(error))
        self._trouble = str(error)

    def _welcome(self, frame: Frame) -> None:
        if self._trouble or frame.format != self._format or frame.number <= self._number:
            self._log.info(f'camera {self._name!r} delivers {frame.format}')
        self._trouble, self._format = '', frame.format
        self._number, self._last = frame.number, time.monotonic()
