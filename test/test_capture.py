"""The capture program by itself, as a user without ROS runs it."""

from collections.abc import Iterator
from contextlib import contextmanager, ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
import signal
import threading
from typing import ClassVar

from camera_mp import capture_loop
from camera_mp.capture_loop import Capture, Decimator
from camera_mp.errors import RingClosed, SourceEnded, SourceLost
from camera_mp.ring import FrameReader, State
from camera_mp.ring.file import ring_path
from camera_mp.sources.source import Grabbed
from camera_mp.sources.synthetic import read_number, SyntheticSettings, SyntheticSource
import cv2
import numpy as np
from programs import eventually, run, running
import pytest
from test_source_video import make_video

CAPTURE = ('-m', 'camera_mp.capture')


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
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
