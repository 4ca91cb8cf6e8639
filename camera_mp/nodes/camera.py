"""The camera node: a capture process and its frames on sensor_msgs/Image topics."""

from dataclasses import dataclass
from typing import Any

from camera_mp.capture_process import CaptureProcess, Ready
from camera_mp.errors import CameraError, SettingError
from camera_mp.nodes import parameters
from camera_mp.nodes.camera_info import CameraInfoManager, resolve_url
from camera_mp.nodes.diagnostics import camera_status
from camera_mp.nodes.image_stream import ImageStream
from camera_mp.nodes.run import ProcessNode, run
from camera_mp.process_usage import own_memory, ProcessUsage
from camera_mp.ring.file import ring_path
from camera_mp.settings import setting, Settings
from camera_mp.sources import CaptureSettings, source_class, SOURCES
from diagnostic_msgs.msg import DiagnosticArray


@dataclass(frozen=True)
class CameraSettings(Settings):
    """Settings of the node itself."""

    camera_name: str = setting('', 'Name of the camera and its shared memory; default: the '
                               "namespace with dots for slashes, or the node's name.")
    frame_id: str = setting('', 'Frame of the optical axes, z forward, x right, y down '
                            '(REP 103); default: <camera_name>_optical_frame.')
    camera_info_url: str = setting('', 'Calibration file, file:///PATH or package://PACKAGE/PATH '
                                   'with ${NAME} and ${ROS_HOME}; default: '
                                   'file://${ROS_HOME}/camera_info/${NAME}.yaml.')


SETTINGS: tuple[type[Settings], ...] = (
    CameraSettings, *(source_class(name).Settings for name in SOURCES))


class CameraNode(ProcessNode):
    """
    Publishes `image_raw` and `camera_info`, and the topics of further streams.

    In a namespace its topics are directly below that; without one below the node's own name,
    so that two cameras never share a topic. Raises SettingError for bad parameters; if the
    camera cannot start, CameraError comes out of the executor.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__('camera', **options)
        self._streams: list[ImageStream] = []
        try:
            self._configure()
        except SettingError as error:
            raise parameters.located(self, error) from None
        changed = self.create_guard_condition(self._on_capture)
        self._capture = CaptureProcess(self.camera_name, dict(vars(self._settings)),
                                       self.get_logger(), on_change=changed.trigger)
        self._capture.start()
        self._usage = ProcessUsage()
        self._memory: int | None = None
        self._seconds = 0
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self.create_wall_timer(1.0, self._publish_diagnostics)

    def _configure(self) -> None:
        given = parameters.overrides(self).get('source', CaptureSettings.source)
        kind = source_class(given).Settings
        parameters.check_names(self, kind, CameraSettings)
        for name in parameters.overrides(self).keys() & parameters.names_of(SETTINGS):
            if name not in parameters.names_of([kind, CameraSettings]):
                self.get_logger().warning(f'{name}: given, but source {given!r} does not use it')
        self._settings = parameters.declare(self, kind)
        own = parameters.declare(self, CameraSettings)
        namespace = self.get_namespace().strip('/').replace('/', '.')
        self.camera_name = own.camera_name or namespace or self.get_name()
        ring_path(self.camera_name)
        self._frame_id = own.frame_id or f'{self.camera_name}_optical_frame'
        self._calibration = resolve_url(own.camera_info_url, self.camera_name)

    def _on_capture(self) -> None:
        if self._capture.ready and not self._streams:
            self._open_streams(self._capture.ready)
        elif self._capture.error and not self._capture.ready:
            raise CameraError(f'{self.get_fully_qualified_name()}: {self._capture.error}')

    def _open_streams(self, ready: Ready) -> None:
        prefix = '' if self.get_namespace() != '/' else '~/'
        infos = CameraInfoManager(
            self, self.camera_name, self._calibration, prefix,
            lambda: (self._capture.ready or ready).streams[0].format)
        for stream in ready.streams:
            self._streams.append(ImageStream(self, stream, prefix, self._frame_id,
                                             infos.for_stream(stream.name)))
            self.get_logger().info(f'{stream.ring}: {stream.format}, {ready.framerate:g} Hz, '
                                   f'on {self.resolve_topic_name(prefix + stream.topic)}')

    def _publish_diagnostics(self) -> None:
        array = DiagnosticArray()
        array.header.stamp = self.get_clock().now().to_msg()
        for stream in self._streams:
            status = stream.status()
            values: dict[str, object] = {
                'published': stream.published, 'missed': stream.missed,
                'capture restarts': self._capture.restarts}
            if status and status.alive and stream is self._streams[0]:
                values |= self._look_at(status.pid)
            array.status.append(camera_status(
                f'{self.get_fully_qualified_name()[1:]}: {stream.stream.ring}', status, values))
        self._diagnostics.publish(array)

    def _look_at(self, capture: int) -> dict[str, object]:
        if self._seconds % 5 == 0:  # it costs the kernel a walk through all the pages
            self._memory = own_memory(capture)
        self._seconds += 1
        cpu = self._usage.cpu(capture)
        return {'capture CPU (%)': '' if cpu is None else f'{cpu:.1f}',
                'capture memory (MB)': '' if self._memory is None else f'{self._memory / 1e6:.0f}'}

    def close(self) -> None:
        """End the threads and the capture process."""
        for stream in self._streams:
            stream.close()
        self._capture.stop()


def main() -> int:
    """Run `camera`."""
    return run(CameraNode, publishes_images=True)


if __name__ == '__main__':
    raise SystemExit(main())
