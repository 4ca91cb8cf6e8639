"""What image_topic.py sends: known pictures, as an Image object or as bytes."""

from array import array
from collections.abc import Callable
from functools import lru_cache

from builtin_interfaces.msg import Time
from camera_mp.frame import Frame, FrameFormat, Pixels
from camera_mp.nodes.image_message import ImageMessage
from camera_mp.sources.synthetic import SyntheticSettings, SyntheticSource
import numpy as np
from sensor_msgs.msg import Image
from std_msgs.msg import Header

PICTURES = 4  # frame n shows picture n % 4, which has that number painted in

Converter = Callable[[Frame], object]


@lru_cache(maxsize=1)
def pictures(form: FrameFormat) -> list[Pixels]:
    """Draw the first pictures of the synthetic source."""
    source = SyntheticSource(SyntheticSettings(
        image_width=form.width, image_height=form.height, framerate=1000.0))
    drawn = [np.zeros(form.shape, form.dtype) for _ in range(PICTURES)]
    for picture in drawn:
        source.grab()
        source.read_into(source.streams[0], picture)
    return drawn


def to_object(form: FrameFormat) -> Converter:
    """Give what fills an Image object, always the same one with the same array."""
    message = Image(header=Header(frame_id='camera'), height=form.height, width=form.width,
                    step=form.step, encoding=form.encoding, data=array('B', bytes(form.nbytes)))
    pixels = np.frombuffer(message.data, form.dtype).reshape(form.shape)

    def fill(frame: Frame) -> Image:
        np.copyto(pixels, frame.image)
        sec, nanosec = divmod(frame.stamp_ns, 10**9)
        message.header.stamp = Time(sec=sec, nanosec=nanosec)
        return message
    return fill


def to_bytes(form: FrameFormat) -> Converter:
    """Give what serializes a frame behind a prebuilt head, as the camera node does."""
    return ImageMessage('camera').serialize
