"""The V4L2 source: a camera's frames, its words for what it does otherwise, and its end."""

from collections.abc import Iterator
import errno
import re
import threading
import time

from camera_mp.capture_loop import Capture
from camera_mp.errors import (
    CameraError,
    ControlRefused,
    FrameBroken,
    SettingError,
    SourceEnded,
    SourceError,
    SourceLost,
)
from camera_mp.frame import FrameFormat, Pixels
from camera_mp.ring import FrameReader
from camera_mp.sources import v4l2
from camera_mp.sources.source import Grabbed
from camera_mp.sources.v4l2 import V4L2Settings, V4L2Source
from camera_mp.v4l2 import abi, jpeg
from camera_mp.v4l2.finding import Finder
import cv2
from fake_camera import FakeCamera, FakeControl
from fake_sysfs import FakeHost
import numpy as np
from programs import eventually, PATIENCE
import pytest


@pytest.fixture
def camera(usb: FakeHost, monkeypatch: pytest.MonkeyPatch) -> FakeCamera:
    """Give the one camera of this host, serial A at /dev/video0."""
    monkeypatch.setattr(v4l2, '_finder', Finder())
    return usb.plug(0, serial='A')


def _open(**values: object) -> V4L2Source:
    return V4L2Source(V4L2Settings.from_values({'source': 'v4l2', 'video_device': 'A', **values}))


def _picture(height: int = 480, width: int = 640) -> Pixels:
    noise = np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8)
    picture: Pixels = cv2.GaussianBlur(noise, (0, 0), 9)
    return picture


def _jpeg(height: int = 480, width: int = 640) -> bytes:
    return cv2.imencode('.jpg', _picture(height, width))[1].tobytes()


def _decoded(data: bytes, how: int = cv2.IMREAD_COLOR) -> Pixels:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), how)
    assert picture is not None
    return picture


def _read(source: V4L2Source, index: int = 0) -> Pixels:
    stream = source.streams[index]
    length = source.length(stream)
    out = np.zeros(stream.format.shape if length is None else length, stream.format.dtype)
    source.read_into(stream, out)
    return out


@pytest.fixture(params=[True, False], ids=['simplejpeg', 'OpenCV'])
def either_decoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
                   ) -> Iterator[None]:
    """Run a test with simplejpeg and without."""
    if request.param:
        pytest.importorskip('simplejpeg', reason='simplejpeg is optional')
    monkeypatch.setattr(jpeg, 'IS_FAST', request.param)
    yield


@pytest.mark.usefixtures('either_decoder')
@pytest.mark.parametrize('encoding', ['bgr8', 'rgb8', 'mono8'])
def test_jpeg_goes_out_as_it_is_and_is_decoded(camera: FakeCamera, encoding: str) -> None:
    data = _jpeg(720, 1280)
    source = _open(image_width=1280, image_height=720, framerate=30.0, encoding=encoding)
    raw, compressed = source.streams
    assert (raw.lazy, raw.format) == (True, FrameFormat(720, 1280, encoding))
    assert (compressed.lazy, compressed.name, compressed.topic, compressed.format) == (
        False, 'compressed', 'image_raw/compressed', FrameFormat(720, 1280, 'jpeg'))
    camera.send(data + bytes(5000), 0)
    source.grab()
    assert _read(source, 1).tobytes() == data
    expected = _decoded(data, cv2.IMREAD_GRAYSCALE if encoding == 'mono8' else cv2.IMREAD_COLOR)
    if encoding == 'rgb8':
        expected = np.ascontiguousarray(expected[..., ::-1])
    assert cv2.absdiff(_read(source), expected).max() <= 2


def _without_tables(data: bytes) -> bytes:
    """Leave the Huffman tables out, as many cameras do (the AVI1 way of MJPG)."""
    while (start := data.find(b'\xff\xc4')) >= 0:
        data = data[:start] + data[start + 2 + int.from_bytes(data[start + 2:start + 4], 'big'):]
    return data


@pytest.mark.usefixtures('either_decoder')
def test_a_camera_that_leaves_the_huffman_tables_out(camera: FakeCamera) -> None:
    data = _jpeg()
    source = _open(pixel_format='MJPG', image_width=640, image_height=480)
    camera.send(_without_tables(data), 0)
    source.grab()
    assert cv2.absdiff(_read(source), _decoded(data)).max() <= 2


@pytest.mark.usefixtures('either_decoder')
@pytest.mark.parametrize('data', [
    _jpeg()[:-700], _jpeg()[:5], _jpeg()[2:], b'\1' * 9000, bytes(9000), _jpeg(720, 1280),
    _jpeg()[:20] + b'\xff\xd9', b'\xff\xd8' + bytes(500) + b'\xff\xd9',
], ids=['no end', 'a beginning', 'no beginning', 'junk', 'zeros', 'another size', 'no picture',
        'no header'])
def test_a_broken_jpeg_is_broken_for_all(camera: FakeCamera, data: bytes) -> None:
    source = _open(pixel_format='MJPG', image_width=640, image_height=480)
    camera.send(data, 0)
    camera.send(_jpeg(), 1)
    source.grab()
    for index in (1, 0, 1):
        with pytest.raises(FrameBroken, match='JPEG'):
            _read(source, index)
    source.grab()
    assert _read(source, 1).tobytes() == _jpeg()


def test_what_only_decoding_shows_is_broken_for_all(camera: FakeCamera) -> None:
    pytest.importorskip('simplejpeg', reason='OpenCV takes such a picture for a good one')
    source = _open(pixel_format='MJPG', image_width=640, image_height=480)
    camera.send(_jpeg()[:3000] + b'\xff\xd9', 0)
    source.grab()
    for index in (0, 1):
        with pytest.raises(FrameBroken, match='JPEG of 3002 bytes'):
            _read(source, index)


def test_padding_inside_is_no_harm(camera: FakeCamera) -> None:
    source = _open(pixel_format='MJPG', image_width=640, image_height=480)
    camera.send(_jpeg()[:-2] + b'\1\2\xff\xd9', 0)
    source.grab()
    assert cv2.absdiff(_read(source), _decoded(_jpeg())).max() <= 2


@pytest.mark.parametrize('wish', [{'rotate': 90}, {'flip': 'both'}, {'image_width': 800}])
def test_a_picture_that_is_changed_has_no_jpeg_of_the_camera(camera: FakeCamera,
                                                             wish: dict[str, object]) -> None:
    source = _open(pixel_format='MJPG', **wish)
    assert [stream.name for stream in source.streams] == ['']


PURE = np.array([255, 0, 0], np.uint8)  # blue


@pytest.mark.parametrize('padding', [0, 6])
@pytest.mark.parametrize('encoding', ['bgr8', 'rgb8', 'mono8'])
@pytest.mark.parametrize('fourcc', ['YUYV', 'UYVY', 'NV12', 'GREY', 'RGB3', 'BGR3', 'BA81',
                                    'RGGB', 'GBRG', 'GRBG'])
def test_pixels(usb: FakeHost, fourcc: str, encoding: str, padding: int) -> None:
    camera = usb.plug(0, serial='A')
    camera.modes, camera.fourcc = {fourcc: {(16, 8): (30,)}}, fourcc
    camera.size, camera.padding = (16, 8), padding
    source = _open(encoding=encoding)
    assert source.streams[0].format == FrameFormat(8, 16, encoding)
    assert not source.streams[0].lazy
    camera.send(_blue(fourcc, padding), 0)
    source.grab()
    gray = int(cv2.cvtColor(PURE.reshape(1, 1, 3), cv2.COLOR_BGR2GRAY)[0, 0])
    expected = {'bgr8': PURE, 'rgb8': PURE[::-1], 'mono8': gray}[encoding]
    if fourcc == 'GREY':
        expected = np.full(3, 77) if encoding != 'mono8' else 77
    limited = 25 if fourcc in ('YUYV', 'UYVY', 'NV12') and encoding == 'mono8' else 4
    assert np.abs(_read(source).astype(int) - expected).max() <= limited


def _blue(fourcc: str, padding: int) -> bytes:
    """Give a blue picture of 16x8 as a driver has it."""
    y, u, v = 41, 240, 110  # BT.601, limited range
    red, green, blue = 0, 0, 255
    rows: dict[str, list[list[int]]] = {
        'YUYV': [[y, u, y, v] * 8] * 8, 'UYVY': [[u, y, v, y] * 8] * 8,
        'NV12': [[y] * 16] * 8 + [[u, v] * 8] * 4, 'GREY': [[77] * 16] * 8,
        'RGB3': [[red, green, blue] * 16] * 8, 'BGR3': [[blue, green, red] * 16] * 8,
        'BA81': [[blue, green] * 8, [green, red] * 8] * 4,
        'RGGB': [[red, green] * 8, [green, blue] * 8] * 4,
        'GBRG': [[green, blue] * 8, [red, green] * 8] * 4,
        'GRBG': [[green, red] * 8, [blue, green] * 8] * 4}
    return b''.join(bytes(row) + b'\xaa' * padding for row in rows[fourcc])


def test_sixteen_bits(usb: FakeHost) -> None:
    camera = usb.plug(0, serial='A')
    camera.modes, camera.fourcc, camera.size = {'Y16': {(16, 8): (30,)}}, 'Y16', (16, 8)
    camera.padding = 4
    source = _open()
    assert source.streams[0].format == FrameFormat(8, 16, 'mono16')
    rows = np.arange(8 * 18, dtype='<u2').reshape(8, 18)
    camera.send(rows.tobytes(), 0)
    source.grab()
    np.testing.assert_array_equal(_read(source), rows[:, :16])


def test_a_short_frame_is_broken(camera: FakeCamera) -> None:
    source = _open(pixel_format='YUYV', image_width=640, image_height=480)
    camera.send(bytes(1000), 0)
    source.grab()
    with pytest.raises(FrameBroken, match='1000 bytes instead of 614400'):
        _read(source)


def test_bad_buffers_are_left_out_and_their_numbers_are_missing(camera: FakeCamera) -> None:
    source = _open(pixel_format='YUYV', image_width=640, image_height=480)
    frame = bytes(640 * 480 * 2)
    last = 2**32 - 1
    camera.send(frame, last)
    camera.send(frame, 0, flags=abi.V4L2_BUF_FLAG_ERROR | 0x2000)
    camera.send(b'', 1)
    camera.send(frame, 2)
    assert [source.grab().sequence, source.grab().sequence] == [last, last + 3]
    assert len(camera.queued) == 3, "all but the one that is looked at are the driver's"


def test_stamps_are_the_drivers(camera: FakeCamera) -> None:
    source = _open(pixel_format='YUYV', image_width=640, image_height=480)
    earlier = time.time_ns() - 10**9
    camera.send(bytes(640 * 480 * 2), 0, stamp_ns=time.monotonic_ns() - 10**9)
    assert abs(source.grab().stamp_ns - earlier) < 5 * 10**8


def _warnings(source: V4L2Source) -> tuple[str, ...]:
    """Give what it warns of, beside what holds for every MJPG camera without simplejpeg."""
    return tuple(line for line in source.warnings() if line != jpeg.ADVICE)


@pytest.mark.parametrize(('wish', 'fourcc'), [
    ({'image_width': 1280, 'image_height': 720, 'framerate': 30.0}, 'MJPG'),
    ({'image_width': 1280, 'image_height': 720, 'framerate': 10.0}, 'YUYV'),
    ({'image_width': 640, 'image_height': 480, 'framerate': 30.0}, 'YUYV'),
    ({'image_width': 640, 'image_height': 480}, 'YUYV'),
    ({'pixel_format': 'MJPG', 'image_width': 640, 'image_height': 480}, 'MJPG'),
    ({'pixel_format': 'mjpg'}, 'MJPG'),
])
def test_the_best_pixel_format(camera: FakeCamera, wish: dict[str, object], fourcc: str) -> None:
    source = _open(**wish)
    assert camera.fourcc == fourcc
    assert _warnings(source) == ()


@pytest.mark.parametrize(('word', 'fourcc'), [
    ('mjpeg2rgb', 'MJPG'), ('raw_mjpeg', 'MJPG'), ('yuyv2rgb', 'YUYV'), ('yuyv', 'YUYV')])
def test_words_of_usb_cam(camera: FakeCamera, word: str, fourcc: str) -> None:
    source = _open(pixel_format=word, io_method='userptr')
    assert camera.fourcc == fourcc
    assert [line.partition(';')[0] for line in _warnings(source)] == [
        f'pixel_format: {word} is taken as {fourcc}', 'io_method: userptr is not needed']


@pytest.mark.parametrize(('wish', 'text'), [
    ({'image_width': 800, 'image_height': 600}, 'size: 800x600 asked, 640x480 given; offered as '
     'YUYV: 640x480, 1280x720'),
    ({'pixel_format': 'MJPG', 'framerate': 20.0, 'image_width': 640, 'image_height': 480},
     'framerate: 20 Hz asked, 15 Hz given; offered at 640x480 MJPG: 30, 15 Hz'),
])
def test_what_the_camera_does_otherwise(camera: FakeCamera, usb: FakeHost, text: str,
                                        wish: dict[str, object]) -> None:
    source = _open(**wish)
    assert _warnings(source) == (text,)
    source.close()
    with pytest.raises(SourceError, match=re.escape(text)):
        _open(strict=True, **wish)
    assert not usb.kernel.open


def test_a_camera_faster_than_asked_is_thinned_out(camera: FakeCamera) -> None:
    slow = _open(framerate=4.0, pixel_format='MJPG')
    assert (slow.keeps_framerate, slow.framerate) == (False, 4.0)
    slow.close()
    own = _open(pixel_format='MJPG')
    assert (own.keeps_framerate, own.framerate) == (True, 30.0)
    own.close()
    camera.errors[abi.VIDIOC_S_PARM] = errno.ENOTTY
    unknown = _open(framerate=4.0, pixel_format='MJPG')
    assert (unknown.keeps_framerate, unknown.framerate) == (False, 4.0)


@pytest.mark.parametrize(('values', 'error', 'text'), [
    ({'pixel_format': 'H264'}, SettingError, "pixel_format: 'H264' is unknown; allowed: MJPG, "),
    ({'pixel_format': 'NV12'}, SourceError, 'has no NV12; allowed: MJPG, YUYV'),
    ({'video_device': 'B'}, SourceError, "no camera has the serial number 'B'; there is: "),
    ({'io_method': 'ftp'}, SettingError, "allowed: 'mmap', 'read', 'userptr'"),
])
def test_bad_input(camera: FakeCamera, usb: FakeHost, values: dict[str, object],
                   error: type[CameraError], text: str) -> None:
    with pytest.raises(error, match=text):
        _open(**values)
    assert not usb.kernel.open


def test_a_camera_without_a_usable_format(usb: FakeHost) -> None:
    camera = usb.plug(0, serial='A')
    camera.modes, camera.fourcc = {'H264': {(640, 480): (30,)}}, 'H264'
    with pytest.raises(SourceError, match='no usable one; allowed: H264'):
        _open()


def test_busy(camera: FakeCamera, usb: FakeHost) -> None:
    camera.errors[abi.VIDIOC_S_FMT] = errno.EBUSY
    with pytest.raises(SourceError, match='video0 is busy: another program uses it'):
        _open()
    assert not usb.kernel.open


def test_the_first_camera_is_named(camera: FakeCamera, usb: FakeHost) -> None:
    source = _open(video_device='')
    assert _warnings(source) == (
        f'video_device: the first camera is taken, {usb.path(0)} (Test Camera, serial A)',)
    assert source.hardware_id == 'A'


def test_unplugged_and_back_under_another_number(camera: FakeCamera, usb: FakeHost) -> None:
    source = _open(video_device=usb.path(0), pixel_format='MJPG')
    data = _jpeg()
    camera.send(data, 0)
    source.grab()
    usb.unplug(0)
    with pytest.raises(SourceLost, match='video0 was unplugged') as loss:
        source.grab()
    source.close()
    assert loss.value.__traceback__, 'the capture still has the exception when it closes'
    assert all(memory.closed for memory in camera.maps)
    assert not usb.kernel.open
    source.close()
    usb.plug(0, serial='B')
    with pytest.raises(SourceError, match=r'serial A\) is gone; there is: .*serial B'):
        _open(video_device=usb.path(0), pixel_format='MJPG')
    back = usb.plug(1, serial='A', port='1-2')
    again = _open(video_device=usb.path(0), pixel_format='MJPG')
    back.send(_jpeg(720, 1280), 0)
    assert again.grab().sequence == 0


def test_the_wait_ends_when_the_cable_is_pulled(camera: FakeCamera) -> None:
    source = _open(stall_timeout=3600.0)
    threading.Timer(0.05, camera.unplug).start()
    with pytest.raises(SourceLost, match='was unplugged'):
        source.grab()


def test_a_camera_that_hangs_is_lost(camera: FakeCamera) -> None:
    source = _open(stall_timeout=0.1)
    with pytest.raises(SourceLost, match='no frame for '):
        source.grab()


def test_controls_are_set_while_it_waits(camera: FakeCamera) -> None:
    camera.controls[abi.V4L2_CID_BRIGHTNESS] = FakeControl('Brightness', 5)
    source = _open(pixel_format='MJPG', image_width=640, image_height=480)
    assert source.has_controls and [each.value for each in source.controls()] == [5]
    set_to: list[int] = []

    def act() -> None:
        set_to.append(source.set_control('brightness', 9))
        camera.send(_jpeg(), 0)
    thread = threading.Thread(target=act)
    thread.start()
    source.grab()
    thread.join()
    assert set_to == [9]
    source.close()
    with pytest.raises(ControlRefused, match='does not answer'):
        source.set_control('brightness', 9)


def test_a_capture_goes_on_when_the_camera_is_back(
        camera: FakeCamera, usb: FakeHost, ring_name: str,
        monkeypatch: pytest.MonkeyPatch) -> None:
    frame = bytes(640 * 480 * 2)
    events: list[dict[str, object]] = []
    settings = V4L2Settings.from_values({
        'source': 'v4l2', 'video_device': usb.path(0), 'pixel_format': 'YUYV',
        'image_width': 640, 'image_height': 480})

    def end(self: V4L2Source) -> Grabbed:
        raise SourceEnded('enough')

    def pull_and_return() -> None:
        with FrameReader(ring_name) as reader:
            camera.send(frame, 0)
            reader.wait(PATIENCE)
            usb.unplug(0)
            eventually(lambda: any(event.get('state') == 'reconnecting' for event in events))
            eventually(lambda: not usb.kernel.open, 'letting go of the camera')
            back = usb.plug(3, serial='A', port='1-2')
            back.send(frame, 0)
            reader.wait(PATIENCE)
            monkeypatch.setattr(V4L2Source, 'grab', end)
            back.send(frame, 1)
    thread = threading.Thread(target=pull_and_return)
    with Capture(ring_name, settings, events.append) as capture:
        thread.start()
        capture.run()
    thread.join()
    assert not usb.kernel.open
    reasons = [event.get('reason') for event in events]
    assert f'{usb.path(0)} was unplugged' in reasons
    assert reasons[-1] == 'enough'
