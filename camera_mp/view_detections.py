"""Boxes over the cameras of a viewer, without ROS: a detector in a process for each camera."""

from collections.abc import Collection
from contextlib import ExitStack
import threading

from camera_mp.detector_pool import DetectorPool
from camera_mp.viewing import Viewing


class ViewDetections:
    """
    Draws what a detector finds in each of these cameras, until closed.

    Raises SettingError or DetectorError if there is no such detector or it cannot be made.
    """

    def __init__(self, viewing: Viewing, cameras: Collection[str], detector: str,
                 domain: int | None = None) -> None:
        self._viewing = viewing
        with ExitStack() as undo:
            pools = [undo.enter_context(DetectorPool(camera, detector, domain=domain))
                     for camera in cameras]
            for pool in pools:
                pool.wait_ready()
            self._undo = undo.pop_all()
        self._threads = [threading.Thread(target=self._draw, args=[pool], name=f'draw {pool.ring}')
                         for pool in pools]
        for thread in self._threads:
            thread.start()

    def _draw(self, pool: DetectorPool) -> None:
        for result in pool:
            self._viewing.log_detections(pool.ring, result.stamp_ns, result.detections)

    def close(self) -> None:
        """End the detectors; nothing is drawn any more."""
        self._undo.close()
        for thread in self._threads:
            thread.join()
