"""
The command node: joint commands at 500 Hz, in a process of their own that no image disturbs.

The loop has the main thread to itself; setpoints are taken in it, without an executor. A second
thread serves parameters, logs and diagnostics.
"""

from array import array
from dataclasses import dataclass
import gc
import json
import os
from pathlib import Path
import re
import threading
from typing import Any

from camera_mp.errors import SettingError
from camera_mp.image_count import ImageCount
from camera_mp.joint_motion import JointMotion
from camera_mp.loop_statistics import LoopStatistics
from camera_mp.nodes import parameters, qos
from camera_mp.nodes.diagnostic_status import diagnostic_status, DiagnosticsPublisher
from camera_mp.nodes.run import ProcessNode, run
from camera_mp.periodic import MAX_RATE, MIN_RATE, PeriodicLoop, Tick
from camera_mp.realtime import enter_realtime, Realtime, RealtimeWishes
from camera_mp.ring.file import domain_id
from camera_mp.settings import setting, Settings
from camera_mp.signals import StopFlag
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.callback_groups import CallbackGroup
from rclpy.duration import Duration
from std_msgs.msg import Float64MultiArray


@dataclass(frozen=True)
class CommandLoopSettings(Settings):
    """Settings of the command loop."""

    rate: float = setting(500.0, 'Commands a second.', low=float(MIN_RATE), high=float(MAX_RATE))
    joints: int = setting(6, 'Number of joints: values in a command.', low=1, high=100)
    max_velocity: tuple[float, ...] = setting(
        (1.0,), 'Most rad/s or m/s: one value, or one a joint.')
    max_acceleration: tuple[float, ...] = setting(
        (2.0,), 'Most rad/s2 or m/s2: one value, or one a joint.')
    position_limits: tuple[float, ...] = setting(
        (-3.14, 3.14), 'Lower, upper in rad or m: for all joints, or for each in turn.')
    setpoint_timeout: float = setting(0.5, 'Seconds without a new setpoint after which the joints '
                                      'come to rest; 0.0: never.', low=0.0, high=3600.0)
    rt_priority: int = setting(80, 'Of SCHED_FIFO, 1 to 99; 0: ordinary scheduling.',
                               low=0, high=99)
    lock_memory: bool = setting(True, 'Keep all memory of this process in RAM.')
    cpu_affinity: str = setting('', "CPUs to run on, as '1' or '0,2'; '': any.")
    report_file: str = setting('', "JSON file to write the report to at the end; '': none.")


SETTINGS = (CommandLoopSettings,)


_PATIENCE = Duration(nanoseconds=100_000_000)  # for the last command to arrive


class _Polled(CallbackGroup):
    """Keeps an executor off a subscription: the loop takes its messages itself."""

    def can_execute(self, entity: Any) -> bool:
        return False

    def beginning_execution(self, entity: Any) -> bool:
        return False

    def ending_execution(self, entity: Any) -> None:
        pass


class CommandLoopNode(ProcessNode):
    """
    Publishes `commands` and follows `setpoint`, both std_msgs/Float64MultiArray, a value a joint.

    See JointMotion for how the joints move and PeriodicLoop for when. At the end the last
    command is published once more: a hold, from wherever the joints are.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__('command_loop', **options)
        try:
            self._configure()
        except SettingError as error:
            raise parameters.located(self, error) from None
        self._message = Float64MultiArray(data=self._motion.positions)
        self._commands = self.create_publisher(Float64MultiArray, 'commands', qos.COMMANDS)
        self._setpoints = self.create_subscription(
            Float64MultiArray, 'setpoint', lambda message: None, qos.COMMANDS,
            callback_group=_Polled())
        self._refused, self._refusal, self._timeouts = 0, '', 0
        self._told_refused = self._told_timeouts = self._others = 0
        self._realtime = Realtime((), ())
        self._images = ImageCount(domain_id())
        self._before: LoopStatistics | None = None
        self._diagnostics = DiagnosticsPublisher(self)
        self.create_wall_timer(1.0, self._on_second)

    def _configure(self) -> None:
        parameters.check_names(self, CommandLoopSettings)
        self._settings = wish = parameters.declare(self, CommandLoopSettings)
        self._loop = PeriodicLoop(wish.rate)
        self._motion = JointMotion(
            wish.joints, 1 / wish.rate, wish.max_velocity, wish.max_acceleration,
            wish.position_limits, setpoint_timeout=wish.setpoint_timeout)
        self._wishes = RealtimeWishes(wish.rt_priority, wish.lock_memory,
                                      _parse_cpus(wish.cpu_affinity))
        folder = Path(wish.report_file).expanduser().parent
        if wish.report_file and not os.access(folder, os.W_OK):
            raise SettingError(f'report_file: {wish.report_file} cannot be written: '
                               f'{folder} is no folder that this user may write to')

    def work(self, stop: StopFlag) -> None:
        """Run the loop until the flag is set, then hold and report."""
        self._stop = stop
        others = [thread.native_id for thread in threading.enumerate()
                  if thread is not threading.current_thread() and thread.native_id]
        self._realtime = enter_realtime(self._wishes, others)
        for warning in self._realtime.warnings:
            self.get_logger().warning(warning)
        self.get_logger().info(f'{self._settings.rate:g} Hz, {self._settings.joints} joints; '
                               f'in force: {", ".join(self._realtime.in_force) or "nothing"}')
        self._loop.run(self._tick)
        self._commands.publish(self._message)
        self._commands.wait_for_all_acked(_PATIENCE)
        self._report()

    def _tick(self, tick: Tick) -> None:
        if self._stop.is_set:
            self._loop.stop()
            return
        taken = self._setpoints.handle.take_message(Float64MultiArray, False)
        if taken is not None:
            self._follow(taken[0].data)
        was_stale = self._motion.stale
        self._message.data[:] = self._motion.step()
        self._timeouts += self._motion.stale and not was_stale
        self._commands.publish(self._message)
        if tick.number % round(self._settings.rate) == 0:
            gc.collect()  # here it delays nobody; what lived before the loop is frozen

    def _follow(self, setpoint: 'array[float]') -> None:
        try:
            self._motion.set_setpoint(setpoint)
        except SettingError as error:  # told by the other thread, not on the tick's way
            self._refused, self._refusal = self._refused + 1, str(error)

    def _on_second(self) -> None:
        self._tell()
        now = self._loop.statistics()
        status = self._status(now, now.since(self._before) if self._before else now)
        self._before = now
        self._diagnostics.publish([status])

    def _tell(self) -> None:
        """Log what happened in the last second."""
        refused, timeouts = self._refused, self._timeouts
        if refused > self._told_refused:
            self.get_logger().warning(
                f'{self._refusal} ({refused - self._told_refused} setpoints refused)')
        if timeouts > self._told_timeouts:
            self.get_logger().warning(
                f'no setpoint for {self._settings.setpoint_timeout:g} s: at rest until one comes')
        self._told_refused, self._told_timeouts = refused, timeouts
        others = self.count_publishers(self._commands.topic_name) - 1
        if others > self._others:
            self.get_logger().error(f'{others} more publish {self._commands.topic_name}: who '
                                    'follows it gets the commands of all mixed')
        self._others = others

    def _status(self, total: LoopStatistics, second: LoopStatistics) -> Any:
        level, text = DiagnosticStatus.OK, f'{second.rate_reached:.1f} Hz'
        if not second.ticks:
            level, text = DiagnosticStatus.ERROR, 'no tick in the last second'
        elif self._others > 0:
            level, text = DiagnosticStatus.ERROR, f'{self._others} more publish the commands'
        elif second.missed:
            level, text = DiagnosticStatus.WARN, f'{second.missed} periods missed'
        values = {'rate wanted (Hz)': f'{self._settings.rate:g}',
                  'setpoints refused': self._refused, 'setpoint timeouts': self._timeouts,
                  'images meanwhile': self._images.look(),
                  'in force': ', '.join(self._realtime.in_force)}
        for when, statistics in (('', total), (' (last second)', second)):
            values |= {f'{name}{when}': value for name, value in _values(statistics).items()}
        return diagnostic_status(
            level, f'{self.get_fully_qualified_name()[1:]}: loop', text, values)

    def _report(self) -> None:
        total, images = self._loop.statistics(), self._images.look()
        self.get_logger().info(f'{self.get_name()}: {total}, {images} images meanwhile')
        if self._settings.report_file:
            path = Path(self._settings.report_file).expanduser()
            whole = {**total.to_dict(), 'images': images, 'setpoints_refused': self._refused,
                     'setpoint_timeouts': self._timeouts,
                     'realtime': list(self._realtime.in_force)}
            temporary = path.with_name(f'.{path.name}.{os.getpid()}')
            temporary.write_text(json.dumps(whole) + '\n')
            temporary.replace(path)


def _values(statistics: LoopStatistics) -> dict[str, object]:
    late = statistics.lateness
    return {'rate (Hz)': f'{statistics.rate_reached:.2f}', 'ticks': statistics.ticks,
            'missed': statistics.missed,
            **{f'lateness p{percent:g} (ms)': f'{late.percentile(percent) / 1e6:.3f}'
               for percent in (50, 99, 99.9)},
            'lateness max (ms)': f'{late.max_ns / 1e6:.3f}',
            'longest gap (ms)': f'{statistics.gap.max_ns / 1e6:.3f}'}


def _parse_cpus(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r'(\d+(,\d+)*)?', text):
        raise SettingError(f'cpu_affinity: {text!r} is not allowed; '
                           "allowed: CPU numbers with commas, as '1' or '0,2'")
    return tuple(map(int, filter(None, text.split(','))))


def main() -> int:
    """Run `command_loop`."""
    return run(CommandLoopNode)


if __name__ == '__main__':
    raise SystemExit(main())
