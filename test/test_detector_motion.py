"""What moves is boxed, what rests is not."""

from camera_mp.detectors import detector_class
from camera_mp.detectors.motion import MotionDetector, MotionSettings
from camera_mp.frame import Pixels
import numpy as np
import pytest

SIDE = 40  # pixels


def _picture(left: int | None = None, width: int = 320, height: int = 240) -> Pixels:
    """Give noise, with a light square if it is said where."""
    image = np.random.default_rng(left or 0).integers(90, 110, (height, width), np.uint8)
    if left is not None:
        image[100:100 + SIDE, left:left + SIDE] = 220
    image.flags.writeable = False  # as those of a ring
    return image


def _experienced(**values: object) -> MotionDetector:
    detector = MotionDetector(MotionSettings.from_values(values))
    for _ in range(30):
        assert detector.detect(_picture()) == []
    return detector


@pytest.mark.parametrize('scale', [1.0, .5, .25])
def test_a_moving_square_is_boxed(scale: float) -> None:
    detector = _experienced(scale=scale)
    for left in range(20, 200, 20):
        one, = detector.detect(_picture(left))
        # the background that it leaves is known already
        assert one.box == pytest.approx((left, 100, SIDE, SIDE), abs=2 / scale)
        assert one.class_id == 'motion'
        assert .7 < one.score <= 1
    assert detector.detect(_picture()) == []


def test_what_is_too_small_does_not_count() -> None:
    assert _experienced(min_area=4000).detect(_picture(50)) == []
    assert len(_experienced(min_area=1000).detect(_picture(50))) == 1


def test_what_stays_becomes_background() -> None:
    detector = _experienced(history=20)
    assert detector.detect(_picture(50))
    for _ in range(100):
        found = detector.detect(_picture(50))
    assert found == []


def test_another_size_begins_anew() -> None:
    detector = _experienced()
    for _ in range(5):
        assert detector.detect(_picture(50, width=400, height=300)) == []
    assert detector.detect(_picture(150, width=400, height=300))
    assert detector.detect(_picture(50)) == []


def test_the_smallest_picture() -> None:
    detector = MotionDetector(MotionSettings())
    assert [detector.detect(np.zeros((1, 1), np.uint8)) for _ in range(3)] == [[], [], []]


def test_it_says_that_it_depends_on_what_came_before() -> None:
    assert detector_class('motion').stateful
    assert not any(detector_class(name).stateful for name in ('aruco', 'people', 'yolo'))
