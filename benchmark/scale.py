"""
What a further camera and a further reader cost.

    python benchmark/scale.py [--quick] [--json FILE] [--plot FILE]

1, 2, 4 and 8 camera nodes at 640x480 and 30 Hz that nobody subscribes to: CPU and memory of a
node and of its capture process. Then 1, 4 and 16 readers on one ring.
"""

from contextlib import ExitStack
import os
from pathlib import Path

from camera import camera
from camera_mp import FrameFormat, FrameReader, FrameWriter
from camera_mp.process_usage import own_memory
from frame_ring import arrive, at_30_hz, commit_cost, NAME, running, send
import numpy as np
from options import judge, read_options, Row
from processes import cpu_per_second
from report import percentiles, Report

FORM = FrameFormat(480, 640, 'bgr8')


def megabytes(pids: list[int]) -> float:
    """Give the mean memory of processes."""
    return float(np.mean([own_memory(pid) or 0 for pid in pids])) / 1e6


def cameras(count: int, seconds: float) -> Row:
    """Run some camera nodes and measure what one costs."""
    names = [f'benchmark_{os.getpid()}_{index}' for index in range(count)]
    with ExitStack() as stack:
        nodes = [stack.enter_context(camera(name, framerate=30.0)).pid for name in names]
        captures = []
        for name in names:
            reader = FrameReader(name)
            reader.wait(30.0)
            status = reader.status()
            assert status
            captures.append(status.pid)
        cpu_per_second([], 2.0)  # until all have started up
        used = np.array(cpu_per_second([*captures, *nodes], seconds))
        capture, node = used[:count].mean(), used[count:].mean()
        return {'cameras': count, 'CPU % of a camera': float(capture + node),
                'of its capture': float(capture), 'of its node': float(node),
                'MB of a capture': megabytes(captures), 'MB of a node': megabytes(nodes)}


def reader_latency(readers: int, count: int) -> Row:
    """Send frames to some readers at once and time when each has one in hand."""
    image = np.zeros(FORM.shape, np.uint8)
    with FrameWriter(NAME, FORM) as writer, ExitStack() as stack:
        pipes = [stack.enter_context(running(arrive, NAME, 'loan', count))
                 for _ in range(readers)]
        for _ in at_30_hz(count):
            send(writer, image)
        results = [pipe.recv() for pipe in pipes]
    delays = np.concatenate([series[:, 0] for series, _ in results])
    return {'readers': readers, **{f'{key} ms': value
                                   for key, value in percentiles(delays).items()},
            'missed': sum(missed for _, missed in results)}


def goals(scaled: list[Row], commits: list[Row]) -> list[Row]:
    """Judge both."""
    one, many = (float(str(row['CPU % of a camera'])) for row in (scaled[0], scaled[-1]))
    per_reader = float(str(commits[-1]['CPU us per reader (goal < 10)']))
    return [judge(f'CPU of a camera among {scaled[-1]["cameras"]} / of one alone', 1.15,
                  many / one),
            judge('writer CPU of a further reader, us a frame, up to 16', 10.0, per_reader)]


def plot(path: Path, scaled: list[Row], latencies: list[Row]) -> None:
    """Draw CPU of cameras and latency of readers."""
    from plots import bars, picture  # here, or every process would load Matplotlib
    parts = [{'cameras': row['cameras'], 'process': part, 'CPU %': row[f'of its {part}']}
             for row in scaled for part in ('capture', 'node')]
    delays = [{'readers': row['readers'], 'of all': key, 'ms': row[f'{key} ms']}
              for row in latencies for key in ('p50', 'p99')]
    with picture(path, 'Scale, 640x480, 30 Hz', 2) as (cpu, delay):
        bars(cpu, parts, 'cameras', 'process', 'CPU %')
        bars(delay, delays, 'readers', 'of all', 'ms')


def main() -> None:
    """Run all."""
    options = read_options('Measures what a further camera and a further reader cost.')
    quick = options.quick
    report = Report('Scale')
    scaled = [cameras(count, 1.0 if quick else 8.0) for count in (1, 2, 4, 8)[:2 if quick else 4]]
    report.add('Camera nodes without subscribers, 640x480, 30 Hz', scaled)
    commits = commit_cost(15 if quick else 90)
    report.add('What commit costs the writer, 640x480, 30 Hz', commits)
    latencies = [reader_latency(readers, 15 if quick else 150) for readers in (1, 4, 16)]
    report.add('From the start of writing until a reader has a view, 640x480, 30 Hz', latencies)
    report.add('Goals', goals(scaled, commits))
    report.save(options.json)
    if options.plot:
        plot(options.plot, scaled, latencies)


if __name__ == '__main__':
    main()
