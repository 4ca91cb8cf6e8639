"""
What a display costs: cameras and their consumers with the viewer off and on.

    python benchmark/viewer.py [--quick] [--json FILE]

1, 3 and 10 synthetic cameras at 640x480 and 30 Hz, each with a consumer that turns every picture
gray. Off: no viewer. On: the viewer in a process of its own. Watched: one more process takes all
that the viewer serves, as a browser does, without drawing it.
"""

from collections.abc import Iterator
from contextlib import contextmanager, ExitStack
import os
from pathlib import Path
import signal
import socket
import subprocess
import sys
import tempfile
import time

from image_topic_processes import running
import numpy as np
from options import read_options, Row
from originals_cameras import consume
from processes import capture, cpu_seconds
from report import Report

DISPLAYS = ('off', 'on', 'watched')


@contextmanager
def program(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run `python -m ARGUMENTS` until the block ends."""
    process = subprocess.Popen([sys.executable, '-m', *map(str, arguments)], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()


def free_ports(count: int) -> list[int]:
    """Give ports that nobody listens on."""
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.socket()) for _ in range(count)]
        for listener in listeners:
            listener.bind(('', 0))
        return [listener.getsockname()[1] for listener in listeners]


@contextmanager
def viewer(display: str, folder: Path) -> Iterator[int | None]:
    """Run the viewer, and one who looks; give its process id."""
    if display == 'off':
        yield None
        return
    web, data, own = free_ports(3)
    with ExitStack() as stack:
        process = stack.enter_context(program('camera_mp.view', '--serve', '--web-port', web,
                                              '--grpc-port', data))
        assert process.stdout and process.stdout.readline().startswith('http')
        if display == 'watched':
            stack.enter_context(program('rerun', f'rerun+http://127.0.0.1:{data}/proxy', '--save',
                                        folder / 'seen.rrd', '--port', own))
        yield process.pid


def measure(names: list[str], display: str, seconds: float) -> Row:
    """Run cameras, consumers and a viewer, and give what each took."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        pids = [stack.enter_context(capture(name, '--framerate', 30.0)) for name in names]
        pipes = [stack.enter_context(running(consume, name)) for name in names]
        for pipe in pipes:
            pipe.recv()
        shown = stack.enter_context(viewer(display, folder))
        time.sleep(2.0)  # until all have started up
        watched = [*pids, *([shown] if shown else [])]
        before, start = {pid: cpu_seconds(pid) for pid in watched}, time.monotonic()
        for pipe in pipes:
            pipe.send(('gray', seconds))
        results = np.array([pipe.recv() for pipe in pipes])
        took = time.monotonic() - start
        used = {pid: 100 * (cpu_seconds(pid) - before[pid]) / took for pid in watched}
        captured, consumed, missed, cpu, _ = results.mean(0).tolist()
        return {'cameras': len(names), 'display': display, 'capture FPS': captured,
                'consumer FPS': consumed, 'missed': round(missed * len(names)),
                'capture CPU %, each': float(np.mean([used[pid] for pid in pids])),
                'consumer CPU %, each': cpu, 'viewer CPU %': used[shown] if shown else '-'}


def main() -> None:
    """Run all."""
    options = read_options('Measures cameras with a display on and off.')
    counts, seconds = ((1,), 2.0) if options.quick else ((1, 3, 10), 8.0)
    report = Report('A display on and off')
    report.add('Cameras with a consumer each, 640x480 at 30 Hz, shown at 15 Hz', [
        measure([f'benchmark_{os.getpid()}_{index}' for index in range(count)], display, seconds)
        for count in counts for display in DISPLAYS])
    report.save(options.json)


if __name__ == '__main__':
    main()
