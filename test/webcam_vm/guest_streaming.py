"""Frames of a webcam on their way into the rings: every one once, as it was sent."""

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import signal
import time

from camera_mp.errors import SourceError
from camera_mp.ring import FrameReader
from camera_mp.sources import source_class
from captures import assert_in_order, capturing, frames, lost, status
import numpy as np
from pictures import jpeg, number_in, numbers_of
from plugged import plugged, video_nodes
from programs import eventually, PATIENCE, run, wait_for_end
import pytest

MJPG = ('--pixel-format', 'MJPG', '--image-width', 640, '--image-height', 480)
YUYV = ('--pixel-format', 'YUYV', '--image-width', 640, '--image-height', 480)


@pytest.mark.parametrize('options', [MJPG, YUYV], ids=['MJPG', 'YUYV'])
def test_pictures_come_once_and_in_order(ring_name: str, options: tuple[object, ...]) -> None:
    with plugged(1) as webcam, capturing(ring_name, webcam.serial, *options):
        read = frames(ring_name, 20)
    assert {frame.image.shape for frame in read} == {(480, 640, 3)}
    numbers = [number_in(frame.image) for frame in read]
    assert set(numbers) <= set(numbers_of(1))
    assert_in_order(read, numbers)


def test_jpegs_are_those_of_the_camera_and_decoded_only_for_readers(ring_name: str) -> None:
    with plugged(0) as webcam, capturing(ring_name, webcam.serial, *MJPG):
        read = frames(f'{ring_name}.compressed', 20)
        now = status(ring_name)
        assert now and now.committed == 0
        decoded = frames(ring_name, 2)
    sent = {jpeg(640, 480, number): number for number in numbers_of(0)}
    assert_in_order(read, [sent[frame.image.tobytes()] for frame in read])
    assert {frame.encoding for frame in read} == {'jpeg'}
    assert_in_order(decoded, [number_in(frame.image) for frame in decoded])


def test_stamps_are_the_time_of_capture(ring_name: str) -> None:
    with plugged(0) as webcam, capturing(ring_name, webcam.serial, *YUYV), FrameReader(
            ring_name) as reader:
        reader.wait(PATIENCE)
        webcam.freeze()
        thawed = time.time_ns()
        webcam.thaw()
        newest = reader.wait(PATIENCE).number
        while (frame := reader.wait(PATIENCE)).number < newest + 5:
            pass  # five buffers may have been filled before
        assert thawed < frame.stamp_ns < time.time_ns()


def test_frames_that_nobody_fetched_are_counted(ring_name: str) -> None:
    with plugged(0) as webcam, capturing(
            ring_name, webcam.serial, *YUYV, '--slots', 64) as capture, FrameReader(
            ring_name) as reader:
        read = [reader.next(PATIENCE)]
        capture.process.send_signal(signal.SIGSTOP)
        sent = webcam.sent()
        eventually(lambda: webcam.sent() > sent + 8)
        capture.process.send_signal(signal.SIGCONT)
        while len(read) < 10:
            read.append(reader.next(PATIENCE))
        gaps = int(np.diff([frame.sequence for frame in read]).sum()) - len(read) + 1
        assert 0 < gaps <= lost(ring_name)
        assert reader.missed == 0
    assert_in_order(read, [number_in(frame.image) for frame in read])


def test_broken_jpegs_are_counted_and_never_published(ring_name: str) -> None:
    compressed = f'{ring_name}.compressed'
    with plugged(0) as webcam, capturing(ring_name, webcam.serial, *MJPG), FrameReader(
            compressed) as reader, FrameReader(ring_name) as decoded:
        read = [reader.next(PATIENCE)]
        before = lost(compressed)
        webcam.spoil('truncated', '', 'garbage', 'garbage', '', 'truncated')
        while lost(compressed) < before + 4:
            read.append(reader.next(PATIENCE))
        decoded.next(PATIENCE)
    sent = {jpeg(640, 480, number): number for number in numbers_of(0)}
    assert_in_order(read, [sent[frame.image.tobytes()] for frame in read])


@pytest.mark.parametrize(('fault', 'nodrop'), [('truncated', 0), ('flagged', 1)])
def test_bad_frames_of_yuyv_are_counted_and_never_published(ring_name: str, fault: str,
                                                            nodrop: int) -> None:
    # with nodrop the driver hands bad frames on, marked; without it leaves a gap
    with _driver_option('nodrop', nodrop), plugged(1) as webcam, capturing(
            ring_name, webcam.serial, *YUYV), FrameReader(ring_name) as reader:
        read = [reader.next(PATIENCE)]
        before = lost(ring_name)
        webcam.spoil(fault, '', fault, fault)
        while lost(ring_name) < before + 3:
            read.append(reader.next(PATIENCE))
    numbers = [number_in(frame.image) for frame in read]
    assert set(numbers) <= set(numbers_of(1))
    assert_in_order(read, numbers)


@contextmanager
def _driver_option(name: str, value: int) -> Iterator[None]:
    option = Path('/sys/module/uvcvideo/parameters') / name
    before = option.read_text()
    option.write_text(str(value))
    try:
        yield
    finally:
        option.write_text(before)


def test_a_killed_capture_leaves_nothing_behind(ring_name: str) -> None:
    with plugged(0) as webcam:
        with capturing(ring_name, webcam.serial, *MJPG) as capture:
            os.kill(capture.process.pid, signal.SIGKILL)
            wait_for_end(capture.process.pid)
        with capturing(ring_name, webcam.serial, *MJPG) as capture:
            frames(ring_name, 2)
            capture.end()
    assert not [path.name for path in Path('/dev/shm').iterdir() if ring_name in path.name]


def test_a_busy_camera_is_one_line_that_names_the_program(ring_name: str) -> None:
    with plugged(0) as webcam, capturing(
            ring_name, webcam.serial, '--framerate', 10) as capture:
        second = run('-m', 'camera_mp.capture', f'{ring_name}.second', '--source', 'v4l2',
                     '--video-device', webcam.serial)
    assert second.process.returncode == 1
    line, = second.lines
    assert 'busy' in line
    assert str(capture.process.pid) in line


def test_what_is_no_camera_is_one_line(ring_name: str) -> None:
    with plugged(0) as webcam:
        metadata = video_nodes(webcam.serial)[1]
        program = run('-m', 'camera_mp.capture', ring_name, '--source', 'v4l2',
                      '--video-device', metadata)
    assert program.process.returncode == 1
    line, = program.lines
    assert f'{metadata} (Emulated Camera' in line
    assert 'is not a capture device' in line


@pytest.mark.parametrize(('device', 'text'), [
    ('/dev/video77', '/dev/video77 does not exist; there is: /dev/video'),
    ('9999', "no camera has the serial number '9999'; there is: /dev/video"),
    ('/dev/null', '/dev/null is not a camera'),
])
def test_a_wrong_device_is_told_what_is_there(device: str, text: str) -> None:
    kind = source_class('v4l2')
    with plugged(0), pytest.raises(SourceError) as error:
        kind(kind.Settings(source='v4l2', video_device=device))
    assert text in str(error.value)
