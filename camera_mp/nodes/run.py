"""How every node of this package starts and ends."""

from collections.abc import Callable
import sys
import threading
import time

from camera_mp.errors import CameraError
from camera_mp.fast_dds import remove_dead_segments, tune_for_images
from camera_mp.parent import follow_parent
from camera_mp.signals import ignore, StopFlag
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future

_LOOK = 0.1  # seconds between looks at the signals


class ProcessNode(Node):
    """A node that has a process to itself: an executor in one thread, `work` in the main one."""

    def work(self, stop: StopFlag) -> None:
        """Use the main thread until the flag is set."""
        while not stop.is_set:
            time.sleep(_LOOK)

    def close(self) -> None:
        """End what the node has started; after the last callback, before rclpy ends."""


def run(make_node: Callable[[], ProcessNode], *, publishes_images: bool = False) -> int:
    """
    Initialise rclpy, make the node, let it work until SIGINT or SIGTERM, give the exit code.

    A CameraError, while the node is made or from one of its callbacks, is one line and code 1.
    publishes_images: give it the Fast DDS profile for images, for 70 MB of /dev/shm.
    """
    follow_parent()
    remove_dead_segments()
    # rclpy's own handlers pull the context away under executor and publishers that still work
    stop = StopFlag()
    try:
        advice = tune_for_images(publisher=publishes_images)
        rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    except CameraError as error:
        print(error, file=sys.stderr)
        return 1
    except RuntimeError as error:  # RCLError or UnknownROSArgsError: a file, an argument
        print(f'{type(error).__name__}: {" ".join(str(error).split())}', file=sys.stderr)
        return 1
    try:
        node = make_node()
        if advice:
            node.get_logger().info(advice)
        return _Spinner(node, stop).run()
    except CameraError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        rclpy.shutdown()
        ignore()  # launch forwards every Ctrl-C a second time


class _Spinner:
    """An executor in a thread, because rclpy waits where Python's signal handlers cannot run."""

    def __init__(self, node: ProcessNode, stop: StopFlag) -> None:
        self._node, self._stop = node, stop
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(node)
        self._end: Future[None] = Future()
        self._code = 1  # unless the spinning ends as it should

    def run(self) -> int:
        thread = threading.Thread(target=self._spin, name='executor')
        thread.start()
        try:
            self._node.work(self._stop)
        finally:
            self._end.set_result(None)
            thread.join()
            self._node.close()
            self._node.destroy_node()
        return self._code

    def _spin(self) -> None:
        try:
            self._executor.spin_until_future_complete(self._end)
            self._code = 0
        except CameraError as error:
            print(error, file=sys.stderr)
        finally:
            self._stop.is_set = True
