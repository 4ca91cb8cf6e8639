"""The state of a camera as diagnostic_msgs, for rqt_robot_monitor and its like (REP 107)."""

from collections.abc import Mapping
from typing import Any

from camera_mp.ring import RingStatus, State
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

_LEVELS = {
    State.STARTING: DiagnosticStatus.WARN, State.STREAMING: DiagnosticStatus.OK,
    State.STALLED: DiagnosticStatus.ERROR, State.RECONNECTING: DiagnosticStatus.ERROR,
    State.STOPPED: DiagnosticStatus.STALE,
}


def camera_status(name: str, status: RingStatus | None, values: Mapping[str, object]) -> Any:
    """
    Give one DiagnosticStatus; without a ring, or with a dead writer, its level is ERROR.

    values: more to show, after what the ring says.
    """
    if status is None or not status.alive:
        level, text = DiagnosticStatus.ERROR, 'no capture process'
    else:
        level, text = _LEVELS[status.state], status.reason or status.state.name.lower()
    said: dict[str, object] = {}
    if status:
        said = {'state': status.state.name.lower(), 'reason': status.reason,
                'frames': status.committed, 'lost': status.lost, 'stalls': status.stalls,
                'reconnects': status.reconnects, 'framerate wanted': f'{status.framerate:g}'}
    return DiagnosticStatus(
        level=level, name=name, message=text,
        values=[KeyValue(key=key, value=str(value)) for key, value in {**said, **values}.items()])
