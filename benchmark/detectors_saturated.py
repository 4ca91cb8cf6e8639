"""Detectors that want far more CPU than there is: cameras and command loop beside them."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
import threading
import time

from camera_mp.detector_pool import DetectorPool
from camera_mp.proof.child import Child, running
from camera_mp.proof.report import missed_outside_stops
from camera_mp.ring import ring_status
import numpy as np
from options import Row
from processes import capture, cpu_seconds

CAMERAS, WORKERS, FRAMERATE, COST = 4, 3, 30.0, 0.06  # COST: seconds of CPU a picture
_READY = 60.0
_TICKS = os.sysconf('SC_CLK_TCK')


class Consumer(threading.Thread):
    """Takes the results of a pool."""

    def __init__(self, pool: DetectorPool) -> None:
        super().__init__()
        self.pool = pool
        self.latencies: list[float] = []

    def run(self) -> None:
        """Take them until the pool is closed."""
        for result in self.pool:
            self.latencies.append(result.latency)


@dataclass(frozen=True)
class Moment:
    """Counters of the whole arrangement at one time; CPU times in seconds."""

    seconds: float
    idle: float
    detecting: float
    captured: list[int]
    lost: list[int]
    detected: list[int]
    lost_by_workers: list[int]

    @classmethod
    def now(cls, names: Sequence[str], consumers: Sequence[Consumer]) -> 'Moment':
        """Look at all."""
        states = [ring_status(name) for name in names]
        pids = [pid for consumer in consumers for pid in consumer.pool.pids]
        times = Path('/proc/stat').read_text().partition('\n')[0].split()[1:]  # proc_stat(5)
        return cls(time.monotonic(), (int(times[3]) + int(times[4])) / _TICKS,
                   sum(map(cpu_seconds, pids)) + time.process_time(),
                   [state.committed if state else 0 for state in states],
                   [state.lost if state else 0 for state in states],
                   [len(consumer.latencies) for consumer in consumers],
                   [consumer.pool.counts.lost for consumer in consumers])


def saturated(seconds: float) -> tuple[list[Row], list[Row], list[Row]]:
    """Give a row a camera, one of the CPU time and one of the loop."""
    names = [f'benchmark_{os.getpid()}_{index}' for index in range(CAMERAS)]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        for name in names:
            stack.enter_context(capture(name, '--framerate', FRAMERATE))
        consumers = [Consumer(stack.enter_context(DetectorPool(
            name, 'detector_load:Busy', WORKERS, settings={'seconds': COST}))) for name in names]
        for consumer in consumers:
            assert consumer.pool.wait_ready(_READY)
            consumer.start()
        report = folder / 'loop.json'
        with running(Child('command_loop', folder, parameters={
                'rt_priority': 80, 'report_file': report})) as loop:
            loop.wait_for('in force:')
            before = Moment.now(names, consumers)
            time.sleep(seconds)
            after = Moment.now(names, consumers)
        ran = json.loads(report.read_text())
    cameras = [_camera(index, consumer, before, after) for index, consumer in enumerate(consumers)]
    late = ran['lateness_ns']
    commands: Row = {
        'in force': ', '.join(ran['realtime']), 'periods': ran['periods'],
        'missed': ran['missed'], 'missed outside stops': missed_outside_stops(ran),
        **{f'late {name} ms': late[name] / 1e6 for name in ('p50', 'p99', 'max')}}
    return cameras, [_cpu(before, after)], [commands]


def _camera(index: int, consumer: Consumer, before: Moment, after: Moment) -> Row:
    seconds = after.seconds - before.seconds
    captured = after.captured[index] - before.captured[index]
    detected = slice(before.detected[index], after.detected[index])
    return {'camera': index, 'captured': captured, 'capture FPS': captured / seconds,
            'lost by capture': after.lost[index] - before.lost[index],
            'detection FPS': (detected.stop - detected.start) / seconds,
            'latency p50 ms': 1e3 * float(np.median(consumer.latencies[detected])),
            'lost by workers': after.lost_by_workers[index] - before.lost_by_workers[index],
            'errors': consumer.pool.counts.errors}


def _cpu(before: Moment, after: Moment) -> Row:
    """Compare with what would have been possible in the time that nobody else used."""
    left = after.idle - before.idle + after.detecting - before.detecting
    detections = sum(after.detected) - sum(before.detected)
    return {'detections': detections, 'seconds of CPU a detection': COST,
            'seconds of CPU that others left': left, 'idle': after.idle - before.idle,
            'possible detections': left / COST, 'reached %': 100 * detections * COST / left}
