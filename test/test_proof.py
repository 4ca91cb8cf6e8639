"""The proof: its accounting is exact, and all of it runs and leaves nothing behind."""

from importlib.util import find_spec
import json
from pathlib import Path
import signal
from typing import Any

from camera_mp.errors import CameraError
from camera_mp.loop_statistics import Histogram
from camera_mp.proof.cyclictest import parse
from camera_mp.proof.report import goals, missed_outside_stops, stops, table
from camera_mp.proof.window import Result
from camera_mp.ring import list_rings
from programs import PATIENCE, run, running
import pytest

PROOF = ('-m', 'camera_mp.proof')
MS = 1_000_000
CYCLICTEST = """# /dev/cpu_dma_latency set to 0us
# Histogram
000000 000000	000000
000001 000000	000000
000002 000040	000057
000003 000002	000000
# Total: 000000042 000000057
# Min Latencies: 00002 00002
# Avg Latencies: 00002 00002
# Max Latencies: 00003 07425
# Histogram Overflows: 00000 00001
# Histogram Overflow at cycle number:
# Thread 0:
# Thread 1: 00006
"""


def test_a_block_of_7_ms_is_3_missed_periods(ros_domain: int) -> None:
    rclpy = pytest.importorskip('rclpy', reason='the nodes need rclpy')
    from camera_mp.nodes.all_in_one import TimerAccount
    rclpy.init()
    try:
        statistics = _account_of_a_simulated_timer(rclpy, TimerAccount)
    finally:
        rclpy.shutdown()
    assert (statistics.ticks, statistics.missed, statistics.periods) == (9, 3, 12)
    assert statistics.lateness.max_ns == 6.5 * MS  # of the call that waited for the block's end
    assert statistics.elapsed_ns == 12 * 2 * MS
    assert statistics.gap.count == 8


def _account_of_a_simulated_timer(rclpy: Any, account_class: Any) -> Any:
    """Let rcl itself skip: its clock stands still but for us, by halves of a millisecond."""
    from rclpy.clock import ROSClock
    from rclpy.time import Time
    clock, node = ROSClock(), rclpy.create_node('accounted')
    clock._set_ros_time_is_active(True)

    def on_timer() -> None:
        if account.begun:
            account.record(now())
        else:
            account.begin()

    def now() -> int:
        return int(clock.now().nanoseconds)

    def advance(milliseconds: float) -> None:
        clock.set_ros_time_override(Time(nanoseconds=now() + round(milliseconds * MS),
                                         clock_type=clock.clock_type))
        while timer.is_ready():
            rclpy.spin_once(node, timeout_sec=1.0)

    clock.set_ros_time_override(Time(seconds=1, clock_type=clock.clock_type))
    timer = node.create_timer(0.002, on_timer, clock=clock)
    account = account_class(timer, now=now)
    for step in [0.5] * (4 * 3 + 3) + [7.0] + [0.5] * (4 * 6):
        advance(step)
    node.destroy_node()
    return account.statistics()


def test_a_histogram_of_cyclictest() -> None:
    histogram = parse(CYCLICTEST)
    assert histogram.count == 100
    assert histogram.percentile(50) in range(2000, 2064)
    assert histogram.percentile(99) in range(3000, 3095)
    assert histogram.max_ns == 7_425_000
    assert stops(histogram.to_dict()) == 1


def test_something_else_than_a_histogram() -> None:
    with pytest.raises(CameraError, match='has no histogram'):
        parse('Unable to change scheduling policy!')


def _loop(missed: int, *late_ms: float) -> dict[str, Any]:
    lateness = Histogram()
    for each in late_ms:
        lateness.record(round(each * MS))
    return {'rate': 500.0, 'ticks': len(late_ms), 'missed': missed,
            'periods': len(late_ms) + missed, 'elapsed_ns': (len(late_ms) + missed) * 2 * MS,
            'lateness_ns': lateness.to_dict()}


def _result(key: str, loop: dict[str, Any] | None, load: str = 'light') -> Result:
    return Result(key, f'loop {key}', load, '' if loop else 'not in this rclpy', loop,
                  parse(CYCLICTEST).to_dict(), 10, 10, 1.0)


def test_what_a_stop_explains_is_not_missed_outside() -> None:
    assert missed_outside_stops(_loop(4, 0.1, 0.1, 9.0)) == 0  # the next came 1 ms later
    assert missed_outside_stops(_loop(5, 0.1, 0.1, 9.0)) == 1
    assert missed_outside_stops(_loop(2, 0.1, 4.1)) == 2


def test_goals_are_computed() -> None:
    results = [_result('a', _loop(20, *[5.0] * 80)), _result('d', _loop(1, *[0.1] * 99)),
               _result('e', _loop(0, *[0.01] * 100)), _result('e', _loop(0, 0.3), 'heavy')]
    assert [goal.reached for goal in goals(results, 'light', 'heavy')] == [
        True, False, True, False, True, False]
    assert [goal.reached for goal in goals([], 'light', 'heavy')] == [None] * 6


def test_what_could_not_run_has_its_row() -> None:
    lines = table([_result('a', _loop(1, 0.1)), _result('c', None)]).splitlines()
    assert 'not in this rclpy' in lines[3]
    assert len({line.count('|') for line in lines[:4]}) == 1


def test_all_of_it(ros_domain: int, tmp_path: Path) -> None:
    pytest.importorskip('rclpy', reason='the nodes need rclpy')
    with running(*PROOF, '--quick', '--output', tmp_path / 'out') as program:
        program.wait(4 * PATIENCE)  # five arrangements one after another
    assert program.process.returncode == 0, program.text
    whole = json.loads((tmp_path / 'out' / 'proof.json').read_text())
    assert [result['arrangement'] for result in whole['results']] == list('abcde')
    assert whole['machine']['rmw'].startswith('rmw_')
    for result in whole['results']:
        loop = result['loop']
        assert loop or result['arrangement'] == 'c'
        if loop:
            assert loop['ticks'] + loop['missed'] == loop['periods'] > 0
            assert sum(count for _, count in loop['lateness_ns']['buckets']) == loop['ticks']
            assert abs(loop['elapsed_ns'] / (2 * MS) - loop['periods']) <= 1
            assert result['images_read'] > 0
    assert 'e. camera_mp, SCHED_FIFO 80' in (tmp_path / 'out' / 'proof.md').read_text()
    if find_spec('matplotlib'):
        assert (tmp_path / 'out' / 'proof.png').read_bytes().startswith(b'\x89PNG')
    assert not list(list_rings(ros_domain))


def test_ctrl_c_ends_all_of_it(ros_domain: int, tmp_path: Path) -> None:
    pytest.importorskip('rclpy', reason='the nodes need rclpy')
    with running(*PROOF, '--quick', '--output', tmp_path) as program:
        program.wait_for('a. one node')
        assert program.end(signal.SIGINT) == 130
        assert program.lines[-1] == 'proof: interrupted'
    assert not list(list_rings(ros_domain))


def test_a_wrong_domain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv('ROS_DOMAIN_ID', 'abc')
    program = run(*PROOF, '--output', tmp_path)
    assert program.process.returncode == 1
    assert program.lines == ["proof: ROS_DOMAIN_ID: 'abc' is not allowed; allowed: 0 to 232"]


@pytest.mark.parametrize(('arguments', 'code', 'text'), [
    (('--seconds', '0'), 2, '--seconds: 0 is not allowed; allowed: more than 0, to 500'),
    (('--seconds', 'nan'), 2, '--seconds: nan is not allowed'),
    (('--output', '/dev/null/proof'), 1, 'proof: --output: /dev/null/proof: Not a directory'),
])
def test_bad_arguments(arguments: tuple[str, ...], code: int, text: str) -> None:
    program = run(*PROOF, *arguments)
    assert program.process.returncode == code
    assert text in program.lines[-1]
