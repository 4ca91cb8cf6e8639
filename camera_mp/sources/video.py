"""Video files, folders and globs of images, and network streams, through OpenCV and FFmpeg."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from glob import escape, glob
import math
import os
from pathlib import Path
import time

from camera_mp.errors import FrameBroken, SourceEnded, SourceError, SourceLost
from camera_mp.frame import FrameFormat, Pixels
from camera_mp.quiet_opencv import quieten_opencv
from camera_mp.recording.sidecar import read_stamps
from camera_mp.redact import redact
from camera_mp.settings import setting
from camera_mp.sources.source import CaptureSettings, Grabbed, Pacer, Source, Stream
import cv2

_IMAGE_RATE = 10.0  # Hz, of images that come without a rate
_IMAGE_ENDINGS = ('.bmp', '.jpg', '.jpeg', '.png', '.tif', '.tiff', '.webp')
_LONGEST_STEP = 60 * 10**9  # ns between two frames; more is a mistake in the file
_PATIENCE_MS = 5000  # for a network stream to open, and between its frames


@dataclass(frozen=True)
class VideoSettings(CaptureSettings):
    """Settings of the video source."""

    loop: bool = setting(True, 'Begin again at the end of a file or of the images.')


class VideoSource(Source):
    """
    Plays `video_device` at its frames' own times or at `framerate`; network streams as they come.

    Every frame of a file is shown once, in order, however slow the machine; stamps are the
    time at which the frame was due. Those of a recording with its sidecar beside it lie as far
    apart as they did when it was made, to the nanosecond; `framerate` puts that out of force.
    Pixels are those of cv2.VideoCapture and cv2.imread.
    """

    Settings = VideoSettings

    def __init__(self, settings: VideoSettings) -> None:
        # their messages can contain the password of a stream's URL; errors come as exceptions
        quieten_opencv()
        self._loop = settings.loop
        self._name = redact(settings.video_device)
        self._player = _open(settings.video_device)
        form = self._player.format
        self.streams = (Stream('', 'image_raw', form),)
        self.framerate = settings.framerate or self._player.framerate
        self._sequence = -1
        self.keeps_framerate = not self._player.live
        if self._player.live:
            return
        if not self.framerate:
            raise SourceError(f'video_device: {self._name} does not say its frame rate; '
                              'set framerate')
        self._constant = bool(settings.framerate)
        recorded = bool(self._player.stamps) and not self._constant
        self._pacer: Pacer | _Timetable = (
            _Timetable(self.framerate) if recorded else Pacer(self.framerate))

    def grab(self) -> Grabbed:
        """Wait for the next frame to be due, or to come over the network."""
        self._sequence += 1
        if not self._player.grab():
            if self._player.live:
                raise SourceLost(f'{self._name} broke off')
            if not self._loop:
                raise SourceEnded(f'end of {self._name}')
            self._player.rewind()
            if not self._player.grab():
                raise SourceEnded(f'{self._name} has no frames')
        return Grabbed(time.time_ns() if self._player.live else self._wait(), self._sequence)

    def _wait(self) -> int:
        step = 0 if self._constant else self._player.step_ns()
        return self._pacer.wait(step if 0 < step <= _LONGEST_STEP else 0)

    def read_into(self, stream: Stream, out: Pixels) -> None:
        """Decode the grabbed frame; FrameBroken if that fails."""
        self._player.read_into(out)

    def close(self) -> None:
        """Close the file or the connection."""
        self._player.close()


class _Timetable:
    """Waits for the moments of a recording; who comes late catches up, so that the stamps hold."""

    def __init__(self, framerate: float) -> None:
        self._period_ns = round(1e9 / framerate)
        self._stamp_ns, self._due_ns = time.time_ns(), time.monotonic_ns()

    def wait(self, step_ns: int = 0) -> int:
        """Sleep until the next frame is due and give that moment, in ns since the epoch."""
        step_ns = step_ns or self._period_ns
        self._due_ns += step_ns
        self._stamp_ns += step_ns
        time.sleep(max(self._due_ns - time.monotonic_ns(), 0) / 1e9)
        return self._stamp_ns


class _Video:
    """A file or stream that FFmpeg reads; stamps: of its frames, if it is a recording."""

    def __init__(self, url: str, *, live: bool) -> None:
        self.live, self._url = live, url
        self.stamps: Sequence[int] = () if live else read_stamps(Path(url))
        self._options = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _PATIENCE_MS,
                         cv2.CAP_PROP_READ_TIMEOUT_MSEC, _PATIENCE_MS] if live else []
        self.rewind()
        width, height = (int(self._capture.get(key)) for key in
                         (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        if width <= 0 or height <= 0:
            raise SourceError(f'video_device: {redact(url)} has no picture')
        self.format = FrameFormat(height, width, 'bgr8')
        rate = _mean_rate(self.stamps) or self._capture.get(cv2.CAP_PROP_FPS)
        self.framerate = rate if math.isfinite(rate) and 0 < rate <= 1000 else 0.0

    def rewind(self) -> None:
        self._number, self._position_ns = -1, 0
        # opened again, not sought: not every container finds its first frame again by seeking
        self._capture = cv2.VideoCapture(self._url, cv2.CAP_FFMPEG, self._options)
        if not self._capture.isOpened():
            what = 'cannot be reached' if self.live else 'is not a video that FFmpeg can read'
            raise SourceError(f'video_device: {redact(self._url)} {what}')

    def grab(self) -> bool:
        self._number += 1
        return bool(self._capture.grab())

    def step_ns(self) -> int:
        """Give the time from the frame before to the grabbed one; 0: not known."""
        before = self._position_ns
        self._position_ns = round(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
        if 0 < self._number < len(self.stamps):
            return self.stamps[self._number] - self.stamps[self._number - 1]
        return self._position_ns - before

    def read_into(self, out: Pixels) -> None:
        ok, picture = self._capture.retrieve(out)
        if not ok or picture is not out:  # another size: OpenCV made an array of its own
            raise FrameBroken(f'a frame of {redact(self._url)} could not be decoded')

    def close(self) -> None:
        self._capture.release()


class _Images:
    """Image files in the order of their names."""

    live = False
    framerate = _IMAGE_RATE
    stamps: Sequence[int] = ()

    def __init__(self, files: list[str]) -> None:
        self._files = files
        first = cv2.imread(files[0], cv2.IMREAD_COLOR)
        if first is None:
            raise SourceError(f'video_device: {files[0]} is not an image that OpenCV can read')
        self.format = FrameFormat(first.shape[0], first.shape[1], 'bgr8')
        self.rewind()

    def rewind(self) -> None:
        self._rest: Iterator[str] = iter(self._files)

    def grab(self) -> bool:
        self._file = next(self._rest, '')
        return bool(self._file)

    def step_ns(self) -> int:
        return 0

    def read_into(self, out: Pixels) -> None:
        picture = cv2.imread(self._file, cv2.IMREAD_COLOR)
        if picture is None or picture.shape != out.shape:
            raise FrameBroken(f'{self._file} is no image of {self.format.width}x'
                              f'{self.format.height} as the first one')
        out[:] = picture

    def close(self) -> None:
        pass


def _mean_rate(stamps: Sequence[int]) -> float:
    """Give the frames a second, 0.0 if there are too few to know."""
    lasts = stamps[-1] - stamps[0] if stamps else 0
    return (len(stamps) - 1) * 1e9 / lasts if lasts > 0 else 0.0


def _open(device: str) -> _Video | _Images:
    if not device:
        raise SourceError("video_device: '' names nothing; allowed: a video file, a folder or "
                          'glob of images, an rtsp:// or http:// stream')
    if '://' in device and not device.startswith('file://'):
        return _Video(device, live=True)
    path = str(Path(device.removeprefix('file://')).expanduser())
    if Path(path).is_file() and not path.lower().endswith(_IMAGE_ENDINGS):
        if not os.access(path, os.R_OK):
            raise SourceError(f'video_device: {path} may not be read by this user')
        return _Video(path, live=False)
    return _Images(_image_files(path))


def _image_files(path: str) -> list[str]:
    names = glob(f'{escape(path)}/*' if Path(path).is_dir() else path)
    if Path(path).is_file():
        names = [path]
    files = sorted(name for name in names if name.lower().endswith(_IMAGE_ENDINGS))
    if not files:
        what = 'contains no images' if Path(path).exists() else 'does not exist'
        raise SourceError(f'video_device: {path} {what}; allowed: a video file, a folder or glob '
                          f'of images ({", ".join(_IMAGE_ENDINGS)}), an rtsp:// or http:// stream')
    return files
