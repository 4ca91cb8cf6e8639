"""
A camera's JPEG into a slot: simplejpeg straight into it against cv2.imdecode and a copy.

    python benchmark/jpeg.py [--quick] [--json FILE]

Both ways are those of the V4L2 source; their pixels are compared before they are timed.
"""

from collections.abc import Callable
import time

from camera_mp import FrameFormat, FrameWriter
from camera_mp.frame import Pixels
from camera_mp.v4l2 import jpeg
import cv2
import numpy as np
from options import judge, read_options
from report import percentiles, Report

FORM = FrameFormat(720, 1280, 'bgr8')
Way = Callable[[Pixels, Pixels], None]


def picture() -> Pixels:
    """Give a JPEG of 1280x720 with as much detail as a room has: about 100 kB."""
    noise = np.random.default_rng(1).integers(0, 255, (720, 1280, 3), np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2)
    data: Pixels = cv2.imencode('.jpg', smooth, [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    return data


def ways() -> dict[str, Way]:
    """Give both ways of the source."""
    if not jpeg.IS_FAST:
        raise SystemExit(jpeg.ADVICE)
    found = {'simplejpeg into the slot': jpeg.decoder('bgr8')}
    jpeg.IS_FAST = False
    return {**found, 'cv2.imdecode and copy': jpeg.decoder('bgr8')}


def compare(data: Pixels, both: dict[str, Way]) -> int:
    """Give the largest difference of a pixel between the two."""
    one, other = (np.zeros(FORM.shape, np.uint8) for _ in range(2))
    for way, out in zip(both.values(), (one, other), strict=True):
        way(data, out)
    return int(cv2.absdiff(one, other).max())


def measure(data: Pixels, both: dict[str, Way], count: int) -> dict[str, list[float]]:
    """Time the ways in turns, so that a pause of the machine hits both; in ms."""
    times: dict[str, list[float]] = {name: [] for name in both}
    with FrameWriter('benchmark_jpeg', FORM) as writer:
        for number in range(count):
            for name, way in both.items():
                slot = writer.begin()
                start = time.perf_counter()
                way(data, slot)
                times[name].append((time.perf_counter() - start) * 1000)
                writer.commit(0, number)
    return times


def main() -> None:
    """Compare, then time."""
    options = read_options('Times the decoding of JPEG into a slot.')
    cv2.setNumThreads(1)  # as in a capture
    report = Report('JPEG into a slot')
    data, both = picture(), ways()
    difference = compare(data, both)
    if difference > 2:
        raise SystemExit(f'the pixels differ by {difference} levels')
    times = measure(data, both, 50 if options.quick else 500)
    report.add(f'1280x720, {len(data) // 1000} kB; pixels differ by at most {difference} levels', [
        {'way': name, **{f'{key} ms': value for key, value in percentiles(series).items()}}
        for name, series in times.items()])
    fast, slow = (float(np.median(series)) for series in times.values())
    report.add('Goal', [judge('simplejpeg / cv2.imdecode and copy', 0.5, fast / slow)])
    report.save(options.json)


if __name__ == '__main__':
    main()
