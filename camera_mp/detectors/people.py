"""People who stand or walk, found by OpenCV's HOG detector (Dalal and Triggs, CVPR 2005)."""

from dataclasses import dataclass
import math

from camera_mp.calibration import Calibration
from camera_mp.detectors.detector import Detection, Detector, DetectorSettings
from camera_mp.frame import Pixels
from camera_mp.settings import setting
import cv2
import numpy as np

_WIDTH, _HEIGHT = cv2.HOGDescriptor().winSize  # of the smallest person: 64x128 pixels


@dataclass(frozen=True)
class PeopleSettings(DetectorSettings):
    """Settings of the detector of people; the defaults are those of detectMultiScale."""

    hit_threshold: float = setting(0.0, 'Distance from the plane between people and all else '
                                   'from which on it is a person.', low=-10.0, high=10.0)
    win_stride: int = setting(8, 'Pixels from one place that is looked at to the next.',
                              choices=(4, 8, 16))
    scale: float = setting(1.05, 'Ratio of one size that is looked at to the next.',
                           low=1.01, high=4.0)


class PeopleDetector(Detector):
    """Finds people of 128 pixels and more; the score grows with the distance from the plane."""

    Settings = PeopleSettings

    def __init__(self, settings: PeopleSettings) -> None:
        self._settings = settings
        self._hog = cv2.HOGDescriptor()
        self._hog.setSVMDetector(np.array(cv2.HOGDescriptor.getDefaultPeopleDetector()))

    def detect(self, image: Pixels, calibration: Calibration | None = None) -> list[Detection]:
        """Give the people in a (height, width, 3) picture: the boxes that OpenCV finds."""
        if image.shape[0] < _HEIGHT or image.shape[1] < _WIDTH:
            return []  # OpenCV crashes on some of these
        stride = self._settings.win_stride
        boxes, distances = self._hog.detectMultiScale(
            image, hitThreshold=self._settings.hit_threshold, winStride=(stride, stride),
            scale=self._settings.scale)
        # the logistic function brings a distance between 0 and 1; it is no probability
        return [Detection('person', 1 / (1 + math.exp(-distance)), (
            float(left), float(top), float(width), float(height)))
            for (left, top, width, height), distance in zip(boxes, distances, strict=True)]
