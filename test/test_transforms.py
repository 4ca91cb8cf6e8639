"""Pipelines give what OpenCV gives step by step, in the memory they are told to use."""

from camera_mp.errors import SettingError
from camera_mp.frame import FrameFormat, Pixels
from camera_mp.transforms import COLOR_ENCODINGS, FLIPS, Pipeline, ROTATIONS
import cv2
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest


def _noise(form: FrameFormat) -> Pixels:
    size = form.nbytes // form.dtype.itemsize
    return np.random.default_rng(size).integers(0, 255, size).astype(form.dtype).reshape(
        form.shape)


def _run(pipeline: Pipeline, picture: Pixels) -> Pixels:
    out = np.zeros(pipeline.result.shape, pipeline.result.dtype)
    pipeline.native(out)[...] = picture
    pipeline.run(out)
    return out


def _expected(picture: Pixels, encoding: str, flip: str, rotate: int) -> Pixels:
    if encoding == 'mono8':
        picture = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    elif encoding == 'rgb8':
        picture = picture[..., ::-1]
    axes = {'': (), 'horizontal': (1,), 'vertical': (0,), 'both': (0, 1)}[flip]
    return np.rot90(np.flip(picture, axes), -rotate // 90)


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(COLOR_ENCODINGS),
       st.sampled_from(FLIPS), st.sampled_from(ROTATIONS))
def test_encoding_flip_and_rotation(height: int, width: int, encoding: str, flip: str,
                                    rotate: int) -> None:
    source = FrameFormat(height, width, 'bgr8')
    pipeline = Pipeline(source, encoding=encoding, flip=flip, rotate=rotate)
    expected = _expected(_noise(source), encoding, flip, rotate)
    assert pipeline.result.shape == expected.shape
    assert pipeline.result.encoding == encoding
    np.testing.assert_array_equal(_run(pipeline, _noise(source)), expected)


@given(st.integers(2, 40), st.integers(2, 40), st.sampled_from(FLIPS),
       st.sampled_from(ROTATIONS))
def test_depth_keeps_its_values(height: int, width: int, flip: str, rotate: int) -> None:
    source = FrameFormat(height, width, '16UC1')
    picture = _noise(source) * 257
    pipeline = Pipeline(source, width=width * 2, flip=flip, rotate=rotate)
    assert set(np.unique(_run(pipeline, picture))) == set(np.unique(picture))


@pytest.mark.parametrize(('width', 'height', 'size'), [
    (0, 0, (48, 64)), (32, 0, (24, 32)), (0, 96, (96, 128)), (20, 30, (30, 20))])
def test_size_keeps_its_proportion_if_one_side_is_given(
        width: int, height: int, size: tuple[int, int]) -> None:
    source = FrameFormat(48, 64, 'bgr8')
    pipeline = Pipeline(source, width=width, height=height)
    out = _run(pipeline, np.full(source.shape, 77, np.uint8))
    assert out.shape[:2] == size
    assert (out == 77).all()


def test_no_step_means_that_the_source_draws_in_the_slot() -> None:
    out = np.zeros((48, 64, 3), np.uint8)
    assert Pipeline(FrameFormat(48, 64, 'bgr8'), encoding='bgr8').native(out) is out


def test_a_conversion_that_does_not_exist_names_what_does() -> None:
    with pytest.raises(SettingError, match="encoding: 'rgb8' cannot be made of 16UC1; allowed"):
        Pipeline(FrameFormat(4, 4, '16UC1'), encoding='rgb8')
