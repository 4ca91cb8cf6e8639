"""How every node of this package starts and ends."""

from collections.abc import Callable
import sys
import threading

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future

from camera_mp.errors import CameraError
from camera_mp.parent import follow_parent
from camera_mp.signals import StopFlag

_LOOK = 0.1  # seconds between looks at the signals


def run(make_node: Callable[[], Node]) -> int:
    """
    Initialise rclpy, make the node, spin it until SIGINT or SIGTERM, and give the exit code.

    A CameraError, while the node is made or from one of its callbacks, is one line and code 1.
    A node with a method `close` gets it called after the last callback and before rclpy ends.
    """
    follow_parent()
    # rclpy's own handlers pull the context away under executor and publishers that still work
    stop = StopFlag()
    try:
        rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    except RuntimeError as error:  # RCLError or UnknownROSArgsError: a file, an argument
        print(f'{type(error).__name__}: {" ".join(str(error).split())}', file=sys.stderr)
        return 1
    try:
        return _Spinner(make_node()).run(stop)
    except CameraError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        rclpy.shutdown()


class _Spinner:
    """An executor in a thread, because rclpy waits where Python's signal handlers cannot run."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(node)
        self._end: Future[None] = Future()
        self._code = 1  # unless the spinning ends as it should

    def run(self, stop: StopFlag) -> int:
        thread = threading.Thread(target=self._spin, name='executor')
        thread.start()
        while thread.is_alive() and not stop.is_set:
            thread.join(_LOOK)
        self._end.set_result(None)
        thread.join()
        if hasattr(self._node, 'close'):
            self._node.close()
        self._node.destroy_node()
        return self._code

    def _spin(self) -> None:
        try:
            self._executor.spin_until_future_complete(self._end)
            self._code = 0
        except CameraError as error:
            print(error, file=sys.stderr)
