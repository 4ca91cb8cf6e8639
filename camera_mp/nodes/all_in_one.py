"""
The design that the command loop is measured against: one rclpy node that does it all.

A 500 Hz timer that steps the same motion and publishes the same commands, and the images of the
cameras, in one executor of rclpy.
"""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
import os
import sys
import time

from camera_mp.errors import CameraError
from camera_mp.joint_motion import JointMotion
from camera_mp.loop_statistics import Histogram, histograms, LoopStatistics
from camera_mp.nodes import parameters, qos
from camera_mp.nodes.image_reader import ImageReaderSettings, ImageReading, STARTED, write_report
from camera_mp.parent import follow_parent
from camera_mp.settings import setting
from camera_mp.signals import StopFlag
import rclpy
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.executors import Executor, MultiThreadedExecutor, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future
from rclpy.timer import Timer
from std_msgs.msg import Float64MultiArray

_RATE = 500.0  # Hz
_JOINTS = 6
_BRACKET = 50_000  # ns between two looks at the clock that still are one moment
# without a timeout the EventsExecutor of Kilted's wheel waits busily for the end of all time
_FOREVER = 86_400.0


@dataclass(frozen=True)
class AllInOneSettings(ImageReaderSettings):
    """Settings of the node."""

    executor: str = setting('single', 'Executor of rclpy.', choices=('single', 'multi', 'events'))


class TimerAccount:
    """
    Accounts for the calls of an rclpy timer as PeriodicLoop does for its own.

    rcl keeps a fixed grid too: with a call it moves the next one on by a period, and past every
    period that has gone by meanwhile. Those are the missed ones. Asking rcl for the next call is
    the one way that every rclpy has. `begin` and `record` are to be called in the callback.

    now: the timer's clock; CLOCK_MONOTONIC is that of rcl's steady time.
    """

    def __init__(self, timer: Timer, *, now: Callable[[], int] = time.monotonic_ns) -> None:
        self._timer, self._now = timer, now
        self._period_ns = timer.timer_period_ns
        self._first_ns = self._called_ns = self._missed = 0
        self._number = -1
        words = array('q', bytes(8 * (1 + 3 * Histogram.SIZE)))
        self._lateness, self._gap, self._callback = histograms(words)

    @property
    def begun(self) -> bool:
        """Whether calls are counted."""
        return self._number >= 0

    def begin(self) -> None:
        """Count from the next call on."""
        self._first_ns = max(self._next_ns() for _ in range(20))  # each is early by a moment
        self._number = 0

    def record(self, called_ns: int) -> None:
        """Account for a call that began at `called_ns` and is done now."""
        number, due = self._number, self._first_ns + self._number * self._period_ns
        self._number = round((self._next_ns() - self._first_ns) / self._period_ns)
        self._missed += self._number - number - 1
        self._lateness.record(max(called_ns - due, 0))
        self._callback.record(self._now() - called_ns)
        if number:
            self._gap.record(called_ns - self._called_ns)
        self._called_ns = called_ns

    def statistics(self) -> LoopStatistics:
        """Give the statistics of every period from the first to the last one called or missed."""
        return LoopStatistics(1e9 / self._period_ns, max(self._number, 0) * self._period_ns,
                              self._missed, self._lateness, self._gap, self._callback)

    def _next_ns(self) -> int:
        while True:
            before = self._now()
            until = self._timer.time_until_next_call()
            if until is not None and self._now() - before < _BRACKET:
                return before + until


class AllInOneNode(Node):
    """Publishes `commands` by a timer and reads the images, until the flag is set."""

    def __init__(self, stop: StopFlag) -> None:
        super().__init__('all_in_one')
        parameters.check_names(self, AllInOneSettings)
        self.settings = parameters.declare(self, AllInOneSettings)
        self.done: Future[None] = Future()
        self._stop = stop
        self._motion = JointMotion(_JOINTS, 1 / _RATE, (1.0,), (2.0,), (-3.14, 3.14))
        self._message = Float64MultiArray(data=self._motion.positions)
        self._commands = self.create_publisher(Float64MultiArray, 'commands', qos.COMMANDS)
        self._reading = ImageReading(self, self.settings.image_topics)
        timer = self.create_timer(1 / _RATE, self._on_timer, MutuallyExclusiveCallbackGroup(),
                                  Clock(clock_type=ClockType.STEADY_TIME))
        self._account = TimerAccount(timer)

    def _on_timer(self) -> None:
        called = time.monotonic_ns()
        self._message.data[:] = self._motion.step()
        self._commands.publish(self._message)
        if self._account.begun:
            self._account.record(called)
        elif self._reading.steady:
            print(STARTED, flush=True)
            self._account.begin()
        if self._stop.is_set and not self.done.done():
            self.done.set_result(None)

    def report(self) -> None:
        """Write what was measured."""
        write_report(self.settings.report_file, {
            **self._account.statistics().to_dict(), 'read_ns': self._reading.read_ns})


def make_executor(kind: str) -> Executor:
    """Give the executor; CameraError if this rclpy does not have it."""
    if kind == 'single':
        return SingleThreadedExecutor()
    if kind == 'multi':
        return MultiThreadedExecutor(num_threads=3)  # the timer and two cameras
    try:
        from rclpy.experimental.events_executor import EventsExecutor
    except ImportError:
        raise CameraError('EventsExecutor: not in this rclpy') from None
    return EventsExecutor()


def main() -> int:
    """Run the node until SIGINT or SIGTERM; EX_UNAVAILABLE if there is no such executor."""
    follow_parent()
    stop = StopFlag()
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = AllInOneNode(stop)
        executor = make_executor(node.settings.executor)
        executor.add_node(node)
        executor.spin_until_future_complete(node.done, timeout_sec=_FOREVER)
        node.report()
    except CameraError as error:
        print(error, file=sys.stderr)
        return os.EX_UNAVAILABLE
    finally:
        rclpy.shutdown()
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
