"""Reads what a viewer has written, back out of an .rrd file."""

from importlib import import_module
from pathlib import Path
import socket
from typing import Any

from camera_mp.frame import Pixels
import cv2
import numpy as np

Row = dict[str, Any]


def read(path: Path) -> dict[str, list[Row]]:
    """Give the rows of each entity in the order of their stamps: component to its value."""
    rows: dict[str, list[Row]] = {}
    for chunk in import_module('rerun.chunk').RrdReader(path).stream().to_chunks():
        if not chunk.entity_path.startswith('/__'):  # what Rerun says of the file
            batch = chunk.to_record_batch()
            rows.setdefault(chunk.entity_path, []).extend(
                _row(batch, number) for number in range(batch.num_rows))
    return {entity: sorted(found, key=stamp_ns) for entity, found in rows.items()}


def _row(batch: Any, number: int) -> Row:
    row = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        scalar = column[number]
        # Python's own datetime has no nanoseconds
        row[name.rpartition(':')[2]] = scalar.value if name == 'stamp' else scalar.as_py()
    return {name: value for name, value in row.items() if value is not None}


def stamp_ns(row: Row) -> int:
    """Give the stamp of a row; 0 of what holds for all times."""
    return int(row.get('stamp', 0))


def pixels(row: Row) -> Pixels:
    """Decode a row's picture as OpenCV does: BGR."""
    picture = cv2.imdecode(np.frombuffer(bytes(row['blob'][0]), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(('', 0))
        port: int = listener.getsockname()[1]
        return port
