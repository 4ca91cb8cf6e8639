"""Detectors of known cost, for detectors.py; workers find them as detector_load:NAME."""

from dataclasses import dataclass
import time

from camera_mp.calibration import Calibration
from camera_mp.detectors import Detection, Detector, DetectorSettings
from camera_mp.frame import Pixels
from camera_mp.settings import setting


@dataclass(frozen=True)
class BusySettings(DetectorSettings):
    """Settings of Busy."""

    seconds: float = setting(0.06, 'CPU time of a picture.', low=0.0, high=10.0)


class Busy(Detector):
    """Uses so much CPU time for each picture, however long that takes."""

    Settings = BusySettings

    def __init__(self, settings: DetectorSettings) -> None:
        assert isinstance(settings, BusySettings)
        self._seconds = settings.seconds

    def detect(self, image: Pixels, calibration: Calibration | None = None) -> list[Detection]:
        """Find nothing."""
        end = time.thread_time() + self._seconds
        while time.thread_time() < end:
            pass
        return []


class Mean(Detector):
    """Takes the mean of a picture: a detector that costs next to nothing."""

    def __init__(self, settings: DetectorSettings) -> None:
        pass

    def detect(self, image: Pixels, calibration: Calibration | None = None) -> list[Detection]:
        """Give the mean as a score."""
        height, width = image.shape[:2]
        return [Detection('mean', float(image.mean()) / 255,
                          (0.0, 0.0, float(width), float(height)))]
