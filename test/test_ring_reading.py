"""What is written is read, by each way of reading, and what is missed is counted exactly."""

from camera_mp.errors import FrameTimeout, SettingError
from camera_mp.frame import ENCODINGS, FrameFormat, Pixels
from camera_mp.ring import FrameReader, FrameWriter, State, Word
from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
import numpy as np
import pytest

SMALL = FrameFormat(2, 3, 'mono8')


def put(writer: FrameWriter, *values: int) -> None:
    for value in values:
        writer.write(np.full((2, 3), value, np.uint8), stamp_ns=value, sequence=value)


@settings(deadline=None, database=None, max_examples=150,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(encoding=st.sampled_from(sorted(ENCODINGS)), height=st.integers(1, 40),
       width=st.integers(1, 40), seed=st.integers(0, 2**32 - 1),
       stamp=st.integers(-2**63, 2**63 - 1), sequence=st.integers(0, 2**64 - 1))
def test_every_encoding_and_size_is_read_as_written(
        ring_name: str, encoding: str, height: int, width: int, seed: int, stamp: int,
        sequence: int) -> None:
    form = FrameFormat(height, width, encoding)
    shape = (height * width,) if encoding == 'jpeg' else form.shape
    random = np.random.default_rng(seed)
    image = random.integers(0, 255, shape).astype(form.dtype)
    with FrameWriter(ring_name, FrameFormat(9, 9, encoding)) as writer:
        reader = FrameReader(ring_name)
        if encoding == 'jpeg':
            writer.begin(form, image.size)[:] = image
            writer.commit(stamp, sequence)
        else:
            writer.write(image, stamp, sequence)
        with FrameReader(ring_name).borrow(1) as lent:
            assert not lent.image.flags.writeable
            np.testing.assert_array_equal(lent.image, image)
        frame = reader.wait(1)
    np.testing.assert_array_equal(frame.image, image)
    assert (frame.format, frame.image.dtype) == (form, form.dtype)
    assert (frame.stamp_ns, frame.sequence, frame.number) == (stamp, sequence, 1)
    assert frame.intact


def test_wait_gives_the_newest_and_no_frame_twice(ring_name: str) -> None:
    with FrameWriter(ring_name, SMALL) as writer, FrameReader(ring_name) as reader:
        put(writer, 10, 11, 12)
        assert reader.wait(1).sequence == 12
        with pytest.raises(FrameTimeout, match='streaming'):
            reader.wait(0)
        put(writer, 13)
        with reader.borrow(1) as frame:
            assert frame.sequence == 13
        with pytest.raises(FrameTimeout), reader.borrow(0):
            pass
        assert reader.missed == 0


def test_next_gives_each_in_order(ring_name: str) -> None:
    with FrameWriter(ring_name, SMALL, slots=4) as writer, FrameReader(ring_name) as reader:
        put(writer, 1, 2, 3, 4)
        assert [reader.next(1).sequence for _ in range(2)] == [1, 2]
        with reader.borrow_next(1) as frame:
            assert frame.sequence == 3
        assert reader.next(1).sequence == 4
        assert reader.missed == 0


@settings(deadline=None, database=None, max_examples=40,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(slots=st.integers(2, 64), bursts=st.lists(st.integers(0, 80), min_size=1, max_size=5))
def test_missed_is_exact(ring_name: str, slots: int, bursts: list[int]) -> None:
    with FrameWriter(ring_name, SMALL, slots=slots) as writer:
        reader = FrameReader(ring_name)
        written = missed = 0
        for burst in bursts:
            put(writer, *[written % 251] * burst)
            kept = min(burst, slots)
            numbers = [reader.next(0).number for _ in range(kept)]
            written, missed = written + burst, missed + burst - kept
            assert numbers == list(range(written - kept + 1, written + 1))
            assert reader.missed == missed
            with pytest.raises(FrameTimeout):
                reader.next(0)


def test_the_slot_being_written_is_missed_and_no_other(ring_name: str) -> None:
    with FrameWriter(ring_name, SMALL, slots=3) as writer:
        reader = FrameReader(ring_name)
        put(writer, 1, 2, 3)
        writer.begin()
        assert reader.next(0).sequence == 2
        assert reader.missed == 1


def test_a_new_reader_begins_at_the_newest(ring_name: str) -> None:
    with FrameWriter(ring_name, SMALL) as writer:
        put(writer, 1, 2, 3)
        for read in (FrameReader.wait, FrameReader.next):
            reader = FrameReader(ring_name)
            assert (read(reader, 1).sequence, reader.missed) == (3, 0)


def test_a_borrowed_frame_outlives_ring_and_reader(ring_name: str) -> None:
    with FrameWriter(ring_name, SMALL) as writer:
        reader = FrameReader(ring_name)
        put(writer, 7)
        with reader.borrow(1) as frame:
            reader.close()
        writer.close()
        del reader, writer
        assert frame.image.tolist() == [[7] * 3] * 2
        assert frame.intact


def test_a_borrowed_frame_tells_that_it_was_overwritten(ring_name: str) -> None:
    with FrameWriter(ring_name, SMALL, slots=2) as writer:
        reader = FrameReader(ring_name)
        put(writer, 1)
        with reader.borrow_next(1) as frame:
            put(writer, 2)
            assert frame.intact
            writer.begin()
            assert not frame.intact
        assert reader.missed == 1


def test_a_frame_overwritten_while_its_user_fails_is_missed(ring_name: str) -> None:
    with FrameWriter(ring_name, SMALL, slots=2) as writer:
        reader = FrameReader(ring_name)
        put(writer, 1)
        with pytest.raises(ZeroDivisionError), reader.borrow_next(1):
            put(writer, 2, 3)
            raise ZeroDivisionError
        assert reader.missed == 1


def test_nothing_is_seen_before_commit(ring_name: str) -> None:
    with FrameWriter(ring_name, SMALL) as writer, FrameReader(ring_name) as reader:
        writer.begin()[:] = 5
        with pytest.raises(FrameTimeout, match='starting'):
            reader.next(0)
        writer.begin()[:] = 6
        writer.commit(0, 6)
        assert (reader.next(0).image == 6).all()
        assert reader.missed == 0


def test_status(ring_name: str) -> None:
    assert FrameReader(ring_name).status() is None
    with FrameWriter(ring_name, SMALL) as writer:
        put(writer, 1)
        writer.count(Word.LOST, 2)
        writer.count(Word.STALLS)
        writer.set_framerate(29.97)
        writer.set_state(State.RECONNECTING, 'é' * 400)
        status = FrameReader(ring_name).status()
    assert status and status.newest
    assert (status.state, status.reason[:256]) == (State.RECONNECTING, 'é' * 256)
    assert (status.committed, status.lost, status.stalls, status.reconnects) == (1, 2, 1, 0)
    assert (status.alive, status.framerate, status.newest.sequence) == (True, 29.97, 1)


@pytest.mark.parametrize(('encoding', 'image'), [
    ('mono8', np.zeros((2, 3, 3), np.uint8)), ('mono8', np.zeros((2, 3), np.uint16)),
    ('mono8', np.zeros(6, np.uint8)), ('mono8', np.zeros((0, 3), np.uint8)),
    ('mono8', np.zeros((), np.uint8)), ('bgr8', np.zeros((2, 3, 4), np.uint8)),
    ('mono16', np.zeros((2, 3), '>u2')), ('jpeg', np.zeros((2, 3), np.uint8)),
    ('jpeg', np.zeros(6, np.float32))])
def test_what_does_not_fit_is_refused(ring_name: str, encoding: str, image: Pixels) -> None:
    with FrameWriter(ring_name, FrameFormat(2, 3, encoding)) as writer:
        with pytest.raises(SettingError, match=r'image|size'):
            writer.write(image)
        with pytest.raises(FrameTimeout):
            FrameReader(ring_name).wait(0)
