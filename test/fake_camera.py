"""Cameras without hardware: drivers on plain memory, in place of the calls into the kernel."""

from collections import deque
from collections.abc import Callable
import ctypes
from dataclasses import dataclass, field
import errno
import mmap
import os
import select
import threading
import time
from typing import Any, NoReturn

from camera_mp.v4l2 import abi, kernel
import pytest

_CAPTURE = abi.V4L2_CAP_VIDEO_CAPTURE | abi.V4L2_CAP_STREAMING
Modes = dict[str, dict[tuple[int, int], tuple[int, ...]]]  # rates by format and size
WEBCAM: Modes = {'MJPG': {(1280, 720): (30, 15), (640, 480): (30, 15)},
                 'YUYV': {(640, 480): (30, 15), (1280, 720): (10, 5)}}


@dataclass
class FakeControl:
    """A control as its driver keeps it."""

    name: str
    value: int = 0
    minimum: int = 0
    maximum: int = 100
    step: int = 1
    kind: int = abi.V4L2_CTRL_TYPE_INTEGER
    flags: int = 0
    menu: dict[int, str | int] = field(default_factory=dict)


@dataclass
class FakeFrame:
    """What the driver fills into a buffer."""

    data: bytes
    sequence: int
    stamp_ns: int | None = None  # CLOCK_MONOTONIC; None: now
    flags: int = abi.V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC


class FakeCamera:
    """A camera and its driver, which behaves as uvcvideo does."""

    def __init__(self, card: str = 'Test Camera') -> None:
        self.card, self.modes = card, WEBCAM
        self.caps, self.bus = _CAPTURE, 'usb-0000:00:14.0-1'
        self.fourcc, (self.size, rates) = next(
            (name, next(iter(sizes.items()))) for name, sizes in self.modes.items())
        self.rate, self.padding = rates[0], 0
        self.controls: dict[int, FakeControl] = {}
        self.frames: deque[FakeFrame] = deque()
        self.errors: dict[int, int] = {}  # request: errno
        self.maps: list[mmap.mmap] = []
        self.queued: list[int] = []
        self.streaming = self.unplugged = False
        self.changed = threading.Condition()
        self.asked: list[int] = []

    def send(self, data: bytes, sequence: int, **values: int) -> None:
        """Let the driver have a frame."""
        with self.changed:
            self.frames.append(FakeFrame(data, sequence, **values))
            self.changed.notify_all()

    def unplug(self) -> None:
        """Pull the cable."""
        with self.changed:
            self.unplugged = True
            self.changed.notify_all()

    def poll(self, seconds: float) -> int:
        """Wait for a frame, or the end of the device."""
        def ready() -> bool:
            return self.unplugged or bool(self.frames and self.queued)
        with self.changed:
            self.changed.wait_for(ready, seconds)
            if self.unplugged or not self.streaming:
                return select.POLLERR | select.POLLHUP
            return select.POLLIN if ready() else 0

    def map_memory(self, length: int, offset: int) -> mmap.mmap:
        """Give the memory of a buffer; the test sees whether it is let go of."""
        assert offset == len(self.maps) * 4096
        self.maps.append(mmap.mmap(-1, length))
        return self.maps[-1]

    def ioctl(self, request: int, argument: kernel.Argument) -> None:
        """Do as the driver does."""
        self.asked.append(request)
        if self.unplugged:
            _fail(errno.ENODEV)
        if request in self.errors:
            _fail(self.errors[request])
        _ANSWERS[request](self, argument)

    def querycap(self, answer: abi.Capability) -> None:
        """VIDIOC_QUERYCAP."""
        answer.card, answer.bus_info = self.card.encode(), self.bus.encode()
        answer.driver = b'uvcvideo'
        answer.capabilities = self.caps | abi.V4L2_CAP_DEVICE_CAPS | 0x800000
        answer.device_caps = self.caps

    def enum_format(self, answer: abi.FormatDescription) -> None:
        """VIDIOC_ENUM_FMT."""
        name = _item(list(self.modes), answer.index)
        answer.pixelformat, answer.description = abi.fourcc(name), f'{name} pixels'.encode()

    def enum_size(self, answer: abi.FrameSizeEnum) -> None:
        """VIDIOC_ENUM_FRAMESIZES."""
        sizes = list(self.modes[abi.fourcc_name(answer.pixel_format)])
        answer.type = abi.V4L2_FRMSIZE_TYPE_DISCRETE
        answer.discrete.width, answer.discrete.height = _item(sizes, answer.index)

    def enum_interval(self, answer: abi.FrameIntervalEnum) -> None:
        """VIDIOC_ENUM_FRAMEINTERVALS."""
        sizes = self.modes[abi.fourcc_name(answer.pixel_format)]
        answer.type, answer.discrete.numerator = abi.V4L2_FRMIVAL_TYPE_DISCRETE, 1
        answer.discrete.denominator = _item(list(sizes[answer.width, answer.height]),
                                            answer.index)

    def get_format(self, answer: abi.Format) -> None:
        """VIDIOC_G_FMT."""
        pix = answer.fmt.pix
        pix.width, pix.height = self.size
        pix.pixelformat = abi.fourcc(self.fourcc)
        per_pixel = {'YUYV': 2, 'UYVY': 2, 'Y16': 2, 'RGB3': 3, 'BGR3': 3}
        compressed = self.fourcc == 'MJPG'
        pix.bytesperline = 0 if compressed else (
            self.size[0] * per_pixel.get(self.fourcc, 1) + self.padding)
        pix.sizeimage = self.size[1] * (pix.bytesperline or self.size[0] * 2) * 3 // 2

    def set_format(self, wish: abi.Format) -> None:
        """VIDIOC_S_FMT: the nearest size that there is."""
        name, pix = abi.fourcc_name(wish.fmt.pix.pixelformat), wish.fmt.pix
        self.fourcc = name if name in self.modes else next(iter(self.modes))
        self.size = min(self.modes[self.fourcc], key=lambda size: abs(size[0] - pix.width) +
                        abs(size[1] - pix.height))
        self.rate = self.modes[self.fourcc][self.size][0]
        self.get_format(wish)

    def get_parm(self, answer: abi.StreamParm) -> None:
        """VIDIOC_G_PARM."""
        answer.parm.capture.capability = abi.V4L2_CAP_TIMEPERFRAME
        answer.parm.capture.timeperframe.numerator = 1
        answer.parm.capture.timeperframe.denominator = self.rate

    def set_parm(self, wish: abi.StreamParm) -> None:
        """VIDIOC_S_PARM: the nearest rate that there is."""
        interval = wish.parm.capture.timeperframe
        asked = interval.denominator / interval.numerator
        self.rate = min(self.modes[self.fourcc][self.size], key=lambda rate: abs(rate - asked))
        self.get_parm(wish)

    def request_buffers(self, answer: abi.RequestBuffers) -> None:
        """VIDIOC_REQBUFS."""
        answer.count = min(answer.count, 4)
        self.maps.clear()
        self.queued.clear()

    def query_buffer(self, answer: abi.Buffer) -> None:
        """VIDIOC_QUERYBUF."""
        form = abi.Format()
        self.get_format(form)
        answer.length, answer.m.offset = form.fmt.pix.sizeimage, answer.index * 4096

    def queue(self, buffer: abi.Buffer) -> None:
        """VIDIOC_QBUF."""
        assert buffer.index not in self.queued
        self.queued.append(buffer.index)

    def dequeue(self, answer: abi.Buffer) -> None:
        """VIDIOC_DQBUF."""
        if not self.frames:
            _fail(errno.EAGAIN)
        frame, answer.index = self.frames.popleft(), self.queued.pop(0)
        self.maps[answer.index][:len(frame.data)] = frame.data
        stamp_ns = time.monotonic_ns() if frame.stamp_ns is None else frame.stamp_ns
        answer.timestamp.tv_sec, rest = divmod(stamp_ns, 10**9)
        answer.timestamp.tv_usec = rest // 1000
        answer.bytesused, answer.flags = len(frame.data), frame.flags
        answer.sequence = frame.sequence & 0xFFFFFFFF

    def stream_on(self, _: ctypes.c_int32) -> None:
        """VIDIOC_STREAMON."""
        self.streaming = True

    def stream_off(self, _: ctypes.c_int32) -> None:
        """VIDIOC_STREAMOFF."""
        self.streaming = False
        self.queued.clear()

    def query_control(self, answer: abi.QueryControl) -> None:
        """VIDIOC_QUERYCTRL, also for the next one."""
        wanted = answer.id & 0x0FFFFFFF
        if answer.id & abi.V4L2_CTRL_FLAG_NEXT_CTRL:
            wanted = _item(sorted(key for key in self.controls if key > wanted), 0)
        control = self._control(wanted)
        answer.id, answer.type, answer.name = wanted, control.kind, control.name.encode()
        answer.minimum, answer.maximum, answer.step = (
            control.minimum, control.maximum, control.step)
        answer.flags = control.flags

    def query_menu(self, answer: abi.QueryMenu) -> None:
        """VIDIOC_QUERYMENU."""
        menu = self._control(answer.id).menu
        if answer.index not in menu:
            _fail(errno.EINVAL)
        item = menu[answer.index]
        if isinstance(item, int):
            answer.value = item
        else:
            answer.name = item.encode()

    def get_control(self, answer: abi.Control) -> None:
        """VIDIOC_G_CTRL."""
        answer.value = self._control(answer.id).value

    def set_control(self, wish: abi.Control) -> None:
        """VIDIOC_S_CTRL: to the nearest step."""
        control = self._control(wish.id)
        control.value = control.minimum + (
            (wish.value - control.minimum) // control.step * control.step)

    def _control(self, control_id: int) -> FakeControl:
        if control_id not in self.controls:
            _fail(errno.EINVAL)
        return self.controls[control_id]


_ANSWERS: dict[int, Callable[[FakeCamera, Any], None]] = {
    abi.VIDIOC_QUERYCAP: FakeCamera.querycap, abi.VIDIOC_ENUM_FMT: FakeCamera.enum_format,
    abi.VIDIOC_ENUM_FRAMESIZES: FakeCamera.enum_size,
    abi.VIDIOC_ENUM_FRAMEINTERVALS: FakeCamera.enum_interval,
    abi.VIDIOC_G_FMT: FakeCamera.get_format, abi.VIDIOC_S_FMT: FakeCamera.set_format,
    abi.VIDIOC_G_PARM: FakeCamera.get_parm, abi.VIDIOC_S_PARM: FakeCamera.set_parm,
    abi.VIDIOC_REQBUFS: FakeCamera.request_buffers,
    abi.VIDIOC_QUERYBUF: FakeCamera.query_buffer, abi.VIDIOC_QBUF: FakeCamera.queue,
    abi.VIDIOC_DQBUF: FakeCamera.dequeue, abi.VIDIOC_STREAMON: FakeCamera.stream_on,
    abi.VIDIOC_STREAMOFF: FakeCamera.stream_off, abi.VIDIOC_QUERYCTRL: FakeCamera.query_control,
    abi.VIDIOC_QUERYMENU: FakeCamera.query_menu, abi.VIDIOC_G_CTRL: FakeCamera.get_control,
    abi.VIDIOC_S_CTRL: FakeCamera.set_control,
}


class FakeKernel:
    """Stands in for camera_mp.v4l2.kernel; cameras: what is at each path."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cameras: dict[str, FakeCamera] = {}
        self.refused: dict[str, int] = {}  # path: errno of open
        self.open: dict[int, FakeCamera] = {}
        self._last = 1000
        for name in ('open_device', 'close', 'ioctl', 'map_memory', 'poller'):
            monkeypatch.setattr(kernel, name, getattr(self, name))

    def open_device(self, path: str) -> int:
        """Open a camera under a number of its own."""
        if path in self.refused:
            _fail(self.refused[path])
        camera = self.cameras.get(path)
        if not camera or camera.unplugged:
            _fail(errno.ENOENT)
        self._last += 1
        self.open[self._last] = camera
        return self._last

    def close(self, fd: int) -> None:
        """Close it; a second time would be an error."""
        del self.open[fd]

    def ioctl(self, fd: int, request: int, argument: kernel.Argument) -> None:
        """Hand a request to the driver."""
        self.open[fd].ioctl(request, argument)

    def map_memory(self, fd: int, length: int, offset: int) -> mmap.mmap:
        """Map a buffer."""
        return self.open[fd].map_memory(length, offset)

    def poller(self, fd: int) -> Callable[[float], int]:
        """Give what waits for a frame."""
        return self.open[fd].poll


def _item(items: list[Any], index: int) -> Any:
    if index >= len(items):
        _fail(errno.EINVAL)
    return items[index]


def _fail(number: int) -> NoReturn:
    raise OSError(number, os.strerror(number))
