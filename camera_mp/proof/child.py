"""Nodes of this package in processes of their own, for the proof."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

from camera_mp.errors import CameraError
from camera_mp.module_environment import module_environment
from camera_mp.parent import environment

_PATIENCE = 20.0  # seconds for a node to start


class Unavailable(CameraError):
    """The node says that it cannot run here."""


class Child:
    """A node of this package in a process of its own, which does not outlive this one."""

    def __init__(self, node: str, folder: Path, namespace: str = '/', *,
                 parameters: Mapping[str, object]) -> None:
        self.name = f'{namespace.strip("/")} {node}'.strip()
        self.report = folder / f'{node}.json'
        self._output = folder / f'{self.name}.log'
        values = [word for key, value in parameters.items() for word in ('-p', f'{key}:={value}')]
        with self._output.open('w') as output:
            # a session of its own: Ctrl-C reaches it through us
            self._process = subprocess.Popen(
                [sys.executable, '-m', f'camera_mp.nodes.{node}', '--ros-args', '-r',
                 f'__ns:={namespace}', *values], stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True,
                env={**module_environment(), **environment()})
        self.pid = self._process.pid

    def wait_for(self, text: str) -> None:
        """Wait until it has said this."""
        deadline = time.monotonic() + _PATIENCE
        while text not in self.output:
            self.check()
            if time.monotonic() > deadline:
                raise CameraError(f'{self.name}: not ready within {_PATIENCE:g} s')
            time.sleep(0.02)

    @property
    def output(self) -> str:
        """All it has said."""
        return self._output.read_text(errors='replace')

    def check(self) -> None:
        """Raise CameraError if it has ended."""
        code = self._process.poll()
        if code == os.EX_UNAVAILABLE:
            raise Unavailable(self.output.strip())
        if code is not None:
            last = self.output.strip().rpartition('\n')[2]
            raise CameraError(f'{self.name} ended with {code}: {last}')

    def end(self) -> None:
        """End it, by force if need be."""
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def running(child: Child) -> Iterator[Child]:
    """End the child after the block."""
    try:
        yield child
    finally:
        child.end()
