"""The launch file starts the same nodes as bringup and none outlives it; on a ROS install."""

from importlib.util import module_from_spec, spec_from_file_location
import os
from pathlib import Path
import shutil
import signal
import subprocess

from camera_mp.parameters_file import read_nodes
from camera_mp.ring import FrameReader
from camera_mp.ring.file import ring_path
from programs import eventually, parent_of, PATIENCE, ROOT, wait_for_end
import pytest

pytest.importorskip('launch_ros', reason='launch comes with a ROS install')

from launch import LaunchContext  # noqa: E402, I100
from launch.utilities import perform_substitutions  # noqa: E402, I100

LAUNCH_FILE = ROOT / 'launch' / 'cameras.launch.py'
CONFIG = ROOT / 'config' / 'cameras.yaml'


def test_its_nodes_are_those_of_bringup() -> None:
    spec = spec_from_file_location('cameras_launch', LAUNCH_FILE)
    assert spec and spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    context = LaunchContext()
    context.launch_configurations['config'] = str(CONFIG)
    actions = module.start_nodes(context)
    entries = read_nodes(CONFIG)
    assert [(action.node_package, action.node_executable) for action in actions] == [
        ('camera_mp', entry.executable) for entry in entries]
    for action in actions:
        assert 'CAMERA_MP_PARENT' in [
            perform_substitutions(context, name) for name, _ in action.additional_env or []]


@pytest.mark.skipif(not shutil.which('ros2'), reason='ros2 launch comes with a ROS install')
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_node_outlives_ros2_launch(ros_domain: int, ring_name: str, tmp_path: Path,
                                      number: signal.Signals) -> None:
    config = tmp_path / 'cameras.yaml'
    config.write_text(f'/{ring_name}/camera: {{ros__parameters: {{image_width: 64}}}}\n')
    launch = subprocess.Popen(['ros2', 'launch', 'camera_mp', 'cameras.launch.py',
                               f'config:={config}'], start_new_session=True)
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
