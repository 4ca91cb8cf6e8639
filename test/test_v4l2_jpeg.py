"""The end of a camera's JPEG is found in whatever it pads with."""

from camera_mp.errors import FrameBroken
from camera_mp.v4l2 import jpeg
import cv2
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest


def _array(data: bytes) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    return np.frombuffer(data, np.uint8)


@given(st.binary(max_size=200), st.integers(0, 20000))
def test_the_padding_goes_and_nothing_else(data: bytes, zeros: int) -> None:
    assert jpeg.trimmed_length(_array(data + bytes(zeros))) == len(data.rstrip(b'\0'))


@given(st.binary(max_size=400))
def test_junk_is_never_taken_for_a_picture(data: bytes) -> None:
    with pytest.raises(FrameBroken):
        jpeg.Check(480, 640)(_array(b'\xff\xd8' + data + b'\xff\xd9'))


def _picture(height: int, width: int) -> bytes:
    return cv2.imencode('.jpg', np.zeros((height, width), np.uint8))[1].tobytes()


def test_a_good_header_is_not_taken_for_another() -> None:
    check, good = jpeg.Check(48, 64), _picture(48, 64)
    for _ in range(2):
        assert check(_array(good + bytes(100))).tobytes() == good
        for bad in (_picture(64, 48), good[:-2], good[:30], b''):
            with pytest.raises(FrameBroken):
                check(_array(bad))
