"""Every setting of every source and node becomes a described ROS parameter."""

from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from typing import Any

from programs import run
import pytest

rclpy = pytest.importorskip('rclpy', reason='the nodes need rclpy')

from camera_mp.nodes import parameters  # noqa: E402, I100
from camera_mp.parameters_file import EXECUTABLES  # noqa: E402, I100
from camera_mp.settings import Settings  # noqa: E402, I100

GROUPS = [group for name in EXECUTABLES
          for group in import_module(f'camera_mp.nodes.{name}').SETTINGS]


@pytest.fixture
def node(ros_domain: int) -> Iterator[Any]:
    context = rclpy.context.Context()
    rclpy.init(context=context, domain_id=ros_domain)
    node = rclpy.create_node('declares', context=context)
    yield node
    node.destroy_node()
    context.shutdown()


@pytest.mark.parametrize('group', GROUPS, ids=lambda group: group.__name__)
def test_every_setting_is_a_described_parameter(node: Any, group: type[Settings]) -> None:
    settings = parameters.declare(node, group)
    for item in fields(group):
        descriptor = node.describe_parameter(item.name)
        assert descriptor.description.endswith('.')
        assert descriptor.read_only != item.metadata['live']
        value = getattr(settings, item.name)
        shown = node.get_parameter(item.name).value
        assert shown == (list(value) if isinstance(value, tuple) else value)


def test_a_node_with_its_own_parameters_loads_no_other_node(ros_domain: int) -> None:
    code = ('import rclpy, sys; from camera_mp.nodes.command_loop import CommandLoopNode; '
            'rclpy.init(args=["--ros-args", "-p", "rate:=100.0"]); CommandLoopNode(); '
            'print("loaded:", "cv2" in sys.modules, "camera_mp.nodes.viewer" in sys.modules)')
    assert run('-c', code).wait_for('loaded:') == 'loaded: False False'
