"""What a user changes and asks of a camera node that runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from camera_mp.ring import FrameReader, ring_status
from camera_mp.ring.file import ring_path
from camera_mp.sources.synthetic import read_number
import cv2
import numpy as np
from programs import eventually, PATIENCE, running
import pytest

pytest.importorskip('rclpy', reason='the nodes need rclpy')

from ros_client import ros_client, RosClient  # noqa: E402, I100
from sensor_msgs.msg import CameraInfo, CompressedImage, Image  # noqa: E402, I100
from std_srvs.srv import SetBool, Trigger  # noqa: E402, I100

CAMERA = ('-m', 'camera_mp.nodes.camera', '--ros-args')


@pytest.fixture
def client(ros_domain: int) -> Iterator[RosClient]:
    with ros_client(ros_domain) as client:
        yield client


@pytest.fixture
def namespace(client: RosClient, ring_name: str) -> str:
    return f'/{ring_name}'


def _camera(namespace: str, **values: object) -> Any:
    words = [word for name, value in values.items() for word in ('-p', f'{name}:={value}')]
    return running(*CAMERA, '-r', f'__ns:={namespace}', *words)


def test_parameters_change_the_picture_while_it_runs(client: RosClient, namespace: str) -> None:
    node = f'{namespace}/camera'
    with _camera(namespace) as camera, FrameReader(namespace[1:]) as reader:
        assert client.set_parameter(node, 'rotate', 90) == (True, '')
        eventually(lambda: reader.wait(PATIENCE).image.shape == (640, 480, 3))
        assert client.set_parameter(node, 'encoding', 'mono8') == (True, '')
        image = client.take(Image, f'{namespace}/image_raw', lambda image: image.step == 480)
        assert (image.encoding, image.height, image.width) == ('mono8', 640, 480)
        assert client.get_parameter(node, 'rotate') == 90
        assert client.set_parameter(node, 'framerate', 60.0) == (True, '')
        status = reader.status()
        assert status
        assert status.framerate == 60.0
        assert camera.end() == 0


def test_what_cannot_be_is_refused_with_the_reason_and_changes_nothing(
        client: RosClient, namespace: str) -> None:
    node = f'{namespace}/camera'
    with _camera(namespace), FrameReader(namespace[1:]) as reader:
        done, reason = client.set_parameter(node, 'image_width', 4)
        assert (done, 'image_width, image_height: 4x480 is too small' in reason) == (False, True)
        done, reason = client.set_parameter(node, 'rotate', 45)
        assert (done, reason) == (False, 'rotate: 45 is not allowed; allowed: 0, 90, 180, 270')
        assert not client.set_parameter(node, 'slots', 9)[0]
        assert not client.set_parameter(node, 'image_width', 99999)[0]
        assert [client.get_parameter(node, name) for name in ('image_width', 'rotate')] == [0, 0]
        assert reader.wait(PATIENCE).image.shape == (480, 640, 3)


def test_compressed_images_are_the_frames(client: RosClient, namespace: str) -> None:
    with _camera(namespace, depth='true', slots=64):
        jpeg = client.take(CompressedImage, f'{namespace}/image_raw/compressed')
        depth = client.take(CompressedImage, f'{namespace}/depth/image_rect_raw/compressed')
        node = f'{namespace}/camera'
        assert client.set_parameter(node, 'jpeg_quality', 10) == (True, '')
        small = client.take(CompressedImage, f'{namespace}/image_raw/compressed')
        assert client.set_parameter(node, 'encoding', 'rgb8') == (True, '')
        red = client.take(CompressedImage, f'{namespace}/image_raw/compressed',
                          lambda message: message.format.startswith('rgb8'))
    assert (jpeg.format, depth.format) == ('bgr8; jpeg compressed bgr8', '16UC1; png compressed ')
    assert red.format == 'rgb8; jpeg compressed bgr8'
    images: list[Any] = [
        cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_UNCHANGED)
        for message in (jpeg, red, depth)]
    assert [image.shape for image in images] == [(480, 640, 3), (480, 640, 3), (480, 640)]
    assert read_number(images[0]) >= 0
    # the scenery is the same whatever the encoding on the way: blue rises to the right
    for image in images[:2]:
        assert image[-9:, -99:, 0].mean() > 2 * image[-9:, :99, 0].mean()
    assert images[2].dtype == np.uint16
    assert len(small.data) < len(jpeg.data) / 2
    assert jpeg.header.frame_id == f'{namespace[1:]}_optical_frame'


def test_image_and_info_have_one_header(client: RosClient, namespace: str) -> None:
    with _camera(namespace):
        infos: list[Any] = []
        client.node.create_subscription(CameraInfo, f'{namespace}/camera_info', infos.append, 50)
        client.take(Image, f'{namespace}/image_raw', lambda image: any(
            info.header == image.header for info in infos))


def test_the_capture_is_switched_off_and_on(client: RosClient, namespace: str) -> None:
    switch = f'{namespace}/set_capture'
    with _camera(namespace), FrameReader(namespace[1:]) as reader:
        reader.wait(PATIENCE)
        answer = client.call(SetBool, switch, data=False)
        assert (answer.success, answer.message) == (True, 'off')
        assert not ring_path(namespace[1:]).exists()
        answer = client.call(Trigger, f'{namespace}/save_snapshot')
        assert (answer.success, answer.message) == (
            False, f'{namespace[1:]} is switched off by set_capture')
        assert client.set_parameter(f'{namespace}/camera', 'rotate', 90) == (True, '')
        assert client.call(SetBool, switch, data=True).success
        assert client.call(SetBool, switch, data=True).success
        eventually(lambda: reader.wait(PATIENCE).image.shape == (640, 480, 3))


def test_a_capture_that_cannot_come_back_says_so(client: RosClient, namespace: str,
                                                 tmp_path: Path) -> None:
    picture = tmp_path / '1.png'
    cv2.imwrite(str(picture), np.zeros((20, 30), np.uint8))
    with _camera(namespace, source='video', video_device=picture) as camera:
        assert client.call(SetBool, f'{namespace}/set_capture', data=False).success
        picture.unlink()
        answer = client.call(SetBool, f'{namespace}/set_capture', data=True)
        assert not answer.success
        assert f'{picture} does not exist' in answer.message
        cv2.imwrite(str(picture), np.zeros((20, 30), np.uint8))
        assert client.call(SetBool, f'{namespace}/set_capture', data=True).success
        assert camera.end() == 0


@pytest.mark.parametrize('kind', ['png', 'jpeg'])
def test_a_snapshot_is_the_picture_under_its_stamp(client: RosClient, namespace: str,
                                                   tmp_path: Path, kind: str) -> None:
    with _camera(namespace, snapshot_directory=tmp_path / 'new', snapshot_format=kind):
        answer = client.call(Trigger, f'{namespace}/save_snapshot')
        assert answer.success, answer.message
        path = Path(answer.message)
        assert [path] == list((tmp_path / 'new').iterdir())
        assert path.name.startswith(f'{namespace[1:]}_20')
        picture: Any = cv2.imread(answer.message)
        assert read_number(picture) >= 0
        assert client.set_parameter(f'{namespace}/camera', 'snapshot_directory',
                                    '/proc/none') == (True, '')
        refused = client.call(Trigger, f'{namespace}/save_snapshot')
        assert (refused.success, '/proc/none' in refused.message) == (False, True)


def test_on_demand_the_capture_lives_while_somebody_looks(
        client: RosClient, namespace: str, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('ROS_HOME', str(tmp_path))
    with _camera(namespace, capture_on_demand='true') as camera:
        camera.wait_for('640x480 bgr8')
        eventually(lambda: not ring_path(namespace[1:]).exists(), 'nobody looks')
        client.take(Image, f'{namespace}/image_raw')
        with FrameReader(namespace[1:]) as reader:
            first = reader.wait(PATIENCE)
            # well beyond the time after which it would close without us
            while reader.wait(PATIENCE).stamp_ns < first.stamp_ns + 4_000_000_000:
                pass
        eventually(lambda: ring_status(namespace[1:]) is None, 'nobody looks again')
        answer = client.call(Trigger, f'{namespace}/save_snapshot')
        assert answer.success, answer.message
        assert Path(answer.message).parent == tmp_path / 'snapshots'
        eventually(lambda: ring_status(namespace[1:]) is None, 'nobody looks after it')
        assert camera.end() == 0
