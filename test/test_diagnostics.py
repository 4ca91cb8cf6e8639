"""What a camera says of itself on /diagnostics, in every state, without a subscriber."""

from collections.abc import Iterator
from pathlib import Path

from programs import PATIENCE, running
import pytest
from test_source_video import make_video

pytest.importorskip('rclpy', reason='the nodes need rclpy')

from camera_mp.nodes.diagnostics import camera_status  # noqa: E402, I100
from camera_mp.ring import RingStatus, State  # noqa: E402, I100
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus  # noqa: E402, I100
from ros_client import RosClient  # noqa: E402, I100


def _status(state: State, *, alive: bool = True, reason: str = '') -> RingStatus:
    return RingStatus(state, reason, 1, alive, 9, 2, 0, 0, 30.0, 1, 0, 0, None)


@pytest.mark.parametrize(('status', 'level', 'message'), [
    (_status(State.STREAMING), DiagnosticStatus.OK, 'streaming'),
    (_status(State.STARTING), DiagnosticStatus.WARN, 'starting'),
    (_status(State.STALLED, reason='no frame'), DiagnosticStatus.ERROR, 'no frame'),
    (_status(State.RECONNECTING, reason='lost'), DiagnosticStatus.ERROR, 'lost'),
    (_status(State.STOPPED, reason='end'), DiagnosticStatus.STALE, 'end'),
    (_status(State.STREAMING, alive=False), DiagnosticStatus.ERROR, 'no capture process'),
    (None, DiagnosticStatus.ERROR, 'no capture process'),
])
def test_every_state_has_its_level(status: RingStatus | None, level: bytes,
                                   message: str) -> None:
    result = camera_status('front', status, {'missed': 3})
    assert (result.level, result.message) == (level, message)
    assert {value.key: value.value for value in result.values}['missed'] == '3'


class _Listener(RosClient):
    """Collects /diagnostics in a domain."""

    def __init__(self, domain: int) -> None:
        super().__init__(domain)
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._collect, 10)
        self.seen: list[DiagnosticStatus] = []

    def _collect(self, array: DiagnosticArray) -> None:
        self.seen.extend(array.status)

    def wait_for(self, message: str) -> DiagnosticStatus:
        for _ in range(int(PATIENCE * 10)):
            self.executor.spin_once(0.1)
            found = [one for one in self.seen if one.message == message]
            if found:
                return found[0]
        raise AssertionError(f'{message!r} not among {[one.message for one in self.seen]}')


@pytest.fixture
def listener(ros_domain: int) -> Iterator[_Listener]:
    listener = _Listener(ros_domain)
    yield listener
    listener.close()


def test_a_video_that_ends_is_stopped_with_the_reason(
        listener: _Listener, ring_name: str, tmp_path: Path) -> None:
    path = make_video(tmp_path / 'a.avi')
    with running('-m', 'camera_mp.nodes.camera', '--ros-args', '-r', f'__ns:=/{ring_name}',
                 '-p', 'source:=video', '-p', f'video_device:={path}', '-p', 'loop:=false',
                 '-p', 'framerate:=5.0') as camera:
        stopped = listener.wait_for(f'end of {path}')
        assert camera.end() == 0
    assert stopped.level == DiagnosticStatus.STALE
    values = {value.key: value.value for value in stopped.values}
    assert (values['state'], values['frames'], values['lost']) == ('stopped', '12', '0')


def test_a_camera_that_streams_says_how_fast_and_how_old(
        listener: _Listener, ring_name: str) -> None:
    with running('-m', 'camera_mp.nodes.camera', '--ros-args', '-r', f'__ns:=/{ring_name}'):
        listener.wait_for('streaming')
        listener.seen.clear()
        status = listener.wait_for('streaming')  # a rate is known from the second look on
    assert (status.name, status.level) == (
        f'{ring_name}/camera: {ring_name}', DiagnosticStatus.OK)
    values = {value.key: value.value for value in status.values}
    assert float(values['framerate']) > 0
    assert float(values['framerate wanted']) == 30.0
    assert float(values['age of newest frame (ms)']) >= 0
    assert (values['capture restarts'], values['last error']) == ('0', '')
