"""Frames and their pixel formats; encodings have the names of sensor_msgs/image_encodings.hpp."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from camera_mp.errors import SettingError
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[Any]

# name: (dtype, channels). jpeg is ours: a compressed picture, its bytes as (length,) uint8.
ENCODINGS: dict[str, tuple[str, int]] = {
    'bgr8': ('uint8', 3), 'rgb8': ('uint8', 3), 'bgra8': ('uint8', 4), 'rgba8': ('uint8', 4),
    'mono8': ('uint8', 1), 'mono16': ('uint16', 1), '16UC1': ('uint16', 1),
    '32FC1': ('float32', 1), 'yuv422_yuy2': ('uint8', 2),
    'bayer_rggb8': ('uint8', 1), 'bayer_bggr8': ('uint8', 1),
    'bayer_gbrg8': ('uint8', 1), 'bayer_grbg8': ('uint8', 1),
    'jpeg': ('uint8', 1),
}


@dataclass(frozen=True)
class FrameFormat:
    """Size in pixels and encoding of a frame."""

    height: int
    width: int
    encoding: str

    def __post_init__(self) -> None:
        """Refuse what no frame can be."""
        if self.encoding not in ENCODINGS:
            raise SettingError(
                f'encoding: {self.encoding!r} is unknown; allowed: {", ".join(ENCODINGS)}')
        if not (0 < self.height <= 65535 and 0 < self.width <= 65535):
            raise SettingError(
                f'size: {self.width}x{self.height} is impossible; allowed: 1x1 to 65535x65535')

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """Type of one channel of one pixel."""
        return np.dtype(ENCODINGS[self.encoding][0])

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array: (height, width) or (height, width, channels)."""
        channels = ENCODINGS[self.encoding][1]
        return (self.height, self.width) + ((channels,) if channels > 1 else ())

    @cached_property
    def step(self) -> int:
        """Bytes of one row without padding."""
        return self.width * ENCODINGS[self.encoding][1] * self.dtype.itemsize

    @cached_property
    def nbytes(self) -> int:
        """Bytes of a frame; of a jpeg the most that is kept for it, one a pixel and channel."""
        return self.height * self.step * (3 if self.encoding == 'jpeg' else 1)

    def __str__(self) -> str:
        """Give what people write: 640x480 bgr8."""
        return f'{self.width}x{self.height} {self.encoding}'


@dataclass(frozen=True)
class Frame:
    """
    One frame of a camera.

    image: (height, width) or (height, width, channels), read-only if borrowed; jpeg: (length,)
    format: size and encoding of the picture.
    stamp_ns: time of capture, nanoseconds since the Unix epoch (CLOCK_REALTIME).
    sequence: the source's own frame number; a gap is a frame that the source lost.
    number: position in the ring's life, 1, 2, 3, ...; a gap is a frame that this reader missed.
    """

    image: Pixels
    format: FrameFormat  # noqa: A003
    stamp_ns: int
    sequence: int
    number: int
    _is_intact: Callable[[], bool] = field(default=lambda: True, repr=False, compare=False)

    @property
    def encoding(self) -> str:
        """Name of the pixel format, as in sensor_msgs/Image."""
        return self.format.encoding

    @property
    def intact(self) -> bool:
        """Whether the writer has left the pixels alone until now; a copy always is."""
        return self._is_intact()
