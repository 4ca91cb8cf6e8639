"""What benchmarks know of other processes: their CPU time and threads; captures to run."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
import signal
import subprocess
import sys
import time

from camera_mp.ring import FrameReader

_START = 20.0  # seconds that a camera gets for its first frame


def cpu_seconds(pid: int) -> float:
    """Give the CPU time of a process, to the nanosecond: clock_getcpuclockid(3) by hand."""
    return time.clock_gettime(~pid << 3 | 2)


def cpu_per_second(pids: Iterable[int], seconds: float) -> list[float]:
    """Watch processes for some time and give the percent of a core that each took."""
    before = {pid: (cpu_seconds(pid), time.monotonic()) for pid in pids}
    time.sleep(seconds)
    return [100 * (cpu_seconds(pid) - cpu) / (time.monotonic() - start)
            for pid, (cpu, start) in before.items()]


def threads(pid: int) -> int:
    """Give the number of threads of a process."""
    return len(list(Path(f'/proc/{pid}/task').iterdir()))


@contextmanager
def capture(name: str, *options: object) -> Iterator[int]:
    """Run `python -m camera_mp.capture NAME OPTIONS`; give its process id once frames come."""
    process = subprocess.Popen(
        [sys.executable, '-m', 'camera_mp.capture', name, *map(str, options)],
        stderr=subprocess.DEVNULL)
    try:
        FrameReader(name).wait(_START)
        yield process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
