"""An open capture device: what it is, and in which format and at which rate it works."""

from dataclasses import dataclass
import errno
import os
import threading

from camera_mp.errors import SourceError
from camera_mp.v4l2 import abi, kernel
from camera_mp.v4l2.trouble import explain


@dataclass(frozen=True)
class PictureFormat:
    """
    The format a driver works in.

    fourcc: as 'MJPG'. step: bytes from one row to the next, 0 if compressed.
    """

    fourcc: str
    width: int
    height: int
    step: int


@dataclass(frozen=True)
class Capability:
    """What a device says of itself; bus: where it is attached, as usb-0000:00:14.0-1."""

    card: str
    driver: str
    bus: str
    flags: int


def query(path: str) -> Capability:
    """Ask a device what it is; OSError if it cannot be opened or is none."""
    fd = kernel.open_device(path)
    try:
        return _query(fd)
    finally:
        kernel.close(fd)


def _query(fd: int) -> Capability:
    found = abi.Capability()
    kernel.ioctl(fd, abi.VIDIOC_QUERYCAP, found)
    # a driver that has several nodes says in device_caps what this one can
    whole = not found.capabilities & abi.V4L2_CAP_DEVICE_CAPS
    card, driver, bus = (text.decode(errors='replace') for text in (
        found.card, found.driver, found.bus_info))
    return Capability(card, driver, bus,
                      found.capabilities if whole else found.device_caps)


class Device:
    """
    A capture device, open until `close`, by one thread; others use `ask_from_any_thread`.

    path: /dev/videoN. Raises SourceError, with what can be done, if it cannot be opened or is
    no camera.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            self._fd = kernel.open_device(path)
        except OSError as error:
            raise SourceError(f'video_device: {explain(path, error)}') from None
        try:
            self.capability = _checked(path, self._fd)
        except SourceError:
            self.close()
            raise

    def ask(self, request: int, argument: kernel.Argument) -> None:
        """Do an ioctl; OSError if the driver refuses or the device is closed."""
        if self._fd < 0:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        kernel.ioctl(self._fd, request, argument)

    def ask_from_any_thread(self, request: int, argument: kernel.Argument) -> None:
        """
        Do an ioctl while the device cannot be closed: its number may be another file's soon.

        Frames need not wait for this: a camera may take long to answer.
        """
        with self._lock:
            self.ask(request, argument)

    @property
    def fd(self) -> int:
        """Give the file descriptor, for the thread that closes the device; -1 once closed."""
        return self._fd

    def format(self) -> PictureFormat:  # noqa: A003
        """Give the format it works in now."""
        return self._ask_format(abi.VIDIOC_G_FMT, abi.Format())

    def set_format(self, fourcc: str, width: int, height: int) -> PictureFormat:
        """Ask for a format and give the one that the driver made of it."""
        wish = abi.Format()
        wish.fmt.pix.width, wish.fmt.pix.height = width, height
        wish.fmt.pix.pixelformat = abi.fourcc(fourcc)
        wish.fmt.pix.field = abi.V4L2_FIELD_NONE
        return self._ask_format(abi.VIDIOC_S_FMT, wish)

    def _ask_format(self, request: int, wish: abi.Format) -> PictureFormat:
        wish.type = abi.V4L2_BUF_TYPE_VIDEO_CAPTURE
        try:
            self.ask(request, wish)
        except OSError as error:
            raise SourceError(f'video_device: {explain(self.path, error)}') from None
        pix = wish.fmt.pix
        return PictureFormat(abi.fourcc_name(pix.pixelformat), pix.width, pix.height,
                             pix.bytesperline)

    def framerate(self) -> float:
        """Give the rate it works at in Hz, 0.0 if the driver does not know."""
        return self._ask_rate(abi.VIDIOC_G_PARM, abi.StreamParm())

    def set_framerate(self, framerate: float) -> float:
        """Ask for a rate in Hz and give the one that the driver made of it, 0.0 if unknown."""
        wish = abi.StreamParm()
        wish.parm.capture.timeperframe.numerator = 1000
        wish.parm.capture.timeperframe.denominator = round(framerate * 1000)
        return self._ask_rate(abi.VIDIOC_S_PARM, wish)

    def _ask_rate(self, request: int, wish: abi.StreamParm) -> float:
        wish.type = abi.V4L2_BUF_TYPE_VIDEO_CAPTURE
        try:
            self.ask(request, wish)
        except OSError as error:
            if error.errno in (errno.ENOTTY, errno.EINVAL):
                return 0.0  # a driver need not know of rates
            raise SourceError(f'video_device: {explain(self.path, error)}') from None
        if not wish.parm.capture.capability & abi.V4L2_CAP_TIMEPERFRAME:
            return 0.0
        return hertz(wish.parm.capture.timeperframe)

    def close(self) -> None:
        """Close it; a second time does nothing."""
        with self._lock:
            if self._fd >= 0:
                kernel.close(self._fd)
                self._fd = -1


def hertz(interval: abi.Fraction) -> float:
    """Give the rate of an interval between frames, 0.0 if it is none."""
    return interval.denominator / interval.numerator if interval.numerator else 0.0


def _checked(path: str, fd: int) -> Capability:
    try:
        found = _query(fd)
    except OSError as error:
        if error.errno in (errno.ENOTTY, errno.EINVAL):
            raise SourceError(f'video_device: {path} is not a camera') from None
        raise SourceError(f'video_device: {explain(path, error)}') from None
    if not found.flags & abi.V4L2_CAP_VIDEO_CAPTURE:
        planes = found.flags & abi.V4L2_CAP_VIDEO_CAPTURE_MPLANE
        raise SourceError(f'video_device: {path} ({found.card}) ' + (
            'has multi-planar formats only; allowed: cameras with single-planar ones' if planes
            else 'is not a capture device'))
    if not found.flags & abi.V4L2_CAP_STREAMING:
        raise SourceError(f'video_device: {path} ({found.card}) cannot stream into memory')
    return found
