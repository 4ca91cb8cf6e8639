"""
Shows on this machine that images do not block the 500 Hz loop of camera_mp, and what they do else.

The same images and the same commands, one arrangement after another: in one rclpy node with
three executors, and in the command loop's own process. Writes a table, proof.json and proof.png.
"""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
import json
import os
from pathlib import Path
import sys
from tempfile import TemporaryDirectory

from camera_mp.errors import CameraError
from camera_mp.proof.cyclictest import refusal
from camera_mp.proof.report import goals, machine, table
from camera_mp.proof.window import Arrangement, Load, measure, Result, traffic
from camera_mp.ring import remove_stale
from camera_mp.ring.file import domain_id
from camera_mp.signals import exit_on

_INTERRUPTED = 130
_MOST_SECONDS = 500.0
ARRANGEMENTS = (
    Arrangement('a', 'one node, SingleThreadedExecutor', 'all_in_one', {'executor': 'single'}),
    Arrangement('b', 'one node, MultiThreadedExecutor', 'all_in_one', {'executor': 'multi'}),
    Arrangement('c', 'one node, EventsExecutor', 'all_in_one', {'executor': 'events'}),
    Arrangement('d', 'camera_mp, ordinary scheduling', 'command_loop',
                {'rt_priority': 0, 'lock_memory': 'false'}),
    Arrangement('e', 'camera_mp, SCHED_FIFO 80', 'command_loop', {'rt_priority': 80}))
LOADS = (Load('2 x 1280x720', 1280, 720), Load('2 x 1920x1080', 1920, 1080))
HEAVY = Load('2 x 2560x1440', 2560, 1440)  # four times the bytes of the first
QUICK = (Load('2 x 320x240', 320, 240),)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser('proof', description=__doc__)
    parser.add_argument('--seconds', type=float, help='of each arrangement (default: 3)')
    parser.add_argument('--output', type=Path, default=Path('proof'), metavar='DIR',
                        help='where the files go (default: ./proof)')
    parser.add_argument('--quick', action='store_true',
                        help='small images and 0.5 s: whether it works, not how well')
    options = parser.parse_args(argv)
    if options.seconds is None:
        options.seconds = 0.5 if options.quick else 3.0
    if not 0 < options.seconds <= _MOST_SECONDS:  # false for NaN too
        parser.error(f'--seconds: {options.seconds:g} is not allowed; '
                     f'allowed: more than 0, to {_MOST_SECONDS:g}')
    return options


def _measure_all(seconds: float, quick: bool, cyclictest: bool, folder: Path) -> list[Result]:
    loads, heavy = (QUICK, QUICK[0]) if quick else (LOADS, HEAVY)
    plan = [(load, ARRANGEMENTS) for load in loads] + [(heavy, ARRANGEMENTS[-1:])] * (not quick)
    results: list[Result] = []
    for load, arrangements in plan:
        with traffic(load, folder) as cameras:
            for each in arrangements:
                print(f'{each.key}. {each.name}, {load.name}', file=sys.stderr, flush=True)
                results.append(measure(each, load, cameras, seconds, folder, cyclictest))
    return results


def _prove(options: argparse.Namespace) -> None:
    domain_id()  # it says what is wrong with ROS_DOMAIN_ID
    try:
        options.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CameraError(f'--output: {options.output}: {error.strerror}') from None
    missing = refusal()
    if missing:
        print(f"{missing}: the machine's own limit is not measured", file=sys.stderr)
    with TemporaryDirectory(prefix='proof.') as folder:
        try:
            results = _measure_all(options.seconds, options.quick, not missing, Path(folder))
        finally:
            remove_stale()
    _tell(results, options.output)


def _tell(results: Sequence[Result], output: Path) -> None:
    where = machine(next((result.rmw for result in results if result.rmw), 'unknown'))
    reached = goals(results, results[0].load, HEAVY.name)
    text = '\n'.join([', '.join(f'{key} {value}' for key, value in where.items()), '',
                      table(results), '', *map(str, reached)])
    print(text)
    (output / 'proof.md').write_text(text + '\n')
    (output / 'proof.json').write_text(json.dumps({
        'machine': where, 'results': [asdict(result) for result in results],
        'goals': [asdict(goal) for goal in reached]}, indent=1) + '\n')
    if find_spec('matplotlib') is None:
        print('no picture: pip install matplotlib, or apt install python3-matplotlib',
              file=sys.stderr)
        return
    from camera_mp.proof.picture import draw  # imports matplotlib
    draw(results, where, output / 'proof.png')
    print(f'\n{output / "proof.png"}, {output / "proof.json"}, {output / "proof.md"}')


def main(argv: Sequence[str] | None = None) -> int:
    """Run `proof`."""
    options = _options(argv)
    # a domain of its own, on this host alone; above 101 its ports may be those of any socket
    os.environ.setdefault('ROS_DOMAIN_ID', str(os.getpid() % 101 + 1))
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    exit_on()
    try:
        _prove(options)
    except CameraError as error:
        print(f'proof: {error}', file=sys.stderr)
        return 1
    except SystemExit:
        print('proof: interrupted', file=sys.stderr)
        return _INTERRUPTED
    return 0
