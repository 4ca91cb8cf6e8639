"""Ever more cameras, with a small ONNX network on each and without."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, ExitStack
import os
from pathlib import Path
import sys
from tempfile import TemporaryDirectory
import time

from camera_mp.detector_pool import DetectorPool
from detectors_saturated import Consumer, Moment
import numpy as np
from options import Row
from processes import capture, cpu_seconds, threads

_READY = 60.0
_SIDE = 320  # of the network's input, pixels


@contextmanager
def small_model() -> Iterator[Path]:
    """Write a network with the output of a YOLO model, which finds two boxes."""
    sys.path.append(str(Path(__file__).parent.parent / 'test'))
    from yolo_models import Box, make_model
    boxes = [Box(80, 80, 60, 40, 0, 0), Box(200, 160, 40, 80, 2, 1)]
    with TemporaryDirectory() as folder:
        yield make_model(Path(folder) / 'small.onnx', boxes, transposed=True, count=2100,
                         size=(_SIDE, _SIDE))


def cameras(count: int, seconds: float, model: Path) -> list[Row]:
    """Run some cameras and measure them alone, then with a worker each."""
    names = [f'benchmark_{os.getpid()}_{index}' for index in range(count)]
    with ExitStack() as stack:
        captures = [stack.enter_context(capture(name, '--framerate', 30.0)) for name in names]
        rows = [{'cameras': count, 'network': 'off', **_measure(seconds, names, captures, [])}]
        consumers = [Consumer(stack.enter_context(DetectorPool(
            name, 'yolo', settings={'model': str(model)}))) for name in names]
        for consumer in consumers:
            assert consumer.pool.wait_ready(_READY)
            consumer.start()
        rows.append({'cameras': count, 'network': 'on',
                     **_measure(seconds, names, captures, consumers)})
    return rows


def _measure(seconds: float, names: Sequence[str], captures: Sequence[int],
             consumers: Sequence[Consumer]) -> Row:
    workers = [pid for consumer in consumers for pid in consumer.pool.pids]
    pids = [*captures, *workers]
    own, used = time.process_time(), [cpu_seconds(pid) for pid in pids]
    before = Moment.now(names, consumers)
    time.sleep(seconds)
    after = Moment.now(names, consumers)
    took = after.seconds - before.seconds
    percent = [100 * (cpu_seconds(pid) - was) / took for pid, was in zip(pids, used, strict=True)]
    count = len(names)

    def rate(later: list[int], earlier: list[int]) -> float:
        return float((np.array(later) - earlier).mean()) / took
    return {'capture FPS': rate(after.captured, before.captured),
            'lost': sum(after.lost) - sum(before.lost),
            'detection FPS': rate(after.detected, before.detected) if workers else 0.0,
            'capture CPU %, each': float(np.mean(percent[:count])),
            'worker CPU %, each': float(np.mean(percent[count:])) if workers else 0.0,
            'pool CPU %, each': 100 * (time.process_time() - own) / took / count,
            'capture threads': threads(captures[0]),
            'worker threads': threads(workers[0]) if workers else 0}


def with_a_network(counts: Sequence[int], seconds: float) -> list[Row]:
    """Run ever more cameras."""
    with small_model() as model:
        return [row for count in counts for row in cameras(count, seconds, model)]
