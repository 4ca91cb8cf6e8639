"""The video source shows each frame of a file once, as OpenCV decodes it."""

from logging import getLogger
from pathlib import Path
import time

from camera_mp.errors import FrameBroken, SourceEnded, SourceError
from camera_mp.frame import FrameFormat, Pixels
from camera_mp.recording import make_recorder, RecordingSettings
from camera_mp.redact import redact
from camera_mp.ring import FrameWriter
from camera_mp.sources.video import VideoSettings, VideoSource
import cv2
import numpy as np
from programs import eventually
import pytest
from recordings import need_av, send, stamps, START

TIMES = [*stamps(8), stamps(8)[-1] + 300_000_001, stamps(8)[-1] + 301_000_002]  # ns


def make_video(path: Path, frames: int = 12) -> Path:
    """Write a small video whose frames differ."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), 25.0, (64, 48))
    for number in range(frames):
        writer.write(np.full((48, 64, 3), number * 20, np.uint8))
    writer.release()
    return path


def _source(device: object, **values: object) -> VideoSource:
    return VideoSource(VideoSettings.from_values(
        {'source': 'video', 'video_device': str(device), 'framerate': 1000.0, **values}))


def _read(source: VideoSource) -> Pixels:
    source.grab()
    picture = np.empty(source.streams[0].format.shape, np.uint8)
    source.read_into(source.streams[0], picture)
    return picture


def _decoded(path: Path) -> list[Pixels]:
    capture = cv2.VideoCapture(str(path))
    return [picture for ok, picture in iter(capture.read, (False, None)) if ok]


def test_a_file_is_played_byte_for_byte_and_ends(tmp_path: Path) -> None:
    path = make_video(tmp_path / 'a.avi')
    source = _source(path, loop=False)
    for expected in _decoded(path):
        np.testing.assert_array_equal(_read(source), expected)
    with pytest.raises(SourceEnded, match=r'end of .*a\.avi'):
        source.grab()


def test_a_file_loops_without_a_gap(tmp_path: Path) -> None:
    path = make_video(tmp_path / 'a.avi', frames=3)
    source = _source(path)
    played = [_read(source) for _ in range(7)]
    for number, expected in enumerate([*_decoded(path)] * 2):
        np.testing.assert_array_equal(played[number], expected)
    assert source.grab().sequence == 7


def test_its_own_rate_is_that_of_the_file(tmp_path: Path) -> None:
    assert _source(make_video(tmp_path / 'a.avi'), framerate=0.0).framerate == 25.0


@pytest.fixture
def recording(ring_name: str, tmp_path: Path) -> Path:
    """Give a video of frames that came at times of their own, as the recorder makes it."""
    need_av()
    output = tmp_path / 'front.mp4'
    with FrameWriter(ring_name, FrameFormat(48, 64, 'bgr8'), slots=64) as writer:
        recorder = make_recorder([ring_name], tmp_path, RecordingSettings(), getLogger(), 'front')
        recorder.start()
        send(writer, TIMES, np.full((48, 64, 3), 90, np.uint8))
        eventually(lambda: recorder.statuses()[0].frames == len(TIMES))
        recorder.stop()
    return output


def test_a_recording_has_its_stamps_again_to_the_nanosecond(recording: Path) -> None:
    source = _source(recording, framerate=0.0)
    begun = time.time_ns()
    played = [source.grab().stamp_ns for _ in range(2 * len(TIMES))]
    first, again = played[:len(TIMES)], played[len(TIMES):]
    assert np.diff(first).tolist() == np.diff(again).tolist() == np.diff(TIMES).tolist()
    assert time.time_ns() - begun >= 2 * (TIMES[-1] - TIMES[0])
    assert first[-1] < again[0]
    assert source.framerate == pytest.approx(1e9 * (len(TIMES) - 1) / (TIMES[-1] - TIMES[0]))


def _steps(source: VideoSource, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Give what the source waits for between its frames; 0: its constant period."""
    steps: list[int] = []

    def wait(step_ns: int) -> int:
        steps.append(step_ns)
        return START

    monkeypatch.setattr(source._pacer, 'wait', wait)
    for _ in TIMES:
        source.grab()
    return steps


def test_without_its_sidecar_a_recording_plays_by_its_playback_times(
        recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording.with_suffix('.jsonl').unlink()
    steps = _steps(_source(recording, framerate=0.0), monkeypatch)
    assert steps[0] == 0
    np.testing.assert_allclose(steps[1:], np.diff(TIMES), atol=10**6)


def test_a_framerate_puts_a_recordings_own_times_out_of_force(
        recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(_steps(_source(recording, framerate=100.0), monkeypatch)) == {0}


def test_what_a_kill_left_plays_too(recording: Path) -> None:
    source = _source(recording.rename(f'{recording}.part'), framerate=0.0)
    played = [source.grab().stamp_ns for _ in TIMES]
    assert np.diff(played).tolist() == np.diff(TIMES).tolist()


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f'{number}.png'), np.full((20, 30, 3), number, np.uint8))
    (tmp_path / 'notes.txt').write_text('no image')
    return tmp_path


@pytest.mark.parametrize('pattern', ['', '*.png', '[0-2].png'])
def test_a_folder_or_glob_of_images_in_order(images: Path, pattern: str) -> None:
    source = _source(images / pattern if pattern else images, loop=False)
    assert [int(_read(source)[0, 0, 0]) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(SourceEnded):
        source.grab()


def test_an_image_that_does_not_fit_is_broken_and_the_next_is_good(images: Path) -> None:
    cv2.imwrite(str(images / '1.png'), np.zeros((5, 5, 3), np.uint8))
    source = _source(images, loop=False)
    assert _read(source)[0, 0, 0] == 0
    with pytest.raises(FrameBroken, match='is no image of 30x20 as the first one'):
        _read(source)
    assert _read(source)[0, 0, 0] == 2


@pytest.mark.parametrize(('name', 'text'), [
    ('', "video_device: '' names nothing"),
    ('/nowhere/a.avi', '/nowhere/a.avi does not exist; allowed: a video file'),
    ('rtsp://me:secret@127.0.0.1:9/x', r'rtsp://me:\*\*\*@127.0.0.1:9/x cannot be reached'),
])
def test_what_cannot_be_opened_is_named(name: str, text: str) -> None:
    with pytest.raises(SourceError, match=text):
        _source(name)


def test_an_unreadable_file_is_no_video(tmp_path: Path) -> None:
    (tmp_path / 'a.avi').write_bytes(bytes(range(256)) * 40)
    with pytest.raises(SourceError, match='is not a video that FFmpeg can read'):
        _source(tmp_path / 'a.avi')
    with pytest.raises(SourceError, match='contains no images'):
        _source(tmp_path / '.')


@pytest.mark.parametrize(('text', 'shown'), [
    ('rtsp://user:pa:ss@wo/rd@host/x', 'rtsp://user:***@host/x'),
    ('http://host/x?user=me&password=abc&n=1', 'http://host/x?user=me&password=***&n=1'),
    ('rtsp://host:554/x', 'rtsp://host:554/x'),
    ('/a/b.avi', '/a/b.avi'),
])
def test_passwords_are_not_shown(text: str, shown: str) -> None:
    assert redact(text) == shown
