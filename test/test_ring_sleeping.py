"""A reader that waits sleeps in the kernel, and wakes for whatever concerns it."""

import json
import time

from camera_mp.frame import FrameFormat
from camera_mp.ring import file, FrameReader, FrameWriter
import numpy as np
import pytest
from ring_processes import Child, PATIENCE, running

SMALL = FrameFormat(2, 3, 'mono8')


def until_asleep(child: Child) -> None:
    deadline = time.monotonic() + PATIENCE
    while not child.sleeps():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.mark.parametrize(('acts', 'outcome'), [
    (['write 9 2 3'], 'frame 9'), (['state', 'write 9 2 3'], 'frame 9'),
    (['write 9 200 300'], 'frame 9'), (['close'], 'RingClosed')])
def test_a_sleeping_reader_is_woken(ring_name: str, acts: list[str], outcome: str) -> None:
    with running('write', ring_name, 2, 3) as writer:
        writer.ask('write 1 2 3')
        with running('block', ring_name, 2 * PATIENCE, 2 * PATIENCE) as reader:
            for act in acts:
                until_asleep(reader)
                writer.ask(act)
            seen = json.loads(reader.hear())
    assert seen['outcome'] == outcome
    assert seen['seconds'] < PATIENCE  # or it was not the wake that ended its sleep


def test_a_sleeping_reader_notices_a_killed_writer(ring_name: str) -> None:
    with running('write', ring_name, 2, 3) as writer, running(
            'block', ring_name, 0.1, 2.0) as reader:
        until_asleep(reader)
        writer.kill()
        assert json.loads(reader.hear())['outcome'] == 'WriterDied'


def test_a_blocked_reader_sleeps_in_the_kernel(ring_name: str) -> None:
    with FrameWriter(ring_name, SMALL), running('block', ring_name, 0.25, 1.0) as reader:
        seen = json.loads(reader.hear())
    assert seen['outcome'] == 'FrameTimeout'
    assert seen['switches'] >= 1
    assert seen['cpu'] < 0.5


def test_a_killed_reader_is_not_noticed(ring_name: str) -> None:
    with FrameWriter(ring_name, SMALL) as writer, FrameReader(ring_name) as reader:
        with running('block', ring_name, PATIENCE, PATIENCE) as other:
            until_asleep(other)
            other.kill()
        for value in (1, 2):
            writer.write(np.full(SMALL.shape, value, np.uint8), sequence=value)
        assert [reader.next(0).sequence for _ in range(2)] == [1, 2]
    assert not file.ring_path(ring_name).exists()
