"""The capture program by itself, as a user without ROS runs it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, ExitStack
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
import signal
import threading
from typing import ClassVar, TypeAlias

from camera_mp import capture_loop
from camera_mp.capture_loop import Capture
from camera_mp.controls import Control
from camera_mp.errors import (
    ControlRefused,
    RingClosed,
    SettingError,
    SourceEnded,
    SourceLost,
    SourceStalled,
)
from camera_mp.frame import Pixels
from camera_mp.outlet import Decimator
from camera_mp.ring import FrameReader, RingStatus, State
from camera_mp.ring.file import ring_path
from camera_mp.sources.source import Grabbed, Stream
from camera_mp.sources.synthetic import read_number, SyntheticSettings, SyntheticSource
import cv2
import numpy as np
from programs import eventually, PATIENCE, run, running
import pytest
from test_source_video import make_video

CAPTURE = ('-m', 'camera_mp.capture')
Events: TypeAlias = list[dict[str, object]]
CaptureOf: TypeAlias = Callable[..., tuple[Capture, Events, FrameReader]]


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_frames_come_in_order_and_nothing_is_left(ring_name: str, number: signal.Signals) -> None:
    reader = FrameReader(ring_name)
    with running(*CAPTURE, ring_name, '--framerate', '50', '--slots', '64') as capture:
        frames = [reader.next(10) for _ in range(50)]
        assert [frame.sequence for frame in frames] == list(range(50))
        assert [read_number(frame.image) for frame in frames] == list(range(50))
        stamps = [frame.stamp_ns for frame in frames]
        assert stamps == sorted(set(stamps))
        assert capture.end(number) == 0
    assert not ring_path(ring_name).exists()


def test_depth_has_a_ring_of_its_own_with_the_same_stamps(ring_name: str) -> None:
    color, depth = FrameReader(ring_name), FrameReader(f'{ring_name}.depth')
    with running(*CAPTURE, ring_name, '--depth', '--rotate', '90', '--slots', '64'):
        pairs = [(color.next(10), depth.next(10)) for _ in range(5)]
    for one, other in pairs:
        assert (one.stamp_ns, one.sequence) == (other.stamp_ns, other.sequence)
        assert one.image.shape == (640, 480, 3)
        assert (other.image.shape, other.encoding) == ((640, 480), '16UC1')
        assert read_number(np.rot90(other.image)) == other.sequence


def test_a_video_ends_with_its_last_frame_and_a_reason(ring_name: str, tmp_path: Path) -> None:
    path = make_video(tmp_path / 'a.avi', frames=5)
    reader = FrameReader(ring_name)
    with running(*CAPTURE, ring_name, '--source', 'video', '--video-device', path, '--no-loop',
                 '--framerate', '50') as capture:
        assert [reader.next(10).sequence for _ in range(5)] == list(range(5))
        with pytest.raises(RingClosed, match=r'end of .*a\.avi'):
            reader.next(10)
        assert capture.wait() == 0


def test_broken_frames_are_counted_not_shown(ring_name: str, tmp_path: Path) -> None:
    for number in range(4):
        cv2.imwrite(str(tmp_path / f'{number}.png'), np.full((20, 30, 3), number, np.uint8))
    (tmp_path / '2.png').write_bytes(b'rubbish')
    reader = FrameReader(ring_name)
    with running(*CAPTURE, ring_name, '--slots', '64', '--source', 'video', '--video-device',
                 tmp_path):
        assert [int(reader.next(10).image[0, 0, 0]) for _ in range(4)] == [0, 1, 3, 0]
        status = reader.status()
    assert status and status.lost == 1


@pytest.mark.parametrize(('arguments', 'text'), [
    (['--image-width', '-4'], 'image_width: -4 is not allowed; allowed: 0 to 16384'),
    (['--image-width', '4'], '4x480 is too small'),
    (['--source', 'video', '--video-device', '/nowhere'], '/nowhere does not exist'),
    (['--slots', '65'], 'slots: 65 is not allowed; allowed: 2 to 64'),
])
def test_bad_input_is_one_line_and_code_1(ring_name: str, arguments: list[str],
                                          text: str) -> None:
    program = run(*CAPTURE, ring_name, *arguments)
    assert program.process.returncode == 1
    assert len(program.lines) == 1
    assert text in program.lines[0]
    assert not ring_path(ring_name).exists()


def test_a_taken_name_is_refused_and_the_living_camera_untouched(ring_name: str) -> None:
    with running(*CAPTURE, ring_name) as first:
        reader = FrameReader(ring_name)
        reader.wait(10)
        second = run(*CAPTURE, ring_name)
        assert second.process.returncode == 1
        assert f'is taken by a living camera (process {first.process.pid})' in second.text
        before = reader.next(10).sequence
        assert reader.next(10).sequence == before + 1


class _Stream(BaseHTTPRequestHandler):
    """A camera on the network: ten JPEGs, then the connection breaks."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header('Content-Type', 'multipart/x-mixed-replace; boundary=frame')
        self.end_headers()
        for number in range(10):
            jpeg = cv2.imencode('.jpg', np.full((48, 64, 3), number * 20, np.uint8))[1].tobytes()
            self.wfile.write(b'--frame\r\nContent-Type: image/jpeg\r\nContent-Length: '
                             + str(len(jpeg)).encode() + b'\r\n\r\n' + jpeg + b'\r\n')

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def _network_camera(port: int = 0) -> Iterator[int]:
    server = ThreadingHTTPServer(('127.0.0.1', port), _Stream)
    threading.Thread(target=server.serve_forever).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def test_a_stream_that_breaks_is_opened_again(ring_name: str) -> None:
    reader = FrameReader(ring_name)
    with _network_camera() as port, running(
            *CAPTURE, ring_name, '--source', 'video', '--video-device',
            f'http://me:secret@127.0.0.1:{port}/x.mjpg') as capture:
        capture.wait_for('reconnecting', 2)
        eventually(lambda: (status := reader.status()) and status.reconnects >= 2)
        assert reader.wait(10).image.shape == (48, 64, 3)
        assert 'secret' not in capture.text
        assert f'http://me:***@127.0.0.1:{port}/x.mjpg broke off' in capture.text


def test_a_stream_that_stays_away_is_waited_for(ring_name: str, stack: ExitStack) -> None:
    reader = FrameReader(ring_name)
    with _network_camera() as port:
        capture = stack.enter_context(running(
            *CAPTURE, ring_name, '--source', 'video', '--video-device',
            f'http://127.0.0.1:{port}/x.mjpg'))
        capture.wait_for('reconnecting')
    capture.wait_for('cannot be reached')
    status = reader.status()
    assert status and status.state == State.RECONNECTING
    with _network_camera(port):
        eventually(lambda: (now := reader.status()) and now.committed > status.committed)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def capture_loop_of(ring_name: str, stack: ExitStack) -> CaptureOf:
    """Run a capture in a thread of this process; give it, what it says, and a reader."""
    def start(settings: SyntheticSettings,
              controls: Mapping[str, int] | None = None) -> tuple[Capture, Events, FrameReader]:
        said: Events = []
        capture = stack.enter_context(
            Capture(ring_name, settings, said.append, controls=controls))
        thread = threading.Thread(target=capture.run)
        thread.start()
        stack.callback(thread.join)
        stack.callback(capture._jobs.put, _end)
        return capture, said, FrameReader(ring_name)
    return start


def _end() -> None:
    raise SourceEnded('enough')


class _Fragile(SyntheticSource):
    """Breaks off once; knows how many of it are open."""

    opened: ClassVar[list['_Fragile']] = []
    closed: ClassVar[list['_Fragile']] = []

    def __init__(self, settings: SyntheticSettings) -> None:
        super().__init__(settings)
        self.opened.append(self)

    def grab(self) -> Grabbed:
        if len(self.opened) == 1:
            raise SourceLost('unplugged')
        raise SourceEnded('enough')

    def close(self) -> None:
        self.closed.append(self)


def test_every_source_is_closed_once_also_after_a_reconnect(
        ring_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_loop, 'source_class', lambda name: _Fragile)
    with Capture(ring_name, SyntheticSettings(), lambda event: None) as capture:
        capture.run()
    assert len(_Fragile.opened) == 2
    assert _Fragile.closed == _Fragile.opened


def test_decimation_is_even() -> None:
    decimator = Decimator(10.0)
    jitter = np.random.default_rng(1).integers(-3_000_000, 3_000_000, 300)
    kept = [number for number in range(300)
            if decimator.keeps(10**18 + number * 33_333_333 + int(jitter[number]))]
    assert set(np.diff(kept)) == {3}
    assert all(Decimator(0.0).keeps(stamp) for stamp in range(5))


class _Lazy(SyntheticSource):
    """Draws for readers alone; counts what it drew."""

    drawn = 0

    def __init__(self, settings: SyntheticSettings) -> None:
        super().__init__(settings)
        self.streams = tuple(replace(stream, lazy=True) for stream in self.streams)

    def read_into(self, stream: Stream, out: Pixels) -> None:
        type(self).drawn += 1
        super().read_into(stream, out)


def test_a_lazy_stream_is_drawn_for_readers_alone_and_still_counts(
        ring_name: str, monkeypatch: pytest.MonkeyPatch, capture_loop_of: CaptureOf) -> None:
    monkeypatch.setattr(capture_loop, 'source_class', lambda name: _Lazy)
    _, _, looker = capture_loop_of(SyntheticSettings(framerate=200.0))
    looker.close()

    def status() -> RingStatus:
        status = looker.status()
        assert status
        return status
    eventually(lambda: status().undrawn >= 5)
    assert status().state == State.STREAMING
    drawn = _Lazy.drawn
    undrawn = status().undrawn
    eventually(lambda: status().undrawn >= undrawn + 5)
    assert _Lazy.drawn == drawn
    with FrameReader(ring_name) as reader:
        frames = [reader.next(10) for _ in range(9)]
    assert [read_number(frame.image) for frame in frames] == [frame.sequence for frame in frames]
    assert frames[-1].sequence >= undrawn + 5
    undrawn = status().undrawn
    eventually(lambda: status().undrawn > undrawn)
    assert status().lost == 0


def test_other_settings_while_it_runs(capture_loop_of: CaptureOf) -> None:
    capture, said, reader = capture_loop_of(SyntheticSettings(framerate=100.0, slots=64))
    assert reader.wait(10).image.shape == (480, 640, 3)
    answers: SimpleQueue[str] = SimpleQueue()
    capture.configure(SyntheticSettings(
        framerate=100.0, slots=64, rotate=90, image_width=1280), answers.put)
    assert answers.get(timeout=10) == ''
    eventually(lambda: reader.wait(10).image.shape == (1280, 480, 3))
    capture.configure(SyntheticSettings(image_width=4), answers.put)
    assert '4x480 is too small' in answers.get(timeout=10)
    number = reader.wait(10).number
    eventually(lambda: reader.wait(10).number > number)
    assert reader.wait(10).image.shape == (1280, 480, 3)
    assert [event['event'] for event in said] == ['ready'] * 3


def test_a_stream_that_goes_closes_its_ring_and_one_that_comes_opens_it(
        capture_loop_of: CaptureOf, ring_name: str) -> None:
    capture, _, reader = capture_loop_of(SyntheticSettings(framerate=100.0, depth=True))
    depth = FrameReader(f'{ring_name}.depth')
    assert depth.wait(10).encoding == '16UC1'
    answers: SimpleQueue[str] = SimpleQueue()
    capture.configure(SyntheticSettings(framerate=100.0), answers.put)
    assert answers.get(timeout=10) == ''
    with pytest.raises(RingClosed):
        while True:
            depth.next(10)
    assert reader.wait(10).encoding == 'bgr8'
    capture.configure(SyntheticSettings(framerate=100.0, depth=True), answers.put)
    assert answers.get(timeout=10) == ''
    assert depth.wait(10).encoding == '16UC1'


class _Steered(SyntheticSource):
    """Has an automatic control, and a number that can be set only while that is off."""

    has_controls = True
    values: ClassVar[dict[str, int]] = {}
    broken: ClassVar[bool] = False

    def __init__(self, settings: SyntheticSettings) -> None:
        super().__init__(settings)
        type(self).values = {'auto': 1, 'exposure': 100}

    def grab(self) -> Grabbed:
        if self.broken:
            type(self).broken = False
            raise SourceStalled('no frame for 1 s')
        return super().grab()

    def controls(self) -> tuple[Control, ...]:
        return (Control('exposure', 'Exposure', 'integer', 1, 500, 1, 100, 100),
                Control('auto', 'Auto', 'boolean', 0, 1, 1, 1, 1))

    def set_control(self, name: str, value: int) -> int:
        if name == 'exposure' and self.values['auto']:
            raise ControlRefused(f'exposure: {value} is refused while auto is on')
        self.values[name] = value
        return value


def test_controls_are_set_again_whenever_the_device_is_opened(
        capture_loop_of: CaptureOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_loop, 'source_class', lambda name: _Steered)
    capture, said, _ = capture_loop_of(SyntheticSettings(framerate=100.0),
                                       {'exposure': 7, 'auto': 0})
    assert _Steered.values == {'auto': 0, 'exposure': 7}
    assert capture.set_control('exposure', 9) == 9
    _Steered.broken = True
    eventually(lambda: {'event': 'state', 'state': 'streaming', 'reason': 'the source is back'}
               in said)
    assert {'event': 'state', 'state': 'stalled', 'reason': 'no frame for 1 s'} in said
    assert _Steered.values == {'auto': 0, 'exposure': 9}
    assert capture.set_control('auto', 1) == 1
    with pytest.raises(ControlRefused, match='refused while auto is on'):
        capture.set_control('exposure', 3)


def test_a_control_that_is_refused_is_a_warning_and_one_that_is_not_there_an_error(
        capture_loop_of: CaptureOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_loop, 'source_class', lambda name: _Steered)
    _, said, _ = capture_loop_of(SyntheticSettings(), {'exposure': 7})
    assert {'event': 'warning', 'text': 'exposure: 7 is refused while auto is on'} in said
    with pytest.raises(SettingError, match='exposre: no such parameter; did you mean exposure'):
        Capture('other', SyntheticSettings(), lambda event: None, controls={'exposre': 1})
    assert not ring_path('other').exists()


class _Hanging(SyntheticSource):
    """Gives no frame while `goes` is not set."""

    goes: ClassVar[threading.Event] = threading.Event()

    def grab(self) -> Grabbed:
        self.goes.wait(PATIENCE)
        return super().grab()


def test_a_stall_and_its_end_are_said(capture_loop_of: CaptureOf,
                                      monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_loop, 'source_class', lambda name: _Hanging)
    _Hanging.goes.set()
    capture, said, reader = capture_loop_of(SyntheticSettings(framerate=100.0, stall_timeout=0.1))
    reader.wait(PATIENCE)
    _Hanging.goes.clear()
    eventually(lambda: capture.look_for_stall() == 0.0, 'a stall, to be looked at again soon')
    assert said[-1] == {'event': 'state', 'state': 'stalled', 'reason': 'no frame for 0.1 s'}
    _Hanging.goes.set()
    eventually(lambda: 0.0 < capture.look_for_stall() <= 0.1, 'frames')
    assert {'event': 'state', 'state': 'streaming', 'reason': 'frames come again'} in said
