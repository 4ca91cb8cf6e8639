"""A recording holds every frame with its own time, and says what it could not hold."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice
import logging
from pathlib import Path
import subprocess

from camera_mp.errors import RecordingError, SettingError
from camera_mp.frame import FrameFormat
from camera_mp.recording import ALL, make_recorder, RecordingSettings
from camera_mp.recording.sidecar import read_stamps
from camera_mp.recording.status import RecordingStatus
from camera_mp.ring import FrameWriter, Word
from camera_mp.ring.file import ring_path
import cv2
import numpy as np
from programs import eventually
import pytest
from recordings import (
    assert_plays_by_its_stamps,
    events,
    frame_lines,
    lines,
    need_av,
    picture,
    play,
    send,
    stamps,
    START,
)

FORM = FrameFormat(96, 128, 'bgr8')
IMAGE = np.full((96, 128, 3), (200, 100, 50), np.uint8)


class Recording:
    """A recorder of one camera, driven by a test."""

    def __init__(self, camera: str, folder: Path, **settings: object) -> None:
        self.recorder = make_recorder(
            [camera], folder, RecordingSettings.from_values(settings), logging.getLogger())
        self.recorder.start()

    @property
    def status(self) -> RecordingStatus:
        return self.recorder.statuses()[0]

    def wait_for(self, frames: int) -> None:
        eventually(lambda: self.status.frames == frames or self.status.error, f'{frames} frames')
        assert not self.status.error

    def fails(self) -> str:
        eventually(lambda: self.status.error, 'an error')
        return self.status.error

    def stop(self) -> list[Path]:
        status, = self.recorder.stop()
        assert not status.error
        return list(status.finished)


Record = Callable[..., Recording]


@pytest.fixture
def record(ring_name: str, tmp_path: Path) -> Iterator[Record]:
    """Give what begins to record the test's camera into tmp_path; it ends with the test."""
    need_av()
    with ExitStack() as stack:
        def begin(camera: str = ring_name, folder: Path = tmp_path,
                  **settings: object) -> Recording:
            recording = Recording(camera, folder, **settings)
            stack.callback(recording.recorder.stop)
            return recording
        yield begin


@pytest.fixture
def writer(ring_name: str) -> Iterator[FrameWriter]:
    with FrameWriter(ring_name, FORM, slots=64) as writer:
        yield writer


@pytest.mark.parametrize('codec', ['auto', 'h264', 'mpeg4', 'av1'])
def test_frames_play_by_their_stamps(writer: FrameWriter, record: Record, tmp_path: Path,
                                     codec: str) -> None:
    recording = record(codec=codec)
    send(writer, stamps(50), IMAGE)
    recording.wait_for(50)
    video, = recording.stop()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f'{writer.name}_2026-11-20T16-05-12.345Z.{ending}' for ending in ('jsonl', 'mp4')]
    for image in assert_plays_by_its_stamps(video):
        assert np.abs(image.mean((0, 1)) - (200, 100, 50)).max() < 4
    assert [(line['stamp_ns'], line['sequence']) for line in frame_lines(video)] == [
        (stamp, 100 + number) for number, stamp in enumerate(stamps(50))]
    assert lines(video)[0].items() >= {
        'camera_mp': 1, 'camera': writer.name, 'encoding': 'bgr8', 'width': 128,
        'height': 96}.items()
    assert lines(video)[-1] == {'event': 'end', 'reason': 'stopped', 'frames': 50, 'missed': 0}


@pytest.mark.parametrize(('encoding', 'color'), [
    ('rgb8', (50, 100, 200)), ('bgra8', (200, 100, 50, 255)), ('rgba8', (50, 100, 200, 255)),
])
def test_colors_come_out_as_they_went_in(ring_name: str, record: Record, encoding: str,
                                         color: tuple[int, ...]) -> None:
    with FrameWriter(ring_name, FrameFormat(64, 64, encoding), slots=64) as writer:
        recording = record()
        send(writer, stamps(3), np.full((64, 64, len(color)), color, np.uint8))
        recording.wait_for(3)
        video, = recording.stop()
    assert np.abs(play(video)[0][1].mean((0, 1)) - (200, 100, 50)).max() < 4


@pytest.mark.parametrize('encoding', ['mono8', 'yuv422_yuy2'])
def test_grey_stays_grey(ring_name: str, record: Record, encoding: str) -> None:
    form = FrameFormat(64, 64, encoding)
    with FrameWriter(ring_name, form, slots=64) as writer:
        recording = record()
        send(writer, stamps(3), np.full(form.shape, 128, np.uint8))
        recording.wait_for(3)
        video, = recording.stop()
    assert np.abs(play(video)[0][1].mean((0, 1)) - 128).max() < 5


@pytest.mark.parametrize('pattern', ['rggb', 'bggr', 'gbrg', 'grbg'])
def test_a_bayer_mosaic_becomes_colors(ring_name: str, record: Record, pattern: str) -> None:
    levels = [{'b': 200, 'g': 100, 'r': 50}[letter] for letter in pattern]
    mosaic = np.tile(np.array(levels, np.uint8).reshape(2, 2), (32, 32))
    with FrameWriter(ring_name, FrameFormat(64, 64, f'bayer_{pattern}8'), slots=64) as writer:
        recording = record()
        send(writer, stamps(3), mosaic)
        recording.wait_for(3)
        video, = recording.stop()
    inner = play(video)[0][1][8:-8, 8:-8]
    assert np.abs(inner.mean((0, 1)) - (200, 100, 50)).max() < 8


@pytest.mark.parametrize('encoding', ['16UC1', 'mono16'])
def test_depth_is_kept_to_the_bit(ring_name: str, record: Record, encoding: str) -> None:
    images = [picture(number, (49, 65), 'uint16') * 257 for number in range(20)]
    with FrameWriter(ring_name, FrameFormat(49, 65, encoding), slots=64) as writer:
        recording = record(codec='h264')
        for image, stamp in zip(images, stamps(20), strict=True):
            writer.write(image, stamp)
        recording.wait_for(20)
        video, = recording.stop()
    np.testing.assert_array_equal(assert_plays_by_its_stamps(video), images)


@pytest.mark.parametrize('codec', ['auto', 'copy'])
def test_the_cameras_own_jpegs_are_kept_byte_for_byte(
        writer: FrameWriter, record: Record, codec: str) -> None:
    pictures = [cv2.imencode('.jpg', picture(number, (96, 128, 3)))[1] for number in range(60)]
    with FrameWriter(f'{writer.name}.compressed', FrameFormat(96, 128, 'jpeg'),
                     slots=64) as jpegs:
        recording = record(codec=codec)
        for image, stamp in zip(pictures, stamps(60), strict=True):
            jpegs.write(image, stamp)
        recording.wait_for(60)
        video, = recording.stop()
    with need_av().open(str(video)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    assert packets == [image.tobytes() for image in pictures]
    assert_plays_by_its_stamps(video)


def test_other_codecs_take_the_decoded_frames(writer: FrameWriter, record: Record) -> None:
    with FrameWriter(f'{writer.name}.compressed', FrameFormat(96, 128, 'jpeg')):
        recording = record(codec='mpeg4')
        send(writer, stamps(5), IMAGE)
        recording.wait_for(5)
        video, = recording.stop()
    assert lines(video)[0]['codec'] == 'mpeg4'


@pytest.mark.parametrize(('encoding', 'settings', 'text'), [
    ('32FC1', {}, "encoding: 32FC1 cannot be recorded with codec 'auto'"),
    ('bgr8', {'codec': 'copy'}, "encoding: bgr8 cannot be recorded with codec 'copy'"),
    ('jpeg', {'codec': 'h264'}, "encoding: jpeg cannot be recorded with codec 'h264'"),
    ('mono8', {'codec': 'av1'}, '2x2 mono8 cannot be recorded'),
])
def test_what_cannot_be_recorded_is_said_and_leaves_nothing(
        ring_name: str, record: Record, tmp_path: Path, encoding: str,
        settings: dict[str, object], text: str) -> None:
    form = FrameFormat(2, 2, encoding)
    with FrameWriter(ring_name, form) as writer:
        recording = record(**settings)
        writer.write(np.zeros(12 if encoding == 'jpeg' else form.shape, form.dtype), START)
        assert text in recording.fails()
    assert not recording.status.running
    assert not list(tmp_path.iterdir())


def test_an_odd_size_loses_its_last_row_and_column(ring_name: str, record: Record) -> None:
    with FrameWriter(ring_name, FrameFormat(95, 127, 'bgr8'), slots=64) as writer:
        recording = record(codec='h264')
        send(writer, stamps(3), np.zeros((95, 127, 3), np.uint8))
        recording.wait_for(3)
        video, = recording.stop()
    assert play(video)[0][1].shape == (94, 126, 3)


def test_better_quality_is_a_larger_file(writer: FrameWriter, record: Record) -> None:
    sizes = []
    for quality in (20, 90):
        recording = record(quality=quality)
        send(writer, stamps(20), picture(1, (96, 128, 3)))
        recording.wait_for(20)
        sizes.append(recording.stop()[0].stat().st_size)
    assert sizes[0] * 1.5 < sizes[1]


def test_another_size_goes_on_in_a_new_file(writer: FrameWriter, record: Record) -> None:
    recording = record()
    send(writer, stamps(5), IMAGE)
    send(writer, stamps(5, START + 10**9), np.zeros((192, 256, 3), np.uint8))
    recording.wait_for(10)
    first, second = recording.stop()
    assert (len(play(first)), len(play(second))) == (5, 5)
    assert lines(first)[-1]['reason'] == 'now 256x192 bgr8'
    assert (lines(second)[0]['width'], lines(second)[0]['height']) == (256, 192)


def test_a_camera_that_ends_and_comes_again_goes_on_in_a_new_file(
        ring_name: str, record: Record) -> None:
    recording = record()
    for times in (1, 2):
        with FrameWriter(ring_name, FORM, slots=64) as writer:
            send(writer, stamps(5, START + times * 10**9), IMAGE)
            recording.wait_for(5 * times)
        eventually(lambda: not recording.status.file)
    first, second = recording.stop()
    assert lines(first)[-1]['reason'] == f"camera '{ring_name}' has ended: closed"
    assert (len(play(first)), len(play(second))) == (5, 5)


def test_a_camera_that_restarts_at_once_goes_on_in_a_new_file(
        ring_name: str, record: Record) -> None:
    with FrameWriter(ring_name, FORM, slots=64) as writer:
        recording = record()
        send(writer, stamps(5), IMAGE)
        recording.wait_for(5)
        writer.path.unlink()  # as if its file had gone a moment ago
        with FrameWriter(ring_name, FORM, slots=64) as next_writer:
            send(next_writer, stamps(9, START + 10**9), IMAGE)
            recording.wait_for(14)
            first, second = recording.stop()
    assert lines(first)[-1]['reason'] == 'the camera has restarted'
    assert (len(play(first)), len(play(second))) == (5, 9)


def test_files_of_some_minutes_follow_each_other_without_a_gap(
        writer: FrameWriter, record: Record) -> None:
    recording = record(segment_minutes=0.01)  # 0.6 s
    send(writer, stamps(60), IMAGE)
    recording.wait_for(60)
    videos = recording.stop()
    assert len(videos) == 4
    assert [stamp for video in videos for stamp in read_stamps(video)] == stamps(60)
    assert sum(len(assert_plays_by_its_stamps(video)) for video in videos) == 60


@pytest.mark.parametrize(('step', 'files'), [
    (-2 * 10**9, 2), (61 * 10**9, 2), (59 * 10**9, 1), (0, 1), (-10**8, 1)])
def test_stamps_that_jump_begin_a_new_file(writer: FrameWriter, record: Record, step: int,
                                           files: int) -> None:
    recording = record()
    moments = [START, START + 10**8, START + 10**8 + step]
    send(writer, moments, IMAGE)
    recording.wait_for(3)
    videos = recording.stop()
    assert len(videos) == files
    assert [stamp for video in videos for stamp in read_stamps(video)] == moments
    assert sum(len(play(video)) for video in videos) == 3


def test_a_name_that_is_taken_gets_a_number(writer: FrameWriter, record: Record) -> None:
    videos = []
    for _ in range(3):
        recording = record()
        send(writer, [START], IMAGE)
        recording.wait_for(1)
        videos += recording.stop()
    assert [video.stem.partition('Z')[2] for video in videos] == ['', '_2', '_3']


def test_a_slow_encoder_loses_frames_and_says_which(ring_name: str, record: Record) -> None:
    form, count = FrameFormat(720, 1280, 'bgr8'), 40
    image = picture(1, form.shape)
    with FrameWriter(ring_name, form, slots=2) as writer:
        recording = record(codec='h264', preset='medium', quality=100)
        send(writer, stamps(count), image)
        eventually(lambda: recording.status.frames + recording.status.missed == count)
        status = recording.status
        video, = recording.stop()
    assert status.missed > 0
    assert len(assert_plays_by_its_stamps(video)) == status.frames
    gap, last = 0, 99
    for line in lines(video):
        gap += line.get('count', 0)
        if 'frame' in line:
            assert line['sequence'] - last - 1 == gap
            gap, last = 0, line['sequence']
    assert lines(video)[-1]['missed'] == status.missed


def test_what_the_camera_lost_stands_in_the_sidecar(writer: FrameWriter, record: Record) -> None:
    recording = record()
    send(writer, stamps(2), IMAGE)
    recording.wait_for(2)
    writer.count(Word.LOST, 3)
    send(writer, stamps(2, START + 2 * 10**9), IMAGE)
    recording.wait_for(4)
    video, = recording.stop()
    assert events(video, 'lost') == [{'event': 'lost', 'count': 3}]


def test_all_cameras_are_found_and_each_once(ring_name: str, tmp_path: Path) -> None:
    need_av()
    recorder = make_recorder([ALL], tmp_path, RecordingSettings(), logging.getLogger())
    recorder.start()
    ring_path(f'{ring_name}.none').write_bytes(bytes(5000))
    try:
        with FrameWriter(ring_name, FORM), FrameWriter(f'{ring_name}.depth', FORM), \
                FrameWriter(f'{ring_name}.compressed', FrameFormat(96, 128, 'jpeg')):
            recorder.look()
            found = [status.camera for status in recorder.statuses()
                     if status.camera.startswith(ring_name)]
    finally:
        recorder.stop()
    assert found == [ring_name, f'{ring_name}.depth']


@pytest.mark.parametrize('camera', ['../x', '/tmp/x', 'a/b', '.x', '..', '', 'a\0', '*x'])
def test_names_cannot_leave_the_folder(record: Record, tmp_path: Path, camera: str) -> None:
    with pytest.raises(SettingError, match=r'camera name: .* is not allowed'):
        record(camera)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_named(record: Record, tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('no folder')
    for folder in (tmp_path / 'file', tmp_path / 'file' / 'below'):
        with pytest.raises(RecordingError, match=f'folder: {folder}: '):
            record(folder=folder)


def test_a_folder_that_goes_away_ends_the_recording_until_it_is_started_again(
        writer: FrameWriter, record: Record, tmp_path: Path) -> None:
    folder = tmp_path / 'videos'
    recording = record(folder=folder)
    folder.rmdir()
    send(writer, stamps(2), IMAGE)
    assert f'{folder}: No such file or directory' in recording.fails()
    recording.recorder.start()
    assert not recording.status.error
    send(writer, stamps(2), IMAGE)
    recording.wait_for(2)
    assert len(play(*recording.stop())) == 2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a folder with room for 200 kB."""
    folder = tmp_path / 'disk'
    folder.mkdir()
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=200k', 'tmpfs', folder],
                      stderr=subprocess.DEVNULL).returncode:
        pytest.skip('a full disk can be made by root alone')
    yield folder
    subprocess.run(['umount', '--lazy', folder], check=True)


def test_a_full_disk_ends_the_recording_and_what_was_written_plays(
        writer: FrameWriter, record: Record, small_disk: Path) -> None:
    recording = record(folder=small_disk, codec='mpeg4', quality=100)
    image = picture(1, (96, 128, 3))
    moments = iter(stamps(1000))

    def send_on() -> bool:
        send(writer, list(islice(moments, 5)), image)
        return bool(recording.status.error)

    eventually(send_on)
    assert 'No space left on device' in recording.status.error
    assert 'is not whole' in recording.status.error
    part, = small_disk.glob('*.mp4.part')
    written, played = len(read_stamps(part)), len(play(part))
    assert 0 < written - played <= 60  # what came in the last two seconds
    assert played > 0
    part.unlink()
    recording.recorder.start()
    send(writer, stamps(5, START + 10**12), IMAGE)
    recording.wait_for(5)
    assert len(play(*recording.stop())) == 5


def test_a_codec_that_is_not_there_is_named_and_auto_does_without(
        writer: FrameWriter, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    need_av()
    from camera_mp.recording import encoder
    monkeypatch.setitem(encoder._ENCODERS, 'h264', 'libnothing')
    with pytest.raises(SettingError, match="codec: 'h264' needs the encoder libnothing, which "
                       "PyAV's FFmpeg lacks; allowed here: 'auto', 'mpeg4', "):
        record(codec='h264')
    recording = record(codec='auto')
    send(writer, stamps(2), IMAGE)
    recording.wait_for(2)
    assert lines(*recording.stop())[0]['codec'] == 'mpeg4'


def test_a_file_that_is_no_ring_is_an_error_of_that_camera(record: Record,
                                                           ring_name: str) -> None:
    ring_path(ring_name).write_bytes(bytes(5000))
    assert 'magic is 0x0' in record().fails()


def test_frames_from_before_are_left_out(writer: FrameWriter, record: Record) -> None:
    writer.write(IMAGE, START - 10**12)
    recording = record()
    send(writer, stamps(2), IMAGE)
    recording.wait_for(2)
    assert read_stamps(*recording.stop()) == stamps(2)


def test_starting_twice_is_refused(writer: FrameWriter, record: Record) -> None:
    with pytest.raises(RecordingError, match='already recording'):
        record().recorder.start()


def test_other_files_are_no_sidecars(tmp_path: Path) -> None:
    video = tmp_path / 'a.mp4'
    assert read_stamps(video) == []
    for text in ('', '[1]', '{}', 'text', '{"frame": 0, "stamp_ns": 5}', '\xff\0'):
        (tmp_path / 'a.jsonl').write_text(text)
        assert read_stamps(video) == []
    (tmp_path / 'a.jsonl').write_text(
        '{"camera_mp": 1}\n{"frame": 0, "stamp_ns": 5}\n{"event": "lost"}\n'
        '{"frame": 1, "stamp_ns": 7}\n{"frame": 2, "sta')
    assert read_stamps(video) == read_stamps(tmp_path / 'a.mp4.part') == [5, 7]
