"""
The camera node as its users meet it: start-up, memory, and every frame of a video delivered.

    python benchmark/camera.py [--quick] [--video FILE] [--json FILE]

Without --video a film is made: 768x576, 10 Hz, each frame another.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
import hashlib
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import tempfile
import time

from camera_mp.process_usage import own_memory, ProcessUsage
from camera_mp.ring import FrameReader
import cv2
import numpy as np
from report import percentiles, Report

SUBSCRIBER = Path(__file__).parent.parent / 'test' / 'image_subscriber.py'
Row = dict[str, object]


@contextmanager
def camera(name: str, **parameters: object) -> Iterator[subprocess.Popen[str]]:
    """Run a camera node in the namespace /name."""
    values = [word for key, value in parameters.items() for word in ('-p', f'{key}:={value}')]
    node = subprocess.Popen(
        [sys.executable, '-m', 'camera_mp.nodes.camera', '--ros-args', '-r', f'__ns:=/{name}',
         '--log-level', 'warn', *values], text=True)
    try:
        yield node
    finally:
        node.send_signal(signal.SIGINT)
        if node.wait(10):
            raise SystemExit(f'the camera node ended with {node.returncode}')


@contextmanager
def subscriber(topic: str, count: int) -> Iterator[subprocess.Popen[str]]:
    """Run an independent subscriber; it is ready when the block begins."""
    program = subprocess.Popen([sys.executable, str(SUBSCRIBER), topic, str(count)], text=True,
                               stdout=subprocess.PIPE)
    assert program.stdout and program.stdout.readline() == 'ready\n'
    try:
        yield program
    finally:
        program.terminate()
        program.wait(10)


def capture_cost(seconds: float) -> list[Row]:
    """Measure the capture process of a synthetic camera at 30 Hz."""
    rows: list[Row] = []
    for width, height in ((640, 480), (1280, 720), (1920, 1080)):
        with camera('bench', image_width=width, image_height=height):
            reader = FrameReader('bench')
            reader.wait(10)
            status = reader.status()
            assert status
            usage = ProcessUsage()
            usage.cpu(status.pid)
            time.sleep(seconds)
            memory = own_memory(status.pid)
            assert memory
            rows.append({'size': f'{width}x{height}', 'own memory (MB)': memory / 1e6,
                         'CPU (% of a core)': usage.cpu(status.pid)})
    return rows


def start_up(runs: int) -> list[Row]:
    """Measure from the start of the node's process until a subscriber has its first image."""
    times, stamps = [], []
    for run in range(runs):
        with subscriber(f'/bench{run}/image_raw', 1) as program:
            started, clock = time.monotonic(), time.time_ns()
            with camera(f'bench{run}', image_width=1280, image_height=720):
                assert program.stdout
                first = json.loads(program.stdout.readline())
                times.append(time.monotonic() - started)
                stamps.append((first['stamp_ns'] - clock) / 1e9)
    return [{'from the start of the node to': what, **{
        f'{name} (s)': value for name, value in percentiles(values).items()}}
        for what, values in (('the stamp of the first image received', stamps),
                             ('that image in the subscriber', times))]


def make_film(path: Path) -> None:
    """Write 100 frames of noise that moves."""
    noise = np.random.default_rng(1).integers(0, 255, (576, 868, 3), np.uint8)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), 10.0, (768, 576))
    for number in range(100):
        writer.write(noise[:, number:number + 768])
    writer.release()


def decode(film: Path) -> dict[str, int]:
    """Give the frame number of each picture's digest, as OpenCV decodes the film."""
    capture = cv2.VideoCapture(str(film))
    frames = iter(capture.read, (False, None))
    return {hashlib.sha1(picture.tobytes()).hexdigest(): number
            for number, (_, picture) in enumerate(frames)}


def delivery(film: Path, seconds: float) -> list[Row]:
    """Count what reaches a subscriber of a film at 10 Hz and compare each byte of it."""
    known = decode(film)
    wanted = int(seconds * 10)
    with (subscriber('/film/image_raw', wanted) as program,
          camera('film', source='video', video_device=film, framerate=10.0)):
        assert program.stdout
        images = [json.loads(program.stdout.readline()) for _ in range(wanted)]
    numbers = [known.get(image['digest'], -1) for image in images]
    steps = np.diff(numbers) % len(known)
    stamps = np.array([image['stamp_ns'] for image in images])
    return [{'film': film.name, 'received': len(images),
             'byte-identical': sum(number >= 0 for number in numbers),
             'missing between': int((steps - 1).clip(0).sum()),
             'twice': int((steps == 0).sum()),
             'stamps strictly increasing': bool((np.diff(stamps) > 0).all()),
             **{f'period {name} (ms)': value for name, value in
                percentiles(np.diff(stamps) / 1e6).items()}}]


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--video', type=Path)
    parser.add_argument('--json', type=Path)
    options = parser.parse_args()
    os.environ.setdefault('ROS_DOMAIN_ID', '99')
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    report = Report('Camera node')
    report.add('Start-up, 1280x720 at 30 Hz', start_up(3 if options.quick else 20))
    report.add('Capture process, synthetic at 30 Hz', capture_cost(2 if options.quick else 10))
    with tempfile.TemporaryDirectory() as folder:
        film = options.video or Path(folder) / 'film.avi'
        if not options.video:
            make_film(film)
        report.add('A film through the node', delivery(film, 5 if options.quick else 30))
    report.save(options.json)


if __name__ == '__main__':
    main()
