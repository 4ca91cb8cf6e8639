"""Bringup starts what the file names, keeps it running and takes everything down with it."""

from collections.abc import Iterator
import os
from pathlib import Path
import signal

from camera_mp.process_usage import own_memory
from camera_mp.ring import FrameReader, list_rings
from programs import eventually, is_alive, parent_of, PATIENCE, ROOT, run, running, wait_for_end
import pytest
from test_source_video import make_video

pytest.importorskip('rclpy', reason='the nodes need rclpy')

BRINGUP = ('-m', 'camera_mp.bringup')


@pytest.fixture
def names(ros_domain: int, ring_name: str) -> Iterator[list[str]]:
    yield [f'{ring_name}_{number}' for number in range(2)]


@pytest.fixture
def file(names: list[str], tmp_path: Path) -> Path:
    path = tmp_path / 'cameras.yaml'
    path.write_text('/**: {ros__parameters: {framerate: 50.0}}\n' + ''.join(
        f'/{name}/camera: {{ros__parameters: {{image_width: 64, image_height: 48}}}}\n'
        for name in names))
    return path


def _writers(names: list[str]) -> list[int]:
    found = (FrameReader(name).status() for name in names)
    return [status.pid for status in found if status and status.alive]


def _wait_until_running(names: list[str]) -> list[int]:
    for name in names:
        FrameReader(name).wait(PATIENCE)
    return _writers(names)


def test_every_key_is_a_process_and_ctrl_c_ends_all(file: Path, names: list[str]) -> None:
    with running(*BRINGUP, file) as bringup:
        captures = _wait_until_running(names)
        nodes = [parent_of(pid) for pid in captures]
        assert len({*nodes}) == 2
        assert bringup.end(signal.SIGINT) == 0
    assert not any(map(is_alive, [*nodes, *captures]))
    assert not any(name.startswith(tuple(names)) for _, name, _ in list_rings())
    assert 'Traceback' not in bringup.text


def test_it_ends_by_itself_when_the_time_is_up(file: Path) -> None:
    program = run(*BRINGUP, file, '--duration', '3', '--table')
    assert program.process.returncode == 0
    assert sum('streaming' in line and '64x48' in line for line in program.lines) >= 2


def test_a_killed_node_is_named_and_started_again(file: Path, names: list[str]) -> None:
    with running(*BRINGUP, file) as bringup:
        before = parent_of(_wait_until_running(names)[0])
        os.kill(before, signal.SIGKILL)
        bringup.wait_for(f'/{names[0]}/camera was killed by SIGKILL; starting it again in 0.5 s')
        eventually(lambda: len(_writers(names)) == 2 and parent_of(_writers(names)[0]) != before)
        assert bringup.end() == 0


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM])
def test_nodes_do_not_outlive_it(file: Path, names: list[str], number: signal.Signals) -> None:
    with running(*BRINGUP, file) as bringup:
        captures = _wait_until_running(names)
        processes = [*captures, *map(parent_of, captures)]
        bringup.process.send_signal(number)
        bringup.wait()
        wait_for_end(*processes)
    assert not any(name.startswith(tuple(names)) for _, name, _ in list_rings())


def test_without_respawn_the_first_failure_ends_all_with_its_code(
        file: Path, names: list[str]) -> None:
    with running(*BRINGUP, file, '--no-respawn') as bringup:
        os.kill(parent_of(_wait_until_running(names)[0]), signal.SIGKILL)
        assert bringup.wait() == 128 + signal.SIGKILL
    assert not _writers(names)


def test_a_node_that_cannot_start_says_why_and_the_others_run(file: Path,
                                                              names: list[str]) -> None:
    with file.open('a') as text:
        text.write(f'/{names[0]}/camera_2: {{ros__parameters: {{source: webcam}}}}\n')
    with running(*BRINGUP, file, '--duration', '4') as bringup:
        _wait_until_running(names)
        bringup.wait_for(f"/{names[0]}/camera_2: source: 'webcam' is unknown; allowed: screen")
        bringup.wait_for('camera_2 ended with 2: it refuses its parameters and is not started')
        assert bringup.wait() == 1
        assert bringup.text.count('is unknown; allowed: screen') == 1


def test_when_every_node_refuses_it_ends_with_their_code(ros_domain: int, ring_name: str,
                                                         tmp_path: Path) -> None:
    config = tmp_path / 'cameras.yaml'
    config.write_text(f'/{ring_name}/camera: {{ros__parameters: {{rotate: 45}}}}\n')
    bringup = run(*BRINGUP, config)
    assert bringup.process.returncode == 2
    assert 'rotate: 45 is not allowed; allowed: 0, 90, 180, 270' in bringup.text


def test_a_camera_that_is_not_there_yet_is_tried_again(ros_domain: int, ring_name: str,
                                                       tmp_path: Path) -> None:
    film, config = tmp_path / 'a.avi', tmp_path / 'cameras.yaml'
    config.write_text(f'/{ring_name}/camera: {{ros__parameters: '
                      f'{{source: video, video_device: {film}}}}}\n')
    with running(*BRINGUP, config) as bringup:
        bringup.wait_for('camera ended with 1; starting it again in 0.5 s')
        make_video(film)
        _wait_until_running([ring_name])
        assert bringup.end() == 0


@pytest.mark.parametrize('arguments', [['/nowhere.yaml'], ['setup.py'],
                                       ['config/cameras.yaml', '--duration', '-1']])
def test_bad_arguments_start_nothing(ros_domain: int, arguments: list[str]) -> None:
    program = run(*BRINGUP, *arguments)
    assert program.process.returncode != 0
    assert arguments[0] in program.text or '-1' in program.text
    assert 'Traceback' not in program.text


def test_the_shipped_file_runs_within_its_memory(ros_domain: int) -> None:
    with running(*BRINGUP, ROOT / 'config' / 'cameras.yaml'):
        pid, = set(_wait_until_running(['front']))
        memory = own_memory(pid)
        assert memory and memory < 60e6
