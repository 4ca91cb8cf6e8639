"""
ArUco and AprilTag markers, found by OpenCV; of a calibrated camera also where they are.

Corners are in OpenCV's coordinates, which a calibration uses: (0, 0) is the centre of the upper
left pixel, so a marker whose first column of pixels is 10 begins at 9.5. A box counts from the
edge of the picture, as those of all detectors: that of this marker begins at 10.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from camera_mp.calibration import Calibration
from camera_mp.detectors.detector import Detection, Detector, DetectorSettings, Pose
from camera_mp.errors import DetectorError
from camera_mp.frame import Pixels
from camera_mp.settings import setting
import cv2
import numpy as np

Find = Callable[[Pixels], Any]  # picture to (corners, ids, ...)

# OpenCV has some under two spellings; the last one in the alphabet is that of its documentation
_NAMES = {getattr(cv2.aruco, name): name.removeprefix('DICT_')
          for name in sorted(dir(cv2.aruco)) if name.startswith('DICT_')}
_DICTIONARIES = {name: number for number, name in sorted(_NAMES.items())}
_UNDISTORT: dict[str, Callable[..., Pixels]] = {  # names: sensor_msgs/distortion_models.hpp
    'plumb_bob': cv2.undistortPoints, 'rational_polynomial': cv2.undistortPoints,
    'equidistant': cv2.fisheye.undistortPoints}
# corners of a marker of side 1, from the upper left one on: x right, y down, z into it
_SQUARE = np.array([[-.5, -.5, 0], [.5, -.5, 0], [.5, .5, 0], [-.5, .5, 0]])
_QUARTER = np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]])  # brings each corner to the one before it
_OUT_OF_IT = np.diag([1, -1, -1])  # from OpenCV's frame of a marker, y up and z out of it


@dataclass(frozen=True)
class ArucoSettings(DetectorSettings):
    """Settings of the detector of markers."""

    dictionary: str = setting('4X4_50', 'Dictionary that the markers are from.',
                              choices=tuple(_DICTIONARIES))
    marker_length: float = setting(0.0, 'Side of the markers in metres, without their white '
                                   'margin; 0.0: no poses.', low=0.0, high=100.0)


class ArucoDetector(Detector):
    """Finds the markers of one dictionary; class_id is a marker's id, corners begin upper left."""

    Settings = ArucoSettings
    encoding = 'mono8'

    def __init__(self, settings: ArucoSettings) -> None:
        self._find = _finder(_DICTIONARIES[settings.dictionary])
        self._length = settings.marker_length

    def detect(self, image: Pixels, calibration: Calibration | None = None) -> list[Detection]:
        """
        Give the markers in a (height, width) picture.

        Raises DetectorError for a calibration of another picture size or an unknown model.
        """
        corners, ids = self._find(image)[:2]
        if ids is None:
            return []
        poses: list[Pose | None] = [None] * len(corners)
        if self._length and calibration and calibration.k[0]:  # 0: not calibrated
            _check(calibration, image)
            poses = [_pose(square, calibration, self._length) for square in corners]
        return [_detection(*found) for found in zip(ids.ravel(), corners, poses, strict=True)]


def _finder(dictionary: int) -> Find:
    markers = cv2.aruco.getPredefinedDictionary(dictionary)
    if hasattr(cv2.aruco, 'ArucoDetector'):
        parameters = cv2.aruco.DetectorParameters()
        parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
        return cv2.aruco.ArucoDetector(markers, parameters).detectMarkers
    old: Any = cv2.aruco  # before OpenCV 4.7
    parameters = old.DetectorParameters_create()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    return lambda image: old.detectMarkers(image, markers, parameters=parameters)


def _detection(number: int, square: Pixels, pose: Pose | None) -> Detection:
    corners = square.reshape(4, 2).astype(float)
    left, top = corners.min(0) + .5
    width, height = np.ptp(corners, 0)
    return Detection(str(number), 1.0, (left.item(), top.item(), width.item(), height.item()),
                     tuple((x, y) for x, y in corners.tolist()), pose)


def _check(calibration: Calibration, image: Pixels) -> None:
    height, width = image.shape
    if (calibration.width, calibration.height) != (width, height):
        raise DetectorError(f'calibration: it is for {calibration.width}x{calibration.height}, '
                            f'the picture has {width}x{height}')
    if calibration.distortion_model not in _UNDISTORT:
        raise DetectorError(f'calibration: distortion_model {calibration.distortion_model!r} is '
                            f'unknown; allowed: {", ".join(_UNDISTORT)}')


def _pose(square: Pixels, calibration: Calibration, length: float) -> Pose | None:
    undistort = _UNDISTORT[calibration.distortion_model]
    rays = undistort(square.reshape(4, 1, 2).astype(float), np.reshape(calibration.k, (3, 3)),
                     np.array(calibration.d or (0.0,) * 4))
    # OpenCV's IPPE fails at turns by 180 degrees, which those of a marker right before the camera
    # are with z out of it: so z into it, and begun with the edge that runs to the right
    first = int((np.roll(rays, -1, 0) - rays)[:, 0, 0].argmax())
    solve = partial(cv2.solvePnP, _SQUARE * length, np.roll(rays, -first, 0), np.eye(3), None)
    found, rotation, position = solve(flags=cv2.SOLVEPNP_IPPE)
    if not found or not np.isfinite(position).all():  # it can fail on the optical axis too
        found, rotation, position = solve(flags=cv2.SOLVEPNP_ITERATIVE)
    if not found:
        return None
    turned = np.linalg.matrix_power(_QUARTER, first) @ _OUT_OF_IT
    x, y, z = position.ravel().tolist()
    return Pose((x, y, z), _quaternion(cv2.Rodrigues(cv2.Rodrigues(rotation)[0] @ turned)[0]))


def _quaternion(rotation: Pixels) -> tuple[float, float, float, float]:
    """Give x, y, z, w of a rotation vector: axis times angle in radians."""
    rotation = rotation.ravel()
    angle = float(np.linalg.norm(rotation))
    # sin(angle / 2) / angle, also at 0; numpy's sinc(x) is sin(pi x) / (pi x)
    x, y, z = (rotation * np.sinc(angle / (2 * np.pi)) / 2).tolist()
    return x, y, z, float(np.cos(angle / 2))
