"""
Detectors beside cameras: what the pool costs, and what it takes away from others.

    python benchmark/detectors.py [--quick] [--json FILE] [--plot FILE]

Four cameras at 640x480 and 30 Hz with three workers each that want far more CPU than there is,
beside the command loop; the pool against a plain loop; markers found in every frame of
the synthetic camera; 1, 3 and 10 cameras with a small ONNX network on each and without.
"""

from collections.abc import Callable
from contextlib import ExitStack
import os
from pathlib import Path
import sys
import time

from camera_mp import FrameFormat, FrameReader, FrameWriter
from camera_mp.detector_pool import DetectorPool
from camera_mp.heap import keep_large_blocks
from detector_load import Mean
from detectors_aruco import markers
from detectors_cameras import with_a_network
from detectors_saturated import CAMERAS, COST, FRAMERATE, saturated, WORKERS
from options import judge, read_options, Row
from report import percentiles, Report

FORM = FrameFormat(480, 640, 'bgr8')
_BATCH = 50  # frames of one way before it is the other's turn
_PATIENCE = 10.0


def overhead(rounds: int) -> list[Row]:
    """Time each frame from its commit to its result, in a plain loop and through a pool."""
    keep_large_blocks()  # as the workers do
    names = [f'benchmark_{os.getpid()}_{way}' for way in ('plain', 'pool')]
    detector = Mean(Mean.Settings())
    with ExitStack() as stack:
        # a ring each: the pool would work on the frames of the plain loop too, beside it
        plain, shared = (stack.enter_context(FrameWriter(name, FORM)) for name in names)
        reader = stack.enter_context(FrameReader(names[0]))
        pool = stack.enter_context(
            DetectorPool(names[1], 'detector_load:Mean', policy='every', nice=0))
        assert pool.wait_ready(_PATIENCE)
        ways: dict[str, tuple[FrameWriter, Callable[[], object]]] = {
            'plain loop': (plain, lambda: detector.detect(reader.next(_PATIENCE).image)),
            'pool': (shared, lambda: pool.next(_PATIENCE))}
        times: dict[str, list[float]] = {way: [] for way in ways}
        cpu = dict.fromkeys(ways, 0.0)
        for _ in range(rounds):
            for way, (writer, take) in ways.items():
                used = time.process_time()
                times[way] += [_timed(writer, take) for _ in range(_BATCH)]
                cpu[way] += 1e3 * (time.process_time() - used)
    return [{'way': way, **{f'{key} ms': value for key, value in percentiles(series).items()},
             'CPU ms a frame, here': cpu[way] / len(series)} for way, series in times.items()]


def _timed(writer: FrameWriter, take: Callable[[], object]) -> float:
    """Give the milliseconds from a commit to the result."""
    writer.begin()
    start = time.perf_counter()
    writer.commit(time.time_ns(), 0)
    take()
    return 1e3 * (time.perf_counter() - start)


def goals(cameras: list[Row], cpu: list[Row], loop: list[Row], ways: list[Row]) -> list[Row]:
    """Judge all."""
    plain, pool = (float(str(row['p50 ms'])) for row in ways)
    slowest = min(float(str(row['capture FPS'])) for row in cameras)
    return [judge('frames lost by captures', 0,
                  sum(int(str(row['lost by capture'])) for row in cameras)),
            judge('30 Hz / FPS of the slowest capture', 1.01, FRAMERATE / slowest),
            judge('periods of the loop missed outside stops', 0,
                  float(str(loop[0]['missed outside stops']))),
            judge('possible / reached detections', 1 / 0.9, 100 / float(str(cpu[0]['reached %']))),
            judge('pool - plain loop, ms a frame', 0.5, pool - plain)]


def marker_goals(found: Row) -> list[Row]:
    """Judge the markers."""
    missing = int(str(found['markers'])) - int(str(found['found']))
    return [judge('markers not found', 0, missing),
            judge('corner error, px', 1.0, float(str(found['corner error px, max'])))]


def plot(path: Path, cameras: list[Row], ways: list[Row]) -> None:
    """Draw rates of the cameras and times of both ways."""
    from plots import bars, picture  # here, or every process would load Matplotlib
    rates = [{'camera': row['camera'], 'of': what, 'FPS': row[f'{what} FPS']}
             for row in cameras for what in ('capture', 'detection')]
    delays = [{'way': row['way'], 'of all': key, 'ms a frame': row[f'{key} ms']}
              for row in ways for key in ('p50', 'p99')]
    with picture(path, f'{CAMERAS} cameras, {WORKERS} detector processes each', 2) as panels:
        bars(panels[0], rates, 'camera', 'of', 'FPS')
        bars(panels[1], delays, 'way', 'of all', 'ms a frame')


def main() -> None:
    """Run all."""
    options = read_options('Measures detectors beside cameras.')
    folder = str(Path(__file__).parent)  # the workers look for detector_load
    os.environ['PYTHONPATH'] = os.pathsep.join(
        [*filter(None, [os.environ.get('PYTHONPATH')]), folder])
    assert sys.path[0] == folder
    report = Report('Detectors')
    ways = overhead(2 if options.quick else 20)
    report.add('From the commit of a 640x480 frame to its result', ways)
    cameras, cpu, loop = saturated(5.0 if options.quick else 60.0)
    report.add(f'{CAMERAS} cameras with {WORKERS} workers each, {1e3 * COST:g} ms of CPU a '
               'picture', cameras)
    report.add('CPU time', cpu)
    report.add('The command loop beside them, 500 Hz', loop)
    found = markers(30 if options.quick else 600)
    report.add('ArUco markers of the synthetic camera, 640x480 at 30 Hz, two workers', found)
    networks = with_a_network((1, 3) if options.quick else (1, 3, 10),
                              1.0 if options.quick else 5.0)
    report.add('Cameras at 640x480 and 30 Hz, a worker each with a small ONNX network', networks)
    report.add('Goals', [*goals(cameras, cpu, loop, ways), *marker_goals(found[0])])
    report.save(options.json)
    if options.plot:
        plot(options.plot, cameras, ways)


if __name__ == '__main__':
    main()
