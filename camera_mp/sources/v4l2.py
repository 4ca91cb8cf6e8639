"""Cameras on this machine, USB webcams above all, through the kernel's Video4Linux."""

from dataclasses import dataclass
import time

from camera_mp.controls import Control
from camera_mp.errors import FrameBroken, SettingError, SourceError, SourceStalled
from camera_mp.frame import FrameFormat, Pixels
from camera_mp.settings import setting
from camera_mp.sources.source import CaptureSettings, Grabbed, Source, Stream
from camera_mp.v4l2 import jpeg
from camera_mp.v4l2.controls import Controls
from camera_mp.v4l2.device import Device
from camera_mp.v4l2.finding import Finder
from camera_mp.v4l2.negotiation import COMPRESSED, negotiate, PIXEL_FORMATS
from camera_mp.v4l2.pixels import Converter
from camera_mp.v4l2.stamps import to_realtime, Unwrapped
from camera_mp.v4l2.streaming import Buffer, Streaming

_USB_CAM = {  # usb_cam's names of pixel formats
    'mjpeg2rgb': 'MJPG', 'raw_mjpeg': 'MJPG', 'mjpeg': 'MJPG', 'yuyv2rgb': 'YUYV',
    'yuyv': 'YUYV', 'uyvy2rgb': 'UYVY', 'uyvy': 'UYVY', 'mono8': 'GREY', 'grey': 'GREY',
    'mono16': 'Y16', 'rgb8': 'RGB3', 'bgr8': 'BGR3'}
_FOR_THE_WATCHER = 0.3  # seconds: the capture says that a camera hangs before it is closed

_finder = Finder()


@dataclass(frozen=True)
class V4L2Settings(CaptureSettings):
    """Settings of the V4L2 source."""

    pixel_format: str = setting('', 'What the camera shall send: MJPG, YUYV, GREY, NV12, ...; '
                                "'': MJPG where only that has the size and rate, else "
                                'uncompressed.')
    io_method: str = setting('mmap', 'How frames come from the driver; always mmap.',
                             choices=('mmap', 'read', 'userptr'))
    strict: bool = setting(False, 'End with an error if the camera does not do exactly what is '
                           'asked; else that is a warning.')

    def __post_init__(self) -> None:
        """Refuse a pixel format that nobody can decode."""
        super().__post_init__()
        if self.pixel_format and self.fourcc not in PIXEL_FORMATS:
            raise SettingError(f'pixel_format: {self.pixel_format!r} is unknown; allowed: '
                               f'{", ".join([*PIXEL_FORMATS, *_USB_CAM])}')

    @property
    def fourcc(self) -> str:
        """Give the pixel format by its four characters, as V4L2 names it; '': any."""
        name = self.pixel_format.strip()
        return _USB_CAM.get(name, name.upper())


class V4L2Source(Source):
    """
    Streams a camera; frames are looked at where the driver wrote them.

    MJPG: the camera's own JPEG goes out as it is, and is decoded for those who look at
    image_raw. Other formats are converted straight into the ring. Stamps are the kernel's,
    sequence numbers the driver's; frames that the driver marks as bad are left out.
    """

    Settings = V4L2Settings
    has_controls = True
    longest_retry = 0.5  # to look whether a camera is there again costs next to nothing

    def __init__(self, settings: V4L2Settings) -> None:
        self._settings = settings
        self._buffer: Buffer | None = None
        self._data: Pixels | None = None  # of the buffer, without padding
        self._streaming: Streaming | None = None
        self._numbers = Unwrapped()
        self._warnings = _foreign_words(settings)
        node = _finder.find(settings.video_device)
        if not settings.video_device:
            self._warnings.append(f'video_device: the first camera is taken, {node}')
        self._device = Device(node.path)
        try:
            self.hardware_id = node.serial or self._device.capability.bus
            self._negotiate()
            self._controls = Controls(self._device)
            self._streaming = Streaming(self._device)
        except SourceError:
            self.close()
            raise
        # as the capture sees it: a frame every ten seconds is no stall
        self._patience = max(settings.stall_timeout, 2 / (self.framerate or 1.0))

    def _negotiate(self) -> None:
        """Agree with the driver on a format and a rate, and make the streams of them."""
        wish = self._settings
        agreed = negotiate(self._device, wish.fourcc, wish.image_width, wish.image_height,
                           wish.framerate)
        if agreed.differences and wish.strict:
            raise SourceError('; '.join(agreed.differences))
        self._warnings += agreed.differences
        self._picture = agreed.picture
        self.keeps_framerate = not wish.framerate or (
            0 < agreed.framerate <= wish.framerate * 1.01)
        self.framerate = agreed.framerate if self.keeps_framerate else wish.framerate
        self._plan()

    def _plan(self) -> None:
        """Make the streams of the picture's format."""
        wish, got = self._settings, self._picture
        self._converter = self._decode = None
        if got.fourcc not in COMPRESSED:
            self._converter = Converter(got, wish.encoding)
            self.streams = (Stream('', 'image_raw', self._converter.format),)
            return
        self._check, self._decode = jpeg.Check(got.height, got.width), jpeg.decoder(wish.encoding)
        if not jpeg.IS_FAST:
            self._warnings.append(jpeg.ADVICE)
        self.streams = (Stream('', 'image_raw', FrameFormat(got.height, got.width,
                                                            wish.encoding), lazy=True),)
        size = (wish.image_width or got.width, wish.image_height or got.height)
        if not (wish.rotate or wish.flip) and size == (got.width, got.height):
            self.streams += (Stream('compressed', 'image_raw/compressed',
                                    FrameFormat(got.height, got.width, 'jpeg')),)

    def grab(self) -> Grabbed:
        """Wait for the next good frame; SourceLost when unplugged, SourceStalled if it hangs."""
        assert self._streaming
        deadline = time.monotonic() + self._patience + _FOR_THE_WATCHER
        while True:
            self._give_back()
            self._buffer = self._streaming.dequeue(deadline - time.monotonic())
            if self._buffer:
                sequence = self._numbers.next(self._buffer.sequence)
                if not self._buffer.error and len(self._buffer.data):
                    stamp_ns = to_realtime(self._buffer.stamp_ns)
                    self._look()
                    return Grabbed(stamp_ns, sequence)
            elif time.monotonic() >= deadline:
                raise SourceStalled(f'no frame for {self._patience:g} s')

    def _give_back(self) -> None:
        if self._buffer and self._streaming:
            index = self._buffer.index
            self._buffer = self._data = None  # no view is left if an exception comes of it
            self._streaming.requeue(index)

    def _look(self) -> None:
        """See what was grabbed: where its data ends, and whether it is broken."""
        assert self._buffer
        data, self._broken = self._buffer.data, ''
        if self._decode:
            try:
                data = self._check(data)
            except FrameBroken as error:
                self._broken = str(error)
        self._data = data

    def read_into(self, stream: Stream, out: Pixels) -> None:
        """Draw the grabbed frame; FrameBroken for all streams once one of them found it so."""
        assert self._data is not None
        if self._broken:
            raise FrameBroken(self._broken)
        if stream.format.encoding == 'jpeg':
            out[:] = self._data
            return
        try:
            if self._decode:
                self._decode(self._data, out)
            elif self._converter:
                self._converter.draw(self._data, out)
        except FrameBroken as error:
            self._broken = str(error)
            raise

    def length(self, stream: Stream) -> int | None:
        """Give the bytes of the grabbed JPEG."""
        if stream.format.encoding != 'jpeg' or self._data is None:
            return None
        return len(self._data)

    def controls(self) -> tuple[Control, ...]:
        """Give what can be set on the camera, as it is now."""
        return self._controls.list()

    def set_control(self, name: str, value: int) -> int:
        """Set a control, from any thread; give what the driver made of it or ControlRefused."""
        return self._controls.set(name, value)

    def warnings(self) -> tuple[str, ...]:
        """Give a line for each thing that the camera does otherwise than asked."""
        return tuple(self._warnings)

    def close(self) -> None:
        """Let go of the camera, at once, so that it can come back under the same number."""
        self._buffer = self._data = None
        if self._streaming:
            self._streaming.stop()
            self._streaming = None
        self._device.close()


def _foreign_words(settings: V4L2Settings) -> list[str]:
    """Say what other drivers' values mean here."""
    found = []
    if settings.pixel_format in _USB_CAM:
        found.append(f'pixel_format: {settings.pixel_format} is taken as {settings.fourcc}; the '
                     f'encoding of image_raw is that of the parameter encoding, '
                     f'{settings.encoding}')
    if settings.io_method != 'mmap':
        found.append(f'io_method: {settings.io_method} is not needed; frames come by mmap')
    return found
