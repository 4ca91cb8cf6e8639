"""Single frames of a ring, by number: for those whom somebody else tells which one to read."""

from camera_mp.frame import Frame
from camera_mp.ring import file
from camera_mp.ring.mapping import RingMapping


class FrameFinder:
    """
    Finds the frame that another reader saw, as long as the ring still holds it.

    A number alone does not say which frame it is: numbers begin anew with every start of the
    camera. Its stamp does.
    """

    def __init__(self, name: str, domain: int | None = None) -> None:
        self._path = file.ring_path(name, domain)
        self._ring: RingMapping | None = None

    def find(self, number: int, stamp_ns: int) -> Frame | None:
        """
        Lend a frame where it lies, read-only; None if it is gone.

        As with a reader's `borrow`, ask frame.intact after use. RingCorrupt: it is no ring.
        """
        frame = self._borrow(number, stamp_ns)
        if frame is None and not (self._ring and self._ring.is_current()):
            self._ring = RingMapping.open(self._path)
            frame = self._borrow(number, stamp_ns)
        return frame

    def _borrow(self, number: int, stamp_ns: int) -> Frame | None:
        frame = self._ring.borrow(number) if self._ring else None
        return frame if frame and frame.stamp_ns == stamp_ns else None
