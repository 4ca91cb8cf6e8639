"""The launch file starts the same nodes as bringup and none outlives it; on a ROS install."""

from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
import os
from pathlib import Path
import shutil
import signal
import subprocess
from typing import Any

from camera_mp.parameters_file import read_nodes
from camera_mp.ring import FrameReader
from camera_mp.ring.file import ring_path
from programs import eventually, parent_of, PATIENCE, ROOT, wait_for_end
import pytest

LAUNCH_FILE = ROOT / 'launch' / 'cameras.launch.py'
CONFIG = ROOT / 'config' / 'cameras.yaml'


@pytest.fixture
def launch_file() -> Any:
    """Give the launch file as a module."""
    pytest.importorskip('launch_ros', reason='launch comes with a ROS install')
    spec = spec_from_file_location('cameras_launch', LAUNCH_FILE)
    assert spec and spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def start(launch_file: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """Give a function that makes the actions of a launch with these arguments."""
    from launch import LaunchContext
    monkeypatch.setattr(launch_file, 'get_package_share_directory', lambda name: ROOT)

    def start(**arguments: str) -> list[Any]:
        context = LaunchContext()
        context.launch_configurations.update(arguments)
        for argument in launch_file.generate_launch_description().get_launch_arguments():
            argument.execute(context)
        actions: list[Any] = launch_file.start_nodes(context)
        for action in actions:
            action._perform_substitutions(context)
        return actions
    return start


def _command(action: Any) -> str:
    """Give the command line, without the name and the namespace, which come last."""
    from launch import LaunchContext
    from launch.substitutions import LocalSubstitution
    return ' '.join(''.join(part.perform(LaunchContext()) for part in word
                            if not isinstance(part, LocalSubstitution)) for word in action.cmd[1:])


def test_its_nodes_are_those_of_bringup(start: Callable[..., list[Any]]) -> None:
    from launch import LaunchContext
    from launch.utilities import perform_substitutions
    actions = start(config=str(CONFIG))
    assert [(action.node_package, action.node_executable, action.node_name)
            for action in actions] == [
        ('camera_mp', entry.executable, entry.full_name) for entry in read_nodes(CONFIG)]
    for action in actions:
        assert 'CAMERA_MP_PARENT' in [
            perform_substitutions(LaunchContext(), name) for name, _ in action.additional_env]


def test_every_argument_is_described(launch_file: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch_file, 'get_package_share_directory', lambda name: ROOT)
    arguments = launch_file.generate_launch_description().get_launch_arguments()
    assert {argument.name for argument in arguments} == {
        'config', 'namespace', 'composed', 'log_level', 'use_sim_time'}
    assert all(argument.description and argument.default_value is not None
               for argument in arguments)


@pytest.mark.parametrize(('given', 'above', 'namespace'), [
    ('r1', '', '/r1'), ('/r1', '', '/r1'), ('r1/', 'fleet', '/fleet/r1'), ('', 'fleet', '/fleet'),
    ('/r1', 'fleet', '/r1'), ('/', '', '')])
def test_a_namespace_goes_above_the_nodes_and_the_file(
        start: Callable[..., list[Any]], given: str, above: str, namespace: str) -> None:
    actions = start(namespace=given, **{'ros_namespace': above} if above else {})
    assert [action.node_name for action in actions] == [
        namespace + entry.full_name for entry in read_nodes(CONFIG)]
    file = Path(_command(actions[0]).split('--params-file ')[1].split()[0])
    assert [entry.full_name for entry in read_nodes(file)] == [
        action.node_name for action in actions]


def test_level_and_clock_reach_every_node(start: Callable[..., list[Any]]) -> None:
    for action in start(log_level='debug', use_sim_time='True'):
        assert '--log-level debug -p use_sim_time:=true' in _command(action)
    for action in start():
        assert 'use_sim_time' not in _command(action)


def test_composed_cameras_are_one_process(start: Callable[..., list[Any]]) -> None:
    loop, container = start(composed='true', namespace='r1')
    assert (loop.node_executable, container.node_executable) == (
        'command_loop', 'component_container')
    assert container.node_name == '/r1/cameras'
    assert ('camera_mp camera_mp::CameraNode /r1/front/camera '
            'camera_mp camera_mp::CameraNode /r1/left/camera --ros-args') in _command(container)


@pytest.mark.skipif(not shutil.which('ros2'), reason='ros2 launch comes with a ROS install')
@pytest.mark.parametrize('composed', ['false', 'true'])
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_node_outlives_ros2_launch(ros_domain: int, ring_name: str, tmp_path: Path,
                                      number: signal.Signals, composed: str) -> None:
    config = tmp_path / 'cameras.yaml'
    config.write_text(f'/{ring_name}/camera: {{ros__parameters: {{image_width: 64}}}}\n')
    launch = subprocess.Popen(
        # a test run that a script has in the background ignores SIGINT, and so would launch
        ['env', '--default-signal=INT', 'ros2', 'launch', 'camera_mp', 'cameras.launch.py',
         f'config:={config}', f'composed:={composed}'], start_new_session=True)
    try:
        FrameReader(ring_name).wait(PATIENCE)
        status = FrameReader(ring_name).status()
        assert status
        node = parent_of(status.pid)
        os.kill(launch.pid, number)
        code = launch.wait(PATIENCE)
        wait_for_end(status.pid, node)
        assert code == {signal.SIGINT: 0}.get(number, code)
        eventually(lambda: not ring_path(ring_name).exists(), 'the ring is gone')
    finally:
        if launch.poll() is None:
            os.killpg(launch.pid, signal.SIGKILL)
            launch.wait(PATIENCE)
