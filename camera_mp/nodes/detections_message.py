"""Detections as vision_msgs/Detection2DArray, and drawn into a picture."""

from importlib.util import find_spec
from typing import Any

from builtin_interfaces.msg import Time
from camera_mp.detector_results import Result
from camera_mp.detectors import Detection
from camera_mp.frame import Pixels
import cv2
import numpy as np
from std_msgs.msg import Header

HAS_VISION_MSGS = find_spec('vision_msgs') is not None
if HAS_VISION_MSGS:
    from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesisWithPose

MISSING = ('vision_msgs is not installed: no topic for the detections '
           '(apt install ros-$ROS_DISTRO-vision-msgs)')

_COLOR = (0, 255, 0)  # BGR
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def detections_message(result: Result, frame_id: str) -> Any:
    """Give a Detection2DArray with the stamp of the frame; boxes by their centre and size."""
    sec, nanosec = divmod(result.stamp_ns, 10**9)
    header = Header(stamp=Time(sec=sec, nanosec=nanosec), frame_id=frame_id)
    return Detection2DArray(
        header=header, detections=[_detection(one, header) for one in result.detections])


def _detection(one: Detection, header: Any) -> Any:
    message = Detection2D(header=header)
    left, top, message.bbox.size_x, message.bbox.size_y = one.box
    message.bbox.center.position.x = left + message.bbox.size_x / 2
    message.bbox.center.position.y = top + message.bbox.size_y / 2
    hypothesis = ObjectHypothesisWithPose()
    hypothesis.hypothesis.class_id, hypothesis.hypothesis.score = one.class_id, one.score
    if one.pose:
        pose = hypothesis.pose.pose
        pose.position.x, pose.position.y, pose.position.z = one.pose.position
        (pose.orientation.x, pose.orientation.y, pose.orientation.z,
         pose.orientation.w) = one.pose.orientation
    message.results.append(hypothesis)
    return message


def draw(image: Pixels, result: Result) -> None:
    """Draw boxes or corners, with class and score, into a picture: bgr8."""
    for one in result.detections:
        left, top, width, height = one.box
        corners = one.corners or ((left, top), (left + width, top),
                                  (left + width, top + height), (left, top + height))
        points = np.clip(corners, -2**15, 2**15).round().astype(np.int32)
        cv2.polylines(image, [points], True, _COLOR, 2)
        place = (int(points[:, 0].min()), max(int(points[:, 1].min()) - 4, 12))
        cv2.putText(image, f'{one.class_id} {one.score:.2f}', place, _FONT, 0.5, _COLOR, 1)
