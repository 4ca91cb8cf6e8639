"""What every detector is: from a picture to the things found in it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from camera_mp.calibration import Calibration
from camera_mp.frame import Pixels
from camera_mp.settings import Settings


@dataclass(frozen=True)
class DetectorSettings(Settings):
    """Settings that every detector has: none; a detector's own class adds to them."""


@dataclass(frozen=True)
class Pose:
    """Where a thing is in the camera's optical frame: metres, and a quaternion x, y, z, w."""

    position: tuple[float, float, float]
    orientation: tuple[float, float, float, float]


@dataclass(frozen=True)
class Detection:
    """
    One thing found.

    class_id: name of its class, or id of a marker. score: 0 to 1.
    box: (left, top, width, height) in pixels; corners: (x, y) of each, if it is no upright box.
    """

    class_id: str
    score: float
    box: tuple[float, float, float, float]
    corners: tuple[tuple[float, float], ...] = ()
    pose: Pose | None = None


class Detector(ABC):
    """
    Finds things in pictures; making one loads what it needs, DetectorError says why it cannot.

    encoding: of the pictures it takes, bgr8 or mono8.
    stateful: what it finds depends on the pictures before; it then works in one process alone.
    """

    Settings: ClassVar[type[DetectorSettings]] = DetectorSettings
    encoding: ClassVar[str] = 'bgr8'
    stateful: ClassVar[bool] = False

    @abstractmethod
    def __init__(self, settings: DetectorSettings) -> None:
        """Get ready; `settings` is of the class's own Settings."""

    @abstractmethod
    def detect(self, image: Pixels, calibration: Calibration | None = None) -> list[Detection]:
        """
        Give what is in the picture: (height, width, 3) or (height, width) uint8, read-only.

        calibration: of the camera, for picture coordinates to become poses; None: unknown.
        """
