"""Starts all nodes of a parameters file, keeps them running and ends them together."""

import argparse
from collections.abc import Sequence
import os
from pathlib import Path
import selectors
import signal
import subprocess
import sys
import time
from typing import IO

from camera_mp.backoff import Backoff
from camera_mp.errors import SettingError
from camera_mp.fast_dds import remove_dead_segments
from camera_mp.module_environment import module_environment
from camera_mp.parameters_file import NodeEntry, read_nodes, REFUSED
from camera_mp.parent import environment
from camera_mp.ring import remove_stale
from camera_mp.ring.file import domain_id
from camera_mp.signals import StopFlag
from camera_mp.top import format_table, Monitor, Screen

_PATIENCE = 1.8  # seconds from SIGTERM to SIGKILL
_TABLE_PERIOD = 1.0  # seconds on a terminal; five times that elsewhere


class ManagedNode:
    """One node: its process while it runs, and when to start it again while it does not."""

    def __init__(self, entry: NodeEntry, file: Path) -> None:
        self.entry = entry
        self.process: subprocess.Popen[bytes] | None = None
        self.start_at: float | None = time.monotonic()
        self.exit_code = 0
        self.begun = b''  # a line that it has begun to print
        self._backoff = Backoff(first=0.5, most=10.0)
        self._command = [
            sys.executable, '-m', f'camera_mp.nodes.{entry.executable}', '--ros-args',
            '-r', f'__ns:={entry.namespace}', '-r', f'__node:={entry.name}',
            '--params-file', str(file)]

    def start(self) -> IO[bytes]:
        """Start the process and give what it prints, both outputs in one."""
        self.start_at = None
        # a session of its own: Ctrl-C reaches the node once, through us
        self.process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
            env={**module_environment(), **environment()})
        assert self.process.stdout
        return self.process.stdout

    def ended(self, respawn: bool) -> str:
        """Reap the process and say how it ended; one that failed is to be started again."""
        assert self.process
        assert self.process.stdout
        self.process.stdout.close()
        code = self.process.wait()
        self.process = None
        how = f'was killed by {signal.Signals(-code).name}' if code < 0 else f'ended with {code}'
        if code == REFUSED:
            how += ': it refuses its parameters and is not started again'
        elif code and respawn:
            delay = self._backoff.next_delay()
            self.start_at = time.monotonic() + delay
            how += f'; starting it again in {delay:g} s'
        self.exit_code = code if code >= 0 else 128 - code
        return how


class Bringup:
    """
    Runs nodes until it is told to stop, all have ended well, or the time is up.

    With respawn off the first node that fails ends all. When the time is up the exit code
    tells whether any node has failed, even if it runs again.
    """

    def __init__(self, entries: Sequence[NodeEntry], file: Path, *, respawn: bool,
                 duration: float | None, table: bool) -> None:
        self._nodes = [ManagedNode(entry, file) for entry in entries]
        self._respawn, self._table = respawn, table
        self._ends_at = None if duration is None else time.monotonic() + duration
        self._selector = selectors.DefaultSelector()
        self._screen, self._monitor = Screen(), Monitor(domain_id())
        self._table_period = _TABLE_PERIOD * (1 if sys.stdout.isatty() else 5)
        self._table_at = time.monotonic() + self._table_period
        self._stop = StopFlag()
        self._code = self._failures = 0

    def run(self) -> int:
        """Run everything and give the exit code."""
        try:
            while not self._is_done():
                self._start_due()
                self._read_output(0.1)
                self._draw()
            if self._table and not sys.stdout.isatty():
                self._screen.draw(format_table(self._monitor.look()))
        finally:
            self._end_all()
        return self._code

    def _is_done(self) -> bool:
        if self._stop.is_set:
            return True
        if self._ends_at is not None and time.monotonic() >= self._ends_at:
            self._code = int(self._failures > 0)
            return True
        return all(node.process is None and node.start_at is None for node in self._nodes)

    def _start_due(self) -> None:
        for node in self._nodes:
            if node.start_at is not None and time.monotonic() >= node.start_at:
                self._selector.register(node.start(), selectors.EVENT_READ, node)

    def _read_output(self, timeout: float) -> None:
        for key, _ in self._selector.select(timeout):
            node: ManagedNode = key.data
            text = os.read(key.fd, 65536)
            *lines, node.begun = (node.begun + text).split(b'\n') if text else [node.begun, b'']
            for line in filter(None, lines):
                self._say(f'[{node.entry.full_name}] {line.decode(errors="replace")}')
            if not text:
                self._selector.unregister(key.fd)
                self._on_end(node)

    def _on_end(self, node: ManagedNode) -> None:
        self._say(f'{node.entry.full_name} {node.ended(self._respawn and not self._stop.is_set)}')
        if node.exit_code and not self._stop.is_set:
            self._failures += 1
            if node.start_at is None:
                self._code = node.exit_code
            if not self._respawn:
                self._stop.is_set = True

    def _say(self, line: str) -> None:
        self._screen.clear()
        print(line, file=sys.stderr, flush=True)

    def _draw(self) -> None:
        if self._table and time.monotonic() >= self._table_at:
            self._table_at += self._table_period
            self._screen.draw(['', *format_table(self._monitor.look())])

    def _end_all(self) -> None:
        self._stop.is_set = True
        living = [node.process for node in self._nodes if node.process]
        for process in living:
            process.terminate()  # not SIGINT: one that still imports would answer with a traceback
        deadline = time.monotonic() + _PATIENCE
        while any(node.process for node in self._nodes) and time.monotonic() < deadline:
            self._read_output(0.05)
        for node in self._nodes:
            if node.process:
                node.process.kill()
                self._say(f'{node.entry.full_name} did not end and {node.ended(False)}')
        remove_stale()
        remove_dead_segments()


def main(argv: Sequence[str] | None = None) -> int:
    """Run `bringup FILE`."""
    parser = argparse.ArgumentParser('bringup', description=__doc__)
    parser.add_argument('file', type=Path, help='ROS 2 parameters file; each key is a node')
    parser.add_argument('--duration', type=float, help='seconds after which to end (default: '
                        'at Ctrl-C)')
    parser.add_argument('--no-respawn', dest='respawn', action='store_false',
                        help='end everything, with its exit code, when a node fails')
    parser.add_argument('--table', action='store_true', help='show the cameras as top does')
    options = parser.parse_args(argv)
    if options.duration is not None and not options.duration > 0:
        parser.error(f'--duration: {options.duration} is not allowed; allowed: more than 0')
    try:
        bringup = Bringup(read_nodes(options.file), options.file, respawn=options.respawn,
                          duration=options.duration, table=options.table)
    except SettingError as error:
        print(f'bringup: {error}', file=sys.stderr)
        return 1
    return bringup.run()


if __name__ == '__main__':
    raise SystemExit(main())
