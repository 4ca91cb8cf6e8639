"""
What an ONNX file says of its model: the size of its input, and its metadata.

onnxruntime tells both, but cv2.dnn neither. Numbers of the fields are from onnx.proto
(github.com/onnx/onnx), their encoding from protobuf.dev/programming-guides/encoding.
"""

from dataclasses import dataclass
from operator import index
from pathlib import Path
from typing import Any

from camera_mp.errors import DetectorError

_START = b'\x08'  # key of ir_version: what every writer puts first
_METADATA = 14    # metadata_props of ModelProto
_SHAPE = (7, 11, 2, 1, 2)  # graph, its first input, type, tensor_type, shape
_NEGATIVE = 1 << 63        # and above: what int64 writes for those below 0
_LENGTHS = {1: 8, 5: 4}    # bytes of the wire types of fixed length


@dataclass(frozen=True)
class OnnxFacts:
    """
    What the file says.

    shape: of its first input; 0 for a side that is free. metadata: what its exporter added.
    """

    shape: tuple[int, ...]
    metadata: dict[str, str]


def read_onnx(path: Path) -> OnnxFacts:
    """Read them; DetectorError if there is no such file, or it is not a whole ONNX file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DetectorError(f'model: {path}: {error.strerror}') from None
    if not data.startswith(_START):
        raise DetectorError(f'model: {path} is not an ONNX file')
    try:
        return _facts(memoryview(data))
    except (IndexError, KeyError, TypeError, UnicodeDecodeError):
        raise DetectorError(f'model: {path} is not an ONNX file, or a truncated one') from None


def _facts(model: memoryview) -> OnnxFacts:
    shape = model
    for number in _SHAPE:
        shape = _fields(shape)[number][0]
    dimensions = [_fields(dimension) for dimension in _fields(shape).get(1, [])]
    pairs = [_fields(pair) for pair in _fields(model).get(_METADATA, [])]
    sides = [index(dimension.get(1, [0])[0]) for dimension in dimensions]
    return OnnxFacts(tuple(side if side < _NEGATIVE else 0 for side in sides),
                     {str(pair[1][0], 'utf-8'): str(pair[2][0], 'utf-8') for pair in pairs})


def _fields(message: memoryview) -> dict[int, list[Any]]:
    """Give the values of each field by its number; IndexError if one is longer than the rest."""
    found: dict[int, list[Any]] = {}
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        if key & 7 == 0:
            value, position = _varint(message, position)
            found.setdefault(key >> 3, []).append(value)
            continue
        if key & 7 == 2:
            length, position = _varint(message, position)
        else:
            length = _LENGTHS[key & 7]
        if position + length > len(message):
            raise IndexError
        found.setdefault(key >> 3, []).append(message[position:position + length])
        position += length
    return found


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    """Give the number at a position, seven bits a byte, and the position after it."""
    number = shift = 0
    while message[position] >= 0x80:
        number |= (message[position] & 0x7F) << shift
        shift, position = shift + 7, position + 1
    return number | message[position] << shift, position + 1
