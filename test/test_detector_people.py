"""The boxes are those that OpenCV gives if it is called directly."""

from camera_mp.detectors.people import PeopleDetector, PeopleSettings
from camera_mp.frame import Pixels
import cv2
import numpy as np
from programs import ROOT
import pytest


@pytest.fixture(scope='module')
def picture() -> Pixels:
    """Give one in which OpenCV sees people: the edges of a plot will do."""
    image = cv2.imread(str(ROOT / 'doc' / 'proof.png'))
    assert image is not None
    return image[:300, 380:800]


def _directly(image: Pixels, **how: object) -> list[tuple[float, ...]]:
    hog = cv2.HOGDescriptor()
    hog.setSVMDetector(np.array(cv2.HOGDescriptor.getDefaultPeopleDetector()))
    boxes, _ = hog.detectMultiScale(image, **how)  # type: ignore[call-overload]
    return [tuple(map(float, box)) for box in boxes]


@pytest.mark.parametrize(('values', 'how'), [
    ({}, {}), ({'win_stride': 16}, {'winStride': (16, 16)}), ({'scale': 1.2}, {'scale': 1.2}),
    ({'hit_threshold': .5}, {'hitThreshold': .5})])
def test_the_boxes_of_opencv(
        picture: Pixels, values: dict[str, object], how: dict[str, object]) -> None:
    found = PeopleDetector(PeopleSettings.from_values(values)).detect(picture)
    assert [one.box for one in found] == _directly(picture, **how)
    assert found or values != {}
    assert all(one.class_id == 'person' and .5 < one.score < 1 for one in found)


@pytest.mark.parametrize('shape', [(1, 1, 3), (64, 63, 3), (10, 1000, 3), (1000, 10, 3)])
def test_a_picture_smaller_than_a_person_has_none(shape: tuple[int, ...]) -> None:
    assert PeopleDetector(PeopleSettings()).detect(np.zeros(shape, np.uint8)) == []
