"""What every source is: an open device that gives frames, and the settings all of them share."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
import time
from typing import ClassVar, NamedTuple

from camera_mp.controls import Control
from camera_mp.errors import ControlRefused
from camera_mp.frame import FrameFormat, Pixels
from camera_mp.settings import setting, Settings
from camera_mp.transforms import COLOR_ENCODINGS, FLIPS, ROTATIONS


@dataclass(frozen=True)
class CaptureSettings(Settings):
    """Settings that every source has; a source's own class adds to them."""

    source: str = setting('synthetic', 'Where the frames come from.')
    video_device: str = setting('', 'What the source opens: for video a file, a folder or glob '
                                'of images, an rtsp:// or http:// stream; for v4l2 /dev/videoN, '
                                "a link to it, a serial number, '' for the first camera.")
    image_width: int = setting(0, 'Width in pixels before rotation; 0: as the source has it.',
                               low=0, high=16384, live=True)
    image_height: int = setting(0, 'Height in pixels before rotation; 0: as the source has it.',
                                low=0, high=16384, live=True)
    framerate: float = setting(0.0, 'Frames a second; 0.0: as the source has it.',
                               low=0.0, high=1000.0, live=True)
    encoding: str = setting('bgr8', 'Encoding of the published colour image.',
                            choices=COLOR_ENCODINGS, live=True)
    rotate: int = setting(0, 'Degrees to turn the picture clockwise.', choices=ROTATIONS,
                          live=True)
    flip: str = setting('', 'How to mirror the picture, before it is turned.', choices=FLIPS,
                        live=True)
    slots: int = setting(6, 'Frames kept in shared memory.', low=2, high=64)
    share_with_group: bool = setting(False, 'Let the user group read the shared memory.')
    timestamp_offset: int = setting(0, 'Nanoseconds to add to every stamp.',
                                    low=-10**12, high=10**12, live=True)
    stall_timeout: float = setting(3.0, 'Seconds without a frame after which the camera counts '
                                   'as stalled.', low=0.1, high=3600.0, live=True)


@dataclass(frozen=True)
class Stream:
    """
    One of the pictures a device delivers.

    name: '' for the main one, else what its ring's name and its topics begin with ('depth').
    topic: below the camera's namespace, as image_raw or depth/image_rect_raw.
    format: what `read_into` draws, before any transform.
    lazy: drawn only while somebody reads its ring, because drawing costs much.
    """

    name: str
    topic: str
    format: FrameFormat  # noqa: A003
    lazy: bool = False


class Grabbed(NamedTuple):
    """A moment of all streams: when it was taken and the source's own number of it."""

    stamp_ns: int
    sequence: int


class Source(ABC):
    """
    An open source. Making one opens it: SourceError says in one line why it cannot be.

    streams: what it delivers, the main one first. framerate: its rate in Hz, 0.0 if unknown.
    keeps_framerate: whether it delivers at settings.framerate by itself; the capture thins out
    the frames of a source that does not. hardware_id: serial number or path of the device, ''
    if it has none. longest_retry: seconds between attempts to open it again, at the most.
    """

    Settings: ClassVar[type[CaptureSettings]] = CaptureSettings
    has_controls: ClassVar[bool] = False
    longest_retry: ClassVar[float] = 5.0
    streams: tuple[Stream, ...]
    framerate: float
    keeps_framerate = True
    hardware_id = ''

    @abstractmethod
    def __init__(self, settings: CaptureSettings) -> None:
        """Open it; `settings` is of the class's own Settings."""

    @abstractmethod
    def grab(self) -> Grabbed:
        """
        Wait for the next frame, without decoding more than must be.

        Raises SourceLost if the source broke, SourceStalled if it hangs (it is closed and opened
        again) and SourceEnded if there will never be another frame.
        """

    @abstractmethod
    def read_into(self, stream: Stream, out: Pixels) -> None:
        """
        Draw the grabbed picture of one stream into `out`, of exactly the stream's format.

        `out` is C-contiguous.

        Raises FrameBroken if this one frame cannot be decoded: it is counted and skipped.
        """

    def length(self, stream: Stream) -> int | None:
        """Give the bytes of the grabbed picture if the stream's encoding is jpeg, else None."""
        return None

    def controls(self) -> tuple[Control, ...]:
        """Give what can be set on the open device, as it is now."""
        return ()

    def set_control(self, name: str, value: int) -> int:
        """Set a control, from any thread; give what the driver made of it or ControlRefused."""
        raise ControlRefused(f'{name}: this source has no controls')

    def warnings(self) -> tuple[str, ...]:
        """Give a line for each thing that the device does otherwise than asked."""
        return ()

    def close(self) -> None:  # noqa: B027
        """Let go of the device; once more does nothing."""


class Pacer:
    """Waits for the moments of a constant rate; one who comes late never catches up in a burst."""

    def __init__(self, framerate: float) -> None:
        self._period = 1 / framerate
        self._due = time.monotonic() - self._period

    def wait(self, step_ns: int = 0) -> int:
        """
        Sleep until the next frame is due and give the time then, in ns since the epoch.

        step_ns: from the frame before to this one, if it is not the constant period.
        """
        step = step_ns / 1e9 or self._period
        self._due += step
        delay = self._due - time.monotonic()
        if delay > 0:
            time.sleep(delay)
        elif delay < -step:
            self._due -= delay
        return time.time_ns()
