"""
A consumer through the ring against one through the topic, iceoryx2 and Python's own ways.

    python benchmark/consumers.py [--quick] [--json FILE] [--plot FILE]

One process sends bgr8 pictures at 30 Hz, another gets each of them. The sender draws, as a decoder
does, in the shared memory if a way has that and else in its own. Latency is from the moment that
the picture is drawn until it is in hand: as a copy of one's own, or as a view of shared memory.
All ways live side by side and are timed in turns, one at a time; before that each must have
delivered the same pixels. Ratios are to the ring's copy or view.
"""

from collections.abc import Iterator
from contextlib import contextmanager, ExitStack
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
import time
import zlib

from camera_mp.frame import FrameFormat, Pixels
from consumer_ways import ICEORYX2, RING, STOCK, TUNED, Way, ways_here
from frame_ring import at_30_hz, PERIOD
from image_topic_frames import PICTURES, pictures
from image_topic_processes import orders, running
import numpy as np
from options import judge, read_options, Row
from report import percentiles, Report

FORMATS = (FrameFormat(480, 640, 'bgr8'), FrameFormat(1080, 1920, 'bgr8'))
CHECKED = 3  # pictures compared byte for byte, before a way is timed
PATIENCE = 1.0  # seconds without a picture after which the rest counts as lost


@dataclass
class Turn:
    """What one end saw of a series of pictures: when, what they were, the seconds of CPU."""

    times: dict[int, int] = field(default_factory=dict)
    sums: dict[int, int] = field(default_factory=dict)
    cpu: float = 0.0


def number_of(image: Pixels) -> int:
    """Read the number that `paint` has left."""
    return int.from_bytes(image.reshape(-1)[:8].tobytes(), 'little')


def paint(image: Pixels, number: int) -> None:
    """Write a number into the first bytes of a picture."""
    image.reshape(-1)[:8] = np.frombuffer(number.to_bytes(8, 'little'), np.uint8)


def produce(pipe: Connection, way: Way, form: FrameFormat, channel: object) -> None:
    """Send pictures as the orders (first number, how many, whether to take checksums) say."""
    drawn = pictures(form)
    with way.sender(form, channel) as outgoing:
        pipe.send('ready')
        for first, count, checks in orders(pipe):
            turn, used = Turn(), time.process_time()
            for number in at_30_hz(count):
                image = outgoing.begin()
                np.copyto(image, drawn[number % PICTURES])
                paint(image, first + number)
                if checks:
                    turn.sums[first + number] = zlib.crc32(image.data)
                turn.times[first + number] = time.monotonic_ns()
                outgoing.send()
            turn.cpu = time.process_time() - used
            pipe.send(turn)


def consume(pipe: Connection, way: Way, form: FrameFormat, channel: object) -> None:
    """Receive pictures as the orders (first number, how many, whether to check) say."""
    images = way.receiver(form, channel)
    next(images)  # a generator does nothing before
    pipe.send('ready')
    for first, count, checks in orders(pipe):
        turn, used, last = Turn(), time.process_time(), time.monotonic()
        while first + count - 1 not in turn.times and time.monotonic() < last + PATIENCE:
            image = next(images)
            now = time.monotonic_ns()
            if image is not None:
                number, last = number_of(image), time.monotonic()
                turn.times[number] = now
                if checks:
                    turn.sums[number] = zlib.crc32(image.data)
        turn.cpu = time.process_time() - used
        pipe.send(turn)


class Trial:
    """A way between two running processes, and what its turns have shown."""

    def __init__(self, way: Way, producer: Connection, consumer: Connection) -> None:
        self.way = way
        self._ends = (consumer, producer)
        self._next = 0
        self.latencies: list[float] = []
        self._sent = 0
        self._cpu = np.zeros(2)

    def wait_until_ready(self) -> None:
        """Wait until both ends are there."""
        for end in self._ends:
            end.recv()

    def _run(self, count: int, *, checks: bool) -> tuple[Turn, Turn]:
        for end in self._ends:
            end.send((self._next, count, checks))
        self._next += count
        received, sent = (end.recv() for end in self._ends)
        return received, sent

    def check(self) -> None:
        """Let some pictures through; raise SystemExit unless what comes is what was sent."""
        received, sent = self._run(CHECKED, checks=True)
        if not received.sums or not received.sums.items() <= sent.sums.items():
            raise SystemExit(f'{self.way.name}: sent {sent.sums}, received {received.sums}')

    def time(self, count: int) -> None:
        """Time some pictures."""
        received, sent = self._run(count, checks=False)
        self.latencies += [(received.times[number] - start) / 1e6
                           for number, start in sent.times.items() if number in received.times]
        self._sent += count
        self._cpu += (sent.cpu, received.cpu)

    def row(self, form: FrameFormat) -> Row:
        """Give what was measured."""
        producer, consumer = (100 * self._cpu / (self._sent * PERIOD)).tolist()
        times = {f'{key} ms': value for key, value in percentiles(self.latencies).items()}
        return {'size': f'{form.width}x{form.height}', 'way': self.way.name,
                'in hand': self.way.gives, **times,
                'received': f'{len(self.latencies)} of {self._sent}',
                'producer CPU %': producer, 'consumer CPU %': consumer}


@contextmanager
def trials(form: FrameFormat) -> Iterator[list[Trial]]:
    """Run both ends of every way."""
    with ExitStack() as stack:
        found = []
        for way in ways_here():
            channel = stack.enter_context(way.connect(form))
            ends = [stack.enter_context(running(end, way, form, channel))
                    for end in (produce, consume)]
            found.append(Trial(way, *ends))
        for trial in found:
            trial.wait_until_ready()
        time.sleep(PATIENCE)  # the receiver of a topic may know its sender a little later
        yield found


def compare(form: FrameFormat, turns: int, count: int) -> list[Row]:
    """Give a row for each way, with ratios to the ring."""
    with trials(form) as compared:
        for trial in compared:
            trial.check()
        for _ in range(turns):
            for trial in compared:
                trial.time(count)
        rows = [trial.row(form) for trial in compared]
    for row in rows:
        for key in ('p50 ms', 'consumer CPU %'):
            row[f'{key[:-2].rstrip()} / ring'] = ratio(rows, row, key)
    return rows


def ratio(rows: list[Row], row: Row, key: str) -> float:
    """Give how many times the figure of the ring it is, copy to copy and view to view."""
    ring = next(each[key] for each in rows
                if (each['way'], each['in hand']) == (RING, row['in hand']))
    return float(str(row[key])) / float(str(ring))


def goals(rows: list[Row]) -> list[Row]:
    """Judge the ratios of one size."""
    ways = {(row['way'], row['in hand']): row for row in rows}
    size, large = rows[0]['size'], rows[0]['size'] == '1920x1080'
    judged = [judge(f'ring p50 / iceoryx2 p50, {gives}, {size}', 1.2 if large else 2.0,
                    1 / ratio(rows, ways[ICEORYX2, gives], 'p50 ms'))
              for gives in ('copy', 'view') if (ICEORYX2, gives) in ways]
    for topic, most in ((TUNED, 1 / 4), (STOCK, 1 / 50)):
        image = ways[topic, 'copy']['p50 ms']
        judged += [judge(f'ring p50 / {topic} p50, {gives}, {size}', most,
                         float(str(ways[RING, gives]['p50 ms'])) / float(str(image)))
                   for gives in ('copy', 'view')]
    judged.append(judge(f'ring consumer CPU / {TUNED} consumer CPU, {size}', 1 / 2,
                        1 / ratio(rows, ways[TUNED, 'copy'], 'consumer CPU %')))
    return judged


def plot(path: Path, rows: list[Row]) -> None:
    """Draw latency and CPU, of the copies."""
    from plots import bars, picture  # here, or every process would load Matplotlib
    copies = [row for row in rows if row['in hand'] == 'copy']
    with picture(path, 'A picture into another process, 30 Hz', 2) as (latency, cpu):
        bars(latency, copies, 'size', 'way', 'p50 ms', log=True)
        bars(cpu, copies, 'size', 'way', 'consumer CPU %')


def main() -> None:
    """Run all."""
    options = read_options('Compares ways of a picture into another process.')
    turns, count = (1, 10) if options.quick else (3, 60)
    report = Report('Consumers')
    tables = [compare(form, turns, count) for form in FORMATS]
    for form, rows in zip(FORMATS, tables, strict=True):
        report.add(f'From a picture drawn to one in hand in another process, {form}, 30 Hz', rows)
    report.add('Goals', [row for rows in tables for row in goals(rows)])
    report.save(options.json)
    if options.plot:
        plot(options.plot, [row for rows in tables for row in rows])


if __name__ == '__main__':
    main()
