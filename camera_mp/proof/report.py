"""What the proof says: the table, the goals, the machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
import os
from pathlib import Path
import platform
from typing import Any

from camera_mp.proof.window import Result

_STOP_NS = 5_000_000  # later than that is a stop of the machine, or of the process
_HEAD = ('arrangement', 'images', 'ticks', 'missed', 'late p50 / p99 / p99.9 / max (ms)',
         'over 5 ms', 'cyclictest p99 / max (ms)', 'over 5 ms', 'images read', 'loop CPU',
         'steal')

Lateness = Mapping[str, Any]  # Histogram.to_dict


def machine(rmw: str) -> dict[str, str]:
    """Name what the proof's numbers depend on."""
    return {**host(), 'rclpy': _rclpy_version(), 'rmw': rmw}


def host() -> dict[str, str]:
    """Name the processor, the kernel and the Python that any measurement depends on."""
    lines = Path('/proc/cpuinfo').read_text().splitlines()
    models = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    patched = ' PREEMPT_RT' if Path('/sys/kernel/realtime').exists() else ''
    return {'cpu': models[0] if models else platform.machine(), 'cores': str(os.cpu_count()),
            'kernel': platform.release() + patched, 'python': platform.python_version()}


def _rclpy_version() -> str:
    for name in ('rclpy', 'ros-rclpy'):
        try:
            return version(name)
        except PackageNotFoundError:
            pass
    return 'unknown'


def stops(lateness: Lateness) -> int:
    """Count those later than 5 ms, to a bucket of the histogram: 3 % of it."""
    late: int = sum(count for upper_end, count in lateness['buckets'] if upper_end > _STOP_NS)
    return late


def missed_outside_stops(loop: Mapping[str, Any]) -> int:
    """Give the missed periods that no stop explains: one of n periods swallows n of them."""
    period = 1e9 / loop['rate']
    explained = sum(count * int(upper_end / period) for upper_end, count in
                    loop['lateness_ns']['buckets'] if upper_end > _STOP_NS)
    return int(max(loop['missed'] - explained, 0))


def table(results: Sequence[Result]) -> str:
    """Give all windows as a Markdown table that is aligned as text too."""
    rows = [_HEAD, *map(_row, results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = ['| ' + ' | '.join(map(str.ljust, row, widths)) + ' |' for row in rows]
    notes = [f'{result.arrangement}, {result.load}: {result.note}'
             for result in results if result.note]
    return '\n'.join([lines[0], f'|{"|".join("-" * (width + 2) for width in widths)}|',
                      *lines[1:], *([''] if notes else []), *notes])


def _row(result: Result) -> tuple[str, ...]:
    title = f'{result.arrangement}. {result.name}'
    loop, limit = result.loop, result.cyclictest
    if loop is None:
        return (title, result.load, result.note, *['-'] * (len(_HEAD) - 3))
    late = loop['lateness_ns']
    return (
        title, result.load, f'{loop["ticks"]} of {loop["periods"]}',
        f'{100 * loop["missed"] / max(loop["periods"], 1):.2f} %',
        _milliseconds(late, 'p50', 'p99', 'p99.9', 'max'), str(stops(late)),
        _milliseconds(limit, 'p99', 'max') if limit else '-',
        str(stops(limit)) if limit else '-',
        f'{result.images_read} of {result.images_captured}',
        '-' if result.cpu is None else f'{result.cpu:.1f} %', f'{result.steal:.1f} %')


def _milliseconds(lateness: Lateness, *names: str) -> str:
    return ' / '.join(f'{lateness[name] / 1e6:.3f}' for name in names)


@dataclass(frozen=True)
class Goal:
    """What was to be reached; None: could not be told."""

    text: str
    reached: bool | None

    def __str__(self) -> str:
        """Give the line that says so."""
        words = {True: 'reached', False: 'not reached', None: 'not measured'}
        return f'{words[self.reached]}: {self.text}'


def goals(results: Sequence[Result], load: str, heavy: str) -> list[Goal]:
    """Compare with what this package promises; under a load, and one of four times the bytes."""
    ran = {(result.arrangement, result.load): result for result in results if result.loop}
    a, d, e = (ran.get((key, load)) for key in 'ade')
    return [_exact(e), _near_the_machine(e), _far_below(a, e), _as_many(d, e), _cheap(e),
            _heavy(ran.get(('e', heavy)))]


def _loop(result: Result) -> dict[str, Any]:
    assert result.loop
    return result.loop


def _p99(result: Result) -> float:
    return float(_loop(result)['lateness_ns']['p99'] / 1e6)


def _exact(e: Result | None) -> Goal:
    text = 'e: every period ticked or counted, none missed outside stops of over 5 ms'
    if e is None:
        return Goal(text, None)
    loop = _loop(e)
    by_the_clock = int(loop['elapsed_ns'] * loop['rate'] / 1e9)
    outside = missed_outside_stops(loop)
    return Goal(f'{text}: {loop["ticks"]} + {loop["missed"]} = {loop["periods"]} periods, '
                f'{by_the_clock} by the clock; {outside} missed outside stops',
                loop['ticks'] + loop['missed'] == loop['periods']
                and abs(loop['periods'] - by_the_clock) <= 1 and outside == 0)


def _near_the_machine(e: Result | None) -> Goal:
    text = 'e: p99 at most 3 times that of cyclictest beside it'
    if e is None or e.cyclictest is None:
        return Goal(text, None)
    limit = max(e.cyclictest['p99'] / 1e6, 0.001)
    return Goal(f'{text}: {_p99(e):.3f} / {limit:.3f} ms = {_p99(e) / limit:.2f}',
                _p99(e) <= 3 * limit)


def _far_below(a: Result | None, e: Result | None) -> Goal:
    text = 'e: p99 at least 50 times below that of a'
    if a is None or e is None:
        return Goal(text, None)
    ratio = _p99(a) / max(_p99(e), 0.001)
    return Goal(f'{text}: {_p99(a):.3f} / {_p99(e):.3f} ms = {ratio:.0f}', ratio >= 50)


def _as_many(d: Result | None, e: Result | None) -> Goal:
    text = 'd: as many ticks as e outside stops of over 5 ms'
    if d is None or e is None:
        return Goal(text, None)
    shares = [1 - missed_outside_stops(_loop(result)) / max(_loop(result)['periods'], 1)
              for result in (d, e)]
    return Goal(f'{text}: {shares[0]:.3%} and {shares[1]:.3%} of the periods',
                shares[0] >= shares[1])


def _cheap(e: Result | None) -> Goal:
    text = "e: the loop's process under 5 % of a core"
    if e is None or e.cpu is None:
        return Goal(text, None)
    return Goal(f'{text}: {e.cpu:.1f} %', e.cpu < 5)


def _heavy(e: Result | None) -> Goal:
    text = 'e: p99 under 0.2 ms with four times the image traffic'
    if e is None:
        return Goal(text, None)
    return Goal(f'{text}: {_p99(e):.3f} ms, {e.images_read} of {e.images_captured} images read',
                _p99(e) < 0.2)
