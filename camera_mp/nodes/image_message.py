"""Frames as sensor_msgs/Image and CameraInfo."""

from array import array
import sys
from typing import Any

from builtin_interfaces.msg import Time
import numpy as np
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from camera_mp.frame import Frame


def to_time(stamp_ns: int) -> Any:
    """Give nanoseconds since the Unix epoch as builtin_interfaces/Time."""
    return Time(sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)


class ImageMessage:
    """One Image that is filled again and again: a frame costs one copy and no allocation."""

    def __init__(self, frame_id: str) -> None:
        self._message = Image(header=Header(frame_id=frame_id),
                              is_bigendian=sys.byteorder == 'big')

    def fill(self, frame: Frame) -> Any:
        """Give the message with this frame in it; valid until the next call."""
        message, form = self._message, frame.format
        message.header.stamp = to_time(frame.stamp_ns)
        if (message.height, message.width, message.encoding) != (
                form.height, form.width, form.encoding):
            message.height, message.width, message.step = form.height, form.width, form.step
            message.encoding = form.encoding
            # array.array is the one type that rclpy passes on as a block of memory
            message.data = array('B', bytes(form.nbytes))
        memoryview(message.data)[:] = np.ascontiguousarray(frame.image).data.cast('B')
        return message


def uncalibrated(header: Any, frame: Frame) -> Any:
    """Give the CameraInfo of a camera nobody has calibrated: K[0] = 0, as its message says."""
    return CameraInfo(header=header, height=frame.format.height, width=frame.format.width)
