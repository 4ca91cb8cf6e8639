"""What a detector found on its way to the topics."""

from typing import Any

from camera_mp.conversion import converted
from camera_mp.detector_results import Result
from camera_mp.frame import Frame, FrameFormat
from camera_mp.nodes import qos
from camera_mp.nodes.detections_message import detections_message, draw, HAS_VISION_MSGS, MISSING
from camera_mp.nodes.image_message import ImageMessage
from camera_mp.ring.finder import FrameFinder
from rclpy.node import Node
from sensor_msgs.msg import Image

if HAS_VISION_MSGS:
    from vision_msgs.msg import Detection2DArray


class DetectionTopics:
    """
    Publishes `detections` and, drawn on the frames of a ring, `image_annotated`.

    Each is only made if someone looks.

    prefix: '' or '~/', what the topics are below. `gone` counts frames that the ring no longer
    held when their results came, so that nothing could be drawn on them.
    """

    def __init__(self, node: Node, prefix: str, ring: str) -> None:
        self.gone = 0
        self._frames = FrameFinder(ring)
        self._message = ImageMessage('')
        self._frame_id = ''
        self._detections: Any = None
        if HAS_VISION_MSGS:
            self._detections = node.create_publisher(
                Detection2DArray, f'{prefix}detections', qos.DETECTIONS,
                qos_overriding_options=qos.overridable())
        else:
            node.get_logger().warning(MISSING)
        self._images = node.create_publisher(
            Image, f'{prefix}image_annotated', qos.IMAGES,
            qos_overriding_options=qos.overridable())

    def publish(self, result: Result, frame_id: str) -> None:
        """Publish what someone looks at."""
        if self._detections and self._detections.get_subscription_count():
            self._detections.publish(detections_message(result, frame_id))
        if self._images.get_subscription_count():
            self._publish_image(result, frame_id)

    def _publish_image(self, result: Result, frame_id: str) -> None:
        frame = self._frames.find(result.number, result.stamp_ns)
        image = converted(frame, 'bgr8') if frame else None
        if frame is None or image is None or not frame.intact:
            self.gone += 1
            return
        draw(image, result)
        if frame_id != self._frame_id:
            self._frame_id, self._message = frame_id, ImageMessage(frame_id)
        form = FrameFormat(result.height, result.width, 'bgr8')
        self._images.publish(self._message.serialize(
            Frame(image, form, result.stamp_ns, result.sequence, result.number)))
