"""cyclictest of rt-tests: what the machine itself can do, measured beside a loop."""

from pathlib import Path
import re
import shutil
import signal
import subprocess
from types import TracebackType

from camera_mp.errors import CameraError
from camera_mp.loop_statistics import Histogram

# as the loop, SCHED_FIFO 80 and 500 Hz, but on every CPU: a host stops one at a time
_OPTIONS = ('-m', '-S', '-p', '80', '-i', '2000', '-q')
_LONGEST = 50_000  # microseconds in the histogram; what is longer counts as the longest
_PATIENCE = 5.0
_TIME_LIMIT = '600'  # seconds; it does not end with the process that started it


def refusal() -> str:
    """Say why cyclictest cannot run here; '' if it can."""
    if not shutil.which('cyclictest'):
        return 'cyclictest is not installed (Debian, Ubuntu: apt install rt-tests)'
    trial = subprocess.run(['cyclictest', *_OPTIONS, '-l', '1'], stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return f'cyclictest: {" ".join(trial.stderr.split())}' if trial.returncode else ''


class Cyclictest:
    """Runs from its making on until `end`, or at the latest until the end of the with block."""

    def __init__(self, output: Path) -> None:
        self._output = output
        with output.open('w') as file:
            self._process = subprocess.Popen(
                ['cyclictest', *_OPTIONS, '-h', str(_LONGEST), '-D', _TIME_LIMIT],
                stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True)

    def end(self) -> Histogram:
        """End it and give its histogram."""
        self._process.send_signal(signal.SIGINT)
        code = self._process.wait(_PATIENCE)
        text = self._output.read_text()
        if code:
            raise CameraError(f'cyclictest ended with {code}: {" ".join(text.split()[-20:])}')
        return parse(text)

    def __enter__(self) -> 'Cyclictest':
        """Give itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        """Leave no process behind."""
        self._process.kill()
        self._process.wait()


def parse(text: str) -> Histogram:
    """
    Read what `cyclictest -h` prints, all its threads as one.

    It counts in whole microseconds, rounded down, which is how they are taken here. Of those
    beyond its histogram it tells the number and the longest: each is taken for that one.
    """
    rows = [list(map(int, row.split())) for row in
            re.findall(r'^\d+(?:[ \t]+\d+)+[ \t]*$', text, re.MULTILINE | re.ASCII)]
    counts = [(latency, sum(threads)) for latency, *threads in rows]
    counts += zip(_summary(text, 'Max Latencies'), _summary(text, 'Histogram Overflows'),
                  strict=True)
    histogram = Histogram()
    for latency, count in counts:
        for _ in range(count):
            histogram.record(1000 * latency)
    return histogram


def _summary(text: str, name: str) -> list[int]:
    """Give the numbers of a line below the histogram, one a thread."""
    line = re.search(f'^# {name}:((?: +\\d+)+)', text, re.MULTILINE)
    if not line:
        raise CameraError('cyclictest: its output has no histogram')
    return list(map(int, line[1].split()))
