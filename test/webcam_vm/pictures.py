"""The pictures that emulated webcams show: each carries its number, for whoever reads it back."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from uvc_descriptors import MJPEG, SIZES, YUYV

COUNT = 16       # pictures of a camera; it shows them again and again
_BITS = 8        # blocks in the top rows, white for 1, the most significant one on the left
_BLOCK_ROWS = 32

Picture = npt.NDArray[Any]


def picture(width: int, height: int, number: int) -> Picture:
    """Draw picture `number` as (height, width, 3) uint8, BGR: a gradient that moves."""
    drawn: Picture = _gradient(width, height).copy()
    drawn[..., 2] += np.uint8(8 * number % 256)
    for bit in range(_BITS):
        block = slice(bit * width // _BITS, (bit + 1) * width // _BITS)
        drawn[:_BLOCK_ROWS, block] = 255 if number >> (_BITS - 1 - bit) & 1 else 0
    return drawn


@cache
def _gradient(width: int, height: int) -> Picture:
    y, x = np.mgrid[0:height, 0:width]
    return np.dstack((x * 255 // width, y * 255 // height, x + y)).astype(np.uint8)


def number_in(image: Picture) -> int:
    """Read the number back from a picture of any shape (height, width[, channels])."""
    width = image.shape[1]
    middles = [(2 * bit + 1) * width // (2 * _BITS) for bit in range(_BITS)]
    luma = image[_BLOCK_ROWS // 2, middles].reshape(_BITS, -1)[:, 0]
    return int(''.join('1' if value > 127 else '0' for value in luma), 2)


def jpeg(width: int, height: int, number: int) -> bytes:
    """Give picture `number` as an MJPEG camera sends it."""
    return cv2.imencode('.jpg', picture(width, height, number))[1].tobytes()


def yuyv(width: int, height: int, number: int) -> bytes:
    """Give picture `number` as packed YUYV, two bytes a pixel."""
    y, u, v = cv2.split(cv2.cvtColor(picture(width, height, number), cv2.COLOR_BGR2YUV))
    packed = np.empty((height, width, 2), np.uint8)
    packed[..., 0], packed[:, 0::2, 1], packed[:, 1::2, 1] = y, u[:, 0::2], v[:, 0::2]
    return packed.tobytes()


def numbers_of(camera: int) -> range:
    """Give the numbers of a camera's pictures: no two cameras show the same."""
    return range(camera * COUNT, (camera + 1) * COUNT)


def pictures_of(camera: int) -> dict[tuple[int, int, int], list[bytes]]:
    """Give all that a camera shows, by format, width and height."""
    def draw(kind: int, width: int, height: int) -> Iterator[bytes]:
        for number in numbers_of(camera):
            yield (jpeg if kind == MJPEG else yuyv)(width, height, number)
    return {(kind, width, height): list(draw(kind, width, height))
            for kind in (MJPEG, YUYV) for width, height in SIZES[kind]}
