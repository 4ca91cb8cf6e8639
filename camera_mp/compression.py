"""Frames as JPEG or PNG, as compressed_image_transport makes them."""

from camera_mp.conversion import compressible
from camera_mp.errors import SettingError
from camera_mp.frame import Frame, Pixels
import cv2

JPEG, PNG = 'jpeg', 'png'
# the depths that JPEG does not have; compressed_image_transport takes PNG for them too
_PNG_ENCODINGS = ('mono16', '16UC1')
_COLORED = ('rgb8', 'rgba8', 'bgra8')  # what becomes bgr8 first


def kind_of(encoding: str) -> str:
    """Give what pictures of an encoding are compressed to, JPEG or PNG; SettingError if none."""
    if encoding in ('bgr8', 'mono8', JPEG, *_COLORED):
        return JPEG
    if encoding in _PNG_ENCODINGS:
        return PNG
    raise SettingError(f'encoding: {encoding!r} cannot be compressed; allowed: bgr8, mono8, '
                       f'{JPEG}, {", ".join(_COLORED)}, {", ".join(_PNG_ENCODINGS)}')


def format_of(encoding: str) -> str:
    """Give the text of CompressedImage.format, as compressed_image_transport writes it."""
    target = 'bgr8' if encoding in ('bgr8', JPEG, *_COLORED) else ''
    source = 'bgr8' if encoding == JPEG else encoding
    return f'{source}; {kind_of(encoding)} compressed {target}'


def compress(frame: Frame, quality: int, kind: str = '') -> Pixels:
    """
    Give the bytes of the picture as (length,) uint8; those of a jpeg frame as they are.

    quality: 1 to 100, of JPEG. kind: JPEG or PNG, default what fits the encoding.
    """
    kind = kind or kind_of(frame.encoding)
    image = frame.image
    if frame.encoding == JPEG:
        if kind == JPEG:
            return image
        raise SettingError(f'{PNG} of a {JPEG} frame is not made; take the decoded one')
    if frame.encoding in _COLORED:
        image = compressible(image, frame.encoding)
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if kind == JPEG else [
        cv2.IMWRITE_PNG_COMPRESSION, 1]  # a level more costs twice the time for a few percent
    done, data = cv2.imencode(f'.{kind}', image, options)
    if not done:
        raise SettingError(f'encoding: {frame.encoding!r} cannot be made {kind}')
    compressed: Pixels = data
    return compressed
