"""Whole images through Fast DDS without a setting of the user's, and nothing left by the dead."""

import fcntl
import os
from pathlib import Path
import signal
import time

from camera_mp import fast_dds
from camera_mp.errors import SettingError
from camera_mp.fast_dds import remove_dead_segments, shared_file, tune_for_images, VARIABLES
from camera_mp.ring import FrameReader
from image_subscriber import __file__ as SUBSCRIBER
from programs import PATIENCE, run, running
import pytest

VARIABLE = VARIABLES[0]
CAMERA = ('-m', 'camera_mp.nodes.camera', '--ros-args')
PROFILE = shared_file('config/fastdds.xml')


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, 'RMW_IMPLEMENTATION'):
        monkeypatch.setenv(name, '')  # so that what a test sets is undone
        monkeypatch.delenv(name)


def _with_free(monkeypatch: pytest.MonkeyPatch, megabytes: int) -> str:
    monkeypatch.setattr(fast_dds, '_free', lambda: megabytes << 20)
    return tune_for_images(publisher=True)


def test_a_publisher_gets_the_profile_and_a_subscriber_does_not() -> None:
    assert tune_for_images() == ''
    assert VARIABLE not in os.environ
    assert tune_for_images(publisher=True) == ''
    assert [os.environ.get(name) for name in VARIABLES].count(str(PROFILE)) == 1


@pytest.mark.parametrize('variable', VARIABLES)
def test_a_profile_of_the_users_is_left_alone(monkeypatch: pytest.MonkeyPatch, variable: str,
                                              tmp_path: Path) -> None:
    own = tmp_path / 'own.xml'
    own.write_text(PROFILE.read_text())
    monkeypatch.setenv(variable, str(own))
    assert tune_for_images(publisher=True) == f'{variable}={own} is used as it is'
    own.write_text('<profiles/>')
    assert 'segment of 0 KiB is small for images' in tune_for_images(publisher=True)
    assert [os.environ[name] for name in VARIABLES if name in os.environ] == [str(own)]


@pytest.mark.parametrize(('text', 'message'), [
    (None, 'does not exist; allowed: an XML file, or unset'), ('<a', 'is no XML')])
def test_a_profile_that_cannot_be_read_is_an_error(
        monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None, message: str) -> None:
    own = tmp_path / 'own.xml'
    if text:
        own.write_text(text)
    monkeypatch.setenv(VARIABLE, str(own))
    with pytest.raises(SettingError, match=message):
        tune_for_images(publisher=True)


def test_another_middleware_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('RMW_IMPLEMENTATION', 'rmw_cyclonedds_cpp')
    assert tune_for_images(publisher=True) == ''
    assert VARIABLE not in os.environ


def test_on_a_small_shm_the_segment_is_what_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    line = _with_free(monkeypatch, 60)
    assert line.startswith('/dev/shm has 60 MiB free and images need 70 MiB: Fast DDS runs with '
                           'a segment of 16 MiB')
    text = Path(next(filter(None, map(os.environ.get, VARIABLES)))).read_text()
    assert f'<segment_size>{16 << 20}<' in text
    assert f'<maxMessageSize>{8 << 20}<' in text


def test_on_a_tiny_shm_fast_dds_keeps_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 'with its own small segment' in _with_free(monkeypatch, 8)
    assert not os.environ.keys() & set(VARIABLES)


def _segments(pid: int) -> set[str]:
    """Give the large segments that a process owns: it holds their locks (proc_locks(5))."""
    locks = (line.split() for line in Path('/proc/locks').read_text().splitlines())
    inodes = {lock[5].rpartition(':')[2] for lock in locks if lock[4] == str(pid)}
    owned = {str(path)[:-3] for path in Path('/dev/shm').glob('fast*_el')
             if str(path.stat().st_ino) in inodes}
    return {segment for segment in owned if Path(segment).stat().st_size > 64 << 20}


def _make_old(path: str) -> None:
    os.utime(f'{path}_el', (time.time() - 60,) * 2)


def test_a_killed_nodes_segment_is_removed_and_a_living_ones_is_not(
        ros_domain: int, ring_name: str) -> None:
    pytest.importorskip('rclpy', reason='the nodes need rclpy')
    with running(*CAMERA, '-r', f'__ns:=/{ring_name}') as dead, running(
            *CAMERA, '-r', f'__ns:=/{ring_name}_2') as living:
        for name in (ring_name, f'{ring_name}_2'):
            FrameReader(name).wait(PATIENCE)
        segment, = _segments(dead.process.pid)
        kept, = _segments(living.process.pid)
        _make_old(segment)
        _make_old(kept)
        os.kill(dead.process.pid, signal.SIGKILL)
        dead.wait()
        assert Path(segment).exists()
        assert Path(segment) in remove_dead_segments()
        assert not Path(segment).exists()
        assert not Path(f'{segment}_el').exists()
        assert Path(kept).exists()


def test_a_lock_file_that_is_young_or_held_is_let_be(monkeypatch: pytest.MonkeyPatch,
                                                     tmp_path: Path) -> None:
    monkeypatch.setattr(fast_dds, 'SHARED_MEMORY', tmp_path)
    for number in range(3):
        (tmp_path / f'fastdds_{number:016x}').touch()
        (tmp_path / f'fastdds_{number:016x}_el').touch()
    for number in (1, 2):
        _make_old(str(tmp_path / f'fastdds_{number:016x}'))
    (tmp_path / 'fastdds_port7400_el').touch()
    with (tmp_path / f'fastdds_{1:016x}_el').open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert {path.name for path in remove_dead_segments()} == {
            f'fastdds_{2:016x}', f'fastdds_{2:016x}_el'}


@pytest.mark.parametrize('reliability', ['reliable', 'best_effort'])
def test_every_large_image_arrives_with_either_quality(ros_domain: int, ring_name: str,
                                                       reliability: str) -> None:
    pytest.importorskip('rclpy', reason='the nodes need rclpy')
    with running(SUBSCRIBER, f'/{ring_name}/image_raw', 20, reliability) as subscriber, running(
            *CAMERA, '-r', f'__ns:=/{ring_name}', '-p', 'image_width:=1920', '-p',
            'image_height:=1080', '-p', 'framerate:=10.0'):
        subscriber.wait_for('stamp_ns', 20)


def test_an_unreadable_profile_stops_the_node_with_one_line(
        ros_domain: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip('rclpy', reason='the nodes need rclpy')
    monkeypatch.setenv(VARIABLE, '/nowhere.xml')
    program = run(*CAMERA)
    assert program.process.returncode == 1
    assert program.lines == [f'{VARIABLE}: /nowhere.xml does not exist; '
                             'allowed: an XML file, or unset']


def test_images_larger_than_the_segment_are_named_and_delivered(
        ros_domain: int, ring_name: str) -> None:
    pytest.importorskip('rclpy', reason='the nodes need rclpy')
    with running(SUBSCRIBER, f'/{ring_name}/image_raw', 2) as subscriber, running(
            *CAMERA, '-r', f'__ns:=/{ring_name}', '-p', 'image_width:=6000', '-p',
            'image_height:=4000', '-p', 'framerate:=2.0', '-p', 'slots:=2') as camera:
        camera.wait_for('an image of 68 MiB is larger than the 64 MiB')
        subscriber.wait_for('stamp_ns', 2)
