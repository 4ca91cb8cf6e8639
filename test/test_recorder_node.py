"""The recorder node with real rclpy: services, diagnostics, errors that end and begin again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from camera_mp.frame import FrameFormat
from camera_mp.ring import FrameWriter
import numpy as np
from programs import eventually, run, running
import pytest
from recordings import need_av, play, send, stamps, START

pytest.importorskip('rclpy', reason='the nodes need rclpy')

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus  # noqa: E402, I100
from ros_client import RosClient  # noqa: E402, I100
from std_srvs.srv import Trigger  # noqa: E402, I100

RECORDER = ('-m', 'camera_mp.nodes.recorder', '--ros-args')
IMAGE = np.zeros((96, 128, 3), np.uint8)


class _Operator(RosClient):
    """Calls the services and reads the diagnostics."""

    def __init__(self, domain: int) -> None:
        super().__init__(domain)
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._collect, 10)
        self._said: dict[str, Any] = {}

    def _collect(self, array: DiagnosticArray) -> None:
        self._said.update({status.name: status for status in array.status})

    def ask(self, service: str) -> Any:
        return self.call(Trigger, f'/recorder/{service}')

    def wait_for(self, name: str, message: str) -> dict[str, Any]:
        """Wait until a status says this; give its level and values."""
        def said() -> bool:
            self.executor.spin_once(0.1)
            return name in self._said and message in self._said[name].message

        eventually(said, f'{message!r} of {name}')
        status = self._said[name]
        return {'level': status.level, **{value.key: value.value for value in status.values}}


@pytest.fixture
def operator(ros_domain: int) -> Iterator[_Operator]:
    need_av()
    operator = _Operator(ros_domain)
    yield operator
    operator.close()


@pytest.fixture
def writer(operator: _Operator, ring_name: str) -> Iterator[FrameWriter]:
    with FrameWriter(ring_name, FrameFormat(96, 128, 'bgr8'), slots=64) as writer:
        yield writer


def _words(**values: object) -> list[str]:
    return [word for name, value in values.items() for word in ('-p', f'{name}:={value}')]


def test_it_records_from_start_to_stop(operator: _Operator, writer: FrameWriter,
                                       tmp_path: Path) -> None:
    camera = f'recorder: {writer.name}'
    with running(*RECORDER, *_words(folder=tmp_path, cameras=f'[{writer.name}]')) as node:
        answer = operator.ask('stop')
        assert (answer.success, answer.message) == (False, 'not recording')
        operator.wait_for('recorder: recorder', 'not recording')
        answer = operator.ask('start')
        assert (answer.success, answer.message) == (True, f'{writer.name}: no frame yet')
        assert operator.wait_for(camera, 'no frames come')['level'] == DiagnosticStatus.WARN
        send(writer, stamps(30), IMAGE)
        values = operator.wait_for(camera, 'recording')
        assert values['level'] == DiagnosticStatus.OK
        assert values['file'].endswith('.mp4.part')
        eventually(lambda: operator.wait_for(camera, 'recording')['recorded'] == '30')
        answer = operator.ask('start')
        assert (answer.success, answer.message) == (False, 'already recording')
        answer = operator.ask('stop')
        video, = tmp_path.glob('*.mp4')
        assert (answer.success, answer.message) == (
            True, f'{writer.name}: 30 frames, 0 missed: {video}')
        assert len(play(video)) == 30
        values = operator.wait_for(camera, 'not recording')
        assert (values['recorded'], values['missed'], values['files finished']) == ('30', '0', '1')
        assert node.end() == 0


def test_record_on_start_takes_all_cameras_and_ends_with_whole_files(
        operator: _Operator, writer: FrameWriter, tmp_path: Path) -> None:
    folder = tmp_path / 'made' / 'by it'
    with running(*RECORDER, *_words(folder=folder, record_on_start='true', segment_minutes=1.0,
                                    use_sim_time='true')) as node:  # without any /clock
        eventually(writer.has_readers)
        send(writer, [START, START + 61 * 10**9], IMAGE)
        node.wait_for('128x96 bgr8 into ', count=2)
        with FrameWriter(f'{writer.name}.later', FrameFormat(48, 64, 'mono8')) as later:
            eventually(later.has_readers)
            later.write(np.zeros((48, 64), np.uint8), START)
            node.wait_for('64x48 mono8 into ')
            assert node.end() == 0
    assert len(list(folder.glob('*.mp4'))) == 3
    assert not list(folder.glob('*.part'))


def test_a_folder_that_cannot_be_written_is_an_error_until_start_finds_one(
        operator: _Operator, writer: FrameWriter, tmp_path: Path) -> None:
    folder = tmp_path / 'videos'
    folder.write_text('in the way')
    with running(*RECORDER, *_words(folder=folder, record_on_start='true')) as node:
        values = operator.wait_for('recorder: recorder', f'folder: {folder}: File exists')
        assert values['level'] == DiagnosticStatus.ERROR
        answer = operator.ask('start')
        assert (answer.success, answer.message) == (False, f'folder: {folder}: File exists')
        folder.unlink()
        answer = operator.ask('start')
        assert answer.success
        operator.wait_for('recorder: recorder', 'recording')
        folder.rmdir()
        send(writer, stamps(2), IMAGE)
        values = operator.wait_for(f'recorder: {writer.name}', 'No such file or directory')
        assert values['level'] == DiagnosticStatus.ERROR
        assert 'No such file' in values['error']
        assert operator.ask('start').success
        send(writer, stamps(2), IMAGE)
        operator.wait_for(f'recorder: {writer.name}', 'recording')
        assert node.end() == 0
    assert len(list(folder.glob('*.mp4'))) == 1


@pytest.mark.parametrize(('values', 'text'), [
    ({'cameras': 'front'}, "cameras: 'front' is of type string; write one of type string_array"),
    ({'cameras': '[1, 2]'}, "cameras[0]: 1 is of type integer; write '1' in quotes"),
    ({'cameras': '[]'}, 'write one of type string_array'),
    ({'cameras': "['../x']"}, "camera name: '../x' is not allowed"),
    ({'codec': 'gif'}, "codec: 'gif' is not allowed; allowed: 'auto', 'h264'"),
    ({'segment_minutes': 10}, 'segment_minutes: 10 is of type integer; write 10.0'),
    ({'qualty': 1}, 'qualty: no such parameter; did you mean quality?'),
])
def test_bad_parameters_are_one_line_and_a_code(ros_domain: int, values: dict[str, object],
                                                text: str) -> None:
    need_av()
    program = run(*RECORDER, *_words(**values))
    assert program.process.returncode == 2
    assert len(program.lines) == 1
    assert text in program.lines[0]
