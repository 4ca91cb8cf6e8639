"""Starts every node of one parameters file: ros2 launch camera_mp cameras.launch.py config:=F."""

import os
from pathlib import Path
from typing import Any

from ament_index_python.packages import get_package_share_directory
from camera_mp.parameters_file import move_below, NodeEntry, read_nodes
from camera_mp.parent import environment
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.utilities import make_namespace_absolute, prefix_namespace

COMPONENTS = {'camera': 'camera_mp::CameraNode'}  # by executable
CONTAINER = 'cameras'


def start_nodes(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Make an action of each node that the file names, as `bringup` makes a process."""
    file = LaunchConfiguration('config').perform(context)
    entries = read_nodes(file)
    namespace = _namespace(context)
    if namespace:
        file = _file_of(move_below(file, namespace))
        entries = [NodeEntry(entry.executable, (namespace + entry.namespace).rstrip('/'),
                             entry.name) for entry in entries]
    options = _options(context, file)
    composed = [entry for entry in entries if entry.executable in COMPONENTS
                and IfCondition(LaunchConfiguration('composed')).evaluate(context)]
    actions: list[LaunchDescriptionEntity] = [
        Node(executable=entry.executable, namespace=entry.namespace, name=entry.name,
             exec_name=entry.full_name[1:].replace('/', '.'), **options)
        for entry in entries if entry not in composed]
    return actions + [_container(composed, namespace, options)] * bool(composed)


def _namespace(context: LaunchContext) -> str:
    """Give what all nodes go below, '' or '/a/b': the argument, below any PushRosNamespace."""
    above = context.launch_configurations.get('ros_namespace')
    own = LaunchConfiguration('namespace').perform(context) or None
    return (make_namespace_absolute(prefix_namespace(above, own)) or '').rstrip('/')


def _file_of(text: str) -> str:
    """Give the path of a file of no name, that is there as long as this process."""
    fd = os.memfd_create('camera_mp_parameters')
    os.write(fd, text.encode())
    return f'/proc/{os.getpid()}/fd/{fd}'


def _options(context: LaunchContext, file: str) -> dict[str, Any]:
    """Give what the processes have in common."""
    arguments = ['--log-level', LaunchConfiguration('log_level').perform(context)]
    if IfCondition(LaunchConfiguration('use_sim_time')).evaluate(context):
        arguments += ['-p', 'use_sim_time:=true']
    return {'package': 'camera_mp', 'parameters': [file], 'ros_arguments': arguments,
            'output': 'screen', 'emulate_tty': True, 'respawn': True, 'respawn_delay': 2.0,
            'additional_env': environment()}


def _container(entries: list[NodeEntry], namespace: str, options: dict[str, Any]) -> Node:
    """Make a container that has these nodes, whenever it is started again."""
    components = [f'camera_mp {COMPONENTS[entry.executable]} {entry.full_name}'
                  for entry in entries]
    return Node(executable='component_container', namespace=namespace or '/', name=CONTAINER,
                arguments=components, **options)


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the file is read when the launch runs."""
    default = Path(get_package_share_directory('camera_mp')) / 'config' / 'cameras.yaml'
    return LaunchDescription([
        DeclareLaunchArgument('config', default_value=str(default),
                              description='ROS 2 parameters file; each key is one node'),
        DeclareLaunchArgument('namespace', default_value='', description=(
            'Namespace that all nodes are put below; the keys of the file stay as they are')),
        DeclareLaunchArgument('composed', default_value='false', description=(
            'true: all cameras in one process, components of the container '
            f'{CONTAINER!r}; false: a process each')),
        DeclareLaunchArgument('log_level', default_value='info', description=(
            'debug, info, warn, error or fatal; of all nodes')),
        DeclareLaunchArgument('use_sim_time', default_value='false', description=(
            'true: ROS time comes from /clock; the stamps of images stay the time of capture')),
        OpaqueFunction(function=start_nodes),
    ])
