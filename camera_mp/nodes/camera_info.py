"""CameraInfo from the camera's calibration file, and the service that saves a new one."""

from collections.abc import Callable
import os
from pathlib import Path
import re
from typing import Any

from ament_index_python.packages import get_package_share_directory
from camera_mp.calibration import Calibration
from camera_mp.calibration_file import read_calibration, save_calibration
from camera_mp.errors import SettingError
from camera_mp.frame import Frame, FrameFormat
from camera_mp.nodes.image_message import uncalibrated
from rclpy.node import Node
from sensor_msgs.srv import SetCameraInfo

DEFAULT_URL = 'file://${ROS_HOME}/camera_info/${NAME}.yaml'  # as camera_info_manager has it


def ros_home() -> Path:
    """Give the folder where ROS programs keep what they write: ROS_HOME, by default ~/.ros."""
    return Path(os.environ.get('ROS_HOME') or Path.home() / '.ros')


def resolve_url(url: str, camera: str) -> Path:
    """
    Give the file that a `camera_info_url` means; '' means DEFAULT_URL.

    file:///PATH and package://PACKAGE/PATH, with ${NAME}, the camera's, and ${ROS_HOME}, by
    default ~/.ros. Raises SettingError for any other, and for a package that is not there.
    """
    known = {'NAME': camera, 'ROS_HOME': str(ros_home())}
    text = re.sub(r'\$\{(\w+)\}', lambda found: known.get(found[1], found[0]),
                  url or DEFAULT_URL)
    found = re.fullmatch(r'file://(/.+)|package://([^/]+)/(.+)', text, re.IGNORECASE)
    if not found or '${' in text:
        raise SettingError(
            f'camera_info_url: {url!r} is not allowed; allowed: file:///PATH, '
            'package://PACKAGE/PATH, with ${NAME} and ${ROS_HOME} in them')
    path, package, below = found.groups()
    return Path(path) if path else _share(package) / below


def _share(package: str) -> Path:
    try:
        return Path(get_package_share_directory(package))
    except (LookupError, OSError, ValueError) as error:
        raise SettingError(f'camera_info_url: package {package!r}: {error}') from None


class CameraInfoManager:
    """
    Knows the calibration of one camera and gives its CameraInfo, from any thread.

    It reads the file once and offers `set_camera_info` below `prefix`, which replaces it. A
    calibration holds for one size of the published picture: at another one the camera counts as
    uncalibrated, and that is said once.

    path: as `resolve_url` gives it; the default one need not exist.
    picture: gives the format of the main stream as it is now.
    """

    def __init__(self, node: Node, camera: str, path: Path, prefix: str,
                 picture: Callable[[], FrameFormat]) -> None:
        self._log, self._camera, self._path = node.get_logger(), camera, path
        self._picture = picture
        self._warned = ''
        self._calibration = self._load()
        node.create_service(SetCameraInfo, f'{prefix}set_camera_info', self._on_set)

    def _load(self) -> Calibration | None:
        # not Path.exists: it raises where a folder may not be looked into
        there = os.path.exists(self._path)  # noqa: PTH110
        if not there and self._path == resolve_url('', self._camera):
            self._log.info(f'not calibrated: {self._path} does not exist')
            return None
        try:
            calibration = read_calibration(self._path)
        except SettingError as error:
            self._warn_once(str(error))
            return None
        problem = _misfit(calibration, self._picture())
        if problem:
            self._warn_once(problem)
        else:
            self._log.info(f'calibrated by {self._path}, camera_name {calibration.camera_name!r}')
        return calibration

    def for_stream(self, name: str) -> Callable[[str, Frame], Any]:
        """
        Give the function that makes the CameraInfo of a stream from its frame_id and frame.

        Depth is aligned to the main stream: at the same size its pixels are the same ones.
        Any other stream is another camera, that nobody has calibrated.
        """
        return {'': self._main, 'depth': self._depth}.get(name, uncalibrated)

    def _main(self, frame_id: str, frame: Frame) -> Any:
        info, calibration = uncalibrated(frame_id, frame), self._calibration
        if calibration is None:
            return info
        problem = _misfit(calibration, frame.format)
        if problem:
            self._warn_once(problem)
            return info
        info.distortion_model, info.d = calibration.distortion_model, calibration.d
        info.k, info.r, info.p = calibration.k, calibration.r, calibration.p
        return info

    def _depth(self, frame_id: str, frame: Frame) -> Any:
        same = not (self._calibration and _misfit(self._calibration, frame.format))
        return self._main(frame_id, frame) if same else uncalibrated(frame_id, frame)

    def _warn_once(self, problem: str) -> None:
        if problem != self._warned:
            self._warned = problem
            where = '' if str(self._path) in problem else f'{self._path}: '
            self._log.warning(f'not calibrated: {where}{problem}')

    def _on_set(self, request: Any, response: Any) -> Any:
        try:
            calibration = calibration_of(request.camera_info, self._camera)
            problem = _misfit(calibration, self._picture())
            if problem:
                raise SettingError(problem)
            save_calibration(self._path, calibration)
        except SettingError as error:
            self._log.error(f'set_camera_info refused: {error}')
            response.success, response.status_message = False, str(error)
            return response
        self._calibration = calibration
        self._log.info(f'set_camera_info: saved in {self._path}')
        response.success, response.status_message = True, f'saved in {self._path}'
        return response


def _misfit(calibration: Calibration, picture: FrameFormat) -> str:
    if (calibration.width, calibration.height) == (picture.width, picture.height):
        return ''
    return (f'made for pictures of {calibration.width}x{calibration.height}, '
            f'this camera sends {picture.width}x{picture.height}')


def calibration_of(info: Any, camera: str) -> Calibration:
    """Give what a sensor_msgs/CameraInfo says."""
    d, k, r, p = (tuple(map(float, values)) for values in (info.d, info.k, info.r, info.p))
    return Calibration(info.width, info.height, info.distortion_model, d, k, r, p, camera)
