"""The calibration of a camera: what sensor_msgs/CameraInfo says, without ROS."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Calibration:
    """
    Intrinsics of a camera for one size of picture, with the names of sensor_msgs/CameraInfo.

    k, r: 3x3 and p: 3x4, in rows; pixels. d: distortion coefficients in the model's order.
    """

    width: int
    height: int
    distortion_model: str
    d: tuple[float, ...]
    k: tuple[float, ...]
    r: tuple[float, ...]
    p: tuple[float, ...]
    camera_name: str = ''
