"""
Programs that the tests of the ring run as processes of their own, and the handle to one.

    python ring_processes.py <program> <ring> ...

A program says 'ready', then obeys lines on its standard input and answers each with one line.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
import json
import os
from pathlib import Path
import resource
import subprocess
import sys
import time
from typing import Any

import camera_mp
from camera_mp.errors import CameraError, FrameTimeout, RingClosed, RingError
from camera_mp.frame import Frame, FrameFormat, Pixels
from camera_mp.ring import FrameReader, FrameWriter, State
from camera_mp.ring import reader as reader_module
import numpy as np

PATIENCE = 20.0  # seconds; what takes longer than this on the slowest machine is broken


class Child:
    """A running program of this file."""

    def __init__(self, program: str, *arguments: object) -> None:
        root = str(Path(camera_mp.__file__).parent.parent)
        path = os.pathsep.join(filter(None, [root, os.environ.get('PYTHONPATH')]))
        self._process = subprocess.Popen(
            [sys.executable, __file__, program, *map(str, arguments)], text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, 'PYTHONPATH': path})
        self.pid = self._process.pid

    def hear(self) -> str:
        """Wait for the next line that it says; '' once it is gone."""
        assert self._process.stdout
        return self._process.stdout.readline().rstrip('\n')

    def tell(self, line: object) -> None:
        """Give it one line."""
        assert self._process.stdin
        self._process.stdin.write(f'{line}\n')

    def ask(self, line: object) -> str:
        """Give it one line and wait for the answer."""
        self.tell(line)
        return self.hear()

    def kill(self) -> None:
        """Send SIGKILL and wait until it is gone."""
        self._process.kill()
        self._process.wait(PATIENCE)

    def lives_for(self, seconds: float) -> None:
        """Let it work for a while."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
            raise AssertionError('it ended by itself')

    def sleeps(self) -> bool:
        """Tell whether it is asleep in the kernel."""
        return Path(f'/proc/{self.pid}/stat').read_text().rpartition(')')[2].split()[0] == 'S'

    def close(self) -> None:
        """End it, if it has not ended by itself, and its pipes."""
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe
            try:
                pipe.close()
            except BrokenPipeError:
                pass  # it was killed with a line unread


@contextmanager
def running(program: str, *arguments: object) -> Iterator[Child]:
    """Run a program until the block ends; it is ready when the block begins."""
    child = Child(program, *arguments)
    try:
        assert child.hear() == 'ready'
        yield child
    finally:
        child.close()


def say(line: object) -> None:
    """Answer with one line."""
    print(line, flush=True)


def draw(target: Pixels, number: int) -> None:
    """Fill a mono8 picture so that any mixture of two of them is seen."""
    flat = target.reshape(-1)
    flat[:] = number % 251
    flat[:8] = flat[-8:] = np.frombuffer(number.to_bytes(8, 'little'), np.uint8)
    flat[8:16] = np.frombuffer(int(flat[16:-8:7].sum()).to_bytes(8, 'little'), np.uint8)


def is_whole(frame: Frame) -> bool:
    """Tell whether a picture of `draw` is the one that its header says."""
    flat = frame.image.reshape(-1)
    first, checksum, last = (int.from_bytes(part.tobytes(), 'little')
                             for part in (flat[:8], flat[8:16], flat[-8:]))
    body = flat[16:-8]
    return (first == last == frame.sequence and checksum == int(body[::7].sum())
            and bool((body == first % 251).all()))


def storm(writer: FrameWriter, numbers: range) -> None:
    """Write self-checking frames of varying, slowly growing size as fast as it goes."""
    sizes = np.random.default_rng(numbers.start)
    for number in numbers:
        limit = 200 + min((number - numbers.start) // 50, 8) * 100
        height, width = int(sizes.integers(1, 64)), int(sizes.integers(100, limit))
        draw(writer.begin(FrameFormat(height, width, 'mono8')), number)
        writer.commit(number, number)


def write(name: str, height: str, width: str) -> None:
    """Be a writer that does what it is told."""
    writer = FrameWriter(name, FrameFormat(int(height), int(width), 'mono8'))
    say('ready')
    for line in sys.stdin:
        what, *numbers = line.split()
        if what == 'write':
            value, rows, columns = map(int, numbers)
            writer.write(np.full((rows, columns), value, np.uint8), sequence=value)
        elif what == 'state':
            writer.set_state(State.STALLED, 'told so')
        elif what == 'storm':
            storm(writer, range(1, int(numbers[0]) + 1))
        elif what == 'close':
            writer.close()
        elif what == 'spawn':
            say(subprocess.Popen(['sleep', '60'], close_fds=False).pid)
            continue
        say('done')


def churn(name: str, seed: str) -> None:
    """Start, write, grow and close for ever, until somebody kills it."""
    say('ready')
    start = int(seed)
    while True:
        with FrameWriter(name, FrameFormat(1, 100, 'mono8'), slots=3) as writer:
            storm(writer, range(start, start + 150))
        start += 1000


def _take(reader: FrameReader, way: str) -> tuple[int, bool]:
    """Read one frame: its number, and whether it passes; one that was overwritten passes."""
    if way in ('wait', 'next'):
        frame = getattr(reader, way)(PATIENCE)
        return frame.number, is_whole(frame)
    with getattr(reader, way)(PATIENCE) as frame:
        return frame.number, is_whole(frame) or not frame.intact


def check(name: str, way: str, last: str) -> None:
    """Read up to this frame and say what was seen."""
    reader = FrameReader(name)
    say('ready')
    read = torn = number = 0
    while number < int(last):
        number, passes = _take(reader, way)
        read += 1
        torn += not passes
    say(json.dumps({'read': read, 'torn': torn, 'missed': reader.missed}))


def follow(name: str, way: str) -> None:
    """Read through every restart until a frame of sequence 0 comes and say what was seen."""
    reader = FrameReader(name)
    say('ready')
    read = torn = 0
    while True:
        try:
            frame = getattr(reader, way)(PATIENCE)
        except RingClosed:
            time.sleep(0.001)
            continue
        if frame.sequence == 0:
            say(json.dumps({'read': read, 'torn': torn}))
            return
        read += 1
        torn += not is_whole(frame)


def block(name: str, look: str, timeout: str) -> None:
    """Wait for one new frame; `look` is how long to sleep if nothing wakes it."""
    reader_module._LOOK = float(look)
    reader = FrameReader(name)
    with suppress(FrameTimeout):
        reader.wait(0)
    say('ready')
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
    try:
        outcome = f'frame {reader.wait(float(timeout)).sequence}'
    except RingError as error:
        outcome = type(error).__name__
    after = resource.getrusage(resource.RUSAGE_SELF)
    say(json.dumps({'outcome': outcome, 'seconds': time.monotonic() - start,
                    'switches': after.ru_nvcsw - before.ru_nvcsw,
                    'cpu': after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}))


def block_set(*arguments: str) -> None:
    """Wait for a set of new frames of these cameras, within the slop that is named last."""
    *names, slop_ns = arguments
    reader_module._LOOK = 2 * PATIENCE  # only a wake ends its sleep
    with camera_mp.FrameSet(names, slop_ns=int(slop_ns)) as frames:
        with suppress(FrameTimeout):
            frames.wait(0)
        say('ready')
        frames.wait(PATIENCE)
        say('set')


def look(name: str) -> None:
    """Use whatever lies under the name in every way, whenever told; say how each went."""
    say('ready')
    for _ in sys.stdin:
        outcomes = []
        for way in ('wait', 'next', 'borrow', 'borrow_next', 'status'):
            try:
                _look(FrameReader(name), way)
                outcomes.append('frame')
            except Exception as error:
                known = isinstance(error, CameraError)
                outcomes.append(type(error).__name__ if known else repr(error))
        say(json.dumps(outcomes))


def _look(reader: FrameReader, way: str) -> None:
    if way == 'status':
        status = reader.status()
        if status and status.newest:
            status.newest.image.sum(dtype=float)
    elif way.startswith('borrow'):
        with getattr(reader, way)(0) as frame:
            frame.image.sum(dtype=float)
    else:
        getattr(reader, way)(0).image.sum(dtype=float)


def race(name: str) -> None:
    """Try to become the writer whenever told 'go'; give up what was won when told 'stop'."""
    say('ready')
    writer = None
    for line in sys.stdin:
        if line == 'stop\n':
            if writer:
                writer.close()
            writer = None
            say('stopped')
            continue
        try:
            writer = FrameWriter(name, FrameFormat(1, 100, 'mono8'))
            say('won')
        except RingError as error:
            say(type(error).__name__)


def main(arguments: list[str]) -> None:
    """Run the program that is named first."""
    programs: dict[str, Any] = {one.__name__: one for one in (
        write, churn, check, follow, block, block_set, look, race)}
    np.seterr(all='ignore')  # hostile pixels are any floats
    programs[arguments[0]](*arguments[1:])


if __name__ == '__main__':
    main(sys.argv[1:])
