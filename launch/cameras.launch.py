"""Starts every node of one parameters file: ros2 launch camera_mp cameras.launch.py config:=F."""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from camera_mp.parameters_file import read_nodes
from camera_mp.parent import environment
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node


def start_nodes(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Make an action of each node that the file names, as `bringup` makes a process."""
    file = LaunchConfiguration('config').perform(context)
    return [
        Node(package='camera_mp', executable=entry.executable, namespace=entry.namespace,
             name=entry.name, exec_name=entry.full_name[1:].replace('/', '.'),
             parameters=[file], output='screen', emulate_tty=True, respawn=True,
             respawn_delay=2.0, additional_env=environment())
        for entry in read_nodes(file)]


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the file is read when the launch runs."""
    default = Path(get_package_share_directory('camera_mp')) / 'config' / 'cameras.yaml'
    return LaunchDescription([
        DeclareLaunchArgument('config', default_value=str(default),
                              description='ROS 2 parameters file; each key is one node'),
        OpaqueFunction(function=start_nodes),
    ])
