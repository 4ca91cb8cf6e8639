"""How a stream ends or goes on: timeout, close, death, restart; nothing left unread."""

import subprocess
import sys

from camera_mp.errors import FrameTimeout, RingClosed, WriterDied
from camera_mp.frame import FrameFormat
from camera_mp.ring import FrameReader, FrameWriter, State
from camera_mp.ring.file import ring_path
import numpy as np
import pytest
from ring_processes import PATIENCE, running

SMALL = FrameFormat(2, 3, 'mono8')


def put(writer: FrameWriter, *values: int) -> None:
    for value in values:
        writer.write(np.full(SMALL.shape, value, np.uint8), sequence=value)


def test_no_writer_is_a_timeout(ring_name: str) -> None:
    with pytest.raises(FrameTimeout, match='not running'):
        FrameReader(ring_name).wait(0.05)


def test_frames_before_close_are_read(ring_name: str) -> None:
    with FrameWriter(ring_name, SMALL) as writer:
        reader = FrameReader(ring_name)
        put(writer, 1, 2, 3)
        writer.end('the file is over')
    assert [reader.next(0).sequence for _ in range(3)] == [1, 2, 3]
    for _ in range(2):
        with pytest.raises(RingClosed, match='the file is over'):
            reader.next()


def test_an_ended_ring_stays_until_close(ring_name: str) -> None:
    with FrameWriter(ring_name, SMALL) as writer:
        put(writer, 1)
        writer.end('over')
        reader = FrameReader(ring_name)
        status = reader.status()
        assert status
        assert (status.state, status.reason) == (State.STOPPED, 'over')
        assert reader.wait().sequence == 1
        with pytest.raises(RingClosed, match='over'):
            reader.wait()
    assert reader.status() is None


def test_frames_before_sigkill_are_read(ring_name: str) -> None:
    with running('write', ring_name, 2, 3) as child:
        reader = FrameReader(ring_name)
        for value in (1, 2, 3):
            child.ask(f'write {value} 2 3')
        child.kill()
    assert [reader.next(0).sequence for _ in range(3)] == [1, 2, 3]
    with pytest.raises(WriterDied, match=ring_name):
        reader.next(0.05)
    status = reader.status()
    assert status
    assert not status.alive


def test_a_new_reader_sees_nothing_of_a_dead_writer(ring_name: str) -> None:
    with running('write', ring_name, 2, 3) as child:
        child.ask('write 1 2 3')
        child.kill()
    with pytest.raises(FrameTimeout):
        FrameReader(ring_name).wait(0.05)


@pytest.mark.parametrize('end', ['kill', 'close'])
def test_a_reader_survives_restarts(ring_name: str, end: str) -> None:
    reader = FrameReader(ring_name)
    for value in range(1, 4):
        with running('write', ring_name, 2 * value, 3) as child:
            child.ask(f'write {value} {2 * value} 3')
            frame = reader.next(PATIENCE)
            assert (frame.sequence, frame.number, frame.image.shape) == (value, 1, (2 * value, 3))
            if end == 'close':
                child.ask('close')
            child.kill()
    assert reader.missed == 0


UNCLOSED = """
import os, sys
from camera_mp import FrameFormat, FrameReader, FrameWriter
writer = FrameWriter(sys.argv[1], FrameFormat(2, 3, 'mono8'))
if os.fork() == 0:
    sys.exit()
os.wait()
assert FrameReader(sys.argv[1]).status().alive, 'the forked child took the ring away'
raise SystemExit('forgot to close')
"""


def test_a_program_that_forgets_to_close_leaves_no_file(ring_name: str) -> None:
    result = subprocess.run([sys.executable, '-c', UNCLOSED, ring_name], stderr=subprocess.PIPE)
    assert result.stderr.decode().strip() == 'forgot to close'
    assert not ring_path(ring_name).exists()


def test_a_forgotten_writer_gives_its_name_back(ring_name: str) -> None:
    writer = FrameWriter(ring_name, SMALL)
    writer.write(np.zeros((200, 300), np.uint8))  # it has grown
    del writer
    assert not ring_path(ring_name).exists()
    FrameWriter(ring_name, SMALL).close()
