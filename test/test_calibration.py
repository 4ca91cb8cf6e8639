"""Calibration files: what the ROS calibrators wrote is read, and written back byte for byte."""

from dataclasses import replace
import os
from pathlib import Path

from camera_mp.calibration import Calibration
from camera_mp.calibration_file import (
    format_calibration,
    parse_calibration,
    read_calibration,
    save_calibration,
)
from camera_mp.errors import SettingError
from hypothesis import given
from hypothesis import strategies as st
import pytest

# camera_calibration's cameracalibrator: numpy's columns, five digits, a newline at the end
BY_CALIBRATOR = """\
image_width: 640
image_height: 480
camera_name: narrow_stereo
camera_matrix:
  rows: 3
  cols: 3
  data: [438.78295,   0.     , 305.5931 ,
           0.     , 437.30214, 243.73855,
           0.     ,   0.     ,   1.     ]
distortion_model: plumb_bob
distortion_coefficients:
  rows: 1
  cols: 5
  data: [-0.361976, 0.110510, 0.001014, 0.000505, 0.000000]
rectification_matrix:
  rows: 3
  cols: 3
  data: [1., 0., 0.,
         0., 1., 0.,
         0., 0., 1.]
projection_matrix:
  rows: 3
  cols: 4
  data: [393.65393,   0.     , 322.79723,   0.     ,
           0.     , 241.09066, 256.8166 ,   0.     ,
           0.     ,   0.     ,   1.     ,   0.     ]
"""

# camera_calibration_parsers, which drivers save set_camera_info with: every bit, no last newline
BY_PARSERS = """\
image_width: 640
image_height: 480
camera_name: front
camera_matrix:
  rows: 3
  cols: 3
  data: [438.78300000000002, 0, 305.5933, 0, 437.30000000000001, 243.69999999999999, 0, 0, 1]
distortion_model: rational_polynomial
distortion_coefficients:
  rows: 1
  cols: 8
  data: [-0.36199999999999999, 1.0000000000000001e-05, 0, 0, 0, 0, 0, 0]
rectification_matrix:
  rows: 3
  cols: 3
  data: [1, 0, 0, 0, 1, 0, 0, 0, 1]
projection_matrix:
  rows: 3
  cols: 4
  data: [393.5, 0, 322.75, 0, 0, 241, 256.75, 0, 0, 0, 1, 0]
binning_x: 0
binning_y: 0
roi:
  x_offset: 0
  y_offset: 0
  height: 0
  width: 0
  do_rectify: false"""

_numbers = st.floats(allow_nan=False, allow_infinity=False)
_calibrations = st.builds(
    Calibration, st.integers(1, 65535), st.integers(1, 65535), st.text(),
    st.lists(_numbers, max_size=14).map(tuple),
    *(st.lists(_numbers, min_size=count, max_size=count).map(tuple) for count in (9, 9, 12)),
    st.text())


@given(_calibrations)
def test_what_is_written_reads_back_the_same(calibration: Calibration) -> None:
    text = format_calibration(calibration)
    assert parse_calibration(text) == calibration
    assert format_calibration(parse_calibration(text)) == text


@pytest.mark.parametrize('text', [BY_CALIBRATOR, BY_PARSERS, f'# by hand\n{BY_PARSERS}\n'])
def test_a_file_is_written_back_byte_for_byte(tmp_path: Path, text: str) -> None:
    path = tmp_path / 'front.yaml'
    path.write_bytes(text.encode())
    save_calibration(tmp_path / 'again.yaml', read_calibration(path))
    assert (tmp_path / 'again.yaml').read_bytes() == text.encode()


def test_its_own_layout_is_that_of_camera_calibration_parsers() -> None:
    assert format_calibration(replace(parse_calibration(BY_PARSERS), text='')) == BY_PARSERS


def test_what_a_calibrator_wrote_is_understood() -> None:
    calibration = parse_calibration(BY_CALIBRATOR)
    assert (calibration.width, calibration.height, calibration.camera_name) == (
        640, 480, 'narrow_stereo')
    assert calibration.k == (438.78295, 0, 305.5931, 0, 437.30214, 243.73855, 0, 0, 1)
    assert calibration.d == (-0.361976, 0.11051, 0.001014, 0.000505, 0)
    assert calibration.p[5] == 241.09066


def test_a_changed_calibration_is_not_written_as_it_was_read() -> None:
    changed = replace(parse_calibration(BY_CALIBRATOR), width=320)
    assert parse_calibration(format_calibration(changed)) == changed


@pytest.mark.parametrize(('old', 'new', 'text'), [
    ('image_width: 640\n', '', 'image_width: missing'),
    ('image_width: 640', 'image_width: 640.5', "image_width: '640.5' is no whole number"),
    ('image_width: 640', 'image_width: 0', 'image_width: 0 is not allowed; allowed: 1 to 65535'),
    ('438.78295', '.nan', 'camera_matrix: nan is not allowed; allowed: finite numbers'),
    ('438.78295', 'wide', "camera_matrix: 'wide' is no number"),
    ('438.78295,', '', 'camera_matrix: 8 numbers; its rows and cols say 3x3'),
    ('rows: 3\n  cols: 4', 'cols: 4', 'projection_matrix: rows: missing'),
    ('camera_matrix:', 'camera_matrix: none\nelse:',
     'camera_matrix: expected rows:, cols: and data: [...] below it'),
    ('image_width: 640', 'image_width: 640\nbinning_x: 2',
     "binning_x: '2' is not allowed; allowed: 0, 1"),
    ('image_width: 640', 'image_width: 640\nroi: {width: 3}',
     "roi width: '3' is not allowed; allowed: 0"),
    ('image_width: 640', 'image_width: [', 'expected'),
    (BY_CALIBRATOR, '', 'no calibration; expected image_width:'),
])
def test_a_wrong_file_is_one_line_with_its_field(tmp_path: Path, old: str, new: str,
                                                 text: str) -> None:
    path = tmp_path / 'front.yaml'
    assert old in BY_CALIBRATOR
    path.write_text(BY_CALIBRATOR.replace(old, new))
    with pytest.raises(SettingError) as caught:
        read_calibration(path)
    assert str(caught.value).startswith(f'{path}: ')
    assert text in str(caught.value)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize(('content', 'text'), [
    (None, 'No such file or directory'), (b'\xff', "can't decode byte 0xff"),
    (b'\0', 'special characters are not allowed')])
def test_what_cannot_be_read_is_one_line(tmp_path: Path, content: bytes | None,
                                         text: str) -> None:
    path = tmp_path / 'front.yaml'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingError, match=text):
        read_calibration(path)


def test_saving_makes_folders_and_follows_a_link(tmp_path: Path) -> None:
    real = tmp_path / 'real' / 'front.yaml'
    link = tmp_path / 'link.yaml'
    link.symlink_to(real)
    save_calibration(link, parse_calibration(BY_PARSERS))
    assert link.is_symlink()
    assert read_calibration(real) == parse_calibration(BY_PARSERS)
    assert real.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_save_that_fails_leaves_all_as_it_was(tmp_path: Path,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / 'front.yaml'
    path.write_text(BY_CALIBRATOR)

    def full(fd: int) -> None:
        raise OSError(28, 'No space left on device')
    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(SettingError, match=f'{path}: No space left on device'):
        save_calibration(path, parse_calibration(BY_PARSERS))
    assert path.read_text() == BY_CALIBRATOR
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    with pytest.raises(SettingError, match=r'Not a directory|File exists'):
        save_calibration(tmp_path / 'file' / 'front.yaml', parse_calibration(BY_PARSERS))
