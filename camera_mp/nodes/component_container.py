"""A container for components written in Python, as rclcpp_components has one for C++."""

from typing import Any

from camera_mp.errors import CameraError, ComponentError
from camera_mp.nodes.components import Components
from camera_mp.nodes.run import ProcessNode, run
from rclpy.qos import QoSProfile

# as rclcpp_components has it: a launch file may send many requests at once
_REQUESTS = QoSProfile(depth=200)


class ComponentContainer(ProcessNode):
    """Loads, lists and unloads nodes for `ros2 component` and launch_ros."""

    def __init__(self, **options: Any) -> None:
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

    def _on_load(self, request: Any, response: Any) -> Any:
        try:
            response.unique_id, response.full_node_name = self._components.load(request)
            response.success = True
        except ComponentError as error:
            response.error_message = str(error)
        return response

    def _on_unload(self, request: Any, response: Any) -> Any:
        try:
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


def main() -> int:
    """Run `component_container`."""
    return run(ComponentContainer, publishes_images=True)


if __name__ == '__main__':
    raise SystemExit(main())
