"""Detections as plain lists for JSON: checked on the way out, trusted on the way in."""

from collections.abc import Iterable, Sequence
import math
from typing import Any

from camera_mp.detectors import Detection, Pose
from camera_mp.errors import DetectorError

_MOST_SHOWN = 100  # characters of a wrong value


def to_json(found: object) -> list[Any]:
    """Give what a detector found; DetectorError, in one line, if it is no list of Detection."""
    if not isinstance(found, list | tuple):
        raise DetectorError(f'it gave {_shown(found)}; expected a list of Detection')
    return [_detection_to_json(one) for one in found]


def _detection_to_json(one: object) -> list[Any]:
    if not isinstance(one, Detection):
        raise DetectorError(f'it gave a list with {_shown(one)}; expected Detection')
    if not isinstance(one.class_id, str):
        raise DetectorError(f'class_id: {_shown(one.class_id)}; expected a string')
    score, = _numbers('score', [one.score], 1)
    if not 0 <= score <= 1:
        raise DetectorError(f'score: {score}; expected 0 to 1')
    pose = one.pose and [_numbers('position', one.pose.position, 3),
                         _numbers('orientation', one.pose.orientation, 4)]
    return [one.class_id, score, _numbers('box', one.box, 4),
            [_numbers('corner', corner, 2) for corner in one.corners], pose]


def _numbers(name: str, values: Iterable[Any], count: int) -> list[float]:
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise DetectorError(f'{name}: {_shown(values)}; expected {count} finite numbers')
    return numbers


def _shown(value: object) -> str:
    return ' '.join(repr(value).split())[:_MOST_SHOWN]


def from_json(found: Sequence[Any]) -> tuple[Detection, ...]:
    """Give the detections back."""
    return tuple(
        Detection(class_id, score, (box[0], box[1], box[2], box[3]),
                  tuple((x, y) for x, y in corners),
                  _pose_from_json(*pose) if pose else None)
        for class_id, score, box, corners, pose in found)


def _pose_from_json(position: Sequence[float], orientation: Sequence[float]) -> Pose:
    (x, y, z), (qx, qy, qz, qw) = position, orientation
    return Pose((x, y, z), (qx, qy, qz, qw))
