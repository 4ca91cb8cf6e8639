"""
Several cameras as one: whether every set is complete, and what it costs to make one.

    python benchmark/frame_set.py [--quick] [--json FILE]

Four synthetic cameras at 640x480 and 30 Hz, each in a process of its own and with a phase of its
own. The slop is 3/4 of a period: whatever the phases are, four frames lie that close together.
"""

from collections.abc import Iterator
from contextlib import contextmanager, ExitStack
import os
import time
from typing import Any
from unittest.mock import patch

from camera_mp import frame_set, FrameReader, FrameSet, FrameTimeout
from camera_mp.frame import Pixels
from camera_mp.heap import keep_large_blocks
import numpy as np
from options import judge, read_options, Row
from processes import capture
from report import percentiles, Report

CAMERAS, RATE = 4, 30.0
SLOP_NS = round(0.75e9 / RATE)


@contextmanager
def waiting_counted() -> Iterator[list[int]]:
    """Give the CPU time that each sleep of a set takes, with all that is done to fall asleep."""
    spent: list[int] = []
    sleep = frame_set._Camera.sleep

    def counted(camera: Any, left: float) -> None:
        used = time.thread_time_ns()
        sleep(camera, left)
        spent.append(time.thread_time_ns() - used)
    with patch.object(frame_set._Camera, 'sleep', counted):
        yield spent


def sets(names: list[str], way: str, seconds: float) -> Row:
    """Take sets for some time; a set's cost is the CPU time of the thread from one to the next."""
    costs, beyond, spreads, taken, torn = [], [], [], [], 0
    with FrameSet(names, slop_ns=SLOP_NS) as frames, waiting_counted() as waiting:
        frames.wait(5.0)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            waiting.clear()
            used = time.thread_time_ns()
            if way == 'copy':
                found = frames.wait(5.0)
            else:
                with frames.borrow(5.0) as found:
                    torn += not all(frame.intact for frame in found.values())
            costs.append(time.thread_time_ns() - used)
            beyond.append(costs[-1] - sum(waiting))
            stamps = [frame.stamp_ns for frame in found.values()]
            spreads.append((max(stamps) - min(stamps)) / 1e6)
            taken.append([frame.number for frame in found.values()])
    steps = np.diff(taken, axis=0)
    return {'way': way, 'sets': len(taken), 'periods': round(seconds * RATE),
            'complete': sum(len(one) == CAMERAS for one in taken),
            'frames twice': int((steps < 1).sum()), 'frames left out': int((steps - 1).sum()),
            'overwritten': torn, 'spread max (ms)': max(spreads), 'slop (ms)': SLOP_NS / 1e6,
            **_cpu(costs), **_cpu(beyond, ' beyond waiting')}


def _cpu(costs: list[int], what: str = '') -> Row:
    return {f'CPU{what} {name} (ms)': value / 1e6 for name, value in percentiles(costs).items()}


def one_by_one(names: list[str], count: int) -> Row:
    """Wait for a frame of each with plain readers: the waiting alone."""
    costs, readers = [], [FrameReader(name) for name in names]
    for _ in range(count):
        used = time.thread_time_ns()
        for reader in readers:
            with reader.borrow(5.0):
                pass
        costs.append(time.thread_time_ns() - used)
    return {'what': 'four FrameReaders that wait one after another, view', **_cpu(costs)}


def copies(count: int) -> Row:
    """Time what a copy of four pictures costs by itself, once a period as sets come."""
    pictures: list[Pixels] = [np.ones((480, 640, 3), np.uint8) for _ in range(CAMERAS)]
    costs = []
    for _ in range(count):
        time.sleep(1 / RATE)
        used = time.thread_time_ns()
        _ = [picture.copy() for picture in pictures]
        costs.append(time.thread_time_ns() - used)
    return {'what': 'copies of four such pictures', **_cpu(costs)}


def missing(names: list[str]) -> Row:
    """Give what is said when one of them does not run."""
    with FrameSet([*names, f'{names[0]}.none'], slop_ns=SLOP_NS) as frames:
        try:
            frames.wait(0.5)
        except FrameTimeout as error:
            return {'one camera more that does not run': str(error)}
    raise SystemExit('a set came of a camera that does not run')


def main() -> None:
    """Run all."""
    options = read_options('Measures sets of frames of four cameras.')
    seconds = 3.0 if options.quick else 20.0
    keep_large_blocks()
    names = [f'benchmark_{os.getpid()}_{index}' for index in range(CAMERAS)]
    report = Report('Sets of frames')
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(capture(name, '--framerate', RATE))
        rows = [sets(names, way, seconds) for way in ('view', 'copy')]
        report.add('Four cameras, 640x480 at 30 Hz, in four processes', rows)
        count = round(seconds * RATE / 3)
        report.add('For comparison', [one_by_one(names, count), copies(count)])
        report.add('Timeout', [missing(names)])
    report.add('Goals', [judge('CPU of a set beyond waiting, p50 ms', 0.2,
                               float(str(rows[0]['CPU beyond waiting p50 (ms)']))),
                         judge('spread, ms', SLOP_NS / 1e6,
                               max(float(str(row['spread max (ms)'])) for row in rows)),
                         judge('sets that are not complete', 0,
                               sum(int(str(row['sets'])) - int(str(row['complete']))
                                   for row in rows))])
    report.save(options.json)


if __name__ == '__main__':
    main()
