"""One producer whose pictures are shared out: each goes to exactly one of several consumers."""

from contextlib import ExitStack
from multiprocessing.connection import Connection
import os
import queue
import threading
import time

from camera_mp import FrameFormat, FrameReader, FrameWriter
from camera_mp.errors import RingClosed
from camera_mp.frame import Pixels
from camera_mp.heap import keep_large_blocks
from camera_mp.sources.source import Pacer
import cv2
from frame_ring import running
from image_topic_frames import PICTURES, pictures
import numpy as np
from options import Row

FORM = FrameFormat(1080, 1920, 'bgr8')
SLOTS = 6
RATES = (120.0, 600.0)  # Hz
Result = tuple[int, int, float]  # pictures produced and consumed, seconds of CPU


def work(picture: Pixels) -> None:
    """Make it gray and turn it."""
    cv2.rotate(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.ROTATE_90_CLOCKWISE)


def prepare() -> None:
    """Make this process fit for images, as any program that works on them should be."""
    cv2.setNumThreads(1)  # the consumers are the parallelism
    keep_large_blocks()


def with_threads(consumers: int, rate: float, seconds: float) -> Result:
    """Share out through a queue; if all are slow the producer waits."""
    waiting, counts = queue.Queue[Pixels | None](SLOTS), [0] * consumers

    def consume(index: int) -> None:
        while (picture := waiting.get()) is not None:
            work(picture)
            counts[index] += 1
    threads = [threading.Thread(target=consume, args=(index,)) for index in range(consumers)]
    for thread in threads:
        thread.start()
    drawn, pacer, used, produced = pictures(FORM), Pacer(rate), time.process_time(), 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pacer.wait()
        waiting.put(drawn[produced % PICTURES].copy())
        produced += 1
    for _ in threads:
        waiting.put(None)
    for thread in threads:
        thread.join()
    return produced, sum(counts), time.process_time() - used


def take_share(pipe: Connection, name: str, index: int, consumers: int) -> None:
    """Work on every frame whose number leaves `index` when divided by `consumers`."""
    prepare()
    reader, used, consumed = FrameReader(name), time.process_time(), 0
    pipe.send('ready')
    try:
        while True:
            with reader.borrow_next() as frame:
                if frame.number % consumers == index:
                    work(frame.image)
                    consumed += frame.intact
    except RingClosed:
        pipe.send((consumed, time.process_time() - used))


def with_processes(consumers: int, rate: float, seconds: float) -> Result:
    """Share out through a ring; a consumer that is slow loses pictures."""
    name = f'benchmark_{os.getpid()}'
    with ExitStack() as stack:
        with FrameWriter(name, FORM, slots=SLOTS) as writer:
            pipes = [stack.enter_context(running(take_share, name, index, consumers))
                     for index in range(consumers)]
            drawn, pacer, used, produced = pictures(FORM), Pacer(rate), time.process_time(), 0
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                pacer.wait()
                np.copyto(writer.begin(), drawn[produced % PICTURES])
                writer.commit(0, produced)
                produced += 1
            used = time.process_time() - used
        results = [pipe.recv() for pipe in pipes]
    return (produced, sum(consumed for consumed, _ in results),
            used + sum(cpu for _, cpu in results))


def shared_out(seconds: float) -> list[Row]:
    """Compare threads and processes: 1, 2 and 4 of them, at an easy rate and a hard one."""
    prepare()
    rows: list[Row] = []
    for rate in RATES:
        for consumers in (1, 2, 4):
            for name, run in (('threads, queue', with_threads),
                              ('processes, ring', with_processes)):
                produced, consumed, used = run(consumers, rate, seconds)
                rows.append({'wanted FPS': rate, 'consumers': consumers, 'arrangement': name,
                             'produced': produced, 'consumed': consumed,
                             'lost': produced - consumed, 'produced FPS': produced / seconds,
                             'consumed FPS': consumed / seconds, 'CPU %': 100 * used / seconds})
    return rows
