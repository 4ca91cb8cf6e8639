"""From a driver's uncompressed pixels to the wanted encoding, in one OpenCV call."""

from dataclasses import dataclass

from camera_mp.errors import FrameBroken
from camera_mp.frame import FrameFormat, Pixels
from camera_mp.v4l2.device import PictureFormat
import cv2
import numpy as np

_COPY = None  # instead of an OpenCV code: the pixels are as they shall be
_Codes = dict[str, int | None]


@dataclass(frozen=True)
class _Layout:
    """Bytes of a pixel, rows of memory for each two rows of the picture, codes by encoding."""

    bytes: int  # noqa: A003
    codes: _Codes
    half_rows: int = 2


def _codes(bgr: int | None, rgb: int | None, mono: int | None) -> _Codes:
    return {'bgr8': bgr, 'rgb8': rgb, 'mono8': mono}


# V4L2 names Bayer patterns by their first two rows, as these OpenCV codes do
_LAYOUTS = {
    'YUYV': _Layout(2, _codes(cv2.COLOR_YUV2BGR_YUYV, cv2.COLOR_YUV2RGB_YUYV,
                              cv2.COLOR_YUV2GRAY_YUYV)),
    'UYVY': _Layout(2, _codes(cv2.COLOR_YUV2BGR_UYVY, cv2.COLOR_YUV2RGB_UYVY,
                              cv2.COLOR_YUV2GRAY_UYVY)),
    'YVYU': _Layout(2, _codes(cv2.COLOR_YUV2BGR_YVYU, cv2.COLOR_YUV2RGB_YVYU,
                              cv2.COLOR_YUV2GRAY_YVYU)),
    'NV12': _Layout(1, _codes(cv2.COLOR_YUV2BGR_NV12, cv2.COLOR_YUV2RGB_NV12,
                              cv2.COLOR_YUV2GRAY_NV12), half_rows=3),
    'NV21': _Layout(1, _codes(cv2.COLOR_YUV2BGR_NV21, cv2.COLOR_YUV2RGB_NV21,
                              cv2.COLOR_YUV2GRAY_NV21), half_rows=3),
    'BGR3': _Layout(3, _codes(_COPY, cv2.COLOR_BGR2RGB, cv2.COLOR_BGR2GRAY)),
    'RGB3': _Layout(3, _codes(cv2.COLOR_RGB2BGR, _COPY, cv2.COLOR_RGB2GRAY)),
    'GREY': _Layout(1, _codes(cv2.COLOR_GRAY2BGR, cv2.COLOR_GRAY2RGB, _COPY)),
    'RGGB': _Layout(1, _codes(cv2.COLOR_BayerRGGB2BGR, cv2.COLOR_BayerRGGB2RGB,
                              cv2.COLOR_BayerRGGB2GRAY)),
    'BA81': _Layout(1, _codes(cv2.COLOR_BayerBGGR2BGR, cv2.COLOR_BayerBGGR2RGB,
                              cv2.COLOR_BayerBGGR2GRAY)),
    'GBRG': _Layout(1, _codes(cv2.COLOR_BayerGBRG2BGR, cv2.COLOR_BayerGBRG2RGB,
                              cv2.COLOR_BayerGBRG2GRAY)),
    'GRBG': _Layout(1, _codes(cv2.COLOR_BayerGRBG2BGR, cv2.COLOR_BayerGRBG2RGB,
                              cv2.COLOR_BayerGRBG2GRAY)),
    'Y16': _Layout(2, {'mono16': _COPY}),
}

UNCOMPRESSED = tuple(_LAYOUTS)  # what is tried first comes first


class Converter:
    """Draws a driver's pixels; `format` is the format of what it draws."""

    def __init__(self, picture: PictureFormat, encoding: str) -> None:
        """Plan for a driver's format and an encoding; Y16 is mono16 whatever the encoding."""
        layout = _LAYOUTS[picture.fourcc]
        encoding = encoding if encoding in layout.codes else 'mono16'
        self.format = FrameFormat(picture.height, picture.width, encoding)
        self._code = layout.codes[encoding]
        self._rows = picture.height * layout.half_rows // 2
        # some drivers pad rows, some give 0
        self._step = max(picture.step, picture.width * layout.bytes)
        channels = layout.bytes if encoding != 'mono16' else 1
        self._shape = (self._rows, picture.width) + ((channels,) if channels > 1 else ())
        self._strides = (self._step, layout.bytes) + ((1,) if channels > 1 else ())

    def draw(self, data: Pixels, out: Pixels) -> None:
        """Convert (bytes,) uint8 into `out`; FrameBroken if there are too few."""
        wanted = self._rows * self._step
        if len(data) < wanted:
            raise FrameBroken(f'{len(data)} bytes instead of {wanted}')
        view: Pixels = np.ndarray(self._shape, self.format.dtype, data, 0, self._strides)
        if self._code is _COPY:
            np.copyto(out, view)
        else:
            cv2.cvtColor(view, self._code, dst=out)
