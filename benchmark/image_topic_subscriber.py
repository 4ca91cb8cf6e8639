"""The subscriber of image_topic.py, a process of its own."""

from dataclasses import dataclass
from multiprocessing.connection import Connection
import resource
import time
import zlib

from camera_mp.sources.synthetic import read_number
from image_topic_processes import LOOK, orders, QUALITIES, ros_node, Tuning
import numpy as np
from rclpy.executors import SingleThreadedExecutor
from rclpy.subscription import MessageInfo
from sensor_msgs.msg import Image


@dataclass(frozen=True)
class Arrival:
    """
    An image in the subscriber's callback; the number is the one painted in.

    Times in ns: its stamp, when Fast DDS got it in the publisher and had it in the subscriber,
    and when the callback was called.
    """

    stamp: int
    in_dds: int
    received: int
    called: int
    nbytes: int
    number: int
    checksum: int


@dataclass(frozen=True)
class Seen:
    """What a subscriber got since it was asked last, the seconds of CPU and the page faults."""

    images: list[Arrival]
    cpu: float
    faults: int


class _Inbox:
    """Notes each image; checks: whether with its checksum, which takes longer than all else."""

    def __init__(self) -> None:
        self.checks = False
        self._images: list[Arrival] = []
        self._before = _usage()

    def put(self, message: Image, info: MessageInfo) -> None:
        """Be the callback of a subscription."""
        now, stamp, data = time.time_ns(), message.header.stamp, message.data
        picture = np.frombuffer(data, np.uint8).reshape(message.height, message.width, -1)
        self._images.append(Arrival(
            stamp.sec * 10**9 + stamp.nanosec, info['source_timestamp'],
            info['received_timestamp'], now, len(data), read_number(picture),
            zlib.crc32(data) if self.checks else 0))

    def take(self) -> Seen:
        """Give what came since the last time."""
        (cpu, faults), now = self._before, _usage()
        seen = Seen(self._images, now[0] - cpu, now[1] - faults)
        self._images, self._before = [], now
        return seen


def _usage() -> tuple[float, int]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime, usage.ru_minflt


def subscribe(pipe: Connection, topics: dict[str, str], discovery: str | None,
              tuning: Tuning) -> None:
    """
    Receive topics (name: quality); for each order give what was seen since the last one.

    The order says whether to take checksums from now on.
    """
    inbox = _Inbox()
    with ros_node('subscriber', discovery, tuning) as node:
        for topic, quality in topics.items():
            node.create_subscription(Image, topic, inbox.put, QUALITIES[quality])
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        pipe.send('ready')
        waiting = orders(pipe)
        while True:
            executor.spin_once(LOOK)
            if pipe.poll():
                order = next(waiting, None)
                if order is None:
                    break
                pipe.send(inbox.take())
                inbox.checks = order
