"""The parent's handle: a capture that dies comes back, and none outlives its parent."""

from collections.abc import Iterator
import os
from pathlib import Path
import signal
import socket
import sys

from camera_mp import capture_process
from camera_mp.capture_process import CaptureProcess
from camera_mp.errors import ControlRefused, RingClosed, SettingError
from camera_mp.ring import FrameReader
from camera_mp.ring.file import ring_path
from programs import eventually, is_alive, PATIENCE, running, wait_for_end
import pytest

SETTINGS = {'source': 'synthetic', 'framerate': 100.0, 'image_width': 64, 'image_height': 48,
            'slots': 64}


class Said:
    """A log that remembers; pytest's own sees nothing beside the plugins of launch."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    info = warning = error = lambda self, text: self.lines.append(text)


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def capture(ring_name: str, said: Said) -> Iterator[CaptureProcess]:
    capture = CaptureProcess(ring_name, SETTINGS, said)
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
        capture: CaptureProcess, ring_name: str, said: Said) -> None:
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
    assert any('was killed by SIGKILL; starting it again in' in line for line in said.lines)


def test_a_capture_killed_before_it_reads_its_order_is_started_again(
        capture: CaptureProcess, ring_name: str) -> None:
    FrameReader(ring_name).wait(PATIENCE)
    os.kill(_writer(ring_name), signal.SIGKILL)
    young = _next_child(capture)
    os.kill(young, signal.SIGKILL)
    wait_for_end(young)
    eventually(lambda: _writer(ring_name) not in (0, young))
    assert capture.restarts >= 2


def _next_child(capture: CaptureProcess) -> int:
    """Wait for the process of the next start and give its pid as soon as there is one."""
    process = capture._process
    eventually(lambda: capture._process is not process)
    assert capture._process
    return capture._process.pid


def test_a_first_capture_killed_at_once_is_an_error(ring_name: str) -> None:
    capture = CaptureProcess(ring_name, SETTINGS, Said())
    capture.start()
    eventually(lambda: capture._process)
    assert capture._process
    os.kill(capture._process.pid, signal.SIGKILL)
    assert capture.wait_ready(PATIENCE) is None
    assert 'was killed by SIGKILL' in capture.error
    capture.stop()


def test_it_runs_this_package_whatever_the_working_directory_holds(
        ring_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.version_info < (3, 11):
        pytest.skip('Python 3.10 knows no PYTHONSAFEPATH')
    (tmp_path / 'camera_mp.py').write_text('raise SystemExit("the wrong camera_mp")')
    (tmp_path / 'select.py').write_text('raise SystemExit("the wrong select")')
    monkeypatch.chdir(tmp_path)
    capture = CaptureProcess(ring_name, SETTINGS, Said())
    capture.start()
    assert capture.wait_ready(PATIENCE), capture.error
    capture.stop()


def test_stop_ends_the_process_and_closes_the_ring(ring_name: str) -> None:
    capture = CaptureProcess(ring_name, SETTINGS, Said())
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
        capture = CaptureProcess(ring_name, SETTINGS, Said())
        capture.start()
        capture.stop()
        assert not ring_path(ring_name).exists()


def test_a_failed_first_start_tells_why(ring_name: str) -> None:
    capture = CaptureProcess(ring_name, {'source': 'video', 'video_device': '/nowhere'},
                             Said())
    capture.start()
    assert capture.wait_ready(PATIENCE) is None
    assert '/nowhere does not exist' in capture.error
    capture.stop()


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP])
def test_a_capture_that_is_stuck_or_killed_does_not_keep_stop_waiting(
        ring_name: str, number: signal.Signals) -> None:
    capture = CaptureProcess(ring_name, SETTINGS, Said())
    capture.start()
    FrameReader(ring_name).wait(PATIENCE)
    pid = _writer(ring_name)
    os.kill(pid, number)
    capture.stop()
    assert not is_alive(pid)
    assert not ring_path(ring_name).exists()


PARENT = """
import logging, sys, time
from camera_mp import capture_process
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


def test_a_parent_that_dies_while_the_source_opens_takes_it_along(
        ring_name: str, tmp_path: Path) -> None:
    with socket.create_server(('127.0.0.1', 0)) as silent:  # takes the call and says nothing
        url = f'http://127.0.0.1:{silent.getsockname()[1]}/x'
        (tmp_path / 'parent.py').write_text(PARENT.replace(
            "{'source': 'synthetic'}", repr({'source': 'video', 'video_device': url})))
        with running(tmp_path / 'parent.py', ring_name) as parent, silent.accept()[0]:
            children = Path(f'/proc/{parent.process.pid}/task').glob('*/children')
            pid, = (int(word) for path in children for word in path.read_text().split())
            parent.process.kill()
            wait_for_end(pid)


def test_orders_given_while_the_source_is_being_opened_are_carried_out(
        capture: CaptureProcess, ring_name: str) -> None:
    eventually(lambda: capture._control)
    capture.configure({**SETTINGS, 'rotate': 90})
    reader = FrameReader(ring_name)
    eventually(lambda: reader.wait(PATIENCE).image.shape == (64, 48, 3))


def test_an_order_that_cannot_be_is_refused_with_the_reason(
        capture: CaptureProcess, ring_name: str) -> None:
    assert capture.wait_ready(PATIENCE)
    with pytest.raises(SettingError, match='4x48 is too small'):
        capture.configure({**SETTINGS, 'image_width': 4})
    with pytest.raises(ControlRefused, match='brightness: this source has no controls'):
        capture.set_control('brightness', 1)
    assert FrameReader(ring_name).wait(PATIENCE).image.shape == (48, 64, 3)


def test_settings_of_a_run_survive_the_death_of_the_process(
        capture: CaptureProcess, ring_name: str) -> None:
    assert capture.wait_ready(PATIENCE)
    capture.configure({**SETTINGS, 'rotate': 90})
    before = _writer(ring_name)
    os.kill(before, signal.SIGKILL)
    eventually(lambda: _writer(ring_name) not in (0, before))
    assert FrameReader(ring_name).wait(PATIENCE).image.shape == (64, 48, 3)


def test_nobody_answers_for_a_dead_capture(capture: CaptureProcess, ring_name: str) -> None:
    assert capture.wait_ready(PATIENCE)
    os.kill(_writer(ring_name), signal.SIGSTOP)
    try:
        with pytest.raises(SettingError, match='did not answer'):
            capture.configure({**SETTINGS, 'rotate': 90})
    finally:
        os.kill(_writer(ring_name), signal.SIGKILL)


def test_a_capture_that_hangs_as_a_whole_is_killed_and_started_again(
        capture: CaptureProcess, ring_name: str, said: Said,
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_process, '_SILENCE', 2.5)
    assert capture.wait_ready(PATIENCE)
    before = _writer(ring_name)
    os.kill(before, signal.SIGSTOP)
    eventually(lambda: _writer(ring_name) not in (0, before))
    assert f'capture of {ring_name!r} hangs, nothing was heard of it for ' in said.lines[0]
    assert FrameReader(ring_name).wait(PATIENCE).image.shape == (48, 64, 3)


def test_a_capture_that_has_nothing_to_say_is_left_alone(
        capture: CaptureProcess, ring_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_process, '_SILENCE', 2.5)
    assert capture.wait_ready(PATIENCE)
    before = _writer(ring_name)
    with FrameReader(ring_name) as reader:
        first = reader.wait(PATIENCE)
        while reader.wait(PATIENCE).stamp_ns < first.stamp_ns + 4_000_000_000:
            pass
    assert _writer(ring_name) == before
