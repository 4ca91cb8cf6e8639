"""A container for components written in Python, as rclcpp_components has one for C++."""

from collections.abc import Sequence
import contextlib
import sys
from typing import Any

from camera_mp.errors import CameraError, ComponentError, SettingError
from camera_mp.nodes.components import Components, LoadRequest
from camera_mp.nodes.run import ProcessNode, run
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from rclpy.utilities import remove_ros_args

# as rclcpp_components has it: a launch file may send many requests at once
_REQUESTS = QoSProfile(depth=200)
_WITH_FILES = Parameter('forward_global_arguments', value=True).to_parameter_msg()
_RESTART = 2.0  # seconds, as cameras.launch.py gives to processes


class ComponentContainer(ProcessNode):
    """
    Loads, lists and unloads nodes for `ros2 component` and launch_ros.

    always: nodes to have from the start, and again after a failure, until they are unloaded.
    A launch file that loads by service does so once, into the first process; and after a SIGKILL
    its request may go to the dead one, for which it waits for ever.
    """

    def __init__(self, always: Sequence[LoadRequest] = (), **options: Any) -> None:
        try:
            from composition_interfaces.srv import ListNodes, LoadNode, UnloadNode
        except ImportError:
            raise CameraError('component_container: needs composition_interfaces; install '
                              'ros-$ROS_DISTRO-composition-interfaces') from None
        super().__init__('component_container', **options)
        self._components = Components(self.context, self.get_logger())
        for kind, name, callback in ((LoadNode, 'load_node', self._on_load),
                                     (UnloadNode, 'unload_node', self._on_unload),
                                     (ListNodes, 'list_nodes', self._on_list)):
            self.create_service(kind, f'~/_container/{name}', callback, qos_profile=_REQUESTS)
        self._always = {f'{one.node_namespace.rstrip("/")}/{one.node_name}': one
                        for one in always}
        self._load_missing()
        self.create_wall_timer(_RESTART, self._load_missing)

    def _load_missing(self) -> None:
        here = self._components.names().values()
        for request in [one for name, one in self._always.items() if name not in here]:
            with contextlib.suppress(ComponentError):  # it is logged; the others go on
                self._components.load(request)

    def _on_load(self, request: Any, response: Any) -> Any:
        try:
            response.unique_id, response.full_node_name = self._components.load(request)
            response.success = True
        except ComponentError as error:
            response.error_message = str(error)
        return response

    def _on_unload(self, request: Any, response: Any) -> Any:
        try:
            self._always.pop(self._components.names().get(request.unique_id, ''), None)
            self._components.unload(request.unique_id)
            response.success = True
        except ComponentError as error:
            response.error_message = str(error)
        return response

    def _on_list(self, request: Any, response: Any) -> Any:
        names = self._components.names()
        response.unique_ids, response.full_node_names = list(names), list(names.values())
        return response

    def close(self) -> None:
        """End all its nodes."""
        self._components.close()


def parse_component(text: str) -> LoadRequest:
    """Read 'PACKAGE PLUGIN /NAMESPACE/NAME'; the node gets the parameters files of the process."""
    words = text.split()
    if len(words) != 3 or not words[2].startswith('/'):
        raise SettingError(
            f"component: {text!r} is not allowed; allowed: 'PACKAGE PLUGIN /NAMESPACE/NAME'")
    namespace, _, name = words[2].rpartition('/')
    return LoadRequest(words[0], words[1], name, namespace or '/', extra_arguments=[_WITH_FILES])


def main() -> int:
    """Run `component_container`, with the components of the command line."""
    def make() -> ComponentContainer:
        return ComponentContainer([parse_component(text)
                                   for text in remove_ros_args(sys.argv)[1:]])
    return run(make, publishes_images=True,
               arguments="['PACKAGE PLUGIN /NAMESPACE/NAME' ...]")


if __name__ == '__main__':
    raise SystemExit(main())
