"""
A camera's JPEG into a slot: simplejpeg straight into it against cv2.imdecode and a copy.

    python benchmark/jpeg.py [--quick] [--json FILE]

The first two ways are those of the V4L2 source, with simplejpeg and without; their pixels are
compared before they are timed. The third is the second as a program of one's own would do it,
without camera_mp.heap: glibc then gives the memory of every picture back and fetches it again.
Each way works in a process of its own, as in a capture: what is freed there decides that.
"""

from collections.abc import Callable
import multiprocessing
import time

from camera_mp import FrameFormat, FrameWriter
from camera_mp.frame import Pixels
from camera_mp.v4l2 import jpeg
import cv2
import numpy as np
from options import judge, read_options, Row
from report import percentiles, Report

FORM = FrameFormat(720, 1280, 'bgr8')
SIMPLE, OURS, BARE = 'simplejpeg', 'cv2.imdecode and copy', 'cv2.imdecode and copy, plain heap'
SAMPLINGS = {'4:2:0': cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
             '4:2:2': cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422}
_SHAPES = 150
_NOISE = 3.0  # levels, of a webcam's sensor in a lit room


def scene() -> Pixels:
    """Draw a scene as a webcam has it: smooth walls, sharp edges, writing, a sensor's noise."""
    random, (height, width, _) = np.random.default_rng(1), FORM.shape
    y, x = np.mgrid[0:height, 0:width]
    drawn = np.dstack((50 + x * 150 // width, 60 + y * 120 // height, 80 + (x + y) // 20))
    drawn = drawn.astype(np.uint8)
    for number in range(_SHAPES):
        colour = random.integers(20, 235, 3).tolist()
        (left, top), size = random.integers(0, (width, height)).tolist(), random.integers(8, 120)
        if number % 3 == 0:
            cv2.rectangle(drawn, (left, top, int(size), int(size)), colour, -1)
        elif number % 3 == 1:
            cv2.circle(drawn, (left, top), int(size), colour, 2, cv2.LINE_AA)
        else:
            cv2.putText(drawn, 'scene', (left, top), cv2.FONT_HERSHEY_SIMPLEX, size / 60, colour,
                        2, cv2.LINE_AA)
    return np.clip(drawn + random.normal(0, _NOISE, drawn.shape), 0, 255).astype(np.uint8)


def pictures() -> dict[str, Pixels]:
    """Give the scene as cameras compress it."""
    drawn = scene()
    return {f'{name}, quality {quality}': cv2.imencode('.jpg', drawn, [
        cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling])[1]
        for name, sampling in SAMPLINGS.items() for quality in (80, 90)}


def _bare(data: Pixels, out: Pixels) -> None:
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert picture is not None
    np.copyto(out, picture)


def _way(name: str) -> Callable[[Pixels, Pixels], None]:
    jpeg.IS_FAST = name == SIMPLE
    return _bare if name == BARE else jpeg.decoder('bgr8')


def difference(data: Pixels) -> int:
    """Give the largest difference of a pixel between the source's two ways."""
    one, other = (np.zeros(FORM.shape, np.uint8) for _ in range(2))
    _way(SIMPLE)(data, one)
    _way(OURS)(data, other)
    return int(cv2.absdiff(one, other).max())


def measure(name: str, data: Pixels, count: int) -> list[float]:
    """Time one way, in ms; after the first pictures, which find new memory."""
    cv2.setNumThreads(1)  # as in a capture
    times, way = [], _way(name)
    with FrameWriter('benchmark_jpeg', FORM) as writer:
        for number in range(count + 10):
            slot = writer.begin()
            start = time.perf_counter()
            way(data, slot)
            times.append((time.perf_counter() - start) * 1000)
            writer.commit(0, number)
    return times[10:]


def compare(data: Pixels, count: int) -> dict[str, list[float]]:
    """Measure the ways in turns, so that a slow minute of the machine hits all."""
    times: dict[str, list[float]] = {SIMPLE: [], OURS: [], BARE: []}
    spawn = multiprocessing.get_context('spawn')
    with spawn.Pool(1, maxtasksperchild=1) as pool:
        for _ in range(3):
            for name, series in times.items():
                series += pool.apply(measure, (name, data, count))
    return times


def _row(what: str, data: Pixels, times: dict[str, list[float]]) -> Row:
    medians = {name: percentiles(series)['p50'] for name, series in times.items()}
    return {'picture': what, 'kB': len(data) // 1000,
            **{f'{name}, p50 ms': value for name, value in medians.items()},
            'ratio': medians[SIMPLE] / medians[OURS],
            'ratio to plain heap': medians[SIMPLE] / medians[BARE]}


def main() -> None:
    """Compare the pixels, then the times."""
    options = read_options('Times the decoding of JPEG into a slot.')
    if not jpeg.IS_FAST:
        raise SystemExit(jpeg.ADVICE)
    report = Report('JPEG into a slot')
    encoded = pictures()
    most = max(map(difference, encoded.values()))
    if most > 2:
        raise SystemExit(f'the pixels differ by {most} levels')
    rows = [_row(what, data, compare(data, 30 if options.quick else 300))
            for what, data in encoded.items()]
    report.add(f'1280x720; pixels differ by at most {most} levels', rows)
    report.add('Goal', [judge('simplejpeg / cv2.imdecode and copy, plain heap', 0.5,
                              max(float(str(row['ratio to plain heap'])) for row in rows)),
                        judge('simplejpeg / cv2.imdecode and copy', 0.5,
                              max(float(str(row['ratio'])) for row in rows))])
    report.save(options.json)


if __name__ == '__main__':
    main()
