"""From what cameras deliver to what detectors and drawings take: bgr8 or mono8."""

from camera_mp.errors import FrameBroken, SettingError
from camera_mp.frame import Frame, Pixels
import cv2

# encoding: OpenCV's code to bgr8 and to mono8. OpenCV names a Bayer pattern by its second row,
# ROS by its first: BayerBG is rggb (cv_bridge, getConversionCode)
_CODES = {
    'bgr8': (None, cv2.COLOR_BGR2GRAY), 'rgb8': (cv2.COLOR_RGB2BGR, cv2.COLOR_RGB2GRAY),
    'bgra8': (cv2.COLOR_BGRA2BGR, cv2.COLOR_BGRA2GRAY),
    'rgba8': (cv2.COLOR_RGBA2BGR, cv2.COLOR_RGBA2GRAY), 'mono8': (cv2.COLOR_GRAY2BGR, None),
    'yuv422_yuy2': (cv2.COLOR_YUV2BGR_YUY2, cv2.COLOR_YUV2GRAY_YUY2),
    'bayer_rggb8': (cv2.COLOR_BayerBG2BGR, cv2.COLOR_BayerBG2GRAY),
    'bayer_bggr8': (cv2.COLOR_BayerRG2BGR, cv2.COLOR_BayerRG2GRAY),
    'bayer_gbrg8': (cv2.COLOR_BayerGR2BGR, cv2.COLOR_BayerGR2GRAY),
    'bayer_grbg8': (cv2.COLOR_BayerGB2BGR, cv2.COLOR_BayerGB2GRAY),
}
_JPEG_FLAGS = {'bgr8': cv2.IMREAD_COLOR, 'mono8': cv2.IMREAD_GRAYSCALE}
_TO_8_BITS = 255 / 65535  # as cv_bridge

CONVERTIBLE = (*_CODES, 'mono16', 'jpeg')


def compressible(image: Pixels, encoding: str) -> Pixels:
    """Give a picture as JPEG takes it, bgr8 or mono8; the array itself if it is one of those."""
    code = None if encoding == 'mono8' else _CODES[encoding][0]
    return image if code is None else cv2.cvtColor(image, code)


def converted(frame: Frame, encoding: str) -> Pixels:
    """
    Give a frame's picture as bgr8 or mono8, a private copy: (height, width[, 3]) uint8.

    SettingError: no picture can be made of it, as of a depth. FrameBroken: a bad jpeg.
    """
    if frame.encoding == 'jpeg':
        return _decoded(frame.image, encoding)
    if frame.encoding == 'mono16':
        return _coded(cv2.convertScaleAbs(frame.image, alpha=_TO_8_BITS), 'mono8', encoding)
    if frame.encoding in _CODES:
        return _coded(frame.image, frame.encoding, encoding)
    raise SettingError(f'encoding: {encoding!r} cannot be made of {frame.encoding}; '
                       f'allowed: {", ".join(CONVERTIBLE)}')


def _coded(image: Pixels, encoding: str, wanted: str) -> Pixels:
    code = _CODES[encoding][wanted == 'mono8']
    return image.copy() if code is None else cv2.cvtColor(image, code)


def _decoded(data: Pixels, wanted: str) -> Pixels:
    image = cv2.imdecode(data, _JPEG_FLAGS[wanted])
    if image is None:
        raise FrameBroken(f'a jpeg of {data.size} bytes cannot be decoded')
    return image
