"""The state of a detector pool as diagnostic_msgs."""

from collections.abc import Mapping
from dataclasses import asdict
import time
from typing import Any

from camera_mp.detector_pool import DetectorPool
from camera_mp.detector_results import Result
from camera_mp.nodes.diagnostic_status import diagnostic_status
from diagnostic_msgs.msg import DiagnosticStatus
import numpy as np

_BAD = ('lost', 'errors', 'missed')


class DetectorStatus:
    """Looks at a pool from time to time; rate and latency are of the time since the last look."""

    def __init__(self, name: str, pool: DetectorPool) -> None:
        self._name, self._pool = name, pool
        self._latencies: list[float] = []
        self._before, self._time = asdict(pool.counts), time.monotonic()

    def add(self, result: Result) -> None:
        """Take a result into account; from any thread."""
        self._latencies.append(result.latency)

    def look(self, more: Mapping[str, object]) -> Any:
        """Give a DiagnosticStatus; more: values to show after the pool's own."""
        counts, now, alive = asdict(self._pool.counts), time.monotonic(), len(self._pool.pids)
        fresh = {name: value - self._before[name] for name, value in counts.items()}
        rate = fresh['processed'] / (now - self._time)
        latencies, self._latencies = self._latencies, []
        self._before, self._time = counts, now
        level, text = _judge(fresh, alive, rate)
        values = {**counts, 'rate (Hz)': f'{rate:.1f}', **_milliseconds(latencies),
                  'workers alive': alive, **more}
        return diagnostic_status(level, f'{self._name}: detector', text, values)


def _judge(fresh: Mapping[str, int], alive: int, rate: float) -> tuple[bytes, str]:
    bad = [f'{fresh[name]} {name}' for name in _BAD if fresh[name]]
    if not alive:
        return DiagnosticStatus.ERROR, 'no worker'
    if bad:
        return DiagnosticStatus.WARN, ', '.join(bad)
    if not fresh['processed']:
        return DiagnosticStatus.WARN, 'no result'
    return DiagnosticStatus.OK, f'{rate:.1f} Hz'


def _milliseconds(latencies: list[float]) -> dict[str, str]:
    if not latencies:
        return {'latency p50 (ms)': '', 'latency max (ms)': ''}
    return {'latency p50 (ms)': f'{1e3 * float(np.median(latencies)):.1f}',
            'latency max (ms)': f'{1e3 * max(latencies):.1f}'}
