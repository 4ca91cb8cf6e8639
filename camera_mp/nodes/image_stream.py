"""One stream of a camera on its way from the ring to the topics."""

from collections.abc import Callable
import threading
from typing import Any

from camera_mp.capture_process import ReadyStream
from camera_mp.errors import FrameTimeout, RingClosed, RingCorrupt, WriterDied
from camera_mp.fast_dds import SEGMENT
from camera_mp.frame import Frame
from camera_mp.nodes import qos
from camera_mp.nodes.image_message import ImageMessage, uncalibrated
from camera_mp.ring import FrameReader, RingStatus
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image

_LOOK = 0.25  # seconds between looks at whether to end


class ImageStream:
    """
    Reads every frame of a ring in a thread of its own and publishes it for those who look.

    prefix: '' or '~/', what the stream's topics are below. camera_info: makes the CameraInfo of
    a frame, given the frame_id. `missed` counts frames that were overwritten before they could
    be published.
    """

    def __init__(self, node: Node, stream: ReadyStream, prefix: str, frame_id: str,
                 camera_info: Callable[[str, Frame], Any] = uncalibrated) -> None:
        self.stream = stream
        self.published = 0
        self._node = node
        self._reader = FrameReader(stream.ring)
        self._frame_id, self._camera_info = frame_id, camera_info
        self._message = ImageMessage(frame_id)
        if stream.format.nbytes > SEGMENT:
            node.get_logger().warning(
                f'{stream.ring}: an image of {stream.format.nbytes >> 20} MiB is larger than the '
                f'{SEGMENT >> 20} MiB that Fast DDS has for images; config/fastdds.xml says how '
                'to make room for it')
        folder = stream.topic.rpartition('/')[0]
        self._images = node.create_publisher(
            Image, prefix + stream.topic, qos.IMAGES, qos_overriding_options=qos.overridable())
        self._infos = node.create_publisher(
            CameraInfo, f'{prefix}{folder}{"/" if folder else ""}camera_info', qos.IMAGES,
            qos_overriding_options=qos.overridable())
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f'publish {stream.ring}')
        self._thread.start()

    @property
    def missed(self) -> int:
        """How many frames were overwritten before they could be published."""
        return self._reader.missed

    def status(self) -> RingStatus | None:
        """Give what the ring says; None if there is none."""
        return self._reader.status()

    def close(self) -> None:
        """End the thread."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._reader.borrow_next(_LOOK) as frame:
                    self._publish(frame)
            except (FrameTimeout, WriterDied):
                pass  # the capture is slow, or is being started again
            except RingClosed:
                self._stopping.wait(_LOOK)  # ended; a new capture may follow
            except RingCorrupt as error:
                self._node.get_logger().error(str(error))
                self._stopping.wait(_LOOK)

    def _publish(self, frame: Frame) -> None:
        wants_image = self._images.get_subscription_count()
        wants_info = self._infos.get_subscription_count()
        if not (wants_image or wants_info):
            return
        if wants_image:
            message = self._message.serialize(frame)
            if not frame.intact:
                return  # the reader counts it as missed
            self._images.publish(message)
            self.published += 1
        if wants_info:
            self._infos.publish(self._camera_info(self._frame_id, frame))
