"""An open device tells what it is and offers, works as asked, and streams without a copy."""

import errno
import fcntl
from itertools import pairwise
from pathlib import Path
import select
import time
from typing import Any

from camera_mp.errors import SourceError, SourceLost
from camera_mp.v4l2 import abi, kernel, trouble
from camera_mp.v4l2.device import Device, PictureFormat, query
from camera_mp.v4l2.modes import list_modes
from camera_mp.v4l2.stamps import to_realtime, Unwrapped
from camera_mp.v4l2.streaming import Streaming
from fake_camera import FakeCamera, FakeKernel
from hypothesis import given
from hypothesis import strategies as st
import pytest

PATH = '/dev/video0'


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> FakeKernel:
    host = FakeKernel(monkeypatch)
    host.cameras[PATH] = FakeCamera()
    return host


@pytest.fixture
def camera(host: FakeKernel) -> FakeCamera:
    return host.cameras[PATH]


def test_it_says_what_it_is_and_what_it_offers(host: FakeKernel) -> None:
    device = Device(PATH)
    assert (device.capability.card, device.capability.driver) == ('Test Camera', 'uvcvideo')
    mjpg, yuyv = list_modes(device)
    assert (mjpg.fourcc, yuyv.fourcc) == ('MJPG', 'YUYV')
    assert [str(size) for size in mjpg.sizes] == ['1280x720', '640x480']
    assert [size.rates_text() for size in yuyv.sizes] == ['30, 15 Hz', '10, 5 Hz']
    assert mjpg.offers(1280, 720, 29.97)
    assert not yuyv.offers(1280, 720, 30.0)
    assert not yuyv.offers(800, 600, 0.0)


def test_sizes_in_steps(camera: FakeCamera, monkeypatch: pytest.MonkeyPatch) -> None:
    def enum_size(answer: abi.FrameSizeEnum) -> None:
        assert answer.index == 0, 'a range is one answer'
        answer.type = 3  # V4L2_FRMSIZE_TYPE_STEPWISE
        answer.stepwise.min_width, answer.stepwise.max_width = 32, 1920
        answer.stepwise.min_height, answer.stepwise.max_height = 16, 1080
        answer.stepwise.step_width, answer.stepwise.step_height = 16, 8

    def enum_interval(answer: abi.FrameIntervalEnum) -> None:
        assert answer.index == 0, 'a range is one answer'
        answer.type = 2  # V4L2_FRMIVAL_TYPE_CONTINUOUS
        answer.stepwise.min.numerator, answer.stepwise.min.denominator = 1, 60
        answer.stepwise.max.numerator, answer.stepwise.max.denominator = 1, 5

    ask = camera.ioctl
    own: dict[int, Any] = {abi.VIDIOC_ENUM_FRAMESIZES: enum_size,
                           abi.VIDIOC_ENUM_FRAMEINTERVALS: enum_interval}

    def ioctl(request: int, argument: Any) -> None:
        own[request](argument) if request in own else ask(request, argument)
    monkeypatch.setattr(camera, 'ioctl', ioctl)
    mode = list_modes(Device(PATH))[0]
    assert str(mode.sizes[0]) == '32x16 to 1920x1080 in steps of 16x8'
    assert mode.sizes[0].rates_text() == '5 to 60 Hz'
    assert mode.offers(640, 480, 47.0)
    assert not mode.offers(641, 480, 0.0)
    assert not mode.offers(640, 480, 90.0)


def test_what_the_driver_makes_of_a_wish_is_read_back(host: FakeKernel) -> None:
    device = Device(PATH)
    assert device.set_format('YUYV', 700, 500) == PictureFormat('YUYV', 640, 480, 1280)
    assert device.format() == PictureFormat('YUYV', 640, 480, 1280)
    assert device.set_framerate(14.0) == 15.0
    assert device.framerate() == 15.0


def test_a_driver_without_rates(camera: FakeCamera) -> None:
    camera.errors = {abi.VIDIOC_S_PARM: errno.ENOTTY, abi.VIDIOC_G_PARM: errno.EINVAL}
    device = Device(PATH)
    assert (device.set_framerate(30.0), device.framerate()) == (0.0, 0.0)


def test_frames_lie_in_the_drivers_memory(camera: FakeCamera) -> None:
    streaming = Streaming(Device(PATH))
    camera.send(b'abc', 7, stamp_ns=5_000_001_000)
    buffer = streaming.dequeue(1.0)
    assert buffer
    assert (buffer.data.tobytes(), buffer.sequence, buffer.stamp_ns) == (b'abc', 7, 5_000_001_000)
    camera.maps[buffer.index][:3] = b'xyz'
    assert buffer.data.tobytes() == b'xyz'
    assert buffer.index not in camera.queued
    streaming.requeue(buffer.index)
    assert buffer.index in camera.queued


def test_a_stamp_of_another_clock_is_none(camera: FakeCamera) -> None:
    streaming = Streaming(Device(PATH))
    camera.send(b'abc', 0, stamp_ns=123, flags=0)
    buffer = streaming.dequeue(1.0)
    assert buffer and buffer.stamp_ns == 0


def test_no_frame_in_time(camera: FakeCamera) -> None:
    streaming = Streaming(Device(PATH))
    assert streaming.dequeue(0.01) is None
    camera.errors[abi.VIDIOC_DQBUF] = errno.EAGAIN
    camera.send(b'abc', 0)
    assert streaming.dequeue(0.01) is None


@pytest.mark.parametrize('number', [errno.ENODEV, errno.EIO, errno.EINVAL])
def test_an_error_of_the_device_is_a_loss(camera: FakeCamera, number: int) -> None:
    streaming = Streaming(Device(PATH))
    camera.send(b'abc', 0)
    camera.errors[abi.VIDIOC_DQBUF] = number
    with pytest.raises(SourceLost, match=r'/dev/video0'):
        streaming.dequeue(1.0)
    camera.errors[abi.VIDIOC_QBUF] = number
    with pytest.raises(SourceLost, match=r'/dev/video0'):
        streaming.requeue(0)


def test_an_unplug_wakes_whoever_waits(camera: FakeCamera, host: FakeKernel) -> None:
    device = Device(PATH)
    streaming = Streaming(device)
    camera.unplug()
    with pytest.raises(SourceLost, match='/dev/video0 was unplugged'):
        streaming.dequeue(60.0)
    streaming.stop()
    device.close()
    device.close()
    assert all(memory.closed for memory in camera.maps)
    assert not host.open


def test_a_closed_device_refuses(host: FakeKernel) -> None:
    device = Device(PATH)
    device.close()
    with pytest.raises(OSError, match='No such device'):
        device.ask(abi.VIDIOC_G_CTRL, abi.Control())


def test_memory_that_somebody_looks_at_stays_until_then(camera: FakeCamera) -> None:
    streaming = Streaming(Device(PATH))
    camera.send(b'abc', 0)
    buffer = streaming.dequeue(1.0)
    assert buffer
    streaming.stop()
    assert buffer.data.tobytes() == b'abc'
    assert sum(not memory.closed for memory in camera.maps) == 1


@pytest.mark.parametrize(('request_', 'number', 'text'), [
    (abi.VIDIOC_REQBUFS, errno.EBUSY, '/dev/video0 is busy: another program uses it'),
    (abi.VIDIOC_STREAMON, errno.ENOSPC, 'no bandwidth left; try pixel_format MJPG'),
    (abi.VIDIOC_QBUF, errno.EIO, '/dev/video0: Input/output error'),
])
def test_a_stream_that_does_not_start(camera: FakeCamera, request_: int, number: int,
                                      text: str) -> None:
    camera.errors[request_] = number
    with pytest.raises(SourceError, match=text):
        Streaming(Device(PATH))
    assert all(memory.closed for memory in camera.maps)


@pytest.mark.parametrize(('caps', 'text'), [
    (abi.V4L2_CAP_STREAMING | 0x2, r'/dev/video0 \(Test Camera\) is not a capture device'),
    (abi.V4L2_CAP_STREAMING | abi.V4L2_CAP_VIDEO_CAPTURE_MPLANE, 'multi-planar formats only'),
    (abi.V4L2_CAP_VIDEO_CAPTURE, 'cannot stream into memory'),
])
def test_what_is_no_capture_device(host: FakeKernel, caps: int, text: str) -> None:
    host.cameras[PATH].caps = caps
    with pytest.raises(SourceError, match=text):
        Device(PATH)
    assert not host.open


def test_the_real_kernel_says_what_is_no_camera() -> None:
    with pytest.raises(SourceError, match='/dev/null is not a camera'):
        Device('/dev/null')
    with pytest.raises(OSError, match='ioctl'):
        query('/dev/null')
    with pytest.raises(SourceError, match='/dev/video99 is not there'):
        Device('/dev/video99')


def test_the_real_poll_and_memory(tmp_path: Path) -> None:
    (tmp_path / 'a').write_bytes(b'abc' + bytes(4096))
    fd = kernel.open_device(str(tmp_path / 'a'))
    with kernel.map_memory(fd, 4096, 0) as memory:
        assert kernel.poller(fd)(0.0) == select.POLLIN
        assert memory[:3] == b'abc'
    kernel.close(fd)


def test_a_signal_repeats_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [InterruptedError(), None]

    def ioctl(*_: object) -> None:
        if answer := answers.pop(0):
            raise answer
    monkeypatch.setattr(fcntl, 'ioctl', ioctl)
    kernel.ioctl(0, abi.VIDIOC_G_CTRL, abi.Control())
    assert not answers


def test_no_permission_names_the_group(host: FakeKernel, tmp_path: Path) -> None:
    path = str(tmp_path)
    host.refused[path] = errno.EACCES
    with pytest.raises(SourceError, match=r'no permission to open .*; it belongs to group \w+: '
                       r'sudo usermod -aG \w+ \$USER, then log in again'):
        Device(path)


def test_busy_names_the_process(host: FakeKernel, tmp_path: Path,
                                monkeypatch: pytest.MonkeyPatch) -> None:
    for process, name, device in (('12', 'cheese', PATH), ('13', 'bash', '/dev/null')):
        (tmp_path / process / 'fd').mkdir(parents=True)
        (tmp_path / process / 'comm').write_text(f'{name}\n')
        (tmp_path / process / 'fd' / '3').symlink_to(device)
    monkeypatch.setattr(trouble, 'PROC', tmp_path)
    host.refused[PATH] = errno.EBUSY
    with pytest.raises(SourceError, match=r'is busy: cheese \(process 12\) uses it'):
        Device(PATH)


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 2**31 - 1)))
def test_a_counter_that_wraps_round(first: int, steps: list[int]) -> None:
    numbers, expected = Unwrapped(), first
    assert numbers.next(first) == first
    for step in steps:
        expected += step
        assert numbers.next(expected & 0xFFFFFFFF) == expected


@given(st.lists(st.integers(0, 2**32 - 1), min_size=2))
def test_a_counter_always_rises(numbers: list[int]) -> None:
    counter = Unwrapped()
    unwrapped = [counter.next(number) for number in numbers]
    assert all(one < other for one, other in pairwise(unwrapped))


def test_a_counter_that_stands_still_counts() -> None:
    counter = Unwrapped()
    assert [counter.next(0) for _ in range(3)] == [0, 1, 2]


def test_stamps_move_to_the_other_clock() -> None:
    before = time.time_ns()
    stamp_ns = to_realtime(time.monotonic_ns() - 10**9)
    assert before - 10**9 - 10**6 <= stamp_ns <= time.time_ns() - 10**9 + 10**6


@pytest.mark.parametrize('future', [True, False])
def test_a_stamp_that_cannot_be_is_now(future: bool) -> None:
    before = time.time_ns()
    assert before <= to_realtime(time.monotonic_ns() + 10**10 if future else 0) <= time.time_ns()
