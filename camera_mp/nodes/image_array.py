"""sensor_msgs/Image from anywhere, into a ring."""

from importlib.util import find_spec
from typing import Any

from camera_mp.conversion import CONVERTIBLE
from camera_mp.errors import SettingError
from camera_mp.frame import FrameFormat, Pixels
from camera_mp.ring import FrameWriter
import numpy as np

_KNOWN = [encoding for encoding in CONVERTIBLE if encoding != 'jpeg']  # that is CompressedImage


def image_array(message: Any) -> tuple[FrameFormat, Pixels]:
    """
    Give an Image's format and its pixels as a view, without a copy where that is possible.

    Encodings that a ring does not know become bgr8 by cv_bridge. SettingError: a length or step
    that does not fit, or an encoding that cannot be read.
    """
    if message.encoding not in _KNOWN:
        message = _bridged(message)
    form = FrameFormat(message.height, message.width, message.encoding)
    if message.step < form.step or message.step % form.dtype.itemsize:
        raise SettingError(f'step: {message.step} is impossible for {form}; '
                           f'expected {form.step} or more')
    if len(message.data) != message.step * form.height:
        raise SettingError(f'data: {len(message.data)} bytes; expected {message.step} x '
                           f'{form.height} = {message.step * form.height}')
    pixel = form.step // form.width
    image: Pixels = np.ndarray(
        form.shape, form.dtype.newbyteorder('>' if message.is_bigendian else '<'), message.data,
        0, (message.step, pixel, form.dtype.itemsize)[:len(form.shape)])
    return form, image


def _bridged(message: Any) -> Any:
    if find_spec('cv_bridge') is None:
        raise SettingError(f'encoding: {message.encoding!r} cannot be read without cv_bridge '
                           f'(apt install ros-$ROS_DISTRO-cv-bridge); without it: '
                           f'{", ".join(_KNOWN)}')
    from cv_bridge import CvBridge, CvBridgeError  # takes boost and seconds: only if needed
    bridge = CvBridge()
    try:
        return bridge.cv2_to_imgmsg(bridge.imgmsg_to_cv2(message, 'bgr8'), 'bgr8')
    except (CvBridgeError, KeyError, ValueError) as error:
        reason = ' '.join(str(error).split())
        raise SettingError(f'encoding: {message.encoding!r} cannot be read: {reason}') from None


class ImageRing:
    """Writes Images into a ring, which appears with the first; for one thread."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._writer: FrameWriter | None = None
        self._sequence = 0

    def write(self, message: Any) -> None:
        """Copy an Image in; SettingError if it is none."""
        form, image = image_array(message)
        if self._writer is None:
            self._writer = FrameWriter(self._name, form)
        np.copyto(self._writer.begin(form), image, casting='equiv')
        stamp = message.header.stamp
        self._writer.commit(stamp.sec * 10**9 + stamp.nanosec, self._sequence)
        self._sequence += 1

    def close(self) -> None:
        """End the ring."""
        if self._writer:
            self._writer.close()
