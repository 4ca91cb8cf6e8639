"""A ring that grows goes on in a larger file: readers follow, numbers and counts go on."""

from camera_mp.errors import RingClosed, WriterDied
from camera_mp.frame import FrameFormat
from camera_mp.ring import FrameReader, FrameWriter, State, Word
import numpy as np
import pytest
from ring_processes import PATIENCE, running

SMALL = FrameFormat(2, 3, 'mono8')
LARGE = FrameFormat(200, 300, 'mono8')


def put(writer: FrameWriter, *values: int, form: FrameFormat = SMALL) -> None:
    for value in values:
        writer.write(np.full(form.shape, value, np.uint8), sequence=value)


def test_next_reads_the_old_file_to_its_end_when_the_ring_grows(ring_name: str) -> None:
    with FrameWriter(ring_name, SMALL) as writer:
        reader, newest = FrameReader(ring_name), FrameReader(ring_name)
        put(writer, 1, 2, 3)
        with FrameReader(ring_name).borrow(0) as lent:
            put(writer, 4, 5, form=LARGE)
        put(writer, 6)
        assert lent.image.tolist() == [[3] * 3] * 2
        frames = [reader.next(0.5) for _ in range(6)]
        assert [newest.wait(0.5).sequence for _ in range(2)] == [3, 6]
    assert [frame.sequence for frame in frames] == [1, 2, 3, 4, 5, 6]
    assert [frame.number for frame in frames] == [1, 2, 3, 4, 5, 6]
    assert [frame.image.shape for frame in frames] == [(2, 3)] * 3 + [(200, 300)] * 2 + [(2, 3)]


def test_what_a_reader_missed_between_two_growths_is_counted(ring_name: str) -> None:
    with FrameWriter(ring_name, SMALL) as writer:
        reader = FrameReader(ring_name)
        put(writer, 1)
        put(writer, 2, 3, 4, form=LARGE)
        put(writer, 5, form=FrameFormat(400, 300, 'mono8'))
        frames = [reader.next(0.5) for _ in range(2)]
    assert [frame.sequence for frame in frames] == [1, 5]
    assert reader.missed == 3


def test_a_reader_made_just_after_growth_has_missed_nothing(ring_name: str) -> None:
    with FrameWriter(ring_name, SMALL) as writer:
        put(writer, 1, 2)
        writer.begin(LARGE)
        reader = FrameReader(ring_name)
        writer.commit(0, 3)
        assert reader.next(0).sequence == 3
        assert reader.missed == 0


def test_what_a_writer_left_after_growth_is_read_though_it_was_killed(ring_name: str) -> None:
    with running('write', ring_name, 2, 3) as child:
        reader = FrameReader(ring_name)
        child.ask('write 1 2 3')
        child.ask('write 2 200 300')
        child.ask('write 3 200 300')
        child.kill()
    assert [reader.next(0.5).sequence for _ in range(3)] == [1, 2, 3]
    with pytest.raises(WriterDied):
        reader.next(0.05)


def test_growth_and_close_at_once_is_an_end(ring_name: str) -> None:
    reader = FrameReader(ring_name)
    with FrameWriter(ring_name, SMALL) as writer:
        put(writer, 1)
        assert reader.next(PATIENCE).sequence == 1
        put(writer, 2, form=LARGE)
    with pytest.raises(RingClosed):
        reader.next(PATIENCE)


def test_growth_keeps_what_the_header_says(ring_name: str) -> None:
    with FrameWriter(ring_name, SMALL) as writer:
        put(writer, 1)
        writer.count(Word.LOST, 3)
        writer.set_framerate(15.0)
        writer.set_state(State.STALLED, 'for a while')
        before = FrameReader(ring_name).status()
        writer.begin(LARGE)
        after = FrameReader(ring_name).status()
    assert before and after
    for what in ('state', 'reason', 'lost', 'framerate', 'generation', 'committed', 'pid'):
        assert getattr(after, what) == getattr(before, what)
