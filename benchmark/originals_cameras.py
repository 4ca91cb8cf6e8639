"""Ever more cameras, each with a consumer that makes its pictures gray, small, both or nothing."""

from collections.abc import Sequence
from contextlib import ExitStack
from multiprocessing.connection import Connection
import os
import time

from camera_mp import FrameReader
from camera_mp.frame import Pixels
from camera_mp.heap import keep_large_blocks
import cv2
from image_topic_processes import orders, running
import numpy as np
from options import Row
from processes import capture, cpu_seconds, threads

SCALE = 0.1
PROCESSING = {'none': (False, False), 'gray': (False, True), 'scale 10 %': (True, False),
              'scale 10 %, gray': (True, True)}


def work(picture: Pixels, scale: bool, gray: bool) -> Pixels:
    """Process a picture."""
    if scale:
        picture = cv2.resize(picture, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) if gray else picture


def consume(pipe: Connection, name: str) -> None:
    """For each order (processing, seconds) tell frames captured and consumed, CPU, threads."""
    cv2.setNumThreads(1)
    keep_large_blocks()
    with FrameReader(name) as reader:
        pipe.send('ready')
        for processing, seconds in orders(pipe):
            first, used = reader.wait(1.0).number, time.process_time()
            missed, start, consumed = reader.missed, time.monotonic(), 0
            while time.monotonic() < start + seconds:
                frame = reader.next(1.0)
                work(frame.image, *PROCESSING[processing])
                consumed += 1
            took = time.monotonic() - start
            pipe.send(((frame.number - first) / took, consumed / took, reader.missed - missed,
                       100 * (time.process_time() - used) / took, threads(os.getpid())))


def cameras(count: int, seconds: float) -> list[Row]:
    """Run some cameras and measure each kind of processing."""
    names = [f'benchmark_{os.getpid()}_{index}' for index in range(count)]
    rows: list[Row] = []
    with ExitStack() as stack:
        pids = [stack.enter_context(capture(name, '--framerate', 30.0)) for name in names]
        pipes = [stack.enter_context(running(consume, name)) for name in names]
        for pipe in pipes:
            pipe.recv()
        for processing in PROCESSING:
            for pipe in pipes:
                pipe.send((processing, seconds))
            used, start = sum(map(cpu_seconds, pids)), time.monotonic()
            results = np.array([pipe.recv() for pipe in pipes])
            used = 100 * (sum(map(cpu_seconds, pids)) - used) / (time.monotonic() - start)
            captured, consumed, missed, cpu, own = results.mean(0).tolist()
            rows.append({'cameras': count, 'processing': processing, 'capture FPS': captured,
                         'consumer FPS': consumed, 'missed': round(missed * count),
                         'capture CPU %, each': used / count, 'consumer CPU %, each': cpu,
                         'capture threads': threads(pids[0]), 'consumer threads': round(own)})
    return rows


def many_cameras(counts: Sequence[int], seconds: float) -> list[Row]:
    """Run ever more cameras."""
    return [row for count in counts for row in cameras(count, seconds)]
