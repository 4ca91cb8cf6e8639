"""A USB webcam without hardware, good enough for the kernel's uvcvideo; it can fail as asked."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
import struct
import time

from usbip import Setup, Stall, UsbDevice
from uvc_descriptors import CAMERA, descriptor, frame_size, Identity, INTERVALS, PROCESSING, SIZES

Pictures = Mapping[tuple[int, int, int], Sequence[bytes]]  # of (format, width, height)

_BEHIND = 0.5  # seconds after which late frames are given up

# USB 2.0, tables 9-3 and 9-4
_GET_DESCRIPTOR, _CLEAR_FEATURE, _SET_INTERFACE = (0x80, 6), (0x02, 1), (0x01, 11)
_STANDARD = 0x60  # bits of bmRequestType that are 0 for these requests
# UVC 1.1, table A-8
_SET_CUR, _GET_CUR, _GET_MIN, _GET_MAX, _GET_RES, _GET_LEN, _GET_INFO, _GET_DEF = (
    0x01, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87)
_GET_AND_SET = b'\x03'            # table 4-3: the answer to _GET_INFO
_PROBE, _COMMIT = 1, 2            # table A-15
_STREAMING = 1                    # number of the streaming interface
_NEGOTIATION = '<HBBI5HII'        # table 4-75, 26 bytes in UVC 1.0
# table 2-5, bits of a payload header: frame id, end of frame, error, end of header
_PAYLOAD_HEADER = 2
_FID, _EOF, _ERR, _EOH = 0x01, 0x02, 0x40, 0x80


@dataclass
class Control:
    """A control of a unit; width is its size in bytes."""

    name: str
    width: int
    minimum: int
    maximum: int
    step: int
    default: int
    current: int = field(init=False)

    def __post_init__(self) -> None:
        """Begin with the default."""
        self.current = self.default

    def value(self, request: int) -> bytes:
        """Answer a request for one of its numbers."""
        numbers = {_GET_CUR: self.current, _GET_MIN: self.minimum, _GET_MAX: self.maximum,
                   _GET_RES: self.step, _GET_DEF: self.default}
        if request not in numbers:
            raise Stall
        return numbers[request].to_bytes(self.width, 'little', signed=True)


def _controls() -> dict[tuple[int, int], Control]:
    # by unit and selector, tables
    return {
        (PROCESSING, 2): Control('brightness', 2, -64, 64, 1, 0),
        (PROCESSING, 3): Control('contrast', 2, 0, 95, 1, 32),
        (PROCESSING, 4): Control('gain', 2, 0, 100, 1, 10),
        (PROCESSING, 5): Control('power_line_frequency', 1, 0, 2, 1, 1),
        (CAMERA, 2): Control('auto_exposure', 1, 1, 8, 9, 8),  # bits: 1 manual, 8 automatic
        (CAMERA, 4): Control('exposure_time_absolute', 4, 1, 5000, 1, 157),
    }


class Webcam(UsbDevice):
    """
    A camera with the formats of uvc_descriptors.SIZES.

    pictures: what it shows, in turn, of each format and size. frozen: it hangs, without
    another frame but still plugged in. faults: one for each of the next frames, of
    'truncated' (half of it), 'garbage' (bytes that mean nothing), 'flagged' (zeros, marked as
    bad), or '' for a good one. sent: frames since it was made. set_controls: names and
    values that the host has set.
    """

    def __init__(self, pictures: Pictures, identity: Identity, port: int) -> None:
        super().__init__(port)
        self.frozen = False
        self.faults: deque[str] = deque()
        self.sent = 0
        self.set_controls: list[tuple[str, int]] = []
        self._pictures, self._identity = pictures, identity
        self._controls = _controls()
        self._kind, self._size, self._interval = 1, 1, INTERVALS[0]
        self.halted()
        self._due = 0.0
        self._toggle = 0

    def plug(self) -> None:
        """Plug it in, as it comes out of the box."""
        self._controls = _controls()
        self.halted()
        super().plug()

    def halted(self) -> None:
        """Forget the frame that is under way."""
        self._frame: memoryview | None = None
        self._part_sent = 0

    def control(self, setup: Setup, data: bytes) -> bytes:
        """Answer a request of the standard or of the video class."""
        if setup.request_type & _STANDARD == 0:
            return self._standard(setup)
        if setup.index & 0xff == _STREAMING:
            return self._negotiate(setup, data)
        control = self._controls.get((setup.index >> 8, setup.value >> 8))
        if control is None:
            raise Stall
        if setup.request == _GET_INFO:
            return _GET_AND_SET
        if setup.request != _SET_CUR:
            return control.value(setup.request)
        control.current = int.from_bytes(data[:control.width], 'little', signed=True)
        self.set_controls.append((control.name, control.current))
        return b''

    def _standard(self, setup: Setup) -> bytes:
        request = setup.request_type, setup.request
        if request == _GET_DESCRIPTOR:
            found = descriptor(setup.value >> 8, setup.value & 0xff, self._identity)
            if not found:
                raise Stall
            return found
        if request in (_CLEAR_FEATURE, _SET_INTERFACE):  # how a host ends a bulk stream
            self.halted()
        return bytes(2) if setup.request_type & 0x80 else b''

    def _negotiate(self, setup: Setup, data: bytes) -> bytes:
        if setup.value >> 8 not in (_PROBE, _COMMIT):
            raise Stall
        if setup.request == _SET_CUR:
            _, kind, size, interval = struct.unpack_from('<HBBI', data)
            self._kind = kind if kind in SIZES else 1
            self._size = size if 1 <= size <= len(SIZES[self._kind]) else 1
            self._interval = min(INTERVALS, key=lambda one: abs(one - interval))
            return b''
        if setup.request == _GET_LEN:
            return struct.pack('<H', struct.calcsize(_NEGOTIATION))
        if setup.request == _GET_INFO:
            return _GET_AND_SET
        return struct.pack(
            _NEGOTIATION, 0, self._kind, self._size, self._interval, 0, 0, 0, 0, 0,
            frame_size(self._kind, self._size), self._most_of_a_payload)

    @property
    def _most_of_a_payload(self) -> int:
        return _PAYLOAD_HEADER + frame_size(self._kind, self._size)

    def stream(self) -> float | None:
        """Send as much as the host has asked for; each frame when it is due."""
        if not self.waiting or self.frozen:
            return 0.01 if self.frozen else None
        if self._frame is None:
            now = time.monotonic()
            if now < self._due:
                return self._due - now
            late = now - self._due > _BEHIND
            self._due = (now if late else self._due) + self._interval / 1e7
            self._frame = memoryview(self._next_frame())
        self._send_part(self._frame)
        return 0.0

    def _send_part(self, frame: memoryview) -> None:
        transfer = self.waiting.pop(0)
        part, self._frame = frame[:transfer.length], frame[transfer.length:]
        self._part_sent += len(part)
        self.send(transfer, part)
        if len(part) < transfer.length or self._part_sent == self._most_of_a_payload:
            self.halted()
            self.sent += 1

    def _next_frame(self) -> bytes:
        """Give a payload header and a picture: a frame is a single payload."""
        width, height = SIZES[self._kind][self._size - 1]
        pictures = self._pictures[self._kind, width, height]
        picture = pictures[self.sent % len(pictures)]
        fault = self.faults.popleft() if self.faults else ''
        if fault == 'truncated':
            picture = picture[:len(picture) // 2]
        elif fault == 'garbage':
            picture = bytes(range(251)) * (len(picture) // 251)
        elif fault == 'flagged':
            picture = bytes(len(picture))
        self._toggle ^= _FID
        flags = _EOH | _EOF | self._toggle | (_ERR if fault == 'flagged' else 0)
        return bytes([_PAYLOAD_HEADER, flags]) + picture
