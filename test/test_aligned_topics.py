"""The streams of one device have equal stamps on their topics, as synchronizers need them."""

from collections.abc import Iterator
import json
from typing import Any

from image_subscriber import __file__ as SUBSCRIBER
from programs import eventually, PATIENCE, Program, running
import pytest

rclpy = pytest.importorskip('rclpy', reason='the nodes need rclpy')

TOPICS = ('image_raw', 'depth/image_rect_raw')


@pytest.fixture
def camera(ros_domain: int, ring_name: str) -> Iterator[str]:
    with running('-m', 'camera_mp.nodes.camera', '--ros-args', '-r', f'__ns:=/{ring_name}',
                 '-p', 'depth:=true'):
        yield f'/{ring_name}'


def _stamps(subscriber: Program) -> set[int]:
    return {json.loads(line)['stamp_ns'] for line in subscriber.lines if 'stamp_ns' in line}


def test_colour_and_depth_have_equal_stamps(camera: str) -> None:
    with (running(SUBSCRIBER, f'{camera}/{TOPICS[0]}', 10**6) as colour,
          running(SUBSCRIBER, f'{camera}/{TOPICS[1]}', 10**6) as depth):
        eventually(lambda: len(_stamps(colour) & _stamps(depth)) >= 20)
        common = _stamps(colour) & _stamps(depth)
        between = {stamp for stamp in _stamps(colour) | _stamps(depth)
                   if min(common) <= stamp <= max(common)}
    assert between == common


def test_an_approximate_synchronizer_pairs_them(camera: str) -> None:
    filters = pytest.importorskip('message_filters', reason='message_filters is not installed')
    from sensor_msgs.msg import Image
    rclpy.init()
    node = rclpy.create_node('synchronizer')
    pairs: list[tuple[Any, ...]] = []
    streams = [filters.Subscriber(node, Image, f'{camera}/{topic}') for topic in TOPICS]
    synchronizer = filters.ApproximateTimeSynchronizer(streams, queue_size=10, slop=0.01)
    synchronizer.registerCallback(lambda *pair: pairs.append(pair))
    try:
        for _ in range(int(PATIENCE * 10)):
            rclpy.spin_once(node, timeout_sec=0.1)
            if len(pairs) >= 20:
                break
    finally:
        node.destroy_node()
        rclpy.shutdown()
    assert len(pairs) >= 20
    assert all(colour.header.stamp == depth.header.stamp for colour, depth in pairs)
