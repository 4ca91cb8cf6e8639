"""A node in the test's own process that calls services, sets parameters and takes messages."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from programs import PATIENCE
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.parameter_client import AsyncParameterClient
from rclpy.qos import qos_profile_sensor_data


class RosClient:
    """Asks other nodes and waits for their answers."""

    def __init__(self, domain: int) -> None:
        self._context = rclpy.context.Context()
        rclpy.init(context=self._context, domain_id=domain)
        self.node = rclpy.create_node('client', context=self._context)
        self.executor = SingleThreadedExecutor(context=self._context)
        self.executor.add_node(self.node)

    def call(self, kind: Any, name: str, **fields: Any) -> Any:
        """Call a service and give its response."""
        client: Any = self.node.create_client(kind, name)
        assert client.wait_for_service(PATIENCE), f'{name} never came'
        return self._wait(client.call_async(kind.Request(**fields)))

    def set_parameter(self, node: str, name: str, value: Any) -> tuple[bool, str]:
        """Set a parameter of a node; give whether it was, and the reason."""
        result = self._wait(self._parameters(node).set_parameters([Parameter(name, value=value)]))
        return result.results[0].successful, result.results[0].reason

    def get_parameter(self, node: str, name: str) -> Any:
        """Give the value of a node's parameter."""
        result = self._wait(self._parameters(node).get_parameters([name]))
        return rclpy.parameter.parameter_value_to_python(result.values[0])

    def _parameters(self, node: str) -> AsyncParameterClient:
        client = AsyncParameterClient(self.node, node)
        assert client.wait_for_services(PATIENCE), f'{node} never came'
        return client

    def _wait(self, future: Any) -> Any:
        self.executor.spin_until_future_complete(future, PATIENCE)
        assert future.done(), 'no answer'
        return future.result()

    def take(self, kind: Any, topic: str, found: Callable[[Any], object] = lambda message: True,
             ) -> Any:
        """Give the first message of a topic of which `found` is true; best effort, as rqt."""
        future: Any = rclpy.task.Future(executor=self.executor)

        def on_message(message: Any) -> None:
            if not future.done() and found(message):
                future.set_result(message)
        subscription = self.node.create_subscription(
            kind, topic, on_message, qos_profile_sensor_data)
        try:
            return self._wait(future)
        finally:
            self.node.destroy_subscription(subscription)

    def close(self) -> None:
        """Let go of ROS."""
        self.executor.shutdown()
        self.node.destroy_node()
        self._context.shutdown()


@contextmanager
def ros_client(domain: int) -> Iterator[RosClient]:
    """Give a client for a domain."""
    client = RosClient(domain)
    try:
        yield client
    finally:
        client.close()
