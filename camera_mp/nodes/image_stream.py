"""One stream of a camera on its way from the ring to the topics."""

from collections.abc import Callable
from typing import Any

from camera_mp.capture_process import ReadyStream
from camera_mp.compression import compress
from camera_mp.fast_dds import SEGMENT
from camera_mp.frame import Frame
from camera_mp.nodes import qos
from camera_mp.nodes.image_message import CompressedImageMessage, ImageMessage, uncalibrated
from camera_mp.nodes.ring_publisher import RingPublisher
from camera_mp.ring import ring_status, RingStatus
from rclpy.event_handler import PublisherEventCallbacks
from rclpy.node import Node
from rclpy.publisher import Publisher
from sensor_msgs.msg import CameraInfo, CompressedImage, Image


class ImageStream:
    """
    Publishes a stream as Image, CompressedImage and CameraInfo, each for those who look.

    Each topic has a thread of its own, so that compressing does not delay the raw image.
    prefix: '' or '~/', what the stream's topics are below. quality: gives that of JPEG, 1 to 100.
    camera_info: makes the CameraInfo of a frame, given the frame_id. matched: is called when a
    subscriber comes or goes.
    """

    def __init__(self, node: Node, stream: ReadyStream, prefix: str, frame_id: str,
                 quality: Callable[[], int],
                 camera_info: Callable[[str, Frame], Any] = uncalibrated,
                 matched: Callable[[object], None] | None = None) -> None:
        self.stream = stream
        self._quality = quality
        self._frame_id, self._camera_info = frame_id, camera_info
        self._image, self._compressed = ImageMessage(frame_id), CompressedImageMessage(frame_id)
        if stream.format.nbytes > SEGMENT:
            node.get_logger().warning(
                f'{stream.ring}: an image of {stream.format.nbytes >> 20} MiB is larger than the '
                f'{SEGMENT >> 20} MiB that Fast DDS has for images; config/fastdds.xml says how '
                'to make room for it')

        def publish(kind: type, topic: str, send: Callable[['Publisher[Any]', Frame], bool],
                    ) -> RingPublisher:
            publisher: Publisher[Any] = node.create_publisher(
                kind, prefix + topic, qos.IMAGES, qos_overriding_options=qos.overridable(),
                event_callbacks=PublisherEventCallbacks(matched=matched))
            return RingPublisher(stream.ring, publisher.get_subscription_count,
                                 lambda frame: send(publisher, frame), node.get_logger().error)
        folder = stream.topic.rpartition('/')[0]
        self._images = publish(Image, stream.topic, self._send_image)
        self._jpegs = publish(CompressedImage, f'{stream.topic}/compressed', self._send_compressed)
        self._infos = publish(CameraInfo, f'{folder}/camera_info'.lstrip('/'), self._send_info)
        self._publishers = (self._images, self._jpegs, self._infos)

    def adapt(self, stream: ReadyStream, jpegs: str) -> None:
        """Go on with a changed stream; jpegs: the ring of the camera's own JPEGs, '' if none."""
        self.stream = stream
        # the camera's own JPEGs always come; to look at the other ring makes it decode them
        self._jpegs.ring = self._infos.ring = jpegs or stream.ring

    @property
    def published(self) -> int:
        """How many raw images were published."""
        return self._images.published

    @property
    def missed(self) -> int:
        """How many frames were overwritten before they could be published."""
        return sum(publisher.missed for publisher in self._publishers)

    @property
    def is_wanted(self) -> bool:
        """Whether anybody subscribes to one of the topics."""
        return any(publisher.is_wanted() for publisher in self._publishers)

    def status(self) -> RingStatus | None:
        """Give what the ring says; None if there is none."""
        return ring_status(self.stream.ring)

    def close(self) -> None:
        """End the threads."""
        for publisher in self._publishers:
            publisher.close()

    def _send_image(self, publisher: 'Publisher[Any]', frame: Frame) -> bool:
        message = self._image.serialize(frame)
        if not frame.intact:
            return False  # the reader counts it as missed
        publisher.publish(message)
        return True

    def _send_compressed(self, publisher: 'Publisher[Any]', frame: Frame) -> bool:
        message = self._compressed.serialize(frame, compress(frame, self._quality()).data)
        if not frame.intact:
            return False
        publisher.publish(message)
        return True

    def _send_info(self, publisher: 'Publisher[Any]', frame: Frame) -> bool:
        publisher.publish(self._camera_info(self._frame_id, frame))
        return True
