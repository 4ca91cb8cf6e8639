"""The end of a camera's JPEG is found in whatever it pads with."""

from camera_mp.errors import FrameBroken
from camera_mp.v4l2 import jpeg
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
