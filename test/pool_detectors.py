"""
Detectors for the tests of the pool; its workers find them as pool_detectors:NAME.

The pictures say what is to happen: each pixel has one value.
"""

from dataclasses import dataclass
import os
from pathlib import Path
import time
from typing import Any

from camera_mp.calibration import Calibration
from camera_mp.detectors import Detection, Detector, DetectorSettings
from camera_mp.errors import DetectorError
from camera_mp.frame import Pixels
from camera_mp.settings import setting
import cv2
import numpy as np

HANG, RAISE, NOT_A_NUMBER, NO_LIST, NO_DETECTION, WRONG_SCORE, DIE = range(200, 207)


@dataclass(frozen=True)
class TraceSettings(DetectorSettings):
    """Settings of detectors that leave a trace."""

    folder: str = setting('', 'Where a file is made for each picture worked on.')
    longest: float = setting(0.0, 'Seconds: pictures take random times up to this.')


def _see(image: Pixels, class_id: str = 'value') -> list[Detection]:
    height, width = image.shape[:2]
    return [Detection(class_id, int(image.flat[0]) / 255, (0.0, 0.0, float(width), float(height)))]


class Trace(Detector):
    """Leaves a file for each call, named by the picture's value and the process."""

    Settings = TraceSettings
    settings: TraceSettings

    def __init__(self, settings: DetectorSettings) -> None:
        assert isinstance(settings, TraceSettings)
        self.settings = settings
        self._random = np.random.default_rng()

    def detect(self, image: Pixels, calibration: Calibration | None = None) -> list[Detection]:
        """Work for a random time."""
        value = int(image.flat[0])
        if self.settings.folder:
            with (Path(self.settings.folder) / f'{value}').open('a') as trace:
                trace.write(f'{os.getpid()}\n')
        time.sleep(self._random.random() * self.settings.longest)
        return _see(image)


class Moody(Detector):
    """Does what the picture's value says."""

    def __init__(self, settings: DetectorSettings) -> None:
        pass

    def detect(self, image: Pixels, calibration: Calibration | None = None) -> Any:
        """Misbehave for some values."""
        value = int(image.flat[0])
        if value == HANG:
            time.sleep(3600)
        if value == RAISE:
            raise ValueError('a picture\nthat I do not like')
        if value == DIE:
            os.abort()
        nan = Detection('x', 0.5, (0.0, float('nan'), 1.0, 1.0))
        rubbish: dict[int, object] = {
            NOT_A_NUMBER: [nan], NO_LIST: None, NO_DETECTION: ['x'],
            WRONG_SCORE: [Detection('x', 1.5, (0.0, 0.0, 1.0, 1.0))]}
        return rubbish.get(value, _see(image))


class Grey(Detector):
    """Takes mono8, says its process and how it runs."""

    encoding = 'mono8'

    def __init__(self, settings: DetectorSettings) -> None:
        pass

    def detect(self, image: Pixels, calibration: Calibration | None = None) -> list[Detection]:
        """Give the surroundings as classes."""
        threads = os.environ['OMP_NUM_THREADS'], os.environ['OPENBLAS_NUM_THREADS']
        said = [f'nice {os.nice(0)}', f'cv2 {cv2.getNumThreads()}', f'env {"".join(threads)}',
                f'shape {image.shape}', f'camera {calibration and calibration.k[0]}']
        return [Detection(one, 0.0, (0.0, 0.0, 1.0, 1.0)) for one in said]


class Remembering(Trace):
    """Depends on the pictures before."""

    stateful = True


class Impossible(Detector):
    """Cannot be made."""

    def __init__(self, settings: DetectorSettings) -> None:
        raise DetectorError('model: /nowhere.onnx does not exist')

    def detect(self, image: Pixels, calibration: Calibration | None = None) -> list[Detection]:
        """Never."""
        return []


class Calibrated(Detector):
    """Says the calibration that it gets as an error, which a log shows."""

    def __init__(self, settings: DetectorSettings) -> None:
        pass

    def detect(self, image: Pixels, calibration: Calibration | None = None) -> list[Detection]:
        """Complain, once there is a calibration."""
        if calibration:
            raise DetectorError(f'focal length {calibration.k[0]}, {calibration.d}')
        return []
