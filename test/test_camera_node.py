"""The camera node with real rclpy and Fast DDS, seen from other processes."""

from collections.abc import Iterator
import hashlib
import json
import os
from pathlib import Path
import signal

from camera_mp.ring import FrameReader
from camera_mp.ring.file import ring_path
from image_subscriber import __file__ as SUBSCRIBER
import numpy as np
from programs import eventually, PATIENCE, Program, run, running, wait_for_end
import pytest
from test_source_video import _decoded, make_video

pytest.importorskip('rclpy', reason='the nodes need rclpy')

CAMERA = ('-m', 'camera_mp.nodes.camera', '--ros-args')


def _parameters(**values: object) -> list[str]:
    return [word for name, value in values.items() for word in ('-p', f'{name}:={value}')]


def _images(subscriber: Program, count: int) -> list[dict[str, object]]:
    subscriber.wait_for('stamp_ns', count)
    return [json.loads(line) for line in subscriber.lines if 'stamp_ns' in line]


def _writer(camera: str) -> int:
    status = FrameReader(camera).status()
    return status.pid if status and status.alive else 0


@pytest.fixture
def namespace(ros_domain: int, ring_name: str) -> Iterator[str]:
    yield f'/{ring_name}'


def test_a_video_arrives_byte_for_byte_and_once(namespace: str, tmp_path: Path) -> None:
    path = make_video(tmp_path / 'a.avi')
    frames = _decoded(path)
    with running(SUBSCRIBER, f'{namespace}/image_raw', 30) as subscriber:
        subscriber.wait_for('ready')
        with running(*CAMERA, '-r', f'__ns:={namespace}', *_parameters(
                source='video', video_device=path, slots=64)) as camera:
            images = _images(subscriber, 30)
            assert camera.end() == 0
    known = [hashlib.sha1(frame.tobytes()).hexdigest() for frame in frames]
    numbers = [known.index(str(image['digest'])) for image in images]
    assert set(np.diff(numbers) % len(frames)) == {1}
    stamps = [image['stamp_ns'] for image in images]
    assert stamps == sorted(set(stamps))  # type: ignore[type-var]
    del images[0]['stamp_ns'], images[0]['digest']
    assert images[0] == {
        'width': 64, 'height': 48, 'step': 192, 'encoding': 'bgr8',
        'frame_id': f'{namespace[1:]}_optical_frame'}


def test_depth_and_rotation_reach_their_topics(namespace: str) -> None:
    with running(SUBSCRIBER, f'{namespace}/depth/image_rect_raw', 3) as subscriber, running(
            *CAMERA, '-r', f'__ns:={namespace}', *_parameters(depth='true', rotate=90)):
        image = _images(subscriber, 3)[0]
    assert (image['encoding'], image['width'], image['height']) == ('16UC1', 480, 640)


def test_without_a_namespace_its_topics_are_below_its_name(ros_domain: int,
                                                           ring_name: str) -> None:
    with running(SUBSCRIBER, f'/{ring_name}/image_raw', 1) as subscriber, running(
            *CAMERA, '-r', f'__node:={ring_name}'):
        assert _images(subscriber, 1)[0]['frame_id'] == f'{ring_name}_optical_frame'


def test_a_killed_capture_comes_back_and_topics_go_on(namespace: str) -> None:
    camera_name = namespace[1:]
    with running(SUBSCRIBER, f'{namespace}/image_raw', 10**6) as subscriber, running(
            *CAMERA, '-r', f'__ns:={namespace}') as camera:
        _images(subscriber, 5)
        before = _writer(camera_name)
        os.kill(before, signal.SIGKILL)
        camera.wait_for('was killed by SIGKILL; starting it again')
        eventually(lambda: _writer(camera_name) not in (0, before))
        images = _images(subscriber, len(subscriber.lines) + 20)
        stamps = [image['stamp_ns'] for image in images]
        assert stamps == sorted(set(stamps))  # type: ignore[type-var]
        assert camera.end(signal.SIGTERM) == 0
    assert not ring_path(camera_name).exists()


def test_a_killed_node_takes_its_capture_along_and_starts_again(namespace: str) -> None:
    camera_name = namespace[1:]
    for _ in range(2):
        with running(*CAMERA, '-r', f'__ns:={namespace}') as camera:
            FrameReader(camera_name).wait(PATIENCE)
            pid = _writer(camera_name)
            camera.process.kill()
            wait_for_end(pid)
    assert not ring_path(camera_name).exists()


def test_signals_one_after_another_still_end_it_cleanly(namespace: str) -> None:
    with running(*CAMERA, '-r', f'__ns:={namespace}') as camera:
        FrameReader(namespace[1:]).wait(PATIENCE)
        for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM):
            camera.process.send_signal(number)
        assert camera.wait() == 0
        assert 'Traceback' not in camera.text


def test_a_signal_while_it_starts_ends_it(namespace: str) -> None:
    with running(*CAMERA, '-r', f'__ns:={namespace}', *_parameters(
            source='video', video_device='http://127.0.0.1:9/hangs')) as camera:
        camera.wait()
    assert camera.process.returncode == 1
    assert 'cannot be reached' in camera.text


@pytest.mark.parametrize(('values', 'text'), [
    ({'framerate': 30}, 'framerate: 30 is of type integer; write 30.0'),
    ({'framerat': 30.0}, 'framerat: no such parameter; did you mean framerate?'),
    ({'image_width': 99999}, 'image_width: 99999 is not allowed; allowed: 0 to 16384'),
    ({'source': 'webcam'}, "source: 'webcam' is unknown; allowed: screen, synthetic, v4l2, video"),
    ({'source': 'video', 'video_device': '/nowhere'}, '/nowhere does not exist'),
    ({'camera_name': 'a/b'}, "camera name: 'a/b' is not allowed"),
])
def test_bad_input_is_one_line_and_a_code(namespace: str, values: dict[str, object],
                                          text: str) -> None:
    program = run(*CAMERA, '-r', f'__ns:={namespace}', *_parameters(**values))
    assert program.process.returncode == (1 if 'exist' in text else 2)
    assert len(program.lines) == 1
    assert program.lines[0].startswith(f'{namespace}/camera: ')
    assert text in program.lines[0]


def test_what_only_another_source_uses_is_a_warning(namespace: str) -> None:
    with running(*CAMERA, '-r', f'__ns:={namespace}', *_parameters(loop='true')) as camera:
        camera.wait_for("loop: given, but source 'synthetic' does not use it")
        assert camera.end() == 0
