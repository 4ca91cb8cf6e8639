"""The parent's handle: a capture that dies comes back, and none outlives its parent."""

from collections.abc import Iterator
import logging
import os
from pathlib import Path
import signal

from programs import eventually, is_alive, PATIENCE, running, wait_for_end
import pytest

from camera_mp.capture_process import CaptureProcess
from camera_mp.errors import RingClosed
from camera_mp.ring import FrameReader
from camera_mp.ring.file import ring_path

SETTINGS = {'source': 'synthetic', 'framerate': 100.0, 'image_width': 64, 'image_height': 48,
            'slots': 64}


@pytest.fixture
def capture(ring_name: str) -> Iterator[CaptureProcess]:
    capture = CaptureProcess(ring_name, SETTINGS, logging.getLogger('test'))
    capture.start()
    yield capture
    capture.stop()
    assert not ring_path(ring_name).exists()


def _writer(ring_name: str) -> int:
    status = FrameReader(ring_name).status()
    return status.pid if status and status.alive else 0


def test_it_says_what_it_delivers(capture: CaptureProcess, ring_name: str) -> None:
    ready = capture.wait_ready(PATIENCE)
    assert ready and ready.framerate == 100.0
    stream, = ready.streams
    assert (stream.ring, stream.topic, str(stream.format)) == (
        ring_name, 'image_raw', '64x48 bgr8')


def test_a_killed_capture_is_started_again_and_its_readers_go_on(
        capture: CaptureProcess, ring_name: str, caplog: pytest.LogCaptureFixture) -> None:
    reader = FrameReader(ring_name)
    for restart in range(1, 3):
        reader.wait(PATIENCE)
        before = _writer(ring_name)
        os.kill(before, signal.SIGKILL)
        wait_for_end(before)
        eventually(lambda: _writer(ring_name))
        frames = [reader.next(PATIENCE) for _ in range(20)]
        assert frames[-1].stamp_ns > frames[0].stamp_ns
        assert capture.restarts == restart
    assert 'was killed by SIGKILL; starting it again in' in caplog.text


def test_stop_ends_the_process_and_closes_the_ring(ring_name: str) -> None:
    capture = CaptureProcess(ring_name, SETTINGS, logging.getLogger('test'))
    capture.start()
    reader = FrameReader(ring_name)
    reader.wait(PATIENCE)
    pid = _writer(ring_name)
    capture.stop()
    assert not is_alive(pid)
    with pytest.raises(RingClosed):
        while True:
            reader.next(PATIENCE)


def test_stop_at_once_after_start_leaves_nothing(ring_name: str) -> None:
    for _ in range(3):
        capture = CaptureProcess(ring_name, SETTINGS, logging.getLogger('test'))
        capture.start()
        capture.stop()
        assert not ring_path(ring_name).exists()


def test_a_failed_first_start_tells_why(ring_name: str) -> None:
    capture = CaptureProcess(ring_name, {'source': 'video', 'video_device': '/nowhere'},
                             logging.getLogger('test'))
    capture.start()
    assert capture.wait_ready(PATIENCE) is None
    assert '/nowhere does not exist' in capture.error
    capture.stop()


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP])
def test_a_capture_that_is_stuck_or_killed_does_not_keep_stop_waiting(
        ring_name: str, number: signal.Signals) -> None:
    capture = CaptureProcess(ring_name, SETTINGS, logging.getLogger('test'))
    capture.start()
    FrameReader(ring_name).wait(PATIENCE)
    pid = _writer(ring_name)
    os.kill(pid, number)
    capture.stop()
    assert not is_alive(pid)
    assert not ring_path(ring_name).exists()


PARENT = """
import logging, sys, time
from camera_mp.capture_process import CaptureProcess
CaptureProcess(sys.argv[1], {'source': 'synthetic'}, logging.getLogger()).start()
time.sleep(1000)
"""


def test_a_killed_parent_takes_its_capture_along(ring_name: str, tmp_path: Path) -> None:
    (tmp_path / 'parent.py').write_text(PARENT)
    with running(tmp_path / 'parent.py', ring_name) as parent:
        FrameReader(ring_name).wait(PATIENCE)
        pid = _writer(ring_name)
        parent.process.kill()
        wait_for_end(pid)
    assert not ring_path(ring_name).exists()
