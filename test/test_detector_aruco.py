"""Markers are found where they were painted; poses are those they were seen from."""

from dataclasses import replace

from camera_mp.calibration import Calibration
from camera_mp.detectors.aruco import _pose, _quaternion, ArucoDetector, ArucoSettings
from camera_mp.errors import DetectorError, SettingError
from camera_mp.frame import Pixels
from camera_mp.sources.synthetic import (
    draw_marker,
    read_number,
    SyntheticSettings,
    SyntheticSource,
)
import cv2
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
import numpy as np
import pytest

K = (600., 0., 320., 0., 610., 240., 0., 0., 1.)
LENGTH = .2  # metres
SQUARE = np.array([[-.1, .1, 0], [.1, .1, 0], [.1, -.1, 0], [-.1, -.1, 0]])
CALIBRATION = Calibration(640, 480, 'plumb_bob', (0.,) * 5, K, (0.,) * 9, (0.,) * 12)


def _detector(**values: object) -> ArucoDetector:
    return ArucoDetector(ArucoSettings.from_values(values))


def _seen_from(rotation: Pixels, position: Pixels, name: str = '4X4_50') -> Pixels:
    """Give a gray picture of marker 7 of side LENGTH, seen by a camera without distortion."""
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, f'DICT_{name}'))
    marker = np.full((500, 500), 255, np.uint8)
    marker[50:450, 50:450] = draw_marker(dictionary, 7, 400)
    painted = np.array([[50, 50], [450, 50], [450, 450], [50, 450]], np.float32) - .5
    seen = cv2.projectPoints(SQUARE, rotation, position, np.reshape(K, (3, 3)), None)[0]
    how = cv2.getPerspectiveTransform(painted, seen.reshape(4, 2).astype(np.float32))
    return cv2.warpPerspective(marker, how, (640, 480), borderValue=(255,))


@pytest.mark.parametrize('size', [(320, 240), (640, 480), (1280, 720), (480, 640)])
def test_every_marker_in_every_frame_where_it_was_painted(size: tuple[int, int]) -> None:
    source = SyntheticSource(SyntheticSettings(
        image_width=size[0], image_height=size[1], framerate=1000.))
    image = np.empty(source.streams[0].format.shape, np.uint8)
    detector = _detector()
    for _ in range(5 if size == (1280, 720) else 20):
        source.grab()
        source.read_into(source.streams[0], image)
        found = detector.detect(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
        assert sorted(one.class_id for one in found) == ['0', '1', '2', '3']
        for one in found:
            top, left, side = source.marker_places()[int(one.class_id)]
            left -= source.offset(read_number(image))
            right, bottom = left + side, top + side
            edges = [(left, top), (right, top), (right, bottom), (left, bottom)]
            assert np.abs(np.array(one.corners) + .5 - edges).max() < .2
            assert one.box == pytest.approx((left, top, side, side), abs=.4)
            assert (one.score, one.pose) == (1.0, None)


def test_a_picture_without_markers() -> None:
    assert _detector().detect(np.zeros((480, 640), np.uint8)) == []
    assert _detector().detect(np.zeros((1, 1), np.uint8)) == []


@pytest.mark.parametrize('name', ['4X4_50', '6X6_250', 'ARUCO_ORIGINAL', 'APRILTAG_36h11'])
def test_a_marker_is_found_by_its_own_dictionary_alone(name: str) -> None:
    image = _seen_from(np.array([np.pi, 0, 0]), np.array([0, 0, .5]), name)
    assert [one.class_id for one in _detector(dictionary=name).detect(image)] == ['7']
    assert _detector(dictionary='5X5_50').detect(image) == []


def test_an_unknown_dictionary_names_those_there_are() -> None:
    with pytest.raises(SettingError, match="'4x4' is not allowed; allowed: '4X4_50', '4X4_100'"):
        _detector(dictionary='4x4')


@pytest.mark.parametrize('rotation', [(np.pi, 0, 0), (2.6, .4, .3), (.2, 2.5, -.6)])
def test_the_pose_is_the_one_it_was_painted_from(rotation: tuple[float, ...]) -> None:
    turn, place = np.array(rotation), np.array([.05, -.02, .6])
    one, = _detector(marker_length=LENGTH).detect(_seen_from(turn, place), CALIBRATION)
    assert one.pose
    assert one.pose.position == pytest.approx(place, abs=.004)
    likeness = abs(np.dot(one.pose.orientation, _quaternion(turn)))
    assert 2 * np.arccos(min(likeness, 1)) < np.radians(2)


@pytest.mark.parametrize(('length', 'calibration'), [
    (0.0, CALIBRATION), (LENGTH, None), (LENGTH, replace(CALIBRATION, k=(0.,) * 9))])
def test_without_length_or_calibration_there_is_no_pose(
        length: float, calibration: Calibration | None) -> None:
    image = _seen_from(np.array([np.pi, 0, 0]), np.array([0, 0, .5]))
    one, = _detector(marker_length=length).detect(image, calibration)
    assert one.pose is None


@pytest.mark.parametrize(('values', 'text'), [
    ({'width': 320}, 'calibration: it is for 320x480, the picture has 640x480'),
    ({'distortion_model': 'x'}, "distortion_model 'x' is unknown; allowed: plumb_bob, rational"),
])
def test_a_calibration_that_does_not_fit_is_one_line(values: dict[str, object], text: str) -> None:
    image = _seen_from(np.array([np.pi, 0, 0]), np.array([0, 0, .5]))
    with pytest.raises(DetectorError, match=text):
        _detector(marker_length=LENGTH).detect(
            image, replace(CALIBRATION, **values))  # type: ignore[arg-type]


turns = st.tuples(*[st.floats(-3, 3)] * 3).map(np.array)


@given(turns)
@hypothesis_settings(deadline=None)
def test_a_quaternion_is_the_same_rotation(rotation: Pixels) -> None:
    x, y, z, w = _quaternion(rotation)
    assert x * x + y * y + z * z + w * w == pytest.approx(1)
    across = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    matrix = np.eye(3) + 2 * w * across + 2 * across @ across
    assert np.allclose(matrix, cv2.Rodrigues(rotation)[0], atol=1e-9)


@pytest.mark.parametrize(('model', 'd'), [
    ('plumb_bob', ()), ('plumb_bob', (-.2, .05, .001, -.001, .0)),
    ('rational_polynomial', (.1, -.05, .001, .001, .01, .2, -.02, .003)),
    ('equidistant', (.05, -.01, .002, .0))])
@given(st.sampled_from([0, .3, -.5]), st.sampled_from([0, .4, -.6]), st.floats(-4, 4),
       st.sampled_from([(0, 0, 1), (.1, 0, .6), (-.1, .15, 1.1)]))
@hypothesis_settings(deadline=None, max_examples=40)
def test_poses_through_every_lens(
        model: str, d: tuple[float, ...], tilt: float, turn: float, roll: float,
        position: tuple[float, ...]) -> None:
    first, second = (cv2.Rodrigues(np.array(turns, float))[0]
                     for turns in ((tilt, turn, 0), (0, 0, roll)))
    rotation = cv2.Rodrigues(first @ second @ np.diag([1., -1, -1]))[0].ravel()
    k = np.reshape(K, (3, 3))
    if model == 'equidistant':
        seen = cv2.fisheye.projectPoints(SQUARE[:, None], rotation, np.array(position, float), k,
                                         np.array(d))[0]
    else:
        seen = cv2.projectPoints(SQUARE, rotation, np.array(position, float), k,
                                 np.array(d) if d else None)[0]
    pose = _pose(seen.reshape(1, 4, 2), replace(CALIBRATION, distortion_model=model, d=d), LENGTH)
    assert pose
    assert pose.position == pytest.approx(position, abs=1e-3)
    assert abs(np.dot(pose.orientation, _quaternion(rotation))) > np.cos(np.radians(.5))
