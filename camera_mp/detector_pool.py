"""
A detector in several processes at once, on the frames of one camera; results in frame order.

Each worker has a thread here that lives the worker's life in straight lines: take a frame, tell
the worker its number, wait for the answer, hand it over. One thread at a time waits for the
camera, so that each frame goes to one worker; the rest sleep until it is their turn. Pixels never
come through this process.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
import logging
import sys
import threading
import time
from types import TracebackType
from typing import Any

from camera_mp.backoff import Backoff
from camera_mp.calibration import Calibration
from camera_mp.capture_process import Log
from camera_mp.complaints import Complaints
from camera_mp.detection_json import from_json
from camera_mp.detector_results import Counts, Result
from camera_mp.detectors import detector_class
from camera_mp.errors import FrameTimeout, PoolClosed, SettingError
from camera_mp.frame import Frame
from camera_mp.frame_feed import FrameFeed
from camera_mp.in_order import InOrder
from camera_mp.ring.file import ring_path
from camera_mp.settings import setting, Settings
from camera_mp.worker_process import WorkerLost, WorkerProcess

_ROOM = 0.25        # seconds of waiting for room after which to see whether to end
_MOST_UNREAD = 100  # results kept for one who does not fetch them, or behind a slow worker's

POLICIES = ('newest', 'every')


@dataclass(frozen=True)
class PoolSettings(Settings):
    """Settings of a pool of workers."""

    workers: int = setting(1, 'Processes that share the frames.', low=1, high=64)
    policy: str = setting('newest', 'newest: a worker that is free takes the newest frame; '
                          'every: the frames in order, each to one worker.', choices=POLICIES)
    # 10 has a ninth of the weight of ordinary processes (kernel/sched/core.c,
    # sched_prio_to_weight): captures and control go first and detectors share what they leave
    nice: int = setting(10, 'Priority of the workers, as nice(1) has it; 0: as this process.',
                        low=0, high=19)
    timeout: float = setting(10.0, 'Seconds for one picture, after which a worker is taken to '
                             'hang and is replaced.', low=0.01, high=3600.0)


@dataclass(frozen=True)
class _Job:
    ticket: int
    sequence: int
    stamp_ns: int
    number: int
    width: int
    height: int


class DetectorPool:
    """
    Runs a detector over the frames of a camera in `workers` processes.

    A context manager, and an iterator over the results in frame order. It waits for a camera
    that is not there yet, has ended or is being restarted, and says so. A worker that dies or
    hangs is replaced, and its frame is lost. A result waits for those of earlier frames, so that
    a hanging worker holds up all until its `timeout`. One who fetches no results gets no more:
    then frames are left out, or with 'every' missed.

    ring: name of the camera. detector: a name, or module:Class. settings: names and values of its
    own Settings. calibration: for poses; may be set at any time. log: a logging.Logger or a
    node's. Raises SettingError for what is not allowed.
    """

    def __init__(self, ring: str, detector: str, workers: int = 1, policy: str = 'newest',
                 settings: Mapping[str, Any] | None = None, *, nice: int = PoolSettings.nice,
                 timeout: float = PoolSettings.timeout, calibration: Calibration | None = None,
                 log: Log | None = None, domain: int | None = None) -> None:
        wish = PoolSettings(workers, policy, nice, float(timeout))
        ring_path(ring, domain)
        kind = detector_class(detector)
        kind.Settings.from_values(settings or {})
        if kind.stateful and workers > 1:
            raise SettingError(f'workers: {workers} is not allowed with {detector!r}, for which '
                               'every picture depends on those before; allowed: 1')
        self.ring, self.calibration, self.counts = ring, calibration, Counts()
        self._wish, self._domain = wish, domain
        self._feed: FrameFeed | None = None
        self._log: Log = log or logging.getLogger(__name__)
        self._complaints = Complaints(self._log.error)
        self._turn = threading.Lock()  # of who waits for the camera
        self._changed = threading.Condition()  # of all that follows
        self._stopping = threading.Event()
        self._error: Exception | None = None
        self._ready = 0
        self._order: InOrder[Result] = InOrder()
        self._results: deque[Result] = deque()
        self._most_unread = _MOST_UNREAD if policy == 'every' else workers
        task = {'detector': detector, 'settings': dict(settings or {}), 'nice': nice,
                'ring': ring, 'domain': domain, 'path': sys.path}
        self._workers = [WorkerProcess(task) for _ in range(workers)]
        self._threads = [threading.Thread(target=self._run, args=[worker], daemon=True,
                                          name=f'detect {ring} {number}')
                         for number, worker in enumerate(self._workers)]
        for thread in self._threads:
            thread.start()

    def wait_ready(self, timeout: float | None = None) -> bool:
        """Wait until every worker has made its detector; raises what `next` does."""
        with self._changed:
            self._changed.wait_for(lambda: self._ready == len(self._workers) or self._is_over(),
                                   timeout)
            self._raise_if_over()
            return self._ready == len(self._workers)

    def next(self, timeout: float | None = None) -> Result:  # noqa: A003
        """
        Give the next result, in frame order.

        Raises FrameTimeout if none comes within `timeout` seconds, PoolClosed after `close`, and
        DetectorError if the detector cannot be made: then the pool has ended.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._results or self._is_over(), timeout):
                raise FrameTimeout(f'no result of camera {self.ring!r} within {timeout:g} s')
            if not self._results:
                self._raise_if_over()
            self._changed.notify_all()  # there is room for another
            return self._results.popleft()

    def __iter__(self) -> Iterator[Result]:
        """Give the results until the pool is closed."""
        return self

    def __next__(self) -> Result:
        """Wait for the next result."""
        try:
            return self.next()
        except PoolClosed:
            raise StopIteration from None

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers that run."""
        return [pid for worker in self._workers if (pid := worker.pid) is not None]

    def close(self) -> None:
        """End the workers; whoever waits for a result gets PoolClosed."""
        self._end()
        for thread in self._threads:
            thread.join()
        for worker in self._workers:
            worker.close()

    def __enter__(self) -> 'DetectorPool':
        """Give the pool itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Close it."""
        self.close()

    def _is_over(self) -> bool:
        return self._stopping.is_set()

    def _raise_if_over(self) -> None:
        if self._error:
            raise self._error
        if self._is_over():
            raise PoolClosed(f'the detector pool of camera {self.ring!r} is closed')

    def _end(self, error: Exception | None = None) -> None:
        with self._changed:
            self._error = self._error or (None if self._is_over() else error)
            self._stopping.set()
            self._changed.notify_all()
        for worker in self._workers:
            worker.end()

    def _run(self, worker: WorkerProcess) -> None:
        """Live the life of one worker; whatever goes wrong here is for the caller of `next`."""
        backoff = Backoff(first=0.1, most=5.0)
        try:
            while not self._is_over():
                try:
                    worker.start()
                    self._serve(worker)
                except WorkerLost as loss:
                    if not self._is_over():
                        self._replace(loss, backoff.next_delay())
        except Exception as error:
            self._end(error)

    def _replace(self, loss: WorkerLost, delay: float) -> None:
        self._log.error(f'a detector worker of camera {self.ring!r} {loss}; '
                        f'starting another in {delay:g} s')
        with self._changed:
            self.counts.restarts += 1
        self._stopping.wait(delay)

    def _serve(self, worker: WorkerProcess) -> None:
        self._begin()
        told: Calibration | None = None
        try:
            while job := self._take():
                order: dict[str, Any] = {'number': job.number, 'stamp_ns': job.stamp_ns}
                if self.calibration != told:
                    told = self.calibration
                    order['calibration'] = told and asdict(told)
                self._settle(job, self._ask(worker, job, order))
        finally:
            with self._changed:
                self._ready -= 1

    def _begin(self) -> None:
        """Look for frames from now on, before anyone may take it that they are seen."""
        with self._changed:
            self._feed = self._feed or FrameFeed(
                self.ring, every=self._wish.policy == 'every', log=self._log, domain=self._domain)
            self._ready += 1
            self._changed.notify_all()

    def _take(self) -> _Job | None:
        """Wait for a frame; None if there is nothing more to do."""
        assert self._feed
        with self._turn:
            while not self._is_over():
                frame = self._feed.look(self._stopping) if self._has_room() else None
                if frame:
                    return self._new_job(self._feed.missed, frame)
        return None

    def _new_job(self, missed: int, frame: Frame) -> _Job:
        with self._changed:
            self.counts.missed = missed
            return _Job(self._order.begin(), frame.sequence, frame.stamp_ns, frame.number,
                        frame.format.width, frame.format.height)

    def _has_room(self) -> bool:
        """Wait a moment until more results are wanted, counting those behind a slow worker."""
        def room() -> bool:
            return len(self._results) < self._most_unread and self._order.waiting < _MOST_UNREAD
        with self._changed:
            self._changed.wait_for(lambda: room() or self._is_over(), _ROOM)
            return room() and not self._is_over()

    def _ask(self, worker: WorkerProcess, job: _Job, order: dict[str, Any]) -> dict[str, Any]:
        try:
            return worker.ask(order, self._wish.timeout)
        except WorkerLost:
            self._settle(job, {'lost': True})
            raise

    def _settle(self, job: _Job, answer: dict[str, Any]) -> None:
        """Take in what became of a frame, and hand over all that is in order now."""
        with self._changed:
            self._results += self._order.settle(job.ticket, self._judge(job, answer))
            self._changed.notify_all()

    def _judge(self, job: _Job, answer: dict[str, Any]) -> Result | None:
        if 'found' in answer:
            self.counts.processed += 1
            return Result(job.sequence, job.stamp_ns, job.number, job.width, job.height,
                          from_json(answer['found']), (time.time_ns() - job.stamp_ns) / 1e9,
                          answer['seconds'])
        if 'error' in answer:
            self.counts.errors += 1
            self._complaints.add(f'detector of camera {self.ring!r}, frame {job.sequence}: '
                                 f'{answer["error"]}')
        else:
            self.counts.lost += 1
        return None
