"""The state of a camera as diagnostic_msgs, for rqt_robot_monitor and its like (REP 107)."""

from collections.abc import Callable, Iterable, Mapping
import time
from typing import Any

from camera_mp.frame_rate import FrameRate
from camera_mp.nodes.camera_capture import CameraCapture
from camera_mp.nodes.diagnostic_status import diagnostic_status, DiagnosticsPublisher
from camera_mp.nodes.image_stream import ImageStream
from camera_mp.nodes.run import ProcessNode
from camera_mp.process_usage import own_memory, ProcessUsage
from camera_mp.ring import RingStatus, State
from diagnostic_msgs.msg import DiagnosticStatus

_LEVELS = {
    State.STARTING: DiagnosticStatus.WARN, State.STREAMING: DiagnosticStatus.OK,
    State.STALLED: DiagnosticStatus.ERROR, State.RECONNECTING: DiagnosticStatus.ERROR,
    State.STOPPED: DiagnosticStatus.STALE,
}
_MEMORY_LOOKS = 5  # seconds between looks: it costs the kernel a walk through all the pages


def camera_status(name: str, status: RingStatus | None, values: Mapping[str, object],
                  off: str = '') -> Any:
    """
    Give one DiagnosticStatus; without a ring, or with a dead writer, its level is ERROR.

    values: more to show, after what the ring says. off: why there is no capture on purpose.
    """
    if off:
        level, text = DiagnosticStatus.OK, f'off: {off}'
    elif status is None or not status.alive:
        level, text = DiagnosticStatus.ERROR, 'no capture process'
    else:
        level, text = _LEVELS[status.state], status.reason or status.state.name.lower()
    said: dict[str, object] = {}
    if status:
        age = (time.time_ns() - status.stamp_ns) / 1e6
        said = {'state': status.state.name.lower(), 'reason': status.reason,
                'frames': status.frames, 'lost': status.lost, 'stalls': status.stalls,
                'reconnects': status.reconnects, 'framerate wanted': f'{status.framerate:g}',
                'age of newest frame (ms)': f'{age:.0f}' if status.stamp_ns else ''}
    return diagnostic_status(level, name, text, {**said, **values})


class CameraDiagnostics:
    """
    Publishes the state of each stream once a second, whether anybody subscribes or not.

    streams: gives the camera's streams, the main one first.
    """

    def __init__(self, node: ProcessNode, capture: CameraCapture,
                 streams: Callable[[], Iterable[ImageStream]]) -> None:
        self._node, self._capture, self._streams = node, capture, streams
        self._usage = ProcessUsage()
        self._memory: int | None = None
        self._looks = 0
        self._rates: dict[str, FrameRate] = {}
        self._publisher = DiagnosticsPublisher(node)
        node.create_wall_timer(1.0, self._publish)

    def _publish(self) -> None:
        self._publisher.publish([self._status(stream, main=number == 0)
                                 for number, stream in enumerate(self._streams())])

    def _status(self, stream: ImageStream, *, main: bool) -> Any:
        ring, status = stream.stream.ring, stream.status()
        values: dict[str, object] = {
            'published': stream.published, 'missed': stream.missed,
            'capture restarts': self._capture.restarts, 'last error': self._capture.error}
        if status and status.alive:
            rate = self._rates.setdefault(ring, FrameRate()).look(status)
            values['framerate'] = '' if rate is None else f'{rate:.1f}'
            if main:
                values |= self._look_at(status.pid)
        off = '' if self._capture.error else self._capture.off
        result = camera_status(f'{self._node.get_fully_qualified_name()[1:]}: {ring}', status,
                               values, off)
        result.hardware_id = self._capture.ready.hardware_id if self._capture.ready else ''
        return result

    def _look_at(self, capture: int) -> dict[str, object]:
        if self._looks % _MEMORY_LOOKS == 0:
            self._memory = own_memory(capture)
        self._looks += 1
        cpu = self._usage.cpu(capture)
        return {'capture CPU (%)': '' if cpu is None else f'{cpu:.1f}',
                'capture memory (MB)': '' if self._memory is None else f'{self._memory / 1e6:.0f}'}
