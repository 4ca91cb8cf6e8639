"""JPEG pictures as cameras send them: where they end, whether they are whole, decoding."""

from collections.abc import Callable

from camera_mp.errors import FrameBroken
from camera_mp.frame import Pixels
from camera_mp.heap import keep_large_blocks
import cv2
import numpy as np

try:
    import simplejpeg
except ImportError:  # optional
    simplejpeg = None

IS_FAST = simplejpeg is not None
Decoder = Callable[[Pixels, Pixels], None]

ADVICE = ('simplejpeg is not installed; OpenCV decodes JPEG with one copy more: '
          'pip install simplejpeg')

_CHUNK = 4096  # bytes to look at at once for the end of the padding
# markers of ITU-T T.81, table B.1
_SOI, _EOI = b'\xff\xd8', b'\xff\xd9'
_SOS = 0xDA
_SOF = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_SPACES = {'bgr8': 'BGR', 'rgb8': 'RGB', 'mono8': 'GRAY'}
_CODES = {'rgb8': cv2.COLOR_BGR2RGB}


def trimmed_length(data: Pixels) -> int:
    """Give the bytes of a picture, (length,) uint8, without the zeros that a camera pads with."""
    stop = len(data)
    while stop:
        start = max(0, stop - _CHUNK)
        kept = len(data[start:stop].tobytes().rstrip(b'\0'))
        if kept:
            return start + kept
        stop = start
    return 0


class Check:
    """
    Takes the padding off pictures; FrameBroken unless they are whole and of one size.

    What can be told without decoding: it begins and ends as a JPEG, and its header is sound. Most
    cameras send the same header again and again: one that was good is not walked through anew.
    """

    def __init__(self, height: int, width: int) -> None:
        self._height, self._width = height, width
        self._good = b''  # the last good header

    def __call__(self, data: Pixels) -> Pixels:
        """Give the part of (length,) uint8 that is the picture."""
        if data[-2:].tobytes() != _EOI:
            data = data[:trimmed_length(data)]
        known = len(self._good)
        if not known or data[:known].tobytes() != self._good:
            self._good = data[:self._check_header(data)].tobytes()
        if data[-2:].tobytes() != _EOI:
            raise FrameBroken(f'JPEG of {len(data)} bytes without an end')
        return data

    def _check_header(self, data: Pixels) -> int:
        """Walk through the header's segments up to the pixels; give the bytes of it."""
        if data[:2].tobytes() != _SOI:
            raise FrameBroken(f'{len(data)} bytes that do not begin as a JPEG')
        at, height, width = 2, 0, 0
        while len(head := data[at:at + 9].tobytes()) == 9 and head[0] == 0xFF:
            marker, length = head[1], int.from_bytes(head[2:4], 'big')
            if marker == _SOS:
                break
            if marker in _SOF:
                height, width = int.from_bytes(head[5:7], 'big'), int.from_bytes(head[7:9], 'big')
            at += 2 + length
        else:
            raise FrameBroken(f'JPEG of {len(data)} bytes with a broken header')
        if (height, width) != (self._height, self._width):
            raise FrameBroken(f'JPEG of {width}x{height} instead of {self._width}x{self._height}')
        return at + len(head)


def decoder(encoding: str) -> Decoder:
    """Give what decodes a checked picture straight into an array of this encoding."""
    if not IS_FAST:
        keep_large_blocks()  # OpenCV makes new memory for every picture
    decode = _decode_simple if IS_FAST else _decode_opencv
    return lambda data, out: decode(data, out, encoding)


def _decode_simple(data: Pixels, out: Pixels, encoding: str) -> None:
    try:
        simplejpeg.decode_jpeg(data, _SPACES[encoding], buffer=out)
    except ValueError as error:
        # libjpeg's warning about padding inside, which many webcams do; the picture is whole
        if 'extraneous bytes before marker 0xd9' not in str(error):
            raise FrameBroken(f'JPEG of {len(data)} bytes: {error}') from None


def _decode_opencv(data: Pixels, out: Pixels, encoding: str) -> None:
    how = cv2.IMREAD_GRAYSCALE if encoding == 'mono8' else cv2.IMREAD_COLOR
    picture = cv2.imdecode(data, how | cv2.IMREAD_IGNORE_ORIENTATION)
    if picture is None or picture.shape != out.shape:
        raise FrameBroken(f'JPEG of {len(data)} bytes that cannot be decoded')
    if encoding in _CODES:
        cv2.cvtColor(picture, _CODES[encoding], dst=out)
    else:
        np.copyto(out, picture)
