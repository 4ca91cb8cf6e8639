"""The services of a camera: set_capture and save_snapshot."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from camera_mp.errors import CameraError
from camera_mp.nodes.camera_capture import CameraCapture
from camera_mp.nodes.camera_info import ros_home
from camera_mp.ring import FrameReader
from camera_mp.snapshot import save
from rclpy.node import Node
from std_srvs.srv import SetBool, Trigger

_PATIENCE = 5.0  # seconds for a frame to come


class CameraServices:
    """
    Offers the services; each answer says whether it happened, and why not.

    picture: gives directory ('': below ROS_HOME), kind and quality of a snapshot.
    """

    def __init__(self, node: Node, prefix: str, capture: CameraCapture,
                 picture: Callable[[], tuple[str, str, int]]) -> None:
        self._capture, self._picture = capture, picture
        node.create_service(SetBool, f'{prefix}set_capture', self._set_capture)
        node.create_service(Trigger, f'{prefix}save_snapshot', self._save_snapshot)

    def _set_capture(self, request: Any, response: Any) -> Any:
        try:
            self._capture.switch(request.data)
            response.success, response.message = True, 'on' if request.data else 'off'
        except CameraError as error:
            response.success, response.message = False, str(error)
        return response

    def _save_snapshot(self, request: Any, response: Any) -> Any:
        try:
            response.success, response.message = True, str(self._snapshot())
        except CameraError as error:
            response.success, response.message = False, str(error)
        return response

    def _snapshot(self) -> Path:
        directory, kind, quality = self._picture()
        capture = self._capture
        if capture.is_switched_off:
            raise CameraError(f'{capture.camera} is {capture.off}')
        capture.ensure()
        with FrameReader(capture.camera) as reader:
            frame = reader.wait(_PATIENCE)
        folder = (Path(directory) if directory else ros_home() / 'snapshots').expanduser()
        return save(frame, capture.camera, folder, kind, quality)
