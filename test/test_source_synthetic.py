"""Every frame of the synthetic source says which one it is and shows its markers."""

from camera_mp.detectors.aruco import ArucoDetector, ArucoSettings
from camera_mp.errors import SourceError
from camera_mp.frame import Pixels
from camera_mp.sources.synthetic import read_number, SyntheticSettings, SyntheticSource
import cv2
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
import numpy as np
import pytest


def _source(**values: object) -> SyntheticSource:
    return SyntheticSource(SyntheticSettings.from_values({'framerate': 1000.0, **values}))


def _read(source: SyntheticSource) -> list[Pixels]:
    pictures = [np.empty(one.format.shape, one.format.dtype) for one in source.streams]
    for stream, picture in zip(source.streams, pictures, strict=True):
        source.read_into(stream, picture)
    return pictures


@given(st.integers(16, 200), st.integers(16, 200))
@hypothesis_settings(deadline=None, max_examples=30)
def test_the_number_is_in_every_stream_at_any_size(width: int, height: int) -> None:
    source = _source(image_width=width, image_height=height, depth=True)
    for _ in range(5):
        grabbed = source.grab()
        assert [read_number(picture) for picture in _read(source)] == [grabbed.sequence] * 2


def test_the_number_can_be_read_in_other_encodings() -> None:
    source = _source()
    for _ in range(77):
        number = source.grab().sequence
    color, = _read(source)
    assert read_number(cv2.cvtColor(color, cv2.COLOR_BGR2GRAY)) == number == 76
    assert read_number(cv2.cvtColor(color, cv2.COLOR_BGR2RGB)) == number


@pytest.mark.parametrize('size', [(320, 240), (640, 480), (1280, 720), (480, 640)])
def test_every_marker_is_where_it_is_said_to_be(size: tuple[int, int]) -> None:
    source = _source(image_width=size[0], image_height=size[1])
    detector = ArucoDetector(ArucoSettings())
    for _ in range(10):
        number = source.grab().sequence
        gray = cv2.cvtColor(_read(source)[0], cv2.COLOR_BGR2GRAY)
        found = {int(one.class_id): one.box for one in detector.detect(gray)}
        assert found == {
            marker: pytest.approx((left - source.offset(number), top, side, side), abs=.5)
            for marker, (top, left, side) in enumerate(source.marker_places())}


def test_the_picture_moves_and_stamps_grow() -> None:
    source = _source()
    first, *_ = (source.grab(), _read(source)[0])
    before = _read(source)[0]
    second = source.grab()
    assert second.stamp_ns > first.stamp_ns
    assert not np.array_equal(_read(source)[0][200:], before[200:])


def test_too_small_is_an_error_that_says_so() -> None:
    with pytest.raises(SourceError, match='8x480 is too small; allowed: 16x16 or more'):
        _source(image_width=8)
