"""The command node with real rclpy: every command, every refusal, every end."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
from typing import Any

from programs import eventually, run, running
import pytest

pytest.importorskip('rclpy', reason='the nodes need rclpy')

from command_listener import __file__ as LISTENER  # noqa: E402, I100

LOOP = ('-m', 'camera_mp.nodes.command_loop', '--ros-args')
# an ordinary thread: tests run beside others, and one that is real-time would starve them
GENTLE = {'rt_priority': 0, 'lock_memory': 'false'}


class Listener:
    """The handle to a listener."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def send(self, *setpoint: float) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(setpoint) + '\n')
        self._process.stdin.flush()

    def state(self) -> dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write('\n')
        self._process.stdin.flush()
        state: dict[str, Any] = json.loads(self._process.stdout.readline())
        return state

    def last(self) -> list[float]:
        commands = self.state()['last']
        return commands[-1] if commands else []


@pytest.fixture
def listener(ros_domain: int) -> Iterator[Listener]:
    with subprocess.Popen([sys.executable, LISTENER], stdin=subprocess.PIPE, text=True,
                          stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline() == 'ready\n'
        yield Listener(process)
        assert process.stdin
        process.stdin.close()
        assert process.wait(20) == 0


def _words(**values: object) -> list[str]:
    return [word for name, value in {**GENTLE, **values}.items()
            for word in ('-p', f'{name}:={value}')]


@contextmanager
def _loop(tmp_path: Path, **values: object) -> Iterator[Any]:
    with running(*LOOP, *_words(report_file=tmp_path / 'report.json', **values)) as loop:
        loop.wait_for('in force')
        yield loop


def _report(tmp_path: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((tmp_path / 'report.json').read_text())
    return report


def test_every_period_is_accounted_for_and_the_last_command_is_a_hold(
        listener: Listener, tmp_path: Path) -> None:
    with _loop(tmp_path, joints=3) as loop:
        eventually(lambda: listener.state()['count'] > 100)
        assert loop.end(signal.SIGINT) == 0
        line = loop.wait_for('images meanwhile')
    report = _report(tmp_path)
    assert report['ticks'] + report['missed'] == report['periods']
    assert sum(count for _, count in report['lateness_ns']['buckets']) == report['ticks']
    assert f'command_loop: {report["ticks"]} of {report["periods"]} ticks' in line
    before, last = listener.state()['last'][-2:]
    assert len(last) == 3
    assert last == before


def test_without_setpoints_it_is_a_slow_sine(listener: Listener, tmp_path: Path) -> None:
    with _loop(tmp_path, joints=2):
        eventually(lambda: len(listener.state()['last']) == 1000)
        commands = listener.state()['last']
    steps = [after[0] - before[0] for before, after in pairwise(commands)]
    assert any(steps)
    assert max(map(abs, steps)) < 1.0 * 0.02  # rad/s by ten periods: some may be lost on the way


def test_it_moves_to_a_setpoint_and_rests_when_they_stop(listener: Listener,
                                                         tmp_path: Path) -> None:
    with _loop(tmp_path, joints=2, max_acceleration='[50.0]', max_velocity='[10.0]',
               setpoint_timeout=3.0) as loop:
        def arrived(first: float, second: float) -> bool:
            listener.send(first, second)
            return listener.last() == [first, second]

        eventually(lambda: arrived(0.5, -0.25))
        loop.wait_for('no setpoint for 3 s: at rest until one comes')
        assert listener.last() == [0.5, -0.25]
        eventually(lambda: arrived(0.0, 0.25))
        assert loop.text.count('at rest until one comes') == 1
        assert loop.end() == 0
    assert _report(tmp_path)['setpoint_timeouts'] >= 1


@pytest.mark.parametrize(('setpoint', 'text'), [
    ([1.0], 'setpoint: 1 values are not allowed; allowed: 2, one for each joint'),
    ([0.0, float('nan')], r'setpoint[1]: nan is not allowed; allowed: -3.14 to 3.14'),
    ([float('inf'), 0.0], r'setpoint[0]: inf is not allowed; allowed: -3.14 to 3.14'),
    ([0.0, 3.15], r'setpoint[1]: 3.15 is not allowed; allowed: -3.14 to 3.14'),
])
def test_a_bad_setpoint_is_refused_with_one_line(
        listener: Listener, tmp_path: Path, setpoint: list[float], text: str) -> None:
    with _loop(tmp_path, joints=2, setpoint_timeout=0.0) as loop:
        def refused() -> bool:
            listener.send(*setpoint)
            return text in loop.text

        eventually(refused)
        assert loop.end() == 0
    assert _report(tmp_path)['setpoints_refused'] >= 1


def test_diagnostics_say_how_it_runs(listener: Listener, tmp_path: Path) -> None:
    with _loop(tmp_path, rate=100.0):
        eventually(lambda: int(listener.state()['diagnostics'].get('ticks', 0)) > 100)
        values = listener.state()['diagnostics']
    assert {f'lateness {which} (ms){when}' for which in ('p50', 'p99', 'p99.9', 'max')
            for when in ('', ' (last second)')} <= values.keys()
    assert values['rate wanted (Hz)'] == '100'
    assert 'timer slack' in values['in force']


def test_a_rate_beyond_the_machine_says_how_far_it_got(listener: Listener,
                                                       tmp_path: Path) -> None:
    with _loop(tmp_path, rate=20000.0) as loop:
        eventually(lambda: listener.state()['diagnostics'])
        assert loop.end() == 0
    report = _report(tmp_path)
    assert 0 < report['rate_reached'] <= 20001
    assert report['ticks'] + report['missed'] == report['periods']


def test_killed_cameras_are_not_its_business(listener: Listener, ring_name: str,
                                             tmp_path: Path) -> None:
    with running('-m', 'camera_mp.nodes.camera', '--ros-args', '-r',
                 f'__ns:=/{ring_name}') as camera, _loop(tmp_path) as loop:
        eventually(lambda: int(listener.state()['diagnostics'].get('images meanwhile', 0)) > 10)
        os.kill(camera.process.pid, signal.SIGKILL)
        count = listener.state()['count']
        eventually(lambda: listener.state()['count'] > count + 200)
        assert loop.end() == 0
    report = _report(tmp_path)
    assert report['images'] > 10
    assert report['ticks'] + report['missed'] == report['periods']


@pytest.mark.parametrize(('values', 'text'), [
    ({'rate': 0.0}, 'rate: 0.0 is not allowed; allowed: 1.0 to 20000.0'),
    ({'rate': -5.0}, 'rate: -5.0 is not allowed'),
    ({'rate': 500}, 'rate: 500 is of type integer; write 500.0'),
    ({'joints': 0}, 'joints: 0 is not allowed; allowed: 1 to 100'),
    ({'max_velocity': '[1.0, 2.0]'}, 'max_velocity: 2 values are not allowed; allowed: 1, or 6'),
    ({'max_velocity': '[1, 1, 1, 1, 1, 1]'}, 'max_velocity[0]: 1 is of type integer; write 1.0'),
    ({'position_limits': '[1.0, -1.0]'}, 'position_limits of joint 0: 1.0 to -1.0'),
    ({'rt_priority': 100}, 'rt_priority: 100 is not allowed; allowed: 0 to 99'),
    ({'cpu_affinity': '"99"'}, 'cpu_affinity: 99 is not allowed; allowed: 0'),
    ({'cpu_affinity': 'one'}, "cpu_affinity: 'one' is not allowed; allowed: CPU numbers"),
    ({'report_file': '/nowhere/r.json'}, 'report_file: /nowhere/r.json cannot be written'),
    ({'rat': 1.0}, 'rat: no such parameter; did you mean rate?'),
])
def test_bad_parameters_are_one_line_and_a_code(ros_domain: int, values: dict[str, object],
                                                text: str) -> None:
    program = run(*LOOP, *_words(**values))
    assert program.process.returncode == 2
    assert len(program.lines) == 1
    assert text in program.lines[0]


def test_a_second_loop_on_the_same_topic_is_named_by_both(ros_domain: int) -> None:
    with running(*LOOP, *_words(**GENTLE)) as one, running(*LOOP, *_words(**GENTLE)) as other:
        for loop in (one, other):
            loop.wait_for('1 more publish /commands: who follows it gets the commands of all')
        assert (one.end(), other.end()) == (0, 0)


def test_help_says_what_there_is_and_starts_nothing(ros_domain: int) -> None:
    asked = run('-m', 'camera_mp.nodes.command_loop', '--help')
    assert asked.process.returncode == 0
    assert any(line.startswith('  rt_priority (80): ') for line in asked.lines)
    assert 'in force' not in asked.text


def test_arguments_that_are_not_ros_are_refused(ros_domain: int) -> None:
    refused = run('-m', 'camera_mp.nodes.command_loop', '--rate', '100')
    assert refused.process.returncode == 1
    assert refused.lines == [
        "'--rate' is not allowed; allowed: --help, --ros-args -p NAME:=VALUE"]
