"""A monitor, or a region of it, of an X11 desktop, through mss."""

from contextlib import ExitStack, suppress
from dataclasses import dataclass
import os
import re
from typing import Any, TYPE_CHECKING

from camera_mp.errors import SettingError, SourceError, SourceLost
from camera_mp.frame import FrameFormat, Pixels
from camera_mp.heap import keep_large_blocks
from camera_mp.settings import setting
from camera_mp.sources.source import CaptureSettings, Grabbed, Pacer, Source, Stream
import cv2
import numpy as np

if TYPE_CHECKING:
    from mss import MSS

_COLOR_CODES = {'bgr8': cv2.COLOR_BGRA2BGR, 'rgb8': cv2.COLOR_BGRA2RGB,
                'mono8': cv2.COLOR_BGRA2GRAY}
_REGION = re.compile(r'(\d{1,5}),(\d{1,5}),([1-9]\d{0,4}),([1-9]\d{0,4})')


@dataclass(frozen=True)
class ScreenSettings(CaptureSettings):
    """Settings of the screen source."""

    monitor: int = setting(1, 'Which monitor, from 1; 0: all of them in one picture.', low=0)
    region: str = setting('', "Part of the monitor, in its pixels: 'left,top,width,height'; "
                          "'': all of it.")

    def __post_init__(self) -> None:
        """Refuse a region that is none."""
        super().__post_init__()
        if self.region and not _REGION.fullmatch(self.region):
            raise SettingError(f'region: {self.region!r} is not allowed; allowed: '
                               "'left,top,width,height' in pixels, or ''")


class ScreenSource(Source):
    """
    Grabs the screen at `framerate`, default 30 Hz.

    mss gives BGRA in memory of its own; one OpenCV call turns it into the wanted encoding where
    the frame lies. A display that is gone, or a monitor that has shrunk, is a SourceLost.
    """

    Settings = ScreenSettings

    def __init__(self, settings: ScreenSettings) -> None:
        keep_large_blocks()  # mss makes new memory for every picture
        self._screen, monitors = _connect()
        self._closing = ExitStack()  # closes once: mss would free a lost connection twice
        self._closing.callback(self._screen.close)
        try:
            self._area = _area(monitors, settings)
        except SourceError:
            self.close()
            raise
        self._code = _COLOR_CODES[settings.encoding]
        self.streams = (Stream('', 'image_raw', FrameFormat(
            self._area['height'], self._area['width'], settings.encoding)),)
        self.framerate = settings.framerate or 30.0
        self._pacer = Pacer(self.framerate)
        self._sequence = -1

    def grab(self) -> Grabbed:
        """Wait until the next picture is due and take it."""
        stamp_ns = self._pacer.wait()
        try:
            self._picture = np.asarray(self._screen.grab(self._area))
        except _errors() as error:
            raise SourceLost(f'display {_display()} broke off{_reason(error)}') from None
        self._sequence += 1
        return Grabbed(stamp_ns, self._sequence)

    def read_into(self, stream: Stream, out: Pixels) -> None:
        """Convert the picture into `out`."""
        cv2.cvtColor(self._picture, self._code, dst=out)

    def close(self) -> None:
        """Let go of the display."""
        with suppress(*_errors()):  # it may be lost
            self._closing.close()


def _connect() -> tuple['MSS', list[dict[str, Any]]]:
    """Give the screen and its monitors, all of them together first."""
    try:
        from mss import MSS
    except ImportError:
        raise SourceError('source: screen needs mss 10.2 or newer: pip install mss') from None
    if not _display() and not os.environ.get('WAYLAND_DISPLAY'):
        raise SourceError('source: screen needs an X11 display; DISPLAY is not set')
    try:
        screen = MSS()
        return screen, screen.monitors
    except _errors() as error:
        wayland = os.environ.get('WAYLAND_DISPLAY')
        if wayland:
            raise SourceError(f'source: screen needs an X11 session; this one is Wayland '
                              f'({wayland}), which lets no program grab the screen') from None
        raise SourceError(f'display {_display()} cannot be opened{_reason(error)}') from None


def _errors() -> tuple[type[Exception], ...]:
    from mss import ScreenShotError
    return ScreenShotError, AssertionError  # its xcb calls assert that the server answered


def _display() -> str:
    return os.environ.get('DISPLAY', '')


def _reason(error: Exception) -> str:
    text = ' '.join(str(error).split())
    return f': {text}' if text else ''


def _area(monitors: list[dict[str, Any]], settings: ScreenSettings) -> dict[str, int]:
    """Give the part of the desktop that is asked for, as mss takes it."""
    if settings.monitor >= len(monitors):
        raise SourceError(f'monitor: {settings.monitor} is not there; allowed: '
                          f'0 to {len(monitors) - 1}')
    whole = monitors[settings.monitor]
    if not settings.region:
        return {key: whole[key] for key in ('left', 'top', 'width', 'height')}
    left, top, width, height = map(int, settings.region.split(','))
    if left + width > whole['width'] or top + height > whole['height']:
        raise SourceError(f'region: {settings.region} goes beyond monitor {settings.monitor} of '
                          f'{whole["width"]}x{whole["height"]}')
    return {'left': whole['left'] + left, 'top': whole['top'] + top,
            'width': width, 'height': height}
