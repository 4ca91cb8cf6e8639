"""The callbacks of one node in a thread of their own."""

from collections.abc import Callable
import threading

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.task import Future


class Spinner:
    """
    Runs a node's callbacks in a thread until `end`, or until one of them raises.

    on_error: gets what a callback raised, in that thread, when no callback runs any more.
    """

    def __init__(self, node: Node, on_error: Callable[[Exception], None]) -> None:
        self._on_error = on_error
        self._executor = SingleThreadedExecutor(context=node.context)
        self._executor.add_node(node)
        self._end: Future[None] = Future()
        self._thread = threading.Thread(target=self._spin, name='executor')

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Return when no callback runs any more."""
        self._end.set_result(None)
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _spin(self) -> None:
        try:
            self._executor.spin_until_future_complete(self._end)
        except Exception as error:
            self._executor.shutdown()
            self._on_error(error)
        else:
            self._executor.shutdown()
