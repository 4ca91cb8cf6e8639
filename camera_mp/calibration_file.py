"""
Calibrations in the YAML that the ROS calibrators write and drivers read.

A file of camera_calibration or camera_calibration_parsers is written back byte for byte.
"""

from collections.abc import Sequence
import math
from pathlib import Path
import re
from typing import Any

from camera_mp.atomic_file import write_atomically
from camera_mp.calibration import Calibration, MATRICES, SIZES
from camera_mp.errors import SettingError
import yaml

_DEFAULT_MODEL = 'plumb_bob'  # of a file that names none, as camera_calibration_parsers has it
_PLAIN = re.compile(r'[A-Za-z_][A-Za-z0-9_./-]*')  # text that needs no quotes in YAML

# camera_calibration_parsers writes them too; no camera here bins pixels or sends a part
_BINNING = ('binning_x', 'binning_y')
_ROI = ('x_offset', 'y_offset', 'height', 'width')


def read_calibration(path: str | Path) -> Calibration:
    """Read a file; SettingError names it and the field that is wrong."""
    try:
        return parse_calibration(Path(path).read_bytes().decode())
    except OSError as error:
        raise SettingError(f'{path}: {error.strerror}') from None
    except (UnicodeDecodeError, SettingError) as error:
        raise SettingError(f'{path}: {error}') from None


def save_calibration(path: str | Path, calibration: Calibration) -> None:
    """Write a file in one step, and its folders; SettingError says why it cannot be."""
    try:
        write_atomically(path, format_calibration(calibration).encode())
    except OSError as error:
        raise SettingError(f'{path}: {error.strerror}') from None


def parse_calibration(text: str) -> Calibration:
    """Read the text of a file; SettingError names the field that is wrong."""
    try:
        tree = yaml.load(text, yaml.BaseLoader)  # every value as text: a name like 1e5 stays one
    except yaml.YAMLError as error:
        raise SettingError(' '.join(str(error).split())) from None
    if not isinstance(tree, dict):
        raise SettingError('no calibration; expected image_width: and the other keys that '
                           'camera_calibration writes')
    _refuse_parts(tree)
    width, height = (_integer(tree, key) for key in SIZES.values())
    d, k, r, p = (_matrix(tree, MATRICES[name]) for name in 'dkrp')
    return Calibration(width, height, _text(tree, 'distortion_model', _DEFAULT_MODEL), d, k, r, p,
                       _text(tree, 'camera_name', ''), text)


def format_calibration(calibration: Calibration) -> str:
    """Give the text it was read from, or else the one camera_calibration_parsers would write."""
    if calibration.text and parse_calibration(calibration.text) == calibration:
        return calibration.text
    return '\n'.join([
        f'image_width: {calibration.width}', f'image_height: {calibration.height}',
        f'camera_name: {_scalar(calibration.camera_name)}',
        *_lines('camera_matrix', 3, calibration.k),
        f'distortion_model: {_scalar(calibration.distortion_model)}',
        *_lines('distortion_coefficients', 1, calibration.d),
        *_lines('rectification_matrix', 3, calibration.r),
        *_lines('projection_matrix', 3, calibration.p),
        *(f'{key}: 0' for key in _BINNING),
        'roi:', *(f'  {key}: 0' for key in _ROI), '  do_rectify: false'])


def _refuse_parts(tree: dict[str, Any]) -> None:
    for key in _BINNING:
        if tree.get(key, '0') not in ('0', '1'):
            raise SettingError(f'{key}: {tree[key]!r} is not allowed; allowed: 0, 1')
    roi = tree.get('roi')
    for key in _ROI:
        if isinstance(roi, dict) and roi.get(key, '0') != '0':
            raise SettingError(f'roi {key}: {roi[key]!r} is not allowed; allowed: 0')


def _get(tree: dict[str, Any], key: str) -> Any:
    if key not in tree:
        raise SettingError(f'{key}: missing')
    return tree[key]


def _integer(tree: dict[str, Any], key: str) -> int:
    text = _get(tree, key)
    if not isinstance(text, str) or not re.fullmatch('[0-9]{1,9}', text):
        raise SettingError(f'{key}: {text!r} is no whole number')
    return int(text)


def _text(tree: dict[str, Any], key: str, default: str) -> str:
    text = tree.get(key, default)
    if not isinstance(text, str):
        raise SettingError(f'{key}: {text!r} is no text')
    return text


def _matrix(tree: dict[str, Any], key: str) -> tuple[float, ...]:
    matrix = _get(tree, key)
    if not isinstance(matrix, dict) or not isinstance(matrix.get('data'), list):
        raise SettingError(f'{key}: expected rows:, cols: and data: [...] below it')
    try:
        rows, columns = _integer(matrix, 'rows'), _integer(matrix, 'cols')
    except SettingError as error:
        raise SettingError(f'{key}: {error}') from None
    data = tuple(_number(key, text) for text in matrix['data'])
    if len(data) != rows * columns:
        raise SettingError(f'{key}: {len(data)} numbers; its rows and cols say {rows}x{columns}')
    return data


def _number(key: str, text: object) -> float:
    try:
        return float(str(text).replace('.nan', 'nan').replace('.inf', 'inf'))  # YAML's names
    except ValueError:
        raise SettingError(f'{key}: {text!r} is no number') from None


def _scalar(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    quoted: str = yaml.dump(text, default_style='"', allow_unicode=True, width=math.inf)
    return quoted.rstrip('\n')


def _lines(key: str, rows: int, numbers: Sequence[float]) -> list[str]:
    # 17 digits, as yaml-cpp writes a double: none loses a bit
    data = ', '.join(f'{number:.17g}' for number in numbers)
    return [f'{key}:', f'  rows: {rows}', f'  cols: {len(numbers) // rows}', f'  data: [{data}]']
