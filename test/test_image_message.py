"""The bytes that go out are those of rclpy's own serialization."""

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='the nodes need rclpy')

from camera_mp.frame import Frame, FrameFormat  # noqa: E402, I100
from camera_mp.nodes.image_message import ImageMessage, uncalibrated  # noqa: E402, I100
from rclpy.serialization import deserialize_message  # noqa: E402, I100
from sensor_msgs.msg import Image  # noqa: E402, I100


def _frame(form: FrameFormat, stamp_ns: int = 1) -> Frame:
    count = form.nbytes // form.dtype.itemsize
    pixels = np.random.default_rng(count).integers(0, 255, count).astype(form.dtype)
    return Frame(pixels.reshape(form.shape), form, stamp_ns, 0, 1)


@given(st.integers(1, 20), st.integers(1, 20), st.sampled_from(['bgr8', 'mono8', '16UC1']),
       st.integers(0, 2**31 * 10**9 - 1), st.text(st.characters(max_codepoint=127,
                                                                min_codepoint=33), max_size=30))
def test_it_reads_back_as_the_frame(height: int, width: int, encoding: str, stamp_ns: int,
                                    frame_id: str) -> None:
    frame = _frame(FrameFormat(height, width, encoding), stamp_ns)
    serialized = ImageMessage(frame_id).serialize(frame)
    message = deserialize_message(serialized, Image)
    assert (message.height, message.width, message.encoding, message.step) == (
        height, width, encoding, frame.format.step)
    assert (message.header.frame_id, message.is_bigendian) == (frame_id, 0)
    assert message.header.stamp.sec * 10**9 + message.header.stamp.nanosec == stamp_ns
    assert bytes(message.data) == frame.image.tobytes()


def test_a_change_of_format_is_followed() -> None:
    message = ImageMessage('here')
    for size in (4, 8, 4):
        serialized = message.serialize(_frame(FrameFormat(size, 3, 'mono8')))
        image = deserialize_message(serialized, Image)
        assert (image.height, len(image.data)) == (size, 3 * size)


def test_padded_rows_go_out_without_their_padding() -> None:
    form = FrameFormat(4, 5, 'mono8')
    padded = np.arange(4 * 8, dtype=np.uint8).reshape(4, 8)[:, :5]
    image = deserialize_message(ImageMessage('').serialize(Frame(padded, form, 1, 0, 1)), Image)
    assert (image.step, bytes(image.data)) == (5, padded.tobytes())


def test_an_uncalibrated_camera_says_so() -> None:
    info = uncalibrated('here', _frame(FrameFormat(4, 5, 'mono8'), 3_000_000_007))
    assert (info.height, info.width, info.k[0]) == (4, 5, 0.0)
    assert (info.header.stamp.sec, info.header.stamp.nanosec, info.header.frame_id) == (
        3, 7, 'here')
