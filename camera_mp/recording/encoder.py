"""From frames to the packets of a video file, through FFmpeg."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
import os
from typing import Any, TypeAlias

import av
from camera_mp.errors import RecordingError, SettingError
from camera_mp.frame import Frame, FrameFormat
from camera_mp.recording.settings import PRESETS, RecordingSettings
import numpy as np

os.environ.setdefault('SVT_LOG', '1')  # SVT-AV1 talks to stderr by itself: errors alone

Packet: TypeAlias = 'av.Packet[Any]'

# seconds; as fine as MPEG-4 part 2 can have it (at most 65535 in a second)
TIME_BASE = Fraction(1, 60000)

_ENCODERS = {'h264': 'libx264', 'mpeg4': 'mpeg4', 'av1': 'libsvtav1'}  # names in FFmpeg
_THREADS = 2  # of an encoder; the cameras are the parallelism, this keeps one large picture short

# our encodings as FFmpeg calls them
_PIXELS = {'bgr8': 'bgr24', 'rgb8': 'rgb24', 'bgra8': 'bgra', 'rgba8': 'rgba', 'mono8': 'gray',
           'yuv422_yuy2': 'yuyv422', 'bayer_rggb8': 'bayer_rggb8', 'bayer_bggr8': 'bayer_bggr8',
           'bayer_gbrg8': 'bayer_gbrg8', 'bayer_grbg8': 'bayer_grbg8'}
_DEPTH = ('16UC1', 'mono16')  # kept to the bit, in FFV1

# avcodec.h: AVCOL_SPC_SMPTE170M and AVCOL_RANGE_MPEG, what swscale makes of RGB
_BT601, _LIMITED = 6, 1


@dataclass(frozen=True)
class Codec:
    """An encoder of FFmpeg's with its options, or 'copy' for pictures that are packed already."""

    name: str
    pixels: str = 'yuv420p'
    options: tuple[tuple[str, str], ...] = ()


def check_codec(settings: RecordingSettings) -> None:
    """Raise SettingError if this FFmpeg cannot do what is asked for."""
    if settings.codec in _ENCODERS and not _exists(_ENCODERS[settings.codec]):
        have = [codec for codec, name in _ENCODERS.items() if _exists(name)]
        raise SettingError(
            f'codec: {settings.codec!r} needs the encoder {_ENCODERS[settings.codec]}, which '
            f"PyAV's FFmpeg lacks; allowed here: {', '.join(map(repr, ['auto', *have, 'copy']))}")


def choose_codec(settings: RecordingSettings, encoding: str) -> Codec:
    """Give the codec for frames of an encoding; RecordingError if there is none."""
    wish = settings.codec
    if encoding in _DEPTH:
        return Codec('ffv1', 'gray16le')
    if encoding == 'jpeg' and wish in ('auto', 'copy'):
        return Codec('copy')
    if encoding not in _PIXELS or wish == 'copy':
        raise RecordingError(f'encoding: {encoding} cannot be recorded with codec {wish!r}')
    if wish == 'auto':
        wish = 'h264' if _exists(_ENCODERS['h264']) else 'mpeg4'
    return Codec(_ENCODERS[wish], options=tuple(_options(wish, settings).items()))


def _exists(encoder: str) -> bool:
    try:
        return av.Codec(encoder, 'w').is_encoder
    except ValueError:
        return False


def _options(codec: str, settings: RecordingSettings) -> dict[str, str]:
    """Give the encoder's options: no frame is held back, or a kill would lose it."""
    share = settings.quality / 100
    if codec == 'h264':
        return {'preset': settings.preset, 'tune': 'zerolatency',
                'crf': f'{45 - 35 * share:.0f}'}  # 0 to 51, usually 23
    if codec == 'av1':
        return {'preset': str(12 - PRESETS.index(settings.preset)),
                'crf': f'{63 - 48 * share:.0f}',  # 0 to 63, usually 35
                'svtav1-params': f'pred-struct=1:lp={_THREADS}'}  # 1: low delay
    quantizer = str(round(31 ** (1 - share)))  # 31 to 1
    return {'qmin': quantizer, 'qmax': quantizer}


class Encoder:
    """Packs the frames of one stream of an open container."""

    def __init__(self, container: Any, codec: Codec, form: FrameFormat,
                 framerate: float) -> None:
        self._codec = codec
        self._copies = codec.name == 'copy'
        rate = min(max(round(framerate), 1), 1000) if framerate else 30
        self._stream = stream = container.add_stream(
            'mjpeg' if self._copies else codec.name, rate=rate, options=dict(codec.options))
        stream.width, stream.height = _even(form) if codec.pixels == 'yuv420p' else (
            form.width, form.height)
        stream.time_base = stream.codec_context.time_base = TIME_BASE
        if self._copies:
            stream.pix_fmt = 'yuvj420p'  # a decoder looks into the pictures for it
            return
        stream.pix_fmt = codec.pixels
        stream.codec_context.thread_count = _THREADS
        stream.codec_context.gop_size = rate  # about one picture a second to seek to
        if codec.pixels == 'yuv420p':
            stream.codec_context.colorspace = _BT601
            stream.codec_context.color_range = _LIMITED

    @property
    def size(self) -> tuple[int, int]:
        """Give the width and height that are recorded."""
        return self._stream.width, self._stream.height

    def pack(self, frame: Frame, pts: int) -> Iterable[Packet]:
        """Give the packets that come of a frame shown at `pts`, in TIME_BASE."""
        if self._copies:
            packet = av.Packet(frame.image.tobytes())
            packet.pts = packet.dts = pts
            packet.time_base, packet.stream, packet.is_keyframe = TIME_BASE, self._stream, True
            return [packet]
        width, height = self.size
        image = np.ascontiguousarray(frame.image[:height, :width])
        picture = av.VideoFrame.from_ndarray(
            image, format=_PIXELS.get(frame.encoding, self._codec.pixels))
        if frame.encoding.startswith('bayer'):
            picture = picture.reformat(format='rgb24')  # swscale's own way to YUV is too bright
        picture = picture.reformat(format=self._codec.pixels)
        picture.pts, picture.time_base = pts, TIME_BASE
        return self._stream.encode(picture)  # type: ignore[no-any-return]

    def flush(self) -> Iterable[Packet]:
        """Give what the encoder has held back."""
        return [] if self._copies else self._stream.encode(None)


def _even(form: FrameFormat) -> tuple[int, int]:
    """4:2:0 shares colours between two columns and rows: an odd last one is left out."""
    return form.width & ~1, form.height & ~1
