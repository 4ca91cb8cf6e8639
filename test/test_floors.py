"""The architecture that the folders promise: rclpy in nodes/ alone, every entry point real."""

import ast
import configparser
from importlib import import_module
from pathlib import Path
import re

from programs import ROOT
import pytest

ROS = {'rclpy', 'sensor_msgs', 'std_msgs', 'diagnostic_msgs', 'rcl_interfaces',
       'builtin_interfaces', 'composition_interfaces', 'launch', 'launch_ros', 'vision_msgs',
       'cv_bridge'}
FILES = sorted((ROOT / 'camera_mp').rglob('*.py'))


def _imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or '')
    return names


@pytest.mark.parametrize('path', FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_nodes_import_ros(path: Path) -> None:
    imported = _imports(path)
    if 'nodes' not in path.parts:
        assert not {name.partition('.')[0] for name in imported} & ROS
        assert not {name for name in imported if name.startswith('camera_mp.nodes')}


@pytest.mark.parametrize('path', [path for path in FILES if path.parent.name == 'ring'],
                         ids=lambda path: path.name)
def test_the_ring_needs_numpy_and_the_standard_library_only(path: Path) -> None:
    installed = {name.partition('.')[0] for name in _imports(path)}
    assert not installed & (ROS | {'cv2', 'yaml'})


def test_entry_points_exist() -> None:
    text = (ROOT / 'setup.py').read_text()
    points = re.findall(r"'(\w+) = (camera_mp[\w.]*):(\w+)'", text)
    assert {name for name, _, _ in points} >= {'bringup', 'camera', 'capture', 'top'}
    for _, module, function in points:
        if 'nodes' in module:
            pytest.importorskip('rclpy', reason='the nodes need rclpy')
        assert callable(getattr(import_module(module), function))


def test_scripts_go_where_ros2_run_looks() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / 'setup.cfg')
    assert config['develop']['script_dir'] == config['install']['install_scripts'] == (
        '$base/lib/camera_mp')
