"""One window of the proof: processes started, a loop measured beside its traffic, all ended."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, ExitStack
from dataclasses import dataclass
import json
import os
from pathlib import Path
import time
from typing import Any

from camera_mp.errors import CameraError
from camera_mp.image_count import ImageCount
from camera_mp.process_usage import ProcessUsage
from camera_mp.proof.child import Child, running, Unavailable
from camera_mp.proof.cyclictest import Cyclictest
from camera_mp.ring.file import domain_id

_CAMERAS = 2
_TOPICS = ','.join(f'/proof{number}/image_raw' for number in range(_CAMERAS))
_ARRIVING = 'all images arrive'
_LOOP = ('rate', 'rate_reached', 'elapsed_ns', 'periods', 'ticks', 'missed', 'lateness_ns',
         'gap_ns', 'callback_ns')


@dataclass(frozen=True)
class Load:
    """The image traffic: two cameras at 30 Hz."""

    name: str
    width: int
    height: int


@dataclass(frozen=True)
class Arrangement:
    """Where the loop lives: the node it is in, and whether others read the images."""

    key: str
    name: str
    node: str
    parameters: Mapping[str, object]

    @property
    def alone(self) -> bool:
        """Whether the loop's node does nothing else."""
        return self.node == 'command_loop'


@dataclass(frozen=True)
class Result:
    """
    What came out of one window. Durations in ns, as Histogram.to_dict gives them.

    loop: LoopStatistics.to_dict, None if it could not run, which `note` then says.
    cpu: percent of a core of the loop's process; steal: percent of the machine's CPU time.
    """

    arrangement: str
    name: str
    load: str
    note: str
    loop: dict[str, Any] | None = None
    cyclictest: dict[str, Any] | None = None
    images_captured: int = 0
    images_read: int = 0
    cpu: float | None = None
    steal: float = 0.0
    load_average: float = 0.0
    rmw: str = ''


@contextmanager
def traffic(load: Load, folder: Path) -> Iterator[list[Child]]:
    """Run the cameras of a load; they stream when the block begins."""
    with ExitStack() as stack:
        cameras = [stack.enter_context(running(Child(
            'camera', folder, f'/proof{number}', parameters={
                'image_width': load.width, 'image_height': load.height, 'framerate': 30.0})))
            for number in range(_CAMERAS)]
        for camera in cameras:
            camera.wait_for('image_raw')
        yield cameras


def measure(arrangement: Arrangement, load: Load, cameras: list[Child], seconds: float,
            folder: Path, cyclictest: bool) -> Result:
    """Run a loop for so long beside the cameras; whoever reads, all images arrive at its begin."""
    with ExitStack() as stack:
        def start(node: str, ready: str, parameters: Mapping[str, object]) -> Child:
            report = folder / f'{node}.json'
            child = stack.enter_context(running(Child(
                node, folder, parameters={**parameters, 'report_file': report})))
            child.wait_for(ready)
            return child

        topics = {'image_topics': _TOPICS}
        try:
            if arrangement.alone:
                reader = start('image_reader', _ARRIVING, topics)
                loop = start(arrangement.node, 'in force:', arrangement.parameters)
            else:
                reader = loop = start(arrangement.node, _ARRIVING,
                                      topics | dict(arrangement.parameters))
        except Unavailable as error:
            return Result(arrangement.key, arrangement.name, load.name, str(error))
        limit = stack.enter_context(Cyclictest(folder / 'cyclictest')) if cyclictest else None
        window = Window(loop.pid)
        time.sleep(seconds)
        seen = window.end()
        histogram = limit.end().to_dict() if limit else None
        for child in (loop, reader, *cameras):
            child.check()
    loop_report, reader_report = _read(loop), _read(reader)
    return Result(
        arrangement.key, arrangement.name, load.name, _note(loop.output),
        {key: loop_report[key] for key in _LOOP}, histogram, rmw=reader_report['rmw'],
        images_read=sum(map(window.contains, reader_report['read_ns'])), **seen)


class Window:
    """What the machine does between its making and its end."""

    def __init__(self, pid: int) -> None:
        self._pid, self._usage = pid, ProcessUsage()
        self._images = ImageCount(domain_id())
        self._usage.cpu(pid)
        self._before = _cpu_times()
        self._begin_ns, self._end_ns = time.monotonic_ns(), 0

    def end(self) -> dict[str, Any]:
        """Give what was seen, by the names of Result."""
        self._end_ns = time.monotonic_ns()
        stolen, every = (now - before for now, before in
                         zip(_cpu_times(), self._before, strict=True))
        return {'images_captured': self._images.look(), 'cpu': self._usage.cpu(self._pid),
                'steal': 100 * stolen / every if every else 0.0,
                'load_average': os.getloadavg()[0]}

    def contains(self, moment_ns: int) -> bool:
        """Tell whether a moment of CLOCK_MONOTONIC is in it."""
        return self._begin_ns <= moment_ns < self._end_ns


def _cpu_times() -> tuple[int, int]:
    """Give the stolen and all CPU time of the machine (proc_stat(5)), guests not counted twice."""
    times = list(map(int, Path('/proc/stat').read_text().partition('\n')[0].split()[1:9]))
    return times[7], sum(times)


def _read(child: Child) -> dict[str, Any]:
    try:
        report: dict[str, Any] = json.loads(child.report.read_text())
    except (OSError, ValueError):
        raise CameraError(f'{child.name} left no report: {child.output[-200:]}') from None
    return report


def _note(output: str) -> str:
    """Give the warnings that the loop began with: what the machine refused, how to allow it."""
    return ' '.join(line.rpartition(']: ')[2] for line in output.splitlines()
                    if 'refused' in line)
