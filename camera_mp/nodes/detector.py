"""The detector node: a pool of workers on a camera or an Image topic, its results on topics."""

from dataclasses import dataclass
import threading
from typing import Any

from camera_mp.complaints import Complaints
from camera_mp.detector_pool import DetectorPool, PoolSettings
from camera_mp.detectors import detector_class, detector_names, DETECTORS
from camera_mp.errors import CameraError, SettingError
from camera_mp.nodes import parameters, qos
from camera_mp.nodes.camera_info import calibration_of
from camera_mp.nodes.detection_topics import DetectionTopics
from camera_mp.nodes.detector_status import DetectorStatus
from camera_mp.nodes.diagnostic_status import DiagnosticsPublisher
from camera_mp.nodes.image_array import ImageRing
from camera_mp.nodes.run import ProcessNode, run
from camera_mp.ring import remove_stale
from camera_mp.settings import setting, Settings
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image


@dataclass(frozen=True)
class DetectorNodeSettings(Settings):
    """Settings of the node itself."""

    detector: str = setting('', f'What to find: {", ".join(detector_names())} or module:Class.')
    camera: str = setting('', 'Name of a camera on this host; default: the namespace with dots '
                          'for slashes.')
    image_topic: str = setting('', 'Take the images of this topic instead, of any driver or host.')
    frame_id: str = setting('', 'Of the detections; default: <camera>_optical_frame, or that of '
                            'the images.')


SETTINGS: tuple[type[Settings], ...] = (
    DetectorNodeSettings, PoolSettings, *(detector_class(name).Settings for name in DETECTORS))


class DetectorNode(ProcessNode):
    """
    Publishes `detections` and `image_annotated`; takes `camera_info` of its camera, for poses.

    A node called `detector` has its topics directly below its namespace, as a camera has; any
    other, and one without a namespace, below its own name, so that several detectors of a camera
    never share a topic. Images of a topic go through a ring of the node's own, `<name>.input`.
    Raises SettingError for bad parameters; if the detector cannot be made, DetectorError comes
    out of the executor.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__('detector', **options)
        try:
            self._configure()
        except SettingError as error:
            raise parameters.located(self, error) from None
        remove_stale()
        self._refused, self._complaints = 0, Complaints(self.get_logger().error)
        in_namespace = self.get_namespace() != '/' and self.get_name() == 'detector'
        self._topics = DetectionTopics(self, '' if in_namespace else '~/', self._ring)
        self._subscribe()
        self._failure: Exception | None = None
        self._failed = self.create_guard_condition(self._on_failure)
        self._status = DetectorStatus(self.get_fully_qualified_name()[1:], self._pool)
        self._diagnostics = DiagnosticsPublisher(self)
        self.create_wall_timer(1.0, self._publish_diagnostics)
        self._thread = threading.Thread(target=self._publish_results, name='results')
        self._thread.start()

    def _configure(self) -> None:
        self._own = parameters.declare(self, DetectorNodeSettings)
        kind = detector_class(self._own.detector).Settings
        groups = [DetectorNodeSettings, PoolSettings, kind]
        parameters.check_names(self, *groups)
        parameters.tell_unused(self, groups, SETTINGS, f'detector {self._own.detector!r}')
        wish, settings = parameters.declare(self, PoolSettings), parameters.declare(self, kind)
        self._choose_input(self._own.camera, self._own.image_topic)
        self._pool = DetectorPool(self._ring, self._own.detector, settings=vars(settings),
                                  log=self.get_logger(), **vars(wish))

    def _choose_input(self, camera: str, image_topic: str) -> None:
        namespace = parameters.dotted(self.get_namespace())
        if camera and image_topic:
            raise SettingError(f'image_topic: {image_topic!r} is given, and camera {camera!r} '
                               'too; allowed: one of them')
        if not (camera or image_topic or namespace):
            raise SettingError("camera: '' is not allowed outside a namespace; write the name "
                               'of a camera, or give an image_topic')
        if image_topic:
            if not self._is_topic(image_topic):
                raise SettingError(f'image_topic: {image_topic!r} is no name of a topic; '
                                   'allowed: letters, digits, _ and single /')
            self._ring = f'{parameters.dotted(self.get_fully_qualified_name())}.input'
            folder, slash, _ = image_topic.rpartition('/')
            self._info_topic = f'{folder}{slash}camera_info'
            self._frame_id = self._own.frame_id
        else:
            self._ring = camera or namespace
            self._info_topic = 'camera_info'
            if self._ring != namespace:
                self._info_topic = f'/{self._ring.replace(".", "/")}/camera_info'
            self._frame_id = self._own.frame_id or f'{self._ring}_optical_frame'

    def _is_topic(self, name: str) -> bool:
        try:
            self.resolve_topic_name(name)
        except RuntimeError:  # RCLError
            return False
        return True

    def _subscribe(self) -> None:
        if self._is_topic(self._info_topic):  # a ring may have a name that no topic can have
            self.create_subscription(CameraInfo, self._info_topic, self._on_info, qos.IMAGES)
        self._input: ImageRing | None = None
        if self._own.image_topic:
            self._input = ImageRing(self._ring)
            self.create_subscription(
                Image, self._own.image_topic, self._on_image, qos_profile_sensor_data,
                qos_overriding_options=qos.overridable())

    def _on_info(self, info: Any) -> None:
        # k[0] of 0 means not calibrated, as the message's definition says
        self._pool.calibration = calibration_of(info, self._ring) if info.k[0] else None

    def _on_image(self, image: Any) -> None:
        assert self._input
        self._frame_id = self._own.frame_id or image.header.frame_id
        try:
            self._input.write(image)
        except SettingError as error:
            self._refused += 1
            self._complaints.add(f'{self._own.image_topic}: {error}')

    def _publish_results(self) -> None:
        try:
            for result in self._pool:
                self._topics.publish(result, self._frame_id)
                self._status.add(result)
        except Exception as error:  # the executor's thread raises it
            self._failure = error
            self._failed.trigger()

    def _on_failure(self) -> None:
        assert self._failure
        if isinstance(self._failure, CameraError):
            raise CameraError(f'{self.get_fully_qualified_name()}: {self._failure}')
        raise self._failure

    def _publish_diagnostics(self) -> None:
        self._diagnostics.publish([self._status.look(
            {'images refused': self._refused, 'frames gone before drawn': self._topics.gone})])

    def close(self) -> None:
        """End the workers, the threads and the ring."""
        self._pool.close()
        self._thread.join()
        if self._input:
            self._input.close()


def main() -> int:
    """Run `detector`."""
    return run(DetectorNode, publishes_images=True)


if __name__ == '__main__':
    raise SystemExit(main())
