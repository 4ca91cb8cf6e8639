"""The whole camera node on a webcam, seen through Fast DDS."""

from collections.abc import Iterator
from contextlib import contextmanager
import time

import numpy as np
from pictures import jpeg, number_in, numbers_of
from plugged import plug, plugged, unplug
from programs import Program, running
import pytest
from webcam_daemon import WebcamHandle

pytest.importorskip('rclpy', reason='the nodes need rclpy')

from ros_client import ros_client  # noqa: E402, I100
from sensor_msgs.msg import CompressedImage, Image  # noqa: E402, I100


@contextmanager
def camera_node(webcam: WebcamHandle, name: str) -> Iterator[Program]:
    with running('-m', 'camera_mp.nodes.camera', '--ros-args', '-r', f'__ns:=/{name}',
                 '-p', 'source:=v4l2', '-p', f"video_device:='{webcam.serial}'",
                 '-p', 'pixel_format:=MJPG', '-p', 'image_width:=640', '-p', 'image_height:=480',
                 '-p', 'framerate:=10.0') as node:
        yield node


def test_mjpg_arrives_decoded_and_as_it_is(ros_domain: int, ring_name: str) -> None:
    with plugged(0) as webcam, camera_node(webcam, ring_name) as node, ros_client(
            ros_domain) as client:
        decoded = client.take(Image, f'/{ring_name}/image_raw')
        compressed = client.take(CompressedImage, f'/{ring_name}/image_raw/compressed')
        assert node.end() == 0
    assert (decoded.width, decoded.height, decoded.encoding) == (640, 480, 'bgr8')
    picture = np.frombuffer(decoded.data, np.uint8).reshape(480, 640, 3)
    assert number_in(picture) in numbers_of(0)
    assert bytes(compressed.data) in {jpeg(640, 480, number) for number in numbers_of(0)}


def test_controls_are_parameters_and_come_back_with_the_camera(ros_domain: int,
                                                               ring_name: str) -> None:
    name, topic = f'/{ring_name}/camera', f'/{ring_name}/image_raw'
    with plugged(0) as webcam, camera_node(webcam, ring_name) as node, ros_client(
            ros_domain) as client:
        client.take(Image, topic)
        assert client.set_parameter(name, 'brightness', 12) == (True, '')
        assert webcam.set_controls()[-1] == ('brightness', 12)
        taken, reason = client.set_parameter(name, 'exposure_time_absolute', 300)
        assert not taken
        assert 'inactive' in reason
        count = len(webcam.set_controls())
        unplug(webcam)
        pulled = time.time_ns()
        node.wait_for('reconnecting')
        plug(webcam)
        client.take(Image, topic, lambda image: _stamp(image) > pulled)
        assert ('brightness', 12) in webcam.set_controls()[count:]
        assert client.get_parameter(name, 'brightness') == 12
        assert node.end() == 0


def _stamp(image: Image) -> int:
    return int(image.header.stamp.sec * 10**9 + image.header.stamp.nanosec)
