"""The viewer node: cameras, what was detected in them, and how late commands are."""

from importlib.util import find_spec
import time
from typing import Any

from camera_mp.detectors import Detection
from camera_mp.errors import SettingError
from camera_mp.nodes import parameters, qos
from camera_mp.nodes.run import ProcessNode, run
from camera_mp.signals import StopFlag
from camera_mp.viewing import step_back, Viewing, ViewSettings
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.time import Time

SETTINGS = (ViewSettings,)

_DETECTIONS = 'vision_msgs/msg/Detection2DArray'
_LATENESS = {f'lateness {name} (ms) (last second)': name for name in ('p50', 'p99', 'max')}


class ViewerNode(ProcessNode):
    """
    Shows what Viewing does, and over it what comes on topics.

    Boxes: every vision_msgs/Detection2DArray topic, over the camera whose namespace it is in
    (`/r1/front/detections`, `/r1/front/detector_markers/detections`: `r1.front`). Curves: the
    lateness of each command loop, out of /diagnostics. Raises SettingError for bad parameters
    and CameraError without rerun-sdk.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__('viewer', **options)
        try:
            parameters.check_names(self, ViewSettings)
            self._viewing = Viewing(parameters.declare(self, ViewSettings))
        except SettingError as error:
            raise parameters.located(self, error) from None
        self.get_logger().info(f'to be seen: {self._viewing.place}')
        self.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)
        self._topics: set[str] = set()
        if find_spec('vision_msgs'):
            self.create_wall_timer(1.0, self._look_for_detections)
        else:
            self.get_logger().info('no boxes: vision_msgs is not installed '
                                   '(apt install ros-$ROS_DISTRO-vision-msgs)')

    def work(self, stop: StopFlag) -> None:
        """Show the cameras until the flag is set or the window is closed."""
        self._viewing.run(stop)

    def close(self) -> None:
        """End what shows it, after the last message."""
        self._viewing.close()

    def _on_diagnostics(self, array: Any) -> None:
        now = time.time_ns()  # pictures have this clock's stamps, also beside a simulation
        for status in array.status:
            late = {_LATENESS[value.key]: float(value.value)
                    for value in status.values if value.key in _LATENESS}
            if late:
                self._viewing.log_lateness(status.name.partition(':')[0], now, late)

    def _look_for_detections(self) -> None:
        from vision_msgs.msg import Detection2DArray
        for topic, types in self.get_topic_names_and_types():
            if _DETECTIONS in types and topic not in self._topics:
                self._topics.add(topic)
                place = parameters.dotted(topic.rpartition('/')[0])
                self.create_subscription(
                    Detection2DArray, topic,
                    lambda array, place=place: self._on_detections(place, array), qos.IMAGES)

    def _on_detections(self, place: str, array: Any) -> None:
        camera = self._viewing.camera_at(place)
        stamp_ns = Time.from_msg(array.header.stamp).nanoseconds
        self._viewing.log_detections(camera, stamp_ns, map(to_detection, array.detections))


def to_detection(message: Any) -> Detection:
    """Give a vision_msgs/Detection2D as ours, of its best hypothesis."""
    box = message.bbox
    best = max((result.hypothesis for result in message.results),
               key=lambda hypothesis: hypothesis.score, default=None)
    return Detection(best.class_id if best else message.id, best.score if best else 0.0,
                     (box.center.position.x - box.size_x / 2,
                      box.center.position.y - box.size_y / 2, box.size_x, box.size_y))


def main() -> int:
    """Run `viewer`."""
    step_back()
    return run(ViewerNode)


if __name__ == '__main__':
    raise SystemExit(main())
