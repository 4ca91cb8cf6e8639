"""The publisher of image_topic.py, a process of its own, and what all its processes share."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import multiprocessing
from multiprocessing.connection import Connection
import os
from pathlib import Path
import time
from typing import Any

from camera_mp import tune_for_images
from camera_mp.fast_dds import VARIABLES
from camera_mp.frame import Frame, FrameFormat
from camera_mp.nodes.qos import IMAGES
from camera_mp.sources.source import Pacer
from image_topic_frames import Converter, PICTURES, pictures
import rclpy
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data, QoSProfile
from sensor_msgs.msg import Image

QUALITIES = {'reliable': QoSProfile(depth=10), 'best effort': qos_profile_sensor_data}
RANGE = 'ROS_AUTOMATIC_DISCOVERY_RANGE'
LOOK = 0.05  # seconds between looks into the pipe
_spawn = multiprocessing.get_context('spawn')

Tuning = dict[str, bool] | None  # arguments for tune_for_images; None: it is not called


@dataclass(frozen=True)
class Sent:
    """
    What a publisher did; costs: ns that it took to fill and publish each image.

    segment: bytes of the shared memory that its Fast DDS has for messages.
    """

    stamps: list[int]
    costs: list[int]
    cpu: float
    seconds: float
    segment: int


@contextmanager
def running(program: Callable[..., None], *arguments: object) -> Iterator[Connection]:
    """Run a function in a new process, with a pipe; when that is closed it is to end."""
    ours, theirs = _spawn.Pipe()
    process = _spawn.Process(target=program, args=(theirs, *arguments))
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        process.join()


@contextmanager
def ros_node(name: str, discovery: str | None, tuning: Tuning) -> Iterator[Node]:
    """Give the node of a process; discovery: its range, '' if not set, None as it is set."""
    for variable in VARIABLES:
        os.environ.pop(variable, None)
    if discovery is not None:
        os.environ[RANGE] = discovery
    if tuning is not None:
        tune_for_images(**tuning)
    rclpy.init()
    node = rclpy.create_node(name)
    try:
        yield node
    finally:
        node.destroy_node()
        rclpy.shutdown()


def orders(pipe: Connection) -> Iterator[Any]:
    """Give what the pipe says until its other end is closed."""
    try:
        while True:
            yield pipe.recv()
    except EOFError:
        pass


def topic_of(name: str, quality: str) -> str:
    """Give the name of the topic for the subscriber with this quality of service."""
    return f'{name}/{quality.replace(" ", "_")}'


def publish(pipe: Connection, name: str, discovery: str, tuning: Tuning,
            convert: Callable[[FrameFormat], Converter]) -> None:
    """Publish, for each order (quality, format, count), that many images at 30 Hz."""
    with ros_node('publisher', discovery, tuning) as node:
        publishers = {quality: node.create_publisher(Image, topic_of(name, quality), IMAGES)
                      for quality in QUALITIES}
        for quality, form, count in orders(pipe):
            while not (publishers[quality].get_subscription_count() or pipe.poll(LOOK)):
                pass
            pipe.send(_send(publishers[quality].publish, convert(form), form, count))


def _send(put: Callable[[Any], None], convert: Converter, form: FrameFormat, count: int) -> Sent:
    drawn = pictures(form)
    stamps, ends = [], []
    pacer, cpu, start = Pacer(30.0), time.process_time(), time.monotonic()
    for number in range(count):
        pacer.wait()
        stamps.append(time.time_ns())
        put(convert(Frame(drawn[number % PICTURES], form, stamps[-1], number, number)))
        ends.append(time.time_ns())
    cpu, seconds = time.process_time() - cpu, time.monotonic() - start
    return Sent(stamps, [end - stamp for stamp, end in zip(stamps, ends, strict=True)],
                cpu, seconds, _segment())


def _segment() -> int:
    """Give the bytes of the largest Fast DDS segment that this process has for itself."""
    open_files = {link.resolve() for link in Path('/proc/self/fd').iterdir()}
    return max((path.with_name(path.name[:-3]).stat().st_size for path in open_files
                if path.name.startswith('fastdds_') and path.name.endswith(('_el', '_sl'))
                and 'port' not in path.name), default=0)
