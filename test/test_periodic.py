from collections.abc import Callable, Iterator
from itertools import pairwise
import json
import math
import os
import signal
import sys
import threading
import time
import tracemalloc

from camera_mp.errors import SettingError
from camera_mp.joint_motion import JointMotion
from camera_mp.loop_statistics import Histogram
from camera_mp.periodic import PeriodicLoop, sleep_until, Tick
from hypothesis import given
from hypothesis import strategies as st
import pytest

MS = 1_000_000


class FakeTime:
    """A clock that moves only when somebody sleeps or works, and wakes `late` too late."""

    def __init__(self, late: int = 0) -> None:
        self.now, self.late = 1_000 * MS, late

    def clock(self) -> int:
        return self.now

    def sleep_until(self, deadline: int) -> None:
        self.now = max(self.now, deadline + self.late)

    def loop(self, rate: float) -> PeriodicLoop:
        return PeriodicLoop(rate, clock=self.clock, sleep_until=self.sleep_until)


def run_works(works: list[int], late: int = 0) -> tuple[PeriodicLoop, list[Tick]]:
    """Run one tick for each duration of work, at 1000 Hz."""
    fake = FakeTime(late)
    loop = fake.loop(1000)
    ticks: list[Tick] = []

    def work(tick: Tick) -> None:
        fake.now += works[len(ticks)]
        ticks.append(tick)
        if len(ticks) == len(works):
            loop.stop()
    loop.run(work)
    return loop, ticks


def test_each_period_is_called_once_on_the_grid() -> None:
    loop, ticks = run_works([MS // 10] * 5, late=70)
    assert ticks == [(1_001 * MS + number * MS, number) for number in range(5)]
    statistics = loop.statistics()
    assert (statistics.ticks, statistics.missed, statistics.periods) == (5, 0, 5)
    assert statistics.lateness.max_ns == 70
    assert statistics.callback.max_ns == MS // 10
    assert (statistics.gap.max_ns, statistics.gap.count) == (MS, 4)


def test_an_overrun_is_skipped_without_a_burst() -> None:
    loop, ticks = run_works([0, 3_500_000, 0, 0])
    assert [tick.number for tick in ticks] == [0, 1, 5, 6]
    statistics = loop.statistics()
    assert (statistics.ticks, statistics.missed) == (4, 3)
    assert statistics.lateness.max_ns == 0
    assert statistics.gap.max_ns == 4 * MS


def test_a_callback_that_ends_at_the_next_deadline_misses_nothing() -> None:
    assert run_works([MS, MS, 0])[0].statistics().missed == 0
    assert run_works([MS + 1, 0])[0].statistics().missed == 1


def test_a_late_wake_is_one_late_tick_and_the_rest_is_missed() -> None:
    fake = FakeTime()
    loop = fake.loop(1000)

    def stop_of_the_machine(tick: Tick) -> None:
        fake.late = 14_500_000 if tick.number == 0 else 0
        if tick.number > 1:
            loop.stop()
    loop.run(stop_of_the_machine)
    statistics = loop.statistics()
    assert (statistics.ticks, statistics.missed, statistics.periods) == (3, 14, 17)
    assert statistics.lateness.max_ns == 14_500_000


@given(st.lists(st.integers(0, 5 * MS), min_size=1, max_size=50), st.integers(0, 3 * MS))
def test_ticks_and_missed_are_exactly_the_periods_that_came(works: list[int], late: int) -> None:
    loop, ticks = run_works(works, late)
    statistics = loop.statistics()
    assert statistics.ticks == len(works)
    # elapsed counts from one period before the first deadline to the end of the last callback
    came = -(-statistics.elapsed_ns // MS) - 1
    assert statistics.periods == max(came, ticks[-1].number + 1)
    assert all(tick.scheduled_ns == 1_001 * MS + tick.number * MS for tick in ticks)


@pytest.mark.parametrize('rate', [0, 0.0, -500.0, math.nan, math.inf, -math.inf, 1e9])
def test_a_rate_that_cannot_be_is_refused_in_one_line(rate: float) -> None:
    with pytest.raises(SettingError) as refused:
        PeriodicLoop(rate)
    assert str(refused.value) == f'rate: {rate} is not allowed; allowed: 1 to 20000 Hz'


def test_what_the_callback_raises_ends_the_loop_and_its_tick_counts() -> None:
    loop = FakeTime().loop(500)

    def fail(tick: Tick) -> None:
        if tick.number == 2:
            raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError):
        loop.run(fail)
    assert (loop.statistics().ticks, loop.statistics().missed) == (3, 0)


def test_stopped_before_it_runs_it_returns_at_once_and_runs_no_second_time() -> None:
    loop = PeriodicLoop(1)
    loop.stop()
    loop.run(lambda tick: pytest.fail('ticked'))
    assert loop.statistics().periods == 0
    with pytest.raises(RuntimeError, match='once'):
        loop.run(print)


def test_another_thread_stops_it() -> None:
    loop = PeriodicLoop(500)
    started = threading.Event()
    thread = threading.Thread(target=loop.run, args=(lambda tick: started.set(),))
    thread.start()
    assert started.wait(10)
    loop.stop()
    thread.join(10)
    assert not thread.is_alive()


@pytest.fixture
def on_alarm() -> Iterator[Callable[[Callable[..., object]], None]]:
    """Have a function called by a signal to the main thread, 50 ms from now."""
    def install(handler: Callable[..., object]) -> None:
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
    before = signal.getsignal(signal.SIGALRM)
    yield install
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_a_signal_handler_stops_it_in_its_sleep(on_alarm: Callable[..., None]) -> None:
    loop = PeriodicLoop(1)
    before = time.monotonic()
    on_alarm(lambda *_: loop.stop())
    loop.run(lambda tick: pytest.fail('ticked'))
    assert time.monotonic() - before < 0.9  # the first tick would come after one second


def test_an_exception_of_a_signal_handler_ends_the_sleep(on_alarm: Callable[..., None]) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt
    on_alarm(interrupt)
    before = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        PeriodicLoop(1).run(lambda tick: pytest.fail('ticked'))
    assert time.monotonic() - before < 0.9


def test_a_signal_that_is_only_noted_changes_no_deadline(on_alarm: Callable[..., None]) -> None:
    noted: list[int] = []
    on_alarm(lambda number, _: noted.append(number))
    loop = PeriodicLoop(5)
    loop.run(lambda tick: loop.stop())
    assert noted == [signal.SIGALRM]
    assert loop.statistics().gap.count == 0
    assert loop.statistics().elapsed_ns >= 200 * MS


def test_sleep_until_refuses_a_time_that_is_none() -> None:
    with pytest.raises(OSError, match='Invalid argument'):
        sleep_until(-10**18)


def test_on_the_real_clock_nothing_is_lost() -> None:
    loop = PeriodicLoop(500)
    seen: list[Tick] = []

    def note(tick: Tick) -> None:
        assert time.monotonic_ns() >= tick.scheduled_ns
        seen.append(tick)
        if tick.number >= 250:
            loop.stop()
    loop.run(note)
    statistics = loop.statistics()
    assert statistics.ticks == len(seen)
    assert statistics.periods >= 251
    assert seen[-1].scheduled_ns - seen[0].scheduled_ns == seen[-1].number * loop.period_ns
    assert sorted({tick.number for tick in seen}) == [tick.number for tick in seen]


def test_a_rate_beyond_the_machine_does_not_stall_it() -> None:
    loop = PeriodicLoop(10_000)
    seen: list[int] = []

    def work(tick: Tick) -> None:
        time.sleep(0.00025)
        seen.append(tick.number)
        if tick.number >= 3000:
            loop.stop()
    loop.run(work)
    statistics = loop.statistics()
    assert statistics.missed > 1500
    assert statistics.rate_reached < 5000
    assert statistics.ticks == len(seen)
    assert seen[-1] < statistics.periods < statistics.elapsed_ns / loop.period_ns


def test_a_reader_in_another_thread_never_sees_a_contradiction() -> None:
    loop = PeriodicLoop(5000)
    thread = threading.Thread(target=loop.run, args=(lambda tick: None,))
    thread.start()
    seen = [loop.statistics() for _ in range(2000)]
    loop.stop()
    thread.join()
    assert all(one.periods <= two.periods and one.missed <= two.missed
               for one, two in pairwise(seen))
    assert all(0 <= one.ticks - one.callback.count <= 1 for one in seen)
    assert seen[-1].ticks > seen[0].ticks


def test_ten_thousand_ticks_leave_nothing_in_memory() -> None:
    fake = FakeTime(late=12_345)
    loop = fake.loop(500)
    motion = JointMotion(6, 0.002, [1.0], [2.0], [-3.0, 3.0])
    sizes = {1_000: 0, 11_000: 0}

    def work(tick: Tick) -> None:
        fake.now += 3 * MS if tick.number % 7 == 0 else MS
        motion.step()
        if tick.number in sizes:
            sizes[tick.number] = tracemalloc.get_traced_memory()[0]
        if tick.number >= 11_000:
            loop.stop()
    tracemalloc.start()
    try:
        loop.run(work)
    finally:
        tracemalloc.stop()
    assert sizes[1_000] > 0
    # one object kept a tick would be 160000 at least; Python 3.10 keeps the frames of this test
    assert 0 < sizes[11_000] < sizes[1_000] + 5_000


def test_a_window_is_what_came_after_it_opened() -> None:
    fake = FakeTime(late=5 * MS // 10)
    loop = fake.loop(1000)
    opened = []

    def work(tick: Tick) -> None:
        if tick.number == 99:
            opened.append(loop.statistics())
            fake.late = 0
        if tick.number == 119:
            fake.now += 2 * MS
            loop.stop()
    loop.run(work)
    window = loop.statistics().since(opened[0])
    assert (window.ticks, window.missed) == (21, 1)  # that of the opening was still going on
    assert window.lateness.percentile(50) == 0
    assert window.callback.max_ns == 2 * MS
    assert window.since(window).to_dict()['lateness_ns']['max'] == 0


def test_the_report_is_one_line_and_the_dict_is_json() -> None:
    statistics = run_works([0] * 200, late=110_000)[0].statistics()
    assert str(statistics) == '200 of 200 ticks, 0 missed, lateness p99.9 0.11 ms, max 0.11 ms'
    read = json.loads(json.dumps(statistics.to_dict()))
    assert read['ticks'] == read['periods'] == 200
    assert read['lateness_ns']['max'] == 110_000
    assert read['lateness_ns']['buckets'] == [[110_000, 200]]
    assert read['rate_reached'] == pytest.approx(1000, rel=0.01)


def test_before_it_runs_the_statistics_are_empty() -> None:
    statistics = PeriodicLoop(500).statistics()
    assert str(statistics) == '0 of 0 ticks, 0 missed, lateness p99.9 0.00 ms, max 0.00 ms'
    assert (statistics.rate_reached, statistics.elapsed_ns) == (0.0, 0)


@given(st.lists(st.integers(0, 2**34 - 1), min_size=1), st.floats(0, 100))
def test_a_percentile_is_the_true_one_and_less_than_a_32th_more(
        durations: list[int], percent: float) -> None:
    histogram = Histogram()
    for duration in durations:
        histogram.record(duration)
    rank = max(math.ceil(len(durations) * percent / 100 - 1e-9), 1)
    true = sorted(durations)[rank - 1]
    assert true <= histogram.percentile(percent) <= true + true // 32
    assert histogram.max_ns == max(durations)
    assert (histogram.count, histogram.overflow) == (len(durations), 0)


def test_a_duration_beyond_the_histogram_is_an_overflow_and_its_maximum_exact() -> None:
    histogram = Histogram()
    for duration in (5, 2**34, 2**50):
        histogram.record(duration)
    assert (histogram.count, histogram.overflow, histogram.max_ns) == (3, 2, 2**50)
    assert histogram.percentile(30) == 5
    assert histogram.percentile(99) == 2**50


@given(st.lists(st.integers(0, 2**40)), st.lists(st.integers(0, 2**40)))
def test_a_difference_of_histograms_is_the_histogram_of_the_difference(
        before: list[int], after: list[int]) -> None:
    whole, earlier, alone = Histogram(), Histogram(), Histogram()
    for duration in before:
        whole.record(duration)
        earlier.record(duration)
    for duration in after:
        whole.record(duration)
        alone.record(duration)
    window = whole.since(earlier)
    assert window.count == alone.count
    assert window.overflow == alone.overflow
    assert window.max_ns >= alone.max_ns
    if not window.overflow:
        assert window.max_ns <= alone.max_ns * 33 / 32


def test_the_loop_needs_no_ros() -> None:
    program = ('import sys, camera_mp.periodic, camera_mp.realtime, camera_mp.joint_motion; '
               'sys.exit("rclpy" in sys.modules)')
    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, '-c', program]) == 0
