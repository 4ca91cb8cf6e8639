"""How the nodes of this package say on /diagnostics how they are (REP 107)."""

from collections.abc import Mapping, Sequence
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node


def diagnostic_status(level: bytes, name: str, message: str,
                      values: Mapping[str, object]) -> Any:
    """Give a DiagnosticStatus, with the values as text."""
    return DiagnosticStatus(level=level, name=name, message=message, values=[
        KeyValue(key=key, value=str(value)) for key, value in values.items()])


class DiagnosticsPublisher:
    """Publishes on /diagnostics."""

    def __init__(self, node: Node) -> None:
        self._clock = node.get_clock()
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 10)

    def publish(self, statuses: Sequence[Any]) -> None:
        """Publish statuses under the time of now."""
        array = DiagnosticArray(status=statuses)
        array.header.stamp = self._clock.now().to_msg()
        self._publisher.publish(array)
