"""Components: loaded by their names, each on its own, gone with all they started."""

from collections.abc import Callable, Iterator
from dataclasses import replace
import os
from pathlib import Path
import signal
from typing import Any

from camera_mp.errors import CameraError, ComponentError
from camera_mp.ring import FrameReader
from camera_mp.ring.file import ring_path
from component_host import __file__ as HOST
from programs import eventually, PATIENCE, register, ROOT, running, wait_for_end
import pytest

rclpy = pytest.importorskip('rclpy', reason='the nodes need rclpy')

from camera_mp.nodes.components import component_class, Components, LoadRequest  # noqa: E402, I100
from rclpy.node import Node  # noqa: E402, I100
from rclpy.parameter import Parameter  # noqa: E402, I100

CAMERA = LoadRequest('camera_mp', 'camera_mp::CameraNode')


class FaultyNode(Node):
    """A component of somebody else's, that raises when it is told to."""

    def __init__(self, **options: Any) -> None:
        super().__init__('faulty', **options)
        self.declare_parameter('how', 'ZeroDivisionError')
        self._how = self.get_parameter('how').value
        if self._how == 'at once':
            raise RuntimeError('it\nfailed')
        self.create_timer(0.01, self._fail)

    def _fail(self) -> None:
        if self._how == 'CameraError':
            raise CameraError('the device is gone')
        raise ZeroDivisionError('division by zero')


class NoOptionsNode(Node):
    """A node that was never meant to be a component."""

    def __init__(self) -> None:
        super().__init__('no_options')


@pytest.fixture(scope='session')
def registered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the entry points of this setup.py, and of a package of somebody else."""
    folder = tmp_path_factory.mktemp('registered')
    register(folder)
    other = folder / 'other_robot-1.0.dist-info'
    other.mkdir()
    (other / 'METADATA').write_text('Name: other-robot\nVersion: 1.0\n')
    (other / 'entry_points.txt').write_text(
        '[rclpy_components]\nother_robot::Faulty = test_components:FaultyNode\n'
        'other_robot::NoOptions = test_components:NoOptionsNode\n'
        'other_robot::Lost = test_components_lost:Lost\n')
    return folder


@pytest.fixture
def context(ros_domain: int, registered: Path,
            monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(registered)
    monkeypatch.setenv('PYTHONPATH', f'{registered}:{ROOT}')
    context = rclpy.context.Context()
    rclpy.init(context=context, domain_id=ros_domain)
    yield context
    context.shutdown()


class Log:
    """Keeps what is logged."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.info = self.error = self.warning = self.lines.append


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def components(context: Any, log: Log) -> Iterator[Components]:
    components = Components(context, log)  # type: ignore[arg-type]
    yield components
    components.close()


@pytest.fixture
def graph(context: Any) -> Iterator[Callable[[], list[str]]]:
    """Give a function that tells the names of all nodes, as another node sees them."""
    watcher = rclpy.create_node('watcher', context=context)
    yield lambda: [f'{namespace.rstrip("/")}/{name}'
                   for name, namespace in watcher.get_node_names_and_namespaces()]
    watcher.destroy_node()


def _writer(camera: str) -> int:
    status = FrameReader(camera).status()
    return status.pid if status and status.alive else 0


def _parameter(name: str, value: Any) -> Any:
    return Parameter(name, value=value).to_parameter_msg()


def test_cameras_in_one_process_come_and_go(components: Components, ring_name: str,
                                            graph: Callable[[], list[str]]) -> None:
    first = replace(CAMERA, node_namespace=f'/{ring_name}/a',
                    parameters=[_parameter('image_width', 64), _parameter('image_height', 48)])
    second = replace(CAMERA, node_namespace=f'/{ring_name}/b', node_name='eye')
    assert components.load(first) == (1, f'/{ring_name}/a/camera')
    assert components.load(second) == (2, f'/{ring_name}/b/eye')
    frame = FrameReader(f'{ring_name}.a').wait(PATIENCE)
    assert (frame.format.width, frame.format.height) == (64, 48)
    FrameReader(f'{ring_name}.b').wait(PATIENCE)
    assert components.names() == {1: f'/{ring_name}/a/camera', 2: f'/{ring_name}/b/eye'}
    eventually(lambda: {f'/{ring_name}/a/camera', f'/{ring_name}/b/eye'} <= {*graph()})

    capture, other = _writer(f'{ring_name}.a'), _writer(f'{ring_name}.b')
    components.unload(1)
    wait_for_end(capture)
    assert not ring_path(f'{ring_name}.a').exists()
    eventually(lambda: f'/{ring_name}/a/camera' not in graph(), 'the end of the node')
    assert components.names() == {2: f'/{ring_name}/b/eye'}
    assert _writer(f'{ring_name}.b') == other
    with pytest.raises(ComponentError, match='no node has the unique id 1'):
        components.unload(1)
    assert components.load(first)[0] == 3


@pytest.mark.parametrize(('request_', 'text'), [
    (LoadRequest('camera_mp', 'camera_mp::CamraNode'),
     "'camera_mp::CamraNode': package 'camera_mp' has no such component; "
     'allowed: camera_mp::CameraNode'),
    (LoadRequest('nobody', 'camera_mp::CameraNode'), 'allowed: none is registered'),
    (LoadRequest('other_robot', 'other_robot::Lost'), "No module named 'test_components_lost'"),
    (LoadRequest('other_robot', 'other_robot::NoOptions'), 'unexpected keyword argument'),
    (replace(CAMERA, node_name='no name'), 'no name'),
    (replace(CAMERA, remap_rules=['nonsense']), 'nonsense'),
    (replace(CAMERA, log_level=7), '7 is not a valid LoggingSeverity'),
    (replace(CAMERA, parameters=[_parameter('framerate', 30)]),
     '/camera: framerate: 30 is of type integer; write 30.0'),
    (replace(CAMERA, parameters=[_parameter('framerat', 30.0)]),
     '/camera: framerat: no such parameter; did you mean framerate?'),
    (replace(CAMERA, extra_arguments=[_parameter('fast', True)]),
     "extra argument 'fast' is unknown"),
    (replace(CAMERA, extra_arguments=[_parameter('enable_rosout', 'yes')]),
     "extra argument enable_rosout: 'yes' is not allowed; allowed: true, false"),
    (LoadRequest('other_robot', 'other_robot::Faulty', parameters=[_parameter('how', 'at once')]),
     'RuntimeError: it failed'),
])
def test_what_cannot_be_loaded_says_why_and_leaves_nothing(
        components: Components, graph: Callable[[], list[str]], request_: LoadRequest,
        text: str) -> None:
    with pytest.raises(ComponentError) as caught:
        components.load(request_)
    assert text in str(caught.value)
    assert '\n' not in str(caught.value)
    assert components.names() == {}
    eventually(lambda: graph() == ['/watcher'], 'the end of the node')


@pytest.mark.parametrize(('how', 'text'), [
    ('CameraError', '/faulty: failed and is unloaded: the device is gone'),
    ('ZeroDivisionError', 'ZeroDivisionError: division by zero')])
def test_one_that_fails_later_is_unloaded_alone(
        components: Components, log: Log, ring_name: str, how: str, text: str,
        graph: Callable[[], list[str]]) -> None:
    components.load(replace(CAMERA, node_namespace=f'/{ring_name}'))
    components.load(LoadRequest('other_robot', 'other_robot::Faulty',
                                parameters=[_parameter('how', how)]))
    eventually(lambda: components.names() == {1: f'/{ring_name}/camera'})
    eventually(lambda: '/faulty' not in graph())
    assert any(text in line for line in log.lines)
    reader = FrameReader(ring_name)
    reader.wait(PATIENCE)
    reader.wait(PATIENCE)


def test_a_camera_without_its_device_is_unloaded(components: Components, log: Log) -> None:
    components.load(replace(CAMERA, parameters=[
        _parameter('source', 'video'), _parameter('video_device', '/nowhere')]))
    eventually(lambda: not components.names())
    eventually(lambda: '/camera: unloaded' in log.lines)
    assert any('/nowhere does not exist' in line for line in log.lines)


def test_rules_levels_and_global_arguments_reach_the_node(registered: Path, ring_name: str,
                                                          ros_domain: int) -> None:
    context = rclpy.context.Context()
    rclpy.init(context=context, domain_id=ros_domain, args=[
        '--ros-args', '-r', '__node:=container', '-p', 'how:=CameraError'])
    made: list[Any] = []

    class Known(Node):
        def __init__(self, **options: Any) -> None:
            super().__init__('known', allow_undeclared_parameters=True,
                             automatically_declare_parameters_from_overrides=True, **options)
            made.append(self)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('camera_mp.nodes.components.component_class', lambda *names: Known)
        components = Components(context, Log())  # type: ignore[arg-type]
        plain = LoadRequest('a', 'b', remap_rules=['chatter:=talk'], log_level=40)
        assert components.load(plain)[1] == '/known'
        components.load(replace(plain, node_name='second', parameters=[_parameter('x', 1.5)],
                                extra_arguments=[_parameter('forward_global_arguments', True),
                                                 _parameter('use_intra_process_comms', True)]))
    first, second = made
    assert first.resolve_topic_name('chatter') == '/talk'
    assert first.get_logger().get_effective_level() == 40
    assert not first.has_parameter('how')
    assert second.get_fully_qualified_name() == '/second'
    assert (second.get_parameter('how').value, second.get_parameter('x').value) == (
        'CameraError', 1.5)
    components.close()
    context.shutdown()


def test_the_entry_point_is_the_camera_node(context: Any) -> None:
    from camera_mp.nodes.camera import CameraNode
    assert component_class('camera-mp', 'camera_mp::CameraNode') is CameraNode


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_captures_end_with_their_process(context: Any, ring_name: str, number: signal.Signals,
                                         monkeypatch: pytest.MonkeyPatch) -> None:
    cameras = [f'{ring_name}.a', f'{ring_name}.b']
    monkeypatch.setenv('NAMESPACES', ' '.join('/' + name.replace('.', '/') for name in cameras))
    with running(HOST) as host:
        for name in cameras:
            FrameReader(name).wait(PATIENCE)
        captures = [_writer(name) for name in cameras]
        os.kill(host.process.pid, number)
        assert host.wait() == (0 if number != signal.SIGKILL else -number)
        wait_for_end(*captures)
    assert not any(ring_path(name).exists() for name in cameras)
