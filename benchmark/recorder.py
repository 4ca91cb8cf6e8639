"""
What recording costs, and what it does to the cameras: nothing.

    python benchmark/recorder.py [--quick] [--json FILE]

Two cameras of 1280x720 at 30 Hz are recorded by `python -m camera_mp.record`: encoded, and as
the JPEGs that they give. Their rates are taken in turns without and with the recorder. Then all
four at once for ten minutes, for the recorder's memory.
"""

from collections.abc import Iterator
from contextlib import contextmanager, ExitStack
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import tempfile
from threading import Thread
import time

import av
from camera_mp import FrameReader
from camera_mp.process_usage import own_memory
from camera_mp.recording.sidecar import read_stamps
import numpy as np
from options import judge, read_options, Row
from processes import cpu_seconds
from recorder_camera import HEIGHT, RATE, WIDTH
from report import Report

WAYS = {'h264, superfast': ('bgr8', 'h264'), 'mpeg4': ('bgr8', 'mpeg4'),
        "the camera's JPEGs": ('jpeg', 'copy')}
CAMERA = Path(__file__).with_name('recorder_camera.py')
PATIENCE = 20.0  # seconds for a program to begin


@contextmanager
def program(*words: object) -> Iterator[int]:
    """Run a Python program; give its process id; it ends by SIGINT, well."""
    process = subprocess.Popen([sys.executable, *map(str, words)], stderr=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGINT)
        if process.wait(PATIENCE):
            raise SystemExit(f'{words} ended with {process.returncode}')


@contextmanager
def camera(name: str, encoding: str) -> Iterator[str]:
    """Run a camera; give the name of its ring once frames come."""
    with program(CAMERA, name, encoding):
        ring = f'{name}.compressed' if encoding == 'jpeg' else name
        FrameReader(ring).wait(PATIENCE)
        yield ring


@contextmanager
def recorder(folder: Path, names: list[str], codec: str) -> Iterator[int]:
    """Run the recorder; give its process id once every camera is being recorded."""
    with program('-m', 'camera_mp.record', *names, '-o', folder, '--codec', codec) as pid:
        deadline = time.monotonic() + PATIENCE
        while len(list(folder.glob('*.part'))) < len(names):
            if time.monotonic() > deadline:
                raise SystemExit('the recorder has not begun')
            time.sleep(0.02)
        yield pid


def periods(rings: list[str], seconds: float) -> list[float]:
    """Watch cameras for some time and give the ms between their frames."""
    found: list[float] = []

    def watch(ring: str) -> None:
        reader, stamps, end = FrameReader(ring), [], time.monotonic() + seconds
        while time.monotonic() < end:
            with reader.borrow_next(1.0) as frame:
                stamps.append(frame.stamp_ns)
        found.extend(np.diff(stamps) / 1e6)

    threads = [Thread(target=watch, args=(ring,)) for ring in rings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def playback_error(folder: Path) -> float:
    """Give the most ms between the playback time of a frame and its stamp."""
    most = 0.0
    for video in folder.glob('*.mp4'):
        stamps = read_stamps(video)
        with av.open(str(video)) as container:
            times = [packet.pts * packet.time_base for packet in container.demux(video=0)
                     if packet.size and packet.pts is not None and packet.time_base]
        if len(times) != len(stamps):
            raise SystemExit(f'{video}: {len(times)} pictures, {len(stamps)} lines')
        most = max(most, *(abs(float(moment) * 1e3 - (stamp - stamps[0]) / 1e6)
                           for moment, stamp in zip(times, stamps, strict=True)))
    return most


def counts(folder: Path) -> tuple[int, int]:
    """Give the frames recorded, and those missing by the gaps in the cameras' own numbers."""
    frames = missed = 0
    for sidecar in folder.glob('*.jsonl'):
        lines = map(json.loads, sidecar.read_text().splitlines())
        numbers = [line['sequence'] for line in lines if 'frame' in line]
        frames += len(numbers)
        missed += numbers[-1] - numbers[0] + 1 - len(numbers)
    return frames, missed


def compare(way: str, seconds: float, turns: int) -> Row:
    """Record two cameras in one way, in turns with not recording them."""
    encoding, codec = WAYS[way]
    names = [f'bench_{os.getpid()}_{index}' for index in range(2)]
    off: list[float] = []
    on: list[float] = []
    used: list[float] = []
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        folder = Path(temporary)
        rings = [stack.enter_context(camera(name, encoding)) for name in names]
        for _ in range(turns):
            off += periods(rings, seconds)
            with recorder(folder, names, codec) as pid:
                before = cpu_seconds(pid)
                on += periods(rings, seconds)
                used.append(100 * (cpu_seconds(pid) - before) / seconds)
        frames, missed = counts(folder)
        size = sum(video.stat().st_size for video in folder.glob('*.mp4'))
        return {'two cameras as': way, 'recorded': frames, 'missed': missed,
                'MB a minute of each': size / 1e6 / frames * RATE * 60,
                'recorder CPU %': float(np.mean(used)),
                'playback off by ms': playback_error(folder),
                'camera Hz without': 1e3 / float(np.mean(off)),
                'camera Hz with': 1e3 / float(np.mean(on)),
                'period p99 ms without': float(np.percentile(off, 99)),
                'period p99 ms with': float(np.percentile(on, 99))}


def memory(seconds: float) -> Row:
    """Record two cameras encoded and two as they are, and follow the recorder's memory."""
    kinds = ('bgr8', 'bgr8', 'jpeg', 'jpeg')
    names = [f'bench_{os.getpid()}_{index}' for index in range(len(kinds))]
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        folder = Path(temporary)
        for name, kind in zip(names, kinds, strict=True):
            stack.enter_context(camera(name, kind))
        pid = stack.enter_context(recorder(folder, names, 'auto'))
        times, sizes, end = [], [], time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(1.0)
            times.append(time.monotonic())
            sizes.append((own_memory(pid) or 0) / 1e6)
        frames, missed = counts(folder)
    fifths = np.array_split(np.array(sizes), 5)  # the first one is its warming up
    slope = float(np.polyfit(times[len(fifths[0]):], np.concatenate(fifths[1:]), 1)[0]) * 60
    return {'seconds': seconds, 'recorded': frames, 'missed': missed, 'most MB': max(sizes),
            'MB in the second fifth': float(fifths[1].mean()),
            'in the last': float(fifths[-1].mean()), 'MB a minute': slope}


def goals(rows: list[Row], grown: Row) -> list[Row]:
    """Judge what is promised."""
    copied = rows[-1]
    off = max(float(str(row['playback off by ms'])) for row in rows)
    slower = max(float(str(row['camera Hz without'])) / float(str(row['camera Hz with']))
                 for row in rows)
    return [judge('frames missed of the JPEGs', 0.0, float(str(copied['missed']))),
            judge('playback time against stamp, ms', 1.0, off),
            judge("a camera's rate without / with the recorder", 1.005, slower),
            judge('memory in the last fifth / in the second', 1.03,
                  float(str(grown['in the last'])) / float(str(grown['MB in the second fifth'])))]


def main() -> None:
    """Run all."""
    options = read_options('Measures what recording costs.')
    seconds, turns = (2.0, 1) if options.quick else (15.0, 3)
    report = Report('Recorder')
    rows = [compare(way, seconds, turns) for way in WAYS]
    report.add(f'Two cameras of {WIDTH}x{HEIGHT} at {RATE:g} Hz', rows)
    grown = memory(10.0 if options.quick else 600.0)
    report.add('Memory of one recorder of four such cameras, two of them encoded', [grown])
    report.add('Goals', goals(rows, grown))
    report.save(options.json)


if __name__ == '__main__':
    main()
