"""A live table of the cameras on this host, read from their rings alone."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
import json
import shutil
import sys
import time

from camera_mp.errors import RingError
from camera_mp.frame_rate import FrameRate
from camera_mp.process_usage import own_memory, ProcessUsage
from camera_mp.ring import list_rings, RingMapping, RingStatus

_PERIOD = 1.0  # seconds between two looks


@dataclass(frozen=True)
class CameraRow:
    """
    One camera at one moment; None: not known.

    framerate: Hz since the last look. age: seconds since the newest frame was taken. cpu:
    percent of one core; memory: bytes, without the ring; both of the process that writes.
    """

    camera: str
    domain: int
    state: str
    size: str | None = None
    encoding: str | None = None
    framerate: float | None = None
    age: float | None = None
    lost: int | None = None
    cpu: float | None = None
    memory: int | None = None
    pid: int | None = None
    reason: str = ''


class _Watched:
    """A ring between two looks."""

    def __init__(self) -> None:
        self.usage = ProcessUsage()
        self.framerate = FrameRate()


class Monitor:
    """
    Looks at all rings of a domain (None: of every domain); rates are from look to look.

    processes: CPU and memory too, for which the kernel walks through the writers' pages.
    """

    def __init__(self, domain: int | None = None, *, processes: bool = True) -> None:
        self._domain, self._processes = domain, processes
        self._watched: dict[tuple[int, str], _Watched] = {}

    def look(self) -> list[CameraRow]:
        """Give a row for each camera, by name."""
        rows = []
        for domain, camera, path in list_rings(self._domain):
            watched = self._watched.setdefault((domain, camera), _Watched())
            try:
                ring = RingMapping.open(path)
                if ring:
                    rows.append(_row(camera, domain, ring.status(), watched, self._processes))
            except RingError as error:
                rows.append(CameraRow(camera, domain, 'unreadable', reason=str(error)))
        return rows


def _row(camera: str, domain: int, status: RingStatus, watched: _Watched,
         processes: bool) -> CameraRow:
    frame, looks_at_process = status.newest, processes and status.alive
    return CameraRow(
        camera, domain, status.state.name.lower() if status.alive else 'dead',
        f'{frame.format.width}x{frame.format.height}' if frame else None,
        frame.encoding if frame else None, watched.framerate.look(status),
        (time.time_ns() - status.stamp_ns) / 1e9 if status.stamp_ns else None, status.lost,
        watched.usage.cpu(status.pid) if looks_at_process else None,
        own_memory(status.pid) if looks_at_process else None, status.pid, status.reason)


_COLUMNS = ('CAMERA', 'STATE', 'SIZE', 'ENCODING', 'FPS', 'AGE', 'LOST', 'CPU', 'MEMORY')


def format_table(rows: Sequence[CameraRow]) -> list[str]:
    """Give the lines of the table."""
    domains = len({row.domain for row in rows}) > 1
    cells = [_COLUMNS, *(_cells(row, f'{row.domain}:' * domains) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ['  '.join(text.ljust(width) if index < 4 else text.rjust(width)
                       for index, (text, width) in enumerate(zip(line, widths, strict=True)))
             for line in cells]
    return [lines[0].rstrip(), *(f'{line}  {row.reason}'.rstrip()
                                 for line, row in zip(lines[1:], rows, strict=True))]


def _cells(row: CameraRow, prefix: str) -> tuple[str, ...]:
    def show(value: float | None, form: str) -> str:
        return '-' if value is None else form.format(value)

    age = None if row.age is None else row.age * 1e3
    memory = None if row.memory is None else row.memory / 1e6
    return (prefix + row.camera, row.state, row.size or '-', row.encoding or '-',
            show(row.framerate, '{:.1f}'),
            show(age, '{:.0f} ms') if row.age is None or row.age < 10
            else show(row.age, '{:.0f} s'),
            show(row.lost, '{}'), show(row.cpu, '{:.0f} %'), show(memory, '{:.0f} MB'))


class Screen:
    """Draws lines over those it drew before; where the output is no terminal, below them."""

    def __init__(self) -> None:
        self._height = 0
        self._live = sys.stdout.isatty()

    def clear(self) -> None:
        """Take away what was drawn, to print something else above it."""
        if self._height:
            sys.stdout.write(f'\x1b[{self._height}F\x1b[J')  # ECMA-48: CPL, ED
            self._height = 0

    def draw(self, lines: Sequence[str]) -> None:
        """Show these lines."""
        self.clear()
        width = shutil.get_terminal_size().columns if self._live else None
        for line in lines:
            print(line[:width])  # a line that wraps would be two to go back over
        self._height = len(lines) if self._live else 0
        sys.stdout.flush()


def main(argv: Sequence[str] | None = None) -> int:
    """Run `top`: a table a second until Ctrl-C."""
    parser = argparse.ArgumentParser('top', description=__doc__)
    parser.add_argument('--once', action='store_true', help='look for a second, print, end')
    parser.add_argument('--json', action='store_true', help='a JSON array of rows a look, '
                        'one look a line')
    parser.add_argument('--domain', type=int, help='ROS domain id (default: all on this host)')
    options = parser.parse_args(argv)
    try:
        _watch(Monitor(options.domain), options.once, options.json)
    except KeyboardInterrupt:
        print()
    return 0


def _watch(monitor: Monitor, once: bool, as_json: bool) -> None:
    screen = Screen()
    monitor.look()
    while True:
        time.sleep(_PERIOD)
        rows = monitor.look()
        if as_json:
            print(json.dumps([asdict(row) for row in rows]), flush=True)
        else:
            screen.draw(format_table(rows) if rows else ['no cameras on this host'])
        if once:
            return


if __name__ == '__main__':
    raise SystemExit(main())
