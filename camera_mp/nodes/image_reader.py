"""A process that really reads images, as vision does: the traffic beside the command loop."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
import json
from pathlib import Path
import time
from typing import Any

from camera_mp.nodes import parameters, qos
from camera_mp.nodes.run import ProcessNode, run
from camera_mp.settings import setting, Settings
from camera_mp.signals import StopFlag
import cv2
import numpy as np
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from rclpy.utilities import get_rmw_implementation_identifier
from sensor_msgs.msg import Image

STARTED = 'all images arrive'
_STEADY = 5  # images of each topic after which the traffic is taken to flow


@dataclass(frozen=True)
class ImageReaderSettings(Settings):
    """Settings of a node that reads images."""

    image_topics: str = setting('/front/image_raw', 'Image topics, with commas between them.')
    report_file: str = setting('', "JSON file to write to at the end; '': none.")


class ImageReading:
    """
    Converts each image of the topics to grey and sums it up.

    Each topic has a callback group of its own. read_ns: when each image was done, CLOCK_MONOTONIC.
    """

    def __init__(self, node: Node, topics: str) -> None:
        self._times: list[list[int]] = []
        self.brightness = 0
        for topic in topics.split(','):
            self._times.append([])
            node.create_subscription(
                Image, topic, partial(self._on_image, self._times[-1]), qos.IMAGES,
                callback_group=MutuallyExclusiveCallbackGroup())

    @property
    def steady(self) -> bool:
        """Whether images of every topic arrive."""
        return all(len(times) >= _STEADY for times in self._times)

    @property
    def read_ns(self) -> list[int]:
        """When each image was done."""
        return sorted(moment for times in self._times for moment in times)

    def _on_image(self, times: list[int], message: Any) -> None:
        image = np.frombuffer(message.data, np.uint8).reshape(message.height, message.width, 3)
        self.brightness = int(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).sum())
        times.append(time.monotonic_ns())


def write_report(path: str, report: Mapping[str, object]) -> None:
    """Write what a node has measured, and on which middleware, as JSON."""
    if path:
        whole = {**report, 'rmw': get_rmw_implementation_identifier()}
        Path(path).write_text(json.dumps(whole) + '\n')


class ImageReaderNode(ProcessNode):
    """Reads the images of `image_topics` until it is told to end."""

    def __init__(self) -> None:
        super().__init__('image_reader')
        parameters.check_names(self, ImageReaderSettings)
        self._settings = parameters.declare(self, ImageReaderSettings)
        self._reading = ImageReading(self, self._settings.image_topics)

    def work(self, stop: StopFlag) -> None:
        """Say once that images of every topic arrive."""
        while not (stop.is_set or self._reading.steady):
            time.sleep(0.01)
        if self._reading.steady:
            print(STARTED, flush=True)
        super().work(stop)

    def close(self) -> None:
        """Write the report."""
        write_report(self._settings.report_file, {'read_ns': self._reading.read_ns})


def main() -> int:
    """Run `image_reader`."""
    return run(ImageReaderNode)


if __name__ == '__main__':
    raise SystemExit(main())
