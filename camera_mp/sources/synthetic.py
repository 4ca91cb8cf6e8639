"""
A picture made up: no hardware, any size and rate, and every frame says which one it is.

The scenery swings to and fro, with ArUco markers (dictionary 4X4_50, ids 0 to 3) that never
leave the picture. The frame number stands in the upper left as 32 blocks, black 0 and white 1,
highest bit first, in 4 rows of 8; `read_number` reads it back in any encoding.
"""

from dataclasses import dataclass
from typing import Any

from camera_mp.errors import SourceError
from camera_mp.frame import FrameFormat, Pixels
from camera_mp.settings import setting
from camera_mp.sources.source import CaptureSettings, Grabbed, Pacer, Source, Stream
import cv2
import numpy as np

_ROWS, _COLUMNS = 4, 8
_MIN_SIDE = 16
_SWING = 8  # the scenery swings by 1/8 of the width
_NEAR, _FAR = 500, 4000  # millimetres of depth: black and white blocks
# OpenCV before 4.7 has it by its old name
draw_marker: Any = getattr(cv2.aruco, 'generateImageMarker', getattr(cv2.aruco, 'drawMarker', 0))


@dataclass(frozen=True)
class SyntheticSettings(CaptureSettings):
    """Settings of the synthetic source."""

    depth: bool = setting(False, 'Deliver an aligned depth stream too (16UC1, millimetres).')


def _block(height: int, width: int) -> int:
    return max(min(height // (_ROWS * 4), width // (_COLUMNS * 2)), 1)


def _paint_number(image: Pixels, number: int, black: int, white: int) -> None:
    bits = np.unpackbits(np.array([number & 0xFFFFFFFF], '>u4').view(np.uint8))
    side = _block(*image.shape[:2])
    values = np.where(bits, white, black).astype(image.dtype).reshape(_ROWS, 1, _COLUMNS)
    # rows of plain values, not of pixels: 40 times as fast as spreading over the last axis
    row = values.repeat(side * image[0, 0].size, 2)
    image[:_ROWS * side].reshape(_ROWS, side, -1)[..., :row.shape[-1]] = row


def read_number(image: Pixels) -> int:
    """Read the frame number out of an unturned picture of the synthetic source."""
    side = _block(*image.shape[:2])
    plane = image if image.ndim == 2 else image[..., 0]
    centres = plane[side // 2:_ROWS * side:side, side // 2:_COLUMNS * side:side]
    middle = (_NEAR + _FAR) // 2 if image.dtype == np.uint16 else 127
    return int.from_bytes(np.packbits(centres > middle).tobytes(), 'big')


class SyntheticSource(Source):
    """See the module; default size 640x480, default rate 30 Hz."""

    Settings = SyntheticSettings

    def __init__(self, settings: SyntheticSettings) -> None:
        width, height = settings.image_width or 640, settings.image_height or 480
        if min(width, height) < _MIN_SIDE:
            raise SourceError(f'image_width, image_height: {width}x{height} is too small; '
                              f'allowed: {_MIN_SIDE}x{_MIN_SIDE} or more')
        self.streams: tuple[Stream, ...] = (
            Stream('', 'image_raw', FrameFormat(height, width, 'bgr8')),)
        if settings.depth:
            self.streams += (
                Stream('depth', 'depth/image_rect_raw', FrameFormat(height, width, '16UC1')),)
        self.framerate = settings.framerate or 30.0
        self._pacer = Pacer(self.framerate)
        self._number = -1
        self._swing = max(width // _SWING, 1)
        self._scenery = self._draw_scenery(height, width)
        self._depth = self._draw_depth(height, width) if settings.depth else None

    def _draw_scenery(self, height: int, width: int) -> Pixels:
        wide = width + self._swing
        down, across = np.mgrid[:height, :wide]
        scenery = np.stack([across * 255 // wide, down * 255 // height,
                            (across // 16 + down // 16) % 2 * 96 + 64], -1).astype(np.uint8)
        for number, (top, left, side) in enumerate(self.marker_places()):
            margin = side // 6
            dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
            marker = draw_marker(dictionary, number, side)
            scenery[top - margin:top + side + margin, left - margin:left + side + margin] = 255
            scenery[top:top + side, left:left + side] = marker[..., None]
        return scenery

    def _draw_depth(self, height: int, width: int) -> Pixels:
        ramp = np.linspace(_NEAR, _FAR, width + self._swing).astype(np.uint16)
        return np.tile(ramp, (height, 1))

    def marker_places(self) -> list[tuple[int, int, int]]:
        """Give (top, left, side) of each marker in the scenery, in pixels; none if too small."""
        form = self.streams[0].format
        side = min(form.height, form.width) // 30 * 6  # a marker has 6 by 6 cells
        if side < 24:
            return []
        right = self._swing + (form.width - self._swing) // 2
        lefts = (right - side - side // 2, right + side // 2)
        tops = (form.height * 9 // 20, form.height * 9 // 20 + side + side // 2)
        return [(top, left, side) for top in tops for left in lefts]

    def offset(self, number: int) -> int:
        """Give how many pixels of the scenery lie left of the picture in frame `number`."""
        phase = number % (2 * self._swing)
        return min(phase, 2 * self._swing - phase)

    def grab(self) -> Grabbed:
        """Wait until the next picture is due."""
        stamp_ns = self._pacer.wait()
        self._number += 1
        return Grabbed(stamp_ns, self._number)

    def read_into(self, stream: Stream, out: Pixels) -> None:
        """Draw the picture: one copy out of the scenery and the blocks."""
        left = self.offset(self._number)
        wide = self._depth if stream.name == 'depth' and self._depth is not None \
            else self._scenery
        np.copyto(out, wide[:, left:left + stream.format.width])
        black, white = (_NEAR, _FAR) if stream.name == 'depth' else (0, 255)
        _paint_number(out, self._number, black, white)
