"""
The frame ring under load: torn frames, latency, cost of readers, CPU of a waiting reader.

    python benchmark/frame_ring.py [--quick] [--json FILE]

Ends with exit code 1 if a frame was torn, or missed where none may be.
"""

from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, ExitStack
import multiprocessing
from multiprocessing.connection import Connection
import os
from pathlib import Path
import sys
import time
from typing import Any

from camera_mp.frame import Frame, FrameFormat, Pixels
from camera_mp.ring import FrameReader, FrameWriter
import numpy as np
from report import percentiles, Report

NAME = f'benchmark_{os.getpid()}'
PERIOD = 1 / 30
SIZES = ((480, 640), (720, 1280), (1080, 1920))
_spawn = multiprocessing.get_context('spawn')
Row = dict[str, object]


@contextmanager
def running(program: Callable[..., None], *arguments: object) -> Iterator[Connection]:
    """Run a program of a reader in a process of its own; it has its ring when this begins."""
    ours, theirs = _spawn.Pipe()
    process = _spawn.Process(target=program, args=(theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        assert ours.recv() == 'ready'
        yield ours
    finally:
        process.kill()
        process.join()
        ours.close()


def at_30_hz(count: int) -> Iterator[int]:
    """Count at 30 Hz, by absolute deadlines."""
    due = time.monotonic() + 0.2
    for number in range(count):
        time.sleep(max(due - time.monotonic(), 0))
        yield number
        due += PERIOD


def draw(target: Pixels, number: int) -> None:
    """Fill a picture so that any mixture of two of them is seen."""
    flat = target.reshape(-1)
    flat[:] = number % 251
    flat[:8] = flat[-8:] = np.frombuffer(number.to_bytes(8, 'little'), np.uint8)


def is_whole(frame: Frame) -> bool:
    """Tell whether a picture of `draw` is the one that its header says."""
    flat = frame.image.reshape(-1)
    first, last = (int.from_bytes(end.tobytes(), 'little') for end in (flat[:8], flat[-8:]))
    return first == last == frame.sequence and bool((flat[8:-8] == first % 251).all())


def check(pipe: Connection, name: str, way: str, last: int) -> None:
    """Read up to frame `last` as fast as it goes and look at every byte."""
    reader = FrameReader(name)
    pipe.send('ready')
    read = overwritten = torn = number = 0
    while number < last:
        if way in ('wait', 'next'):
            frame = getattr(reader, way)()
            whole, intact = is_whole(frame), True
        else:
            with getattr(reader, way)() as frame:
                whole, intact = is_whole(frame), frame.intact
        number, read = frame.number, read + 1
        overwritten += not intact
        torn += intact and not whole
    pipe.send({'reader': way, 'read': read, 'missed': reader.missed if 'next' in way else '-',
               'overwritten while lent': overwritten, 'torn': torn})


def torn_frames(commits: int) -> list[Row]:
    """Write self-checking frames of varying size at full speed against four readers."""
    random = np.random.default_rng(1)
    heights = random.integers(1, 65, commits).tolist()
    widths = random.integers(32, 513, commits).tolist()
    with FrameWriter(NAME, FrameFormat(1, 32, 'mono8')) as writer, ExitStack() as stack:
        readers = [stack.enter_context(running(check, NAME, way, commits))
                   for way in ('wait', 'next', 'borrow', 'borrow_next')]
        for number, height, width in zip(range(1, commits + 1), heights, widths, strict=True):
            draw(writer.begin(FrameFormat(height, width, 'mono8')), number)
            writer.commit(number, number)
        return [{**reader.recv(), 'commits': commits} for reader in readers]


def arrive(pipe: Connection, name: str, way: str, count: int) -> None:
    """Take the time at which each frame is in hand; its stamps say when it was sent."""
    reader = FrameReader(name)
    pipe.send('ready')
    delays = []
    for _ in range(count):
        if way == 'copy':
            frame = reader.next()
            now = time.monotonic_ns()
        else:
            with reader.borrow_next() as frame:
                now = time.monotonic_ns()
        delays.append((now - frame.stamp_ns, now - frame.sequence))
    pipe.send((np.array(delays) / 1e6, reader.missed))


def send(writer: FrameWriter, image: Pixels) -> tuple[float, float]:
    """Write a frame, the times of start and commit its stamps; give what commit took, in us."""
    start = time.monotonic_ns()
    np.copyto(writer.begin(), image)
    used, commit = time.thread_time_ns(), time.monotonic_ns()
    writer.commit(start, commit)
    return (time.monotonic_ns() - commit) / 1e3, (time.thread_time_ns() - used) / 1e3


def time_copies(image: Pixels, buffers: list[Pixels], number: int) -> int:
    """Copy as the ring does, into one of several buffers, between two frames."""
    time.sleep(PERIOD / 2)
    start = time.monotonic_ns()
    np.copyto(buffers[number % len(buffers)], image)
    return time.monotonic_ns() - start


def latency(height: int, width: int, way: str, count: int) -> list[Row]:
    """Compare the way of a frame into another process with a copy of as many bytes."""
    form = FrameFormat(height, width, 'bgr8')
    image = np.random.default_rng(1).integers(0, 255, form.shape, np.uint8)
    buffers = [np.zeros_like(image) for _ in range(6)]
    with FrameWriter(NAME, form) as writer, running(arrive, NAME, way, count) as reader:
        copies = []
        for number in at_30_hz(count):
            send(writer, image)
            copies.append(time_copies(image, buffers, number))
        delays, missed = reader.recv()
    memcpy = float(np.median(copies)) / 1e6
    goal = 1.3 * memcpy + 0.2
    rows: list[Row] = []
    for start, series in zip(('write', 'commit'), delays.T, strict=True):
        seen = percentiles(series)
        rows.append({'size': f'{width}x{height}', 'from, to': f'{start}, {way} in hand',
                     **{f'{key} ms': value for key, value in seen.items()},
                     'memcpy p50 ms': memcpy, '1.3 memcpy + 0.2 ms': goal,
                     'p50 / that': seen['p50'] / goal, 'missed': missed})
    return rows


def take_all(pipe: Connection, name: str) -> None:
    """Take each frame, for ever, without looking at it."""
    reader = FrameReader(name)
    pipe.send('ready')
    while True:
        with reader.borrow():
            pass


def commit_cost(count: int) -> list[Row]:
    """
    Time commit with ever more readers asleep.

    Where there are fewer cores than readers, those that it wakes run in its place at once, so
    what it took is theirs as well; its own cost is its CPU time.
    """
    image = np.zeros((480, 640, 3), np.uint8)
    rows: list[Row] = []
    levels, first = (0, 1, 2, 4, 8, 16), 0.0
    with FrameWriter(NAME, FrameFormat(480, 640, 'bgr8')) as writer, ExitStack() as stack:
        for readers, more in zip(levels, np.diff((0, *levels)).tolist(), strict=True):
            for _ in range(more):
                stack.enter_context(running(take_all, NAME))
            took, used = zip(*[send(writer, image) for _ in at_30_hz(count)], strict=True)
            cost = percentiles(used)['p50']
            first = first or cost
            rows.append({'blocked readers': readers,
                         **{f'took {key} us': value for key, value in percentiles(took).items()},
                         'own CPU p50 us': cost,
                         'CPU us per reader (goal < 10)': (cost - first) / max(readers, 1)})
    return rows


def every_frame(count: int) -> list[Row]:
    """Send 1080p to four readers, each of which must get every frame."""
    form = FrameFormat(1080, 1920, 'bgr8')
    image = np.zeros(form.shape, np.uint8)
    with FrameWriter(NAME, form) as writer, ExitStack() as stack:
        readers = [stack.enter_context(running(arrive, NAME, 'copy', count)) for _ in range(4)]
        for _ in at_30_hz(count):
            send(writer, image)
        results: list[Any] = [reader.recv() for reader in readers]
    return [{'reader': number, 'read': len(delays), 'missed': missed,
             **{f'copy {key} ms': value
                for key, value in percentiles(delays[:, 0]).items()}}
            for number, (delays, missed) in enumerate(results)]


def idle(pipe: Connection, name: str, seconds: float) -> None:
    """Wait for a frame that does not come."""
    reader = FrameReader(name)
    pipe.send('ready')
    start, used = time.monotonic(), time.process_time()
    try:
        reader.wait(seconds)
    except TimeoutError:
        pipe.send((time.process_time() - used) / (time.monotonic() - start) * 100)


def idle_cpu(seconds: float) -> list[Row]:
    """Measure the CPU time of a reader that waits."""
    with (FrameWriter(NAME, FrameFormat(480, 640, 'bgr8')),
          running(idle, NAME, seconds) as reader):
        return [{'seconds': seconds, 'CPU % (goal < 2)': reader.recv()}]


def main() -> int:
    """Run all and give the exit code."""
    parser = ArgumentParser(description=__doc__.splitlines()[1] if __doc__ else None)
    parser.add_argument('--quick', action='store_true', help='under half a minute')
    parser.add_argument('--json', type=Path, metavar='FILE')
    options = parser.parse_args()
    quick = options.quick
    report = Report('Frame ring')
    torn = torn_frames(50_000 if quick else 1_000_000)
    report.add('Torn frames (must be 0)', torn)
    frames = 25 if quick else 300
    report.add('From the writer into another process, 30 Hz', [
        row for size in SIZES for way in ('copy', 'loan') for row in latency(*size, way, frames)])
    report.add('What commit costs the writer, 640x480, 30 Hz', commit_cost(15 if quick else 150))
    every = every_frame(45 if quick else 300)
    report.add('Every frame for four readers, 1920x1080, 30 Hz (missed must be 0)', every)
    report.add('A reader that waits', idle_cpu(2.0 if quick else 10.0))
    report.save(options.json)
    return int(any(row['torn'] for row in torn) or any(row['missed'] for row in every))


if __name__ == '__main__':
    sys.exit(main())
