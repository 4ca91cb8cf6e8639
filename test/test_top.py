"""The table shows what the rings say."""

import json
import os

from camera_mp.frame import FrameFormat
from camera_mp.ring import FrameWriter, State, Word
from camera_mp.ring.file import domain_id, ring_path
from camera_mp.top import CameraRow, format_table, Monitor
import numpy as np
from programs import run


def _row(name: str, rows: list[CameraRow]) -> CameraRow:
    return next(row for row in rows if row.camera == name)


def test_a_row_is_what_the_ring_says(ring_name: str) -> None:
    with FrameWriter(ring_name, FrameFormat(48, 64, 'mono8')) as writer:
        monitor = Monitor(domain_id())
        row = _row(ring_name, monitor.look())
        assert (row.state, row.size, row.age) == ('starting', None, None)
        writer.count(Word.LOST, 7)
        for _ in range(10):
            writer.write(np.zeros((48, 64), np.uint8))
        row = _row(ring_name, monitor.look())
        assert (row.state, row.size, row.encoding) == ('streaming', '64x48', 'mono8')
        assert (row.lost, row.pid) == (7, os.getpid())
        assert row.framerate and row.framerate > 0 and row.memory and row.age is not None
        writer.set_state(State.STALLED, 'no frame for 3 s')
        assert format_table([_row(ring_name, monitor.look())])[1].endswith('no frame for 3 s')


def test_a_file_that_is_no_ring_is_shown_as_such(ring_name: str) -> None:
    ring_path(ring_name).write_bytes(bytes(5000))
    row = _row(ring_name, Monitor(domain_id()).look())
    assert row.state == 'unreadable'
    assert 'magic is 0x0' in row.reason


def test_what_is_not_known_is_a_dash_and_domains_are_told_apart() -> None:
    rows = [CameraRow('front', 1, 'dead'), CameraRow('front', 2, 'streaming', '640x480', 'bgr8',
                                                     29.96, 0.0123, 0, 3.4, 35_000_000, 9)]
    assert [line.split() for line in format_table(rows)[1:]] == [
        ['1:front', 'dead', *'-------'],
        ['2:front', 'streaming', '640x480', 'bgr8', '30.0', '12', 'ms', '0', '3', '%', '35',
         'MB']]


def test_the_program_prints_a_table_or_json(ring_name: str) -> None:
    with FrameWriter(ring_name, FrameFormat(48, 64, 'mono8')) as writer:
        writer.write(np.zeros((48, 64), np.uint8))
        table = run('-m', 'camera_mp.top', '--once')
        assert table.process.returncode == 0
        assert any(ring_name in line and '64x48' in line for line in table.lines)
        rows = json.loads(run('-m', 'camera_mp.top', '--once', '--json').text)
    assert [row['size'] for row in rows if row['camera'] == ring_name] == ['64x48']
