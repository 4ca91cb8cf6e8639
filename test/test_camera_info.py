"""A calibration on its way: file, camera_info, set_camera_info, with a real camera node."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
import math
from pathlib import Path
import time
from typing import Any

from camera_mp.calibration import Calibration
from camera_mp.calibration_file import parse_calibration, read_calibration, save_calibration
from camera_mp.errors import SettingError
from programs import PATIENCE, Program, run, running
import pytest
from test_calibration import BY_CALIBRATOR

rclpy = pytest.importorskip('rclpy', reason='the nodes need rclpy')

from camera_mp.nodes.camera_info import resolve_url  # noqa: E402, I100
from sensor_msgs.msg import CameraInfo  # noqa: E402, I100
from sensor_msgs.srv import SetCameraInfo  # noqa: E402, I100

VGA = parse_calibration(BY_CALIBRATOR)


class Peer:
    """A node of another process, that looks at a camera."""

    def __init__(self, node: Any, executor: Any) -> None:
        self._node, self._executor = node, executor
        self.infos: list[Any] = []

    def subscribe(self, topic: str) -> None:
        self._node.create_subscription(CameraInfo, topic, self.infos.append, 10)

    def wait_until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline
            self._executor.spin_once(0.1)

    def next_info(self) -> Any:
        """Give a CameraInfo that was sent from now on, or a moment before."""
        self.infos.clear()
        self.wait_until(lambda: len(self.infos) > 1)
        return self.infos[-1]

    def set_info(self, service: str, calibration: Calibration) -> Any:
        client = self._node.create_client(SetCameraInfo, service)
        self.wait_until(client.service_is_ready)
        answer = client.call_async(SetCameraInfo.Request(camera_info=CameraInfo(
            width=calibration.width, height=calibration.height,
            distortion_model=calibration.distortion_model, d=calibration.d, k=calibration.k,
            r=calibration.r, p=calibration.p)))
        self.wait_until(answer.done)
        return answer.result()


@pytest.fixture
def peer(ros_domain: int) -> Iterator[Peer]:
    context = rclpy.context.Context()
    rclpy.init(context=context, domain_id=ros_domain)
    node = rclpy.create_node('peer', context=context)
    executor = rclpy.executors.SingleThreadedExecutor(context=context)
    executor.add_node(node)
    yield Peer(node, executor)
    executor.shutdown()
    node.destroy_node()
    context.shutdown()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv('ROS_HOME', str(tmp_path))
    return tmp_path


@contextmanager
def camera(namespace: str, **values: object) -> Iterator[Program]:
    words = [word for name, value in values.items() for word in ('-p', f'{name}:={value}')]
    with running('-m', 'camera_mp.nodes.camera', '--ros-args', '-r', f'__ns:=/{namespace}',
                 *words) as program:
        yield program


def test_a_new_calibration_is_used_saved_and_found_again(peer: Peer, home: Path,
                                                         ring_name: str) -> None:
    file = home / 'camera_info' / f'{ring_name}.yaml'
    peer.subscribe(f'/{ring_name}/camera_info')
    with camera(ring_name) as program:
        info = peer.next_info()
        assert (info.width, info.height, info.k[0], len(info.d)) == (640, 480, 0.0, 0)
        answer = peer.set_info(f'/{ring_name}/set_camera_info', VGA)
        assert (answer.success, answer.status_message) == (True, f'saved in {file}')
        assert read_calibration(file) == replace(VGA, camera_name=ring_name)
        assert tuple(peer.next_info().k) == VGA.k
        assert program.text.count(f'not calibrated: {file} does not exist') == 1
        assert 'WARN' not in program.text
    with camera(ring_name) as program:
        program.wait_for(f'calibrated by {file}')
        info = peer.next_info()
        assert (info.distortion_model, tuple(info.d), tuple(info.k), tuple(info.r),
                tuple(info.p)) == (VGA.distortion_model, VGA.d, VGA.k, VGA.r, VGA.p)
        assert info.header.frame_id == f'{ring_name}_optical_frame'
        assert info.header.stamp.sec


@pytest.mark.parametrize(('calibration', 'text'), [
    (replace(VGA, width=1280, height=720),
     'made for pictures of 1280x720, this camera sends 640x480'),
    (VGA, 'Not a directory'),
])
def test_what_is_not_saved_is_not_said_to_be(peer: Peer, home: Path, ring_name: str,
                                             calibration: Calibration, text: str) -> None:
    (home / 'camera_info').touch()  # where a folder should be
    with camera(ring_name, camera_info_url='file://${ROS_HOME}/camera_info/a/b.yaml'):
        answer = peer.set_info(f'/{ring_name}/set_camera_info', calibration)
        assert not answer.success
        assert text in answer.status_message
        peer.subscribe(f'/{ring_name}/camera_info')
        assert peer.next_info().k[0] == 0.0
    assert (home / 'camera_info').read_bytes() == b''


def test_numbers_that_are_none_are_refused(peer: Peer, home: Path, ring_name: str) -> None:
    wrong = replace(VGA)
    object.__setattr__(wrong, 'd', (math.nan,))
    with camera(ring_name):
        answer = peer.set_info(f'/{ring_name}/set_camera_info', wrong)
        assert (answer.success, answer.status_message) == (
            False, 'distortion_coefficients: nan is not allowed; allowed: finite numbers')
    assert not list(home.glob('camera_info/*'))


@pytest.mark.parametrize(('content', 'text'), [
    (BY_CALIBRATOR, '{}: made for pictures of 640x480, this camera sends 480x640'),
    (BY_CALIBRATOR.replace('438.78295', '.nan'), '{}: camera_matrix: nan is not allowed'),
    (None, '{}: No such file or directory'),
])
def test_a_file_that_cannot_be_used_is_one_warning(peer: Peer, ring_name: str, tmp_path: Path,
                                                   content: str | None, text: str) -> None:
    file = tmp_path / f'{ring_name}.yaml'
    if content:
        file.write_text(content)
    peer.subscribe(f'/{ring_name}/camera_info')
    with camera(ring_name, camera_info_url=f'file://{tmp_path}/${{NAME}}.yaml',
                rotate=90) as program:
        info = peer.next_info()
        assert (info.width, info.height, info.k[0]) == (480, 640, 0.0)
        program.wait_for(f'not calibrated: {text.format(file)}')
        assert program.text.count('calibrated') == 1
        assert program.end() == 0


def test_aligned_depth_has_the_same_calibration(peer: Peer, home: Path, ring_name: str) -> None:
    save_calibration(home / 'camera_info' / f'{ring_name}.yaml', VGA)
    peer.subscribe(f'/{ring_name}/depth/camera_info')
    with camera(ring_name, depth='true'):
        assert tuple(peer.next_info().k) == VGA.k


def test_a_url_that_cannot_be_is_one_line_and_a_code(ros_domain: int) -> None:
    program = run('-m', 'camera_mp.nodes.camera', '--ros-args', '-p',
                  'camera_info_url:=http://a/b.yaml')
    assert program.process.returncode == 2
    assert program.lines == [
        "/camera: camera_info_url: 'http://a/b.yaml' is not allowed; allowed: file:///PATH, "
        'package://PACKAGE/PATH, with ${NAME} and ${ROS_HOME} in them']


def test_urls_mean_what_they_mean_elsewhere(monkeypatch: pytest.MonkeyPatch,
                                            tmp_path: Path) -> None:
    monkeypatch.setenv('ROS_HOME', '/home/of/ros')
    assert resolve_url('', 'r1.front') == Path('/home/of/ros/camera_info/r1.front.yaml')
    assert resolve_url('file:///a/${NAME}$1.yaml', 'front') == Path('/a/front$1.yaml')
    monkeypatch.setenv('ROS_HOME', '')
    monkeypatch.setenv('HOME', '/home/me')
    assert resolve_url('', 'front') == Path('/home/me/.ros/camera_info/front.yaml')
    index = tmp_path / 'share' / 'ament_index' / 'resource_index' / 'packages'
    index.mkdir(parents=True)
    (index / 'my_robot').touch()
    (tmp_path / 'share' / 'my_robot').mkdir()
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))
    assert resolve_url('package://my_robot/config/${NAME}.yaml', 'front') == (
        tmp_path / 'share' / 'my_robot' / 'config' / 'front.yaml')
    for wrong in ('package://none/a.yaml', 'package://my_robot', 'file://a.yaml', '/a.yaml',
                  'flash:///a', 'file:///${HOME}/a.yaml'):
        with pytest.raises(SettingError, match='camera_info_url'):
            resolve_url(wrong, 'front')
