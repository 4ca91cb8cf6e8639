"""How every node of this package starts and ends."""

from collections.abc import Callable
import sys
import time

from camera_mp.errors import CameraError, SettingError
from camera_mp.fast_dds import remove_dead_segments, tune_for_images
from camera_mp.nodes.explain import explain
from camera_mp.nodes.spinner import Spinner
from camera_mp.parameters_file import REFUSED
from camera_mp.parent import follow_parent
from camera_mp.signals import ignore, StopFlag
import rclpy
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.timer import Timer
from rclpy.utilities import remove_ros_args

_LOOK = 0.1  # seconds between looks at the signals


class ProcessNode(Node):
    """A node that has a process to itself: an executor in one thread, `work` in the main one."""

    def work(self, stop: StopFlag) -> None:
        """Use the main thread until the flag is set."""
        while not stop.is_set:
            time.sleep(_LOOK)

    def create_wall_timer(self, period: float, callback: Callable[[], None]) -> Timer:
        """Call back every `period` seconds, whatever a simulation's ROS time does."""
        return self.create_timer(period, callback, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def close(self) -> None:
        """End what the node has started; after the last callback, before rclpy ends."""

    def destroy_node(self) -> None:
        """End what the node has started, and the node."""
        self.close()
        super().destroy_node()


def run(make_node: Callable[[], ProcessNode], *, publishes_images: bool = False,
        arguments: str = '') -> int:
    """
    Initialise rclpy, make the node, let it work until a signal to end, give the exit code.

    A CameraError, while the node is made or from one of its callbacks, is one line and code 1,
    or REFUSED if it is a SettingError.
    publishes_images: give it the Fast DDS profile for images, for 70 MB of /dev/shm.
    arguments: what its program takes besides those of ROS, in words; '': nothing.
    """
    given = remove_ros_args(sys.argv)[1:]
    if {'-h', '--help'} & {*given}:
        print(explain(sys.modules[make_node.__module__], arguments))
        return 0
    if given and not arguments:
        print(f'{given[0]!r} is not allowed; allowed: --help, --ros-args -p NAME:=VALUE',
              file=sys.stderr)
        return 1
    return _run(make_node, publishes_images)


def _run(make_node: Callable[[], ProcessNode], publishes_images: bool) -> int:
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
        return _work(node, stop)
    except CameraError as error:
        print(error, file=sys.stderr)
        return REFUSED if isinstance(error, SettingError) else 1
    finally:
        rclpy.shutdown()
        ignore()  # launch forwards every Ctrl-C a second time


def _work(node: ProcessNode, stop: StopFlag) -> int:
    # an executor in a thread, because rclpy waits where Python's signal handlers cannot run
    errors: list[Exception] = []

    def on_error(error: Exception) -> None:
        errors.append(error)
        stop.is_set = True
    spinner = Spinner(node, on_error)
    spinner.start()
    try:
        node.work(stop)
    finally:
        spinner.end()
        node.destroy_node()
    if errors:
        raise errors[0]
    return 0
