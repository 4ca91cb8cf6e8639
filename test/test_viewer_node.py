"""The viewer node with real rclpy: cameras, a command loop's lateness, every refusal and end."""

from functools import partial
from pathlib import Path
import signal
import sys
from types import ModuleType, SimpleNamespace

from programs import eventually, run, running
import pytest
from rerun_file import free_port, read

pytest.importorskip('rclpy', reason='the nodes need rclpy')

from camera_mp.detectors import Detection  # noqa: E402, I100
from camera_mp.nodes.viewer import to_detection  # noqa: E402, I100

VIEWER = ('-m', 'camera_mp.nodes.viewer', '--ros-args')
LOOP = ('-m', 'camera_mp.nodes.command_loop', '--ros-args', '-p', 'rate:=100.0',
        '-p', 'rt_priority:=0', '-p', 'lock_memory:=false')


def _words(**values: object) -> list[str]:
    return [word for name, value in values.items() for word in ('-p', f'{name}:={value}')]


def _needs_rerun() -> None:
    pytest.importorskip('rerun', reason='the viewer needs rerun-sdk')


def _holds(path: Path, entity: str) -> bool:
    return entity.encode() in path.read_bytes()


def test_cameras_and_the_lateness_of_a_loop_are_saved(ros_domain: int, ring_name: str,
                                                      tmp_path: Path) -> None:
    _needs_rerun()
    path = tmp_path / 'out.rrd'
    with (running('-m', 'camera_mp.nodes.camera', '--ros-args', '-r', f'__ns:=/{ring_name}'),
          running(*LOOP) as loop,
          running(*VIEWER, *_words(mode='save', save_file=path)) as viewer):
        viewer.wait_for(f'to be seen: {path}')
        loop.wait_for('in force')
        for entity in ('/lateness/command_loop/max', f'/cameras/{ring_name}'):
            eventually(partial(_holds, path, entity), entity)
        assert viewer.end(signal.SIGINT) == 0
        assert 'Traceback' not in viewer.text
    saved = read(path)
    for name in ('p50', 'p99', 'max'):
        assert saved[f'/lateness/command_loop/{name}'][-1]['scalars'][0] >= 0
    assert saved[f'/cameras/{ring_name}']


def test_a_detection_keeps_its_box_and_its_best_name() -> None:
    def result(class_id: str, score: float) -> SimpleNamespace:
        return SimpleNamespace(hypothesis=SimpleNamespace(class_id=class_id, score=score))

    centre = SimpleNamespace(position=SimpleNamespace(x=12.0, y=23.0))
    box = SimpleNamespace(center=centre, size_x=4.0, size_y=6.0)
    message = SimpleNamespace(bbox=box, id='9', results=[result('cat', 0.2), result('dog', 0.7)])
    assert to_detection(message) == Detection('dog', 0.7, (10.0, 20.0, 4.0, 6.0))
    message.results = []
    assert to_detection(message) == Detection('9', 0.0, (10.0, 20.0, 4.0, 6.0))


def test_boxes_of_a_topic_are_saved(ros_domain: int, ring_name: str, tmp_path: Path) -> None:
    _needs_rerun()
    messages = pytest.importorskip('vision_msgs.msg', reason='vision_msgs is not installed')
    path = tmp_path / 'out.rrd'
    with running(*VIEWER, *_words(mode='save', save_file=path)) as viewer:
        viewer.wait_for('to be seen')
        _publish_until(messages, f'/{ring_name}/detections',
                       lambda: b'/detections' in path.read_bytes())
        assert viewer.end() == 0
    assert read(path)[f'/cameras/{ring_name}/detections'][0]['centers'] == [[12.0, 23.0]]


def _publish_until(messages: ModuleType, topic: str, done: object) -> None:
    import rclpy
    rclpy.init()
    node = rclpy.create_node('detector')
    publisher = node.create_publisher(messages.Detection2DArray, topic, 10)
    found = messages.Detection2D()
    found.bbox.center.position.x, found.bbox.center.position.y = 12.0, 23.0

    def published() -> bool:
        array = messages.Detection2DArray(detections=[found])
        array.header.stamp = node.get_clock().now().to_msg()
        publisher.publish(array)
        return bool(done())  # type: ignore[operator]

    try:
        eventually(published)
    finally:
        node.destroy_node()
        rclpy.shutdown()


def test_it_serves_and_signals_one_after_another_end_it(ros_domain: int) -> None:
    _needs_rerun()
    with running(*VIEWER, *_words(mode='serve', web_port=free_port(),
                                  grpc_port=free_port())) as viewer:
        viewer.wait_for('to be seen: http://localhost:')
        for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM):
            viewer.process.send_signal(number)
        assert viewer.wait() == 0
        assert 'Traceback' not in viewer.text


@pytest.mark.parametrize(('values', 'text'), [
    ({'mode': 'print'}, "mode: 'print' is not allowed; allowed: 'auto', 'window', 'serve'"),
    ({'max_rate': 15}, 'max_rate: 15 is of type integer; write 15.0'),
    ({'camerass': 'front'}, 'camerass: no such parameter; did you mean cameras?'),
    ({'mode': 'save'}, "save_file: '' names no file"),
])
def test_bad_parameters_are_one_line_and_a_code(ros_domain: int, values: dict[str, object],
                                                text: str) -> None:
    _needs_rerun()
    program = run(*VIEWER, *_words(**values))
    assert program.process.returncode == 2
    assert len(program.lines) == 1
    assert program.lines[0].startswith('/viewer: ')
    assert text in program.lines[0]


def test_without_rerun_it_is_one_line(ros_domain: int, tmp_path: Path,
                                      monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / 'rerun.py').write_text(
        "raise ModuleNotFoundError(\"No module named 'rerun'\", name='rerun')\n")
    monkeypatch.setenv('PYTHONPATH', ':'.join([str(tmp_path), *sys.path]))
    program = run(*VIEWER)
    assert program.process.returncode == 1
    assert program.lines == ['the viewer needs Rerun: pip install rerun-sdk']
