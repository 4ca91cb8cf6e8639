"""Runs programs of this package as a user would, and waits for what they say."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import signal
import subprocess
import sys
import threading
import time

# seconds; what takes longer on the slowest machine is broken, and emulated ones are slower still
PATIENCE = float(os.environ.get('CAMERA_MP_TEST_PATIENCE', '30'))
ROOT = Path(__file__).parent.parent


class Program:
    """A running program; both its outputs are read as they come."""

    def __init__(self, *arguments: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *map(str, arguments)], stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, cwd=ROOT)
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as output:
            for line in output:
                with self._changed:
                    self.lines.append(line.rstrip('\n'))
                    self._changed.notify_all()

    @property
    def text(self) -> str:
        """All it has said."""
        return '\n'.join(self.lines)

    def wait_for(self, text: str, count: int = 1) -> str:
        """Wait until `count` of its lines contain the text; give the last of them."""
        def found() -> list[str]:
            return [line for line in self.lines if text in line]
        with self._changed:
            assert self._changed.wait_for(lambda: len(found()) >= count, PATIENCE), (
                f'{text!r} not said in:\n{self.text}')
            return found()[count - 1]

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal, wait for the end and give the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self, patience: float = PATIENCE) -> int:
        """Wait until it and all that write to its output have ended; give its exit code."""
        code = self.process.wait(patience)
        self._reader.join(PATIENCE)
        assert not self._reader.is_alive(), f'somebody still holds the output of {self.text}'
        return code


@contextmanager
def running(*arguments: object) -> Iterator[Program]:
    """Run `python ARGUMENTS`; if it is still there at the end it gets SIGTERM."""
    program = Program(*arguments)
    try:
        yield program
    finally:
        if program.process.poll() is None:
            program.process.terminate()  # what is killed cannot clear its shared memory away
        try:
            program.wait()
        except subprocess.TimeoutExpired:
            os.killpg(program.process.pid, signal.SIGKILL)
            raise


def run(*arguments: object) -> Program:
    """Run `python ARGUMENTS` to its end."""
    with running(*arguments) as program:
        program.wait()
    return program


def register(folder: Path) -> None:
    """Put what setup.py registers into a folder: an entry on PYTHONPATH instead of an install."""
    subprocess.run([sys.executable, 'setup.py', '-q', 'egg_info', '--egg-base', folder],
                   cwd=ROOT, check=True, capture_output=True)


def eventually(condition: Callable[[], object], what: str = 'the condition') -> None:
    """Wait until something is true that cannot be waited for otherwise."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f'{what} never came true'
        time.sleep(0.01)


def wait_for_end(*pids: int) -> None:
    """Wait until none of these processes runs."""
    eventually(lambda: not any(map(is_alive, pids)), f'the end of {pids}')


def parent_of(pid: int) -> int:
    """Give the pid of a process's parent."""
    return int(Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[1])


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except (FileNotFoundError, ProcessLookupError):
        return False
