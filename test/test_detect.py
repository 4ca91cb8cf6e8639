"""The detect program by itself: one JSON line a picture, one clear line for what is no picture."""

import json
from pathlib import Path
import signal
import subprocess
import sys
from typing import Any

from camera_mp.sources.synthetic import SyntheticSettings, SyntheticSource
import cv2
import numpy as np
from programs import Program, ROOT, run
import pytest
from test_source_video import make_video

DETECT = ('-m', 'camera_mp.detect')
OWN_DETECTOR = """
from dataclasses import dataclass
from camera_mp.detectors import Detection, Detector, DetectorSettings
from camera_mp.errors import DetectorError
from camera_mp.settings import setting

@dataclass(frozen=True)
class Settings(DetectorSettings):
    limit: float = setting(100.0, 'Mean from which on a picture is bright.', low=0.0, high=255.0)
    fail: bool = setting(False, 'Refuse dark pictures.')

class Bright(Detector):
    Settings = Settings

    def __init__(self, settings):
        self.settings = settings

    def detect(self, image, calibration=None):
        if image.mean() > self.settings.limit:
            return [Detection('bright', 1.0, (0.0, 0.0, 2.0, 1.0))]
        if self.settings.fail:
            raise DetectorError('too dark')
        return []
"""


@pytest.fixture
def markers(tmp_path: Path) -> str:
    """Write a picture of the synthetic source; give its name."""
    source = SyntheticSource(SyntheticSettings())
    source.grab()
    image = np.empty(source.streams[0].format.shape, np.uint8)
    source.read_into(source.streams[0], image)
    cv2.imwrite(str(tmp_path / 'markers.png'), image)
    return str(tmp_path / 'markers.png')


@pytest.fixture
def bright(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give a detector that is of nobody's package."""
    (tmp_path / 'own_detector.py').write_text(OWN_DETECTOR)
    monkeypatch.setenv('PYTHONPATH', str(tmp_path), prepend=':')
    return 'own_detector:Bright'


def _lines(program: Program) -> list[dict[str, Any]]:
    return [json.loads(line) for line in program.lines if line.startswith('{')]


def test_a_picture_is_one_line(markers: str) -> None:
    detect = run(*DETECT, markers, '--detector', 'aruco')
    line, = _lines(detect)
    assert detect.process.returncode == 0
    assert (line['file'], line['width'], line['height']) == (markers, 640, 480)
    assert sorted(found['class_id'] for found in line['detections']) == ['0', '1', '2', '3']
    assert {len(found['corners']) for found in line['detections']} == {4}
    assert 'frame' not in line


def test_a_video_is_a_line_for_each_frame(tmp_path: Path) -> None:
    path = make_video(tmp_path / 'a.avi', frames=5)
    detect = run(*DETECT, '--detector', 'motion', '--min-area', '50', path)
    assert detect.process.returncode == 0
    assert [(line['file'], line['frame']) for line in _lines(detect)] == [
        (str(path), number) for number in range(5)]


def test_what_is_broken_is_one_line_and_the_rest_goes_on(markers: str, tmp_path: Path) -> None:
    (tmp_path / 'text.txt').write_text('no picture')
    (tmp_path / 'cut.png').write_bytes(Path(markers).read_bytes()[:60])
    names = [str(tmp_path / name) for name in ('none.png', 'text.txt', 'cut.png')]
    detect = run(*DETECT, *names, tmp_path, markers)
    assert detect.process.returncode == 1
    assert [line['file'] for line in _lines(detect)] == [markers]
    unreadable = 'neither a picture nor a video that OpenCV can read'
    assert [line for line in detect.lines if line.startswith('detect:')] == [
        f'detect: {names[0]}: No such file or directory', f'detect: {names[1]}: {unreadable}',
        f'detect: {names[2]}: {unreadable}', f'detect: {tmp_path}: Is a directory']


def test_a_detector_of_ones_own_with_its_options(markers: str, bright: str) -> None:
    line, = _lines(run(*DETECT, markers, '--detector', bright))
    assert line['detections'] == [
        {'class_id': 'bright', 'score': 1.0, 'box': [0, 0, 2, 1], 'corners': [], 'pose': None}]
    line, = _lines(run(*DETECT, markers, '--detector', bright, '--limit', '250'))
    assert line['detections'] == []


def test_what_a_detector_refuses_is_one_line(markers: str, bright: str) -> None:
    detect = run(*DETECT, markers, markers, '--detector', bright, '--limit', '250', '--fail')
    assert detect.lines == [f'detect: {markers}: too dark'] * 2
    assert detect.process.returncode == 1


@pytest.mark.parametrize(('arguments', 'text'), [
    (['--detector', 'x'], "detector: 'x' is unknown; allowed: aruco, motion, people, yolo"),
    (['--detector', 'yolo'], "model: '' names nothing; allowed: an ONNX file"),
    (['--detector', 'yolo', '--model', '/nowhere'], 'model: /nowhere: No such file or directory'),
    (['--detector', 'motion', '--scale', '2'], 'scale: 2.0 is not allowed; allowed: 0.05 to 1.0'),
])
def test_bad_options_are_one_line_and_code_1(
        markers: str, arguments: list[str], text: str) -> None:
    detect = run(*DETECT, markers, *arguments)
    assert detect.process.returncode == 1
    line, = detect.lines
    assert line.startswith(f'detect: {text}')


def test_it_ends_quietly_when_nobody_reads_on(tmp_path: Path) -> None:
    files = [make_video(tmp_path / 'a.avi')] * 100  # more lines than fit in a pipe
    with subprocess.Popen([sys.executable, *DETECT, *files], cwd=ROOT, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as detect:
        assert detect.stdout and detect.stderr
        assert json.loads(detect.stdout.readline())['frame'] == 0
        detect.stdout.close()
        assert detect.stderr.read() == ''
    assert detect.returncode == -signal.SIGPIPE


def test_help_shows_the_options_of_the_detector() -> None:
    text = run(*DETECT, '--detector', 'yolo', '--help').text
    assert 'usage: python -m camera_mp.detect' in text
    assert all(option in text for option in ('--confidence', '--class-names', '0.0 to 1.0'))
