"""Markers of the synthetic camera, found by a pool in every frame, against where they are."""

import os

from camera_mp.detector_pool import DetectorPool
from camera_mp.detector_results import Result
from camera_mp.detectors import Detection
from camera_mp.sources.synthetic import SyntheticSettings, SyntheticSource
import numpy as np
from options import Row
from processes import capture

_READY = 60.0
_PATIENCE = 10.0


def markers(frames: int) -> list[Row]:
    """Look for the markers in so many frames of a camera at 640x480, 30 Hz."""
    name = f'benchmark_{os.getpid()}'
    source = SyntheticSource(SyntheticSettings())
    with capture(name), DetectorPool(name, 'aruco', 2, 'every') as pool:
        assert pool.wait_ready(_READY)
        results = [pool.next(_PATIENCE) for _ in range(frames)]
    errors = [error for result in results for error in _errors(source, result)]
    wanted = len(source.marker_places()) * frames
    gaps = np.diff([result.number for result in results]) - 1
    return [{'frames': frames, 'frames left out': int(gaps.sum()), 'markers': wanted,
             'found': len(errors), 'corner error px, mean': float(np.mean(errors)),
             'corner error px, max': float(np.max(errors)),
             'ms a frame': 1e3 * float(np.mean([result.seconds for result in results]))}]


def _errors(source: SyntheticSource, result: Result) -> list[float]:
    """Give the largest distance of a corner for each marker that is where one was painted."""
    places = {str(number): place for number, place in enumerate(source.marker_places())}
    shift = source.offset(result.sequence)
    return [_error(one, places[one.class_id], shift) for one in result.detections
            if one.class_id in places]


def _error(one: Detection, place: tuple[int, int, int], shift: int) -> float:
    top, left, side = place
    x, y = left - shift - .5, top - .5  # OpenCV's (0, 0) is the middle of a pixel
    truth = np.array([(x, y), (x + side, y), (x + side, y + side), (x, y + side)])
    return float(np.linalg.norm(np.array(one.corners) - truth, axis=1).max())
