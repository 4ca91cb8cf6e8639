"""The camera node: a capture process and its frames on sensor_msgs/Image topics."""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from camera_mp.capture_process import Ready
from camera_mp.errors import CameraError, SettingError
from camera_mp.nodes import parameters
from camera_mp.nodes.camera_capture import CameraCapture
from camera_mp.nodes.camera_controls import CameraControls
from camera_mp.nodes.camera_info import CameraInfoManager, resolve_url
from camera_mp.nodes.camera_services import CameraServices
from camera_mp.nodes.diagnostics import CameraDiagnostics
from camera_mp.nodes.image_stream import ImageStream
from camera_mp.nodes.run import ProcessNode, run
from camera_mp.ring.file import ring_path
from camera_mp.settings import setting, Settings
from camera_mp.snapshot import KINDS
from camera_mp.sources import CaptureSettings, source_class, SOURCES
from rcl_interfaces.msg import SetParametersResult
from rclpy.parameter import Parameter

_DEMAND_PERIOD = 0.5  # seconds between looks for readers; subscribers are seen at once


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
    jpeg_quality: int = setting(95, 'Quality of JPEG, where the camera gives none itself.',
                                low=1, high=100, live=True)
    capture_on_demand: bool = setting(False, 'Open the device only while somebody looks.')
    snapshot_directory: str = setting('', 'Where save_snapshot writes; default: snapshots in '
                                      'ROS_HOME or ~/.ros.', live=True)
    snapshot_format: str = setting('png', 'What save_snapshot writes.', choices=KINDS, live=True)


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
        self._streams: dict[str, ImageStream] = {}
        self._infos: CameraInfoManager | None = None
        try:
            settings = self._configure()
        except SettingError as error:
            raise parameters.located(self, error) from None
        self._prefix = '' if self.get_namespace() != '/' else '~/'
        self.add_on_set_parameters_callback(self._on_set_parameters)
        changed = self.create_guard_condition(self._on_capture)
        self._capture = CameraCapture(
            self.camera_name, settings, self._controls.wanted, self.get_logger(),
            changed.trigger, self._own.capture_on_demand)
        CameraDiagnostics(self, self._capture, lambda: self._streams.values())
        CameraServices(self, self._prefix, self._capture, lambda: (
            self._own.snapshot_directory, self._own.snapshot_format, self._own.jpeg_quality))
        if self._own.capture_on_demand:
            self.create_wall_timer(_DEMAND_PERIOD, self._look_for_demand)

    def _configure(self) -> CaptureSettings:
        overrides = parameters.overrides(self)
        source = overrides.get('source', CaptureSettings.source)
        kind = source_class(source)
        own = parameters.names_of([kind.Settings, CameraSettings])
        unknown = parameters.unknown_names(self, kind.Settings, CameraSettings)
        if not kind.has_controls:
            parameters.refuse(unknown, own)
        self._controls = CameraControls(own, {name: overrides[name] for name in unknown})
        parameters.tell_unused(self, [kind.Settings, CameraSettings], SETTINGS,
                               f'source {source!r}')
        settings = parameters.declare(self, kind.Settings)
        self._own = parameters.declare(self, CameraSettings)
        self.camera_name = (self._own.camera_name or parameters.dotted(self.get_namespace())
                            or self.get_name())
        ring_path(self.camera_name)
        self._frame_id = self._own.frame_id or f'{self.camera_name}_optical_frame'
        self._calibration = resolve_url(self._own.camera_info_url, self.camera_name)
        return settings

    def _on_capture(self) -> None:
        try:
            if self._capture.look() and self._capture.ready:
                self._adapt(self._capture.ready)
        except CameraError as error:
            text = f'{self.get_fully_qualified_name()}: {error}'
            if not self._streams:
                raise CameraError(text) from None
            self.get_logger().error(text)

    def _adapt(self, ready: Ready) -> None:
        """Publish what the capture delivers now."""
        jpegs = {one.topic.removesuffix('/compressed'): one.ring for one in ready.streams
                 if one.format.encoding == 'jpeg'}
        if self._infos is None:
            self._infos = CameraInfoManager(
                self, self.camera_name, self._calibration, self._prefix,
                lambda: (self._capture.ready or ready).streams[0].format)
        for stream in ready.streams:
            if stream.format.encoding == 'jpeg':
                continue
            if stream.name not in self._streams:
                self._streams[stream.name] = ImageStream(
                    self, stream, self._prefix, self._frame_id, lambda: self._own.jpeg_quality,
                    self._infos.for_stream(stream.name),
                    self._look_for_demand if self._own.capture_on_demand else None)
            self._streams[stream.name].adapt(stream, jpegs.get(stream.topic, ''))
            self.get_logger().info(f'{stream.ring}: {stream.format}, {ready.framerate:g} Hz, on '
                                   f'{self.resolve_topic_name(self._prefix + stream.topic)}')
        self._controls.declare(self, ready.controls)

    def _look_for_demand(self, change: object = None) -> None:
        self._capture.look_for_demand(any(
            stream.is_wanted for stream in self._streams.values()))

    def _on_set_parameters(self, given: 'Iterable[Parameter[Any]]') -> SetParametersResult:
        try:
            with ExitStack() as undo:
                self._change({parameter.name: parameter.value for parameter in given}, undo)
                undo.pop_all()
        except CameraError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _change(self, values: dict[str, Any], undo: ExitStack) -> None:
        """Carry out changes of live parameters, of which rclpy has checked type and range."""
        own = {name: value for name, value in values.items()
               if name in parameters.names_of([CameraSettings])}
        changed = replace(self._own, **own)
        capture = {name: value for name, value in values.items()
                   if name in parameters.names_of([type(self._capture.settings)])}
        if capture:
            before = {name: getattr(self._capture.settings, name) for name in capture}
            self._capture.configure(capture)
            undo.callback(self._capture.configure, before)
        for name in filter(self._controls.__contains__, values):
            self._set_control(name, int(values[name]), undo)
        self._own = changed

    def _set_control(self, name: str, value: int, undo: ExitStack) -> None:
        control, before = self._controls.control_of(name), int(self.get_parameter(name).value)
        made = self._capture.set_control(control, value)
        undo.callback(self._capture.set_control, control, before)
        if made != value:
            raise SettingError(f'{name}: {value} is not possible, the driver makes {made} of it')

    def close(self) -> None:
        """End the threads and the capture process."""
        for stream in self._streams.values():
            stream.close()
        self._capture.close()


def main() -> int:
    """Run `camera`."""
    return run(CameraNode, publishes_images=True)


if __name__ == '__main__':
    raise SystemExit(main())
