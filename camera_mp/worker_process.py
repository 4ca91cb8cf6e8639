"""The parent's handle of one detector worker: start, ask, notice that it died or hangs."""

from collections.abc import Mapping
import socket
import subprocess
import sys
import threading
from typing import Any

from camera_mp.errors import DetectorError
from camera_mp.line_socket import LineSocket
from camera_mp.module_environment import module_environment
from camera_mp.parent import environment
from camera_mp.process_end import how_it_ended

# of the libraries under numpy and detectors: a worker is one thread, the pool has several
_ONE_THREAD = {'OMP_NUM_THREADS': '1', 'MKL_NUM_THREADS': '1'}


class WorkerLost(Exception):
    """A worker died, or was killed because it gave no answer in time."""


class WorkerProcess:
    """
    Runs `python -m camera_mp.detector_worker`, again after it was lost.

    For one thread, which must live as long as the worker is wanted: the kernel ends the worker
    with the thread that started it (see parent.py). `end` may be called from any thread.

    task: what the worker is told first, see detector_worker.
    """

    def __init__(self, task: Mapping[str, Any]) -> None:
        self._task = dict(task)
        self._lock = threading.Lock()
        self._ended = False
        self._process: subprocess.Popen[bytes] | None = None
        self._control: LineSocket | None = None

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        process = self._process
        return process.pid if process and process.poll() is None else None

    def start(self) -> None:
        """Start it and wait until its detector is made; DetectorError says why it cannot be."""
        ours, theirs = socket.socketpair()
        command = [sys.executable, '-m', 'camera_mp.detector_worker',
                   '--control-fd', str(theirs.fileno())]
        with theirs, self._lock:
            self._close()
            self._control = LineSocket(ours)
            if self._ended:
                raise WorkerLost('was ended')
            # a session of its own: a signal to our process group is for us to act on
            self._process = subprocess.Popen(
                command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
                start_new_session=True,
                env={**_ONE_THREAD, **module_environment(), **environment()})
        answer = self.ask(self._task, None)
        if 'refused' in answer:
            self._process.wait()
            raise DetectorError(answer['refused'])

    def ask(self, order: Mapping[str, Any], timeout: float | None) -> dict[str, Any]:
        """Give its answer to an order; WorkerLost if none comes within `timeout` seconds."""
        assert self._control and self._process
        try:
            self._control.send(order)
            answer = self._control.receive(timeout)
        except (ConnectionError, EOFError):
            raise WorkerLost(self._how_it_ended()) from None
        if answer is None:
            self._process.kill()
            self._process.wait()
            raise WorkerLost(f'gave no answer within {timeout:g} s and was killed')
        return answer

    def _how_it_ended(self) -> str:
        assert self._process
        self._process.kill()  # if it only let go of its socket
        return how_it_ended(self._process.wait())

    def end(self) -> None:
        """Kill it, for good: it holds nothing that would need an orderly end."""
        with self._lock:
            self._ended = True
            if self._process:
                self._process.kill()

    def close(self) -> None:
        """Wait until it is gone; after `end`."""
        with self._lock:
            if self._process:
                self._process.wait()
            self._close()

    def _close(self) -> None:
        if self._control:
            self._control.close()
            self._control = None
