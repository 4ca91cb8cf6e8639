"""A thread that publishes each frame of a ring while somebody wants it, and rests otherwise."""

from collections.abc import Callable
import threading

from camera_mp.errors import FrameTimeout, RingClosed, RingCorrupt, WriterDied
from camera_mp.frame import Frame
from camera_mp.ring import FrameReader

_LOOK = 0.25  # seconds between looks at whether to end
_IDLE = 0.05  # seconds between looks for somebody who wants frames


class RingPublisher:
    """
    Gives every frame of a ring to `publish`, in order and each once, while `is_wanted` says so.

    Between times it has no reader at the ring, so that a camera need not draw for it.
    `published` counts the frames that `publish` took, `missed` those that were overwritten
    before they could be. tell: gets what is wrong with a ring. For frames of another ring set
    `ring`.
    """

    def __init__(self, ring: str, is_wanted: Callable[[], object],
                 publish: Callable[[Frame], bool], tell: Callable[[str], object]) -> None:
        self.ring = ring
        self.published = 0
        self.is_wanted = is_wanted
        self._publish, self._tell = publish, tell
        self._missed = 0
        self._reader: FrameReader | None = None
        self._last = (0, 0)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f'publish {ring}')
        self._thread.start()

    @property
    def missed(self) -> int:
        """How many frames were overwritten before they could be published."""
        reader = self._reader
        return self._missed + (reader.missed if reader else 0)

    def close(self) -> None:
        """End the thread."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self.is_wanted():
                self._stopping.wait(_IDLE)
                continue
            try:
                self._follow(self.ring)
            except RingCorrupt as error:
                self._tell(str(error))
                self._stopping.wait(_LOOK)

    def _follow(self, ring: str) -> None:
        with FrameReader(ring) as reader:
            self._reader = reader
            while not self._stopping.is_set() and self.ring == ring and self.is_wanted():
                try:
                    with reader.borrow_next(_LOOK) as frame:
                        self._take(frame)
                except (FrameTimeout, WriterDied):
                    pass  # the capture is slow, or is being started again
                except RingClosed:
                    self._stopping.wait(_IDLE)  # ended; a new capture may follow
            self._missed, self._reader = self._missed + reader.missed, None

    def _take(self, frame: Frame) -> None:
        this = (frame.stamp_ns, frame.sequence)
        if this != self._last:  # the one that a new reader finds may be published already
            self._last = this
            self.published += self._publish(frame)
