"""The screen source shows what is on the screen: that of Xvfb, whose pixels lie in a file."""

from collections.abc import Iterator
import os
from pathlib import Path
import shutil
import subprocess
import sys

from camera_mp.errors import SettingError, SourceError, SourceLost
from camera_mp.frame import Pixels
from camera_mp.ring import FrameReader
from camera_mp.sources.screen import ScreenSettings, ScreenSource
import cv2
import numpy as np
from programs import eventually, running
import pytest

WIDTH, HEIGHT = 320, 200


@pytest.fixture(autouse=True)
def mss() -> None:
    # not for the whole module: the plugin of launch_testing imports every module of the folder,
    # and one that skips itself then ends the collection of all others
    pytest.importorskip('mss', reason='mss is not installed')


class Xvfb:
    """An X server without a screen; `pixels` is what it shows: (height, width, 4), BGRX."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.number = ''  # it looks for a free one
        self.start()

    def start(self) -> None:
        """Start it, again under the number it had."""
        self.process = subprocess.Popen(
            ['Xvfb', *[f':{self.number}'] * bool(self.number), '-displayfd', '1', '-noreset',
             '-screen', '0', f'{WIDTH}x{HEIGHT}x24', '-fbdir', str(self._folder)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout
        self.number = self.process.stdout.readline().strip()
        file = self._folder / 'Xvfb_screen0'
        header = np.fromfile(file, '>u4', 20)  # struct XWDFileHeader of <X11/XWDFile.h>
        size, step, colors = (int(header[index]) for index in (0, 12, 19))
        self.pixels: Pixels = np.memmap(file, np.uint8, 'r+', size + colors * 12,
                                        (HEIGHT, step // 4, 4))

    def end(self) -> None:
        """Kill the server, if it still runs."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


@pytest.fixture
def screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Xvfb]:
    """Give a screen of noise, the DISPLAY of this test."""
    if not shutil.which('Xvfb'):
        pytest.skip('Xvfb is not installed')
    server = Xvfb(tmp_path)
    monkeypatch.setenv('DISPLAY', f':{server.number}')
    monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)
    server.pixels[:] = np.random.default_rng(1).integers(0, 255, server.pixels.shape, np.uint8)
    yield server
    server.end()


@pytest.fixture
def no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ('DISPLAY', 'WAYLAND_DISPLAY'):
        monkeypatch.delenv(name, raising=False)


def _source(**values: object) -> ScreenSource:
    return ScreenSource(ScreenSettings.from_values(
        {'source': 'screen', 'framerate': 1000.0, **values}))


def _read(source: ScreenSource) -> Pixels:
    source.grab()
    picture = np.zeros(source.streams[0].format.shape, np.uint8)
    source.read_into(source.streams[0], picture)
    return picture


@pytest.mark.parametrize(('encoding', 'code'), [
    ('bgr8', cv2.COLOR_BGRA2BGR), ('rgb8', cv2.COLOR_BGRA2RGB), ('mono8', cv2.COLOR_BGRA2GRAY)])
@pytest.mark.parametrize('monitor', [0, 1])
def test_every_pixel_in_every_encoding(screen: Xvfb, monitor: int, encoding: str,
                                       code: int) -> None:
    source = _source(monitor=monitor, encoding=encoding)
    np.testing.assert_array_equal(_read(source), cv2.cvtColor(screen.pixels, code))
    screen.pixels[:] = 255 - screen.pixels
    np.testing.assert_array_equal(_read(source), cv2.cvtColor(screen.pixels, code))
    source.close()


def test_a_region_of_a_monitor(screen: Xvfb) -> None:
    source = _source(region='10,20,300,100')
    np.testing.assert_array_equal(_read(source), screen.pixels[20:120, 10:310, :3])
    source.close()


def test_moments_and_the_default_rate(screen: Xvfb) -> None:
    source = _source(framerate=0.0)
    assert source.framerate == 30.0
    first, second = source.grab(), source.grab()
    assert (first.sequence, second.sequence) == (0, 1)
    assert 10e6 < second.stamp_ns - first.stamp_ns < 500e6
    source.close()


@pytest.mark.parametrize(('values', 'text'), [
    ({'monitor': 7}, r'monitor: 7 is not there; allowed: 0 to 1'),
    ({'region': '30,0,300,10'}, '30,0,300,10 goes beyond monitor 1 of 320x200'),
])
def test_what_is_not_on_the_screen_is_named(screen: Xvfb, values: dict[str, object],
                                            text: str) -> None:
    with pytest.raises(SourceError, match=text):
        _source(**values)


def test_a_display_that_goes_away_is_lost(screen: Xvfb) -> None:
    source = _source()
    _read(source)
    screen.end()
    with pytest.raises(SourceLost, match=f'display :{screen.number} broke off'):
        source.grab()
    source.close()
    with pytest.raises(SourceError, match=f'display :{screen.number} cannot be opened'):
        _source()


def test_a_capture_goes_on_when_the_display_is_back(screen: Xvfb, ring_name: str) -> None:
    with running('-m', 'camera_mp.capture', ring_name, '--source', 'screen') as capture:
        with FrameReader(ring_name) as reader:
            frame = reader.wait(30.0)
            np.testing.assert_array_equal(frame.image, screen.pixels[..., :3])
            screen.end()
            capture.wait_for('cannot be opened')
            screen.start()
            capture.wait_for('320x200 bgr8', count=2)
            screen.pixels[:] = 200
            eventually(lambda: (reader.wait(30.0).image == 200).all())
        assert capture.end() == 0


@pytest.mark.parametrize('region', ['1,2,3', '0,0,0,10', '-1,0,10,10', 'all', '1,2,3,4,5'])
def test_a_region_that_is_none(region: str) -> None:
    with pytest.raises(SettingError) as caught:
        _source(region=region)
    assert str(caught.value) == (f"region: '{region}' is not allowed; allowed: "
                                 "'left,top,width,height' in pixels, or ''")


@pytest.mark.parametrize(('environment', 'text'), [
    ({}, 'source: screen needs an X11 display; DISPLAY is not set'),
    ({'DISPLAY': ':9999'}, 'display :9999 cannot be opened: '),
    ({'WAYLAND_DISPLAY': 'wayland-0'}, 'source: screen needs an X11 session; this one is Wayland'),
    ({'WAYLAND_DISPLAY': 'wayland-0', 'DISPLAY': ':9999'}, 'this one is Wayland (wayland-0)'),
])
def test_no_display_is_one_line(no_screen: None, monkeypatch: pytest.MonkeyPatch,
                                environment: dict[str, str], text: str) -> None:
    for name, value in environment.items():
        monkeypatch.setitem(os.environ, name, value)
    with pytest.raises(SourceError) as caught:
        _source()
    assert text in str(caught.value)
    assert '\n' not in str(caught.value)


def test_without_mss_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'mss', None)
    with pytest.raises(SourceError, match='pip install mss'):
        _source()
