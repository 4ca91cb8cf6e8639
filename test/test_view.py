"""The viewer: that what it shows is what the cameras took, and that it disturbs nobody."""

from collections.abc import Callable, Iterator
import os
from pathlib import Path
import signal
import socket
import sys
import time
from typing import Any
from urllib.request import urlopen

from camera_mp.detectors import Detection
from camera_mp.errors import CameraError, SettingError
from camera_mp.frame import Frame, FrameFormat
from camera_mp.ring import FrameReader, FrameWriter
from camera_mp.sources.synthetic import read_number
from camera_mp.viewing import Viewing, ViewSettings
import numpy as np
from programs import eventually, PATIENCE, run, running
import pytest
from rerun_file import free_port, pixels, read, stamp_ns

VIEW = ('-m', 'camera_mp.view')
SMALL = FrameFormat(16, 32, 'bgr8')
MS = 1_000_000


class Acts:
    """A stop flag that lets one thing happen at each look, and is set when all have."""

    def __init__(self, *acts: Callable[[], object]) -> None:
        self._acts: Iterator[Callable[[], object]] = iter(acts)

    @property
    def is_set(self) -> bool:
        """Whether all is done."""
        act = next(self._acts, None)
        if act:
            act()
        return act is None


def _nothing() -> None:
    pass


def _run(viewing: Viewing, *acts: Callable[[], object]) -> None:
    """Let it look once after each of these acts."""
    viewing.run(Acts(*acts))  # type: ignore[arg-type]
    viewing.close()


@pytest.fixture
def viewing(ring_name: str, tmp_path: Path) -> Callable[..., Viewing]:
    """Make viewers that write to FILE."""
    pytest.importorskip('rerun', reason='the viewer needs rerun-sdk')

    def make(*cameras: str, **settings: Any) -> Viewing:
        return Viewing(ViewSettings(
            cameras=cameras or ('*',), mode='save', save_file=str(tmp_path / 'out.rrd'),
            max_rate=100.0, **settings))
    return make


def _saved(tmp_path: Path) -> dict[str, Any]:
    return read(tmp_path / 'out.rrd')


# encoding, a pixel, and the same as OpenCV's BGR
@pytest.mark.parametrize(('encoding', 'pixel', 'bgr'), [
    ('bgr8', (200, 100, 50), (200, 100, 50)), ('rgb8', (50, 100, 200), (200, 100, 50)),
    ('bgra8', (200, 100, 50, 255), (200, 100, 50)),
    ('rgba8', (50, 100, 200, 255), (200, 100, 50)), ('mono8', (77,), (77, 77, 77)),
    ('yuv422_yuy2', (128, 128), (130, 130, 130)), ('bayer_rggb8', (90,), (90, 90, 90)),
])
def test_a_picture_comes_as_it_was_taken(viewing: Callable[..., Viewing], ring_name: str,
                                         tmp_path: Path, encoding: str, pixel: tuple[int, ...],
                                         bgr: tuple[int, ...]) -> None:
    form = FrameFormat(16, 32, encoding)
    image = np.broadcast_to(np.array(pixel, np.uint8), (16, 32, len(pixel))).reshape(form.shape)
    with FrameWriter(ring_name, form) as writer:
        writer.write(image, stamp_ns=1_700_000_000 * 10**9 + 123_456_000)
        _run(viewing(ring_name), _nothing, _nothing)
    row, = _saved(tmp_path)[f'/cameras/{ring_name}']
    assert stamp_ns(row) == 1_700_000_000 * 10**9 + 123_456_000
    assert np.abs(pixels(row) - np.array(bgr)).max() <= 3  # as JPEG has it


def test_a_bayer_pattern_has_the_colours_of_its_name(viewing: Callable[..., Viewing],
                                                     ring_name: str, tmp_path: Path) -> None:
    red = np.zeros((16, 32), np.uint8)
    red[::2, ::2] = 255  # the first of rggb
    with FrameWriter(ring_name, FrameFormat(16, 32, 'bayer_rggb8')) as writer:
        writer.write(red)
        _run(viewing(ring_name), _nothing, _nothing)
    blue, green, found = pixels(_saved(tmp_path)[f'/cameras/{ring_name}'][0])[8, 16]
    assert found > 200
    assert max(blue, green) < 50


@pytest.mark.parametrize(('encoding', 'metre'), [('16UC1', 1000.0), ('32FC1', 1.0)])
def test_depth_comes_in_metres_and_unchanged(viewing: Callable[..., Viewing], ring_name: str,
                                             tmp_path: Path, encoding: str,
                                             metre: float) -> None:
    form = FrameFormat(16, 32, encoding)
    image = np.arange(16 * 32).reshape(form.shape).astype(form.dtype)
    with FrameWriter(ring_name, form) as writer:
        writer.write(image)
        _run(viewing(ring_name), _nothing, _nothing)
    row, = _saved(tmp_path)[f'/cameras/{ring_name}']
    assert row['meter'] == [metre]
    assert bytes(row['buffer'][0]) == image.tobytes()


def test_what_is_jpeg_already_is_not_touched(viewing: Callable[..., Viewing], ring_name: str,
                                             tmp_path: Path) -> None:
    payload = np.frombuffer(b'\xff\xd8 a picture', np.uint8)
    with FrameWriter(ring_name, FrameFormat(16, 32, 'jpeg')) as writer:
        writer.write(payload)
        _run(viewing(ring_name), _nothing, _nothing)
    row, = _saved(tmp_path)[f'/cameras/{ring_name}']
    assert bytes(row['blob'][0]) == payload.tobytes()


def test_a_camera_that_gives_jpeg_is_shown_as_it_gives_it(
        viewing: Callable[..., Viewing], ring_name: str, tmp_path: Path) -> None:
    with (FrameWriter(ring_name, SMALL) as pixel_writer,
          FrameWriter(f'{ring_name}.compressed', FrameFormat(16, 32, 'jpeg')) as writer):
        writer.write(np.frombuffer(b'jpeg', np.uint8))
        _run(viewing(), _nothing, _nothing)
        assert not pixel_writer.has_readers()
    saved = _saved(tmp_path)
    assert [bytes(row['blob'][0]) for row in saved[f'/cameras/{ring_name}']] == [b'jpeg']
    assert not any('compressed' in entity for entity in saved)


def test_the_newest_wins_each_once_and_one_that_ended_is_taken_away(
        viewing: Callable[..., Viewing], ring_name: str, tmp_path: Path) -> None:
    clock = time.time_ns()
    with FrameWriter(ring_name, SMALL) as writer:
        def write(*steps: int) -> Callable[[], None]:
            def act() -> None:
                for step in steps:
                    writer.write(np.zeros(SMALL.shape, np.uint8), clock + step * MS)
            return act

        shown = viewing()

        def end() -> None:
            writer.close()
            shown._look_at = 0.0

        _run(shown, write(1), write(2, 3, 4), _nothing, write(5), end, _nothing)
    rows = _saved(tmp_path)[f'/cameras/{ring_name}']
    assert [(stamp_ns(row) - clock) // MS for row in rows if 'blob' in row] == [1, 4, 5]
    assert rows[-1]['is_recursive'] == [True]


def test_boxes_lie_over_their_camera_and_go_when_none_come(
        viewing: Callable[..., Viewing], ring_name: str, tmp_path: Path) -> None:
    with FrameWriter(ring_name, SMALL) as writer:
        writer.write(np.zeros(SMALL.shape, np.uint8))
        shown = viewing(ring_name)
        found = [Detection('7', 0.5, (10.0, 20.0, 4.0, 6.0))]

        def grow_old() -> None:
            shown._boxes[ring_name] -= 2 * 10**9
            shown._look_at = 0.0

        _run(shown, _nothing, lambda: shown.log_detections(ring_name, time.time_ns(), found),
             grow_old, _nothing)
    boxes, none = _saved(tmp_path)[f'/cameras/{ring_name}/detections']
    assert boxes['centers'] == [[12.0, 23.0]]
    assert boxes['half_sizes'] == [[2.0, 3.0]]
    assert boxes['labels'] == ['7 0.50']
    assert not none['half_sizes']


def test_boxes_belong_to_the_nearest_camera_above_their_place(
        viewing: Callable[..., Viewing], ring_name: str) -> None:
    with FrameWriter(ring_name, SMALL) as writer:
        writer.write(np.zeros(SMALL.shape, np.uint8))
        view = viewing(ring_name)
        view._look()
        assert view.camera_at(f'{ring_name}.detector_markers') == ring_name
        assert view.camera_at(ring_name) == ring_name
        assert view.camera_at('elsewhere.detector') == 'elsewhere.detector'
        view.close()


def test_there_is_one_timeline_and_curves(viewing: Callable[..., Viewing], ring_name: str,
                                          tmp_path: Path) -> None:
    with FrameWriter(ring_name, SMALL) as writer:
        shown = viewing()

        def write_and_look() -> None:
            writer.write(np.zeros(SMALL.shape, np.uint8))
            shown._look_at = 0.0

        shown.log_lateness('loop', time.time_ns(), {'p99': 0.25})
        _run(shown, *[write_and_look] * 4)
    saved = _saved(tmp_path)
    assert saved['/lateness/loop/p99'][-1]['scalars'] == [0.25]
    assert saved[f'/rate/{ring_name}'][-1]['scalars'][0] > 0
    assert 0 <= saved[f'/age/{ring_name}'][-1]['scalars'][0] < PATIENCE * 1e3
    times = {name for rows in saved.values() for row in rows for name in row
             if name in ('stamp', 'log_time', 'log_tick')}
    assert times == {'stamp'}


def test_what_is_overwritten_while_it_is_read_is_not_shown(
        viewing: Callable[..., Viewing], tmp_path: Path) -> None:
    shown = viewing('camera')
    torn = Frame(np.zeros(SMALL.shape, np.uint8), SMALL, 1, 1, 1, lambda: False)
    shown._log.log_picture('camera', torn)
    _run(shown)
    assert '/cameras/camera' not in _saved(tmp_path)


def test_it_ends_with_its_window(ring_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rerun = pytest.importorskip('rerun', reason='the viewer needs rerun-sdk')
    monkeypatch.setenv('DISPLAY', ':0')
    opened: list[dict[str, Any]] = []
    monkeypatch.setattr(rerun, 'spawn', lambda **options: opened.append(options))
    with socket.create_server(('', 0)) as window:
        viewing = Viewing(ViewSettings(grpc_port=window.getsockname()[1]))
        acts = Acts(_nothing, window.close, *[_nothing] * 10**6)
        viewing.run(acts)  # type: ignore[arg-type]
    assert not acts.is_set  # it ended by itself
    viewing.close()
    assert Path(opened[0]['executable_path']).is_file()


@pytest.fixture
def camera(ring_name: str) -> Iterator[str]:
    pytest.importorskip('rerun', reason='the viewer needs rerun-sdk')
    with running('-m', 'camera_mp.capture', ring_name, '--depth'):
        FrameReader(ring_name).wait(PATIENCE)
        yield ring_name


def test_a_running_camera_is_saved_until_ctrl_c(camera: str, tmp_path: Path) -> None:
    path = tmp_path / 'out.rrd'
    with running(*VIEW, '--save', path) as view:
        view.wait_for(str(path))
        eventually(lambda: path.stat().st_size > 10**6)  # some depth
        assert view.end(signal.SIGINT) == 0
        assert view.lines == [str(path)]
    saved = read(path)
    numbers = [read_number(pixels(row)) for row in saved[f'/cameras/{camera}']]
    assert numbers == sorted(set(numbers))
    assert f'/cameras/{camera}.depth' in saved


def test_boxes_of_a_detector_are_drawn(camera: str, tmp_path: Path) -> None:
    path = tmp_path / 'out.rrd'
    with running(*VIEW, camera, '--detect', 'aruco', '--save', path) as view:
        view.wait_for(str(path))
        eventually(lambda: b'/detections' in path.read_bytes())
        assert view.end() == 0
    rows = read(path)[f'/cameras/{camera}/detections']
    assert {label for row in rows for label in row['labels'] or ()} >= {'0', '1', '2', '3'}


def _serve(*options: object) -> tuple[list[object], int, int]:
    web, grpc = free_port(), free_port()
    return [*VIEW, '--serve', '--web-port', web, '--grpc-port', grpc, *options], web, grpc


def test_a_served_page_really_gets_frames(camera: str, tmp_path: Path) -> None:
    path = tmp_path / 'got.rrd'
    command, web, grpc = _serve()
    with running(*command) as view:
        address = view.wait_for('http')
        assert address == f'http://localhost:{web}/?url=rerun%2Bhttp://localhost:{grpc}/proxy'
        with urlopen(address) as page:
            assert b're_viewer' in page.read()
        with running('-m', 'rerun', f'rerun+http://127.0.0.1:{grpc}/proxy', '--save', path,
                     '--port', free_port()) as client:  # what the page does, without drawing
            eventually(lambda: path.exists() and path.stat().st_size > 10**6)
            assert view.end(signal.SIGTERM) == 0
            assert client.wait() == 0
    assert len(read(path)[f'/cameras/{camera}']) > 1


def test_a_killed_viewer_disturbs_nobody(camera: str) -> None:
    command, _, _ = _serve()
    with running(*command) as view, FrameReader(camera) as reader:
        view.wait_for('http')
        first = reader.wait(PATIENCE)
        os.kill(view.process.pid, signal.SIGKILL)
        view.wait()
        for _ in range(10):
            last = reader.next(PATIENCE)
        assert last.sequence - first.sequence >= 10
        status = reader.status()
        assert status and (status.lost, status.stalls, status.reconnects) == (0, 0, 0)
    with FrameReader(camera) as reader:
        reader.wait(PATIENCE)


def test_without_rerun_it_is_one_line(ring_name: str, tmp_path: Path,
                                      monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / 'rerun.py').write_text(
        "raise ModuleNotFoundError(\"No module named 'rerun'\", name='rerun')\n")
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join([str(tmp_path), *sys.path]))
    program = run(*VIEW)
    assert program.process.returncode == 1
    assert program.lines == ['view: the viewer needs Rerun: pip install rerun-sdk']


@pytest.mark.parametrize(('options', 'text'), [
    (['a/b', '--save', 'x.rrd'], "camera name: 'a/b' is not allowed"),
    (['--max-rate', '0'], 'max_rate: 0.0 is not allowed; allowed: 1.0 to 120.0'),
    (['--save', '/nowhere/x.rrd'], 'save_file: /nowhere/x.rrd cannot be written'),
    (['--serve', '--memory-limit', 'much'], 'cannot serve'),
    (['front', '--save', '/dev/null', '--detect', 'aruko'], "detector: 'aruko' is unknown"),
])
def test_bad_input_is_one_line_and_code_1(ring_name: str, options: list[str],
                                          text: str) -> None:
    pytest.importorskip('rerun', reason='the viewer needs rerun-sdk')
    program = run(*VIEW, *options)
    assert program.process.returncode == 1
    assert len(program.lines) == 1
    assert program.lines[0].startswith('view: ')
    assert text in program.lines[0]


def test_a_port_that_is_taken_is_one_line(ring_name: str) -> None:
    pytest.importorskip('rerun', reason='the viewer needs rerun-sdk')
    command, web, _ = _serve()
    with running(*command) as first:
        first.wait_for('http')
        second = run(*VIEW, '--serve', '--web-port', web, '--grpc-port', free_port())
    assert second.process.returncode == 1
    assert second.lines == [f'view: web_port: {web} cannot be used: Address already in use; '
                            'choose another']


def test_a_window_needs_a_display(ring_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip('rerun', reason='the viewer needs rerun-sdk')
    for name in ('DISPLAY', 'WAYLAND_DISPLAY'):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SettingError, match="mode: 'window' needs a display"):
        Viewing(ViewSettings(mode='window'))
    with pytest.raises(CameraError, match="save_file: '' names no file"):
        Viewing(ViewSettings(mode='save'))
