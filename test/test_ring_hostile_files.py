"""A file that is no ring, or a ring gone wrong, is an error or a timeout: never a crash."""

from collections.abc import Iterator
import fcntl
import json

from camera_mp.frame import FrameFormat
from camera_mp.ring import file, FrameReader, FrameWriter, Word
from camera_mp.ring.layout import PAGE, SLOT_LINE
from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from ring_processes import Child, running

NORMAL = {'frame', 'FrameTimeout', 'RingClosed', 'WriterDied', 'RingCorrupt'}
FORM = FrameFormat(4, 5, 'bgr8')
FUZZ = settings(deadline=None, database=None, max_examples=120,
                suppress_health_check=[HealthCheck.function_scoped_fixture])
WORDS = (st.integers(0, 2**64 - 1) | st.integers(0, 2**16) | st.just(2**64 - 1)
         | st.integers(0, 63).map(lambda bit: 1 << bit))


class Ring:
    """Bytes of a good ring, and a process that looks at what becomes of them."""

    def __init__(self, name: str, child: Child) -> None:
        self._child = child
        with FrameWriter(name, FORM, slots=2) as writer:
            for number in range(2):
                writer.write(np.full(FORM.shape, number, np.uint8))
            self.path = writer.path
            self.good = writer.path.read_bytes()

    def look(self, data: bytes) -> set[str]:
        """Put the bytes in place, as if their writer lived, and give all outcomes."""
        self.path.unlink(missing_ok=True)
        with self.path.open('wb') as living:
            living.write(data)
            living.flush()
            fcntl.lockf(living, fcntl.LOCK_EX)
            outcomes = set(json.loads(self._child.ask('look') or '["crash"]'))
        assert outcomes <= NORMAL
        return outcomes


@pytest.fixture
def ring(ring_name: str) -> Iterator[Ring]:
    """Give a ring to spoil."""
    with running('look', ring_name) as child:
        yield Ring(ring_name, child)


def test_the_good_one_is_read(ring: Ring) -> None:
    assert ring.look(ring.good) == {'frame'}


@pytest.mark.parametrize('word', [Word.MAGIC, Word.VERSION, Word.SIZE, Word.SLOTS, Word.STRIDE,
                                  Word.PAYLOAD])
@FUZZ
@given(value=WORDS)
def test_a_wrong_word_of_the_layout_is_told(ring: Ring, word: Word, value: int) -> None:
    data = bytearray(ring.good)
    good = bytes(data[word * 8:word * 8 + 8])
    data[word * 8:word * 8 + 8] = value.to_bytes(8, 'little')
    same = value.to_bytes(8, 'little') == good
    assert ring.look(bytes(data)) == ({'frame'} if same else {'RingCorrupt'})


@FUZZ
@given(word=st.integers(0, PAGE // 8 - 1), value=WORDS)
def test_any_word_of_the_header(ring: Ring, word: int, value: int) -> None:
    data = bytearray(ring.good)
    data[word * 8:word * 8 + 8] = value.to_bytes(8, 'little')
    ring.look(bytes(data))


@FUZZ
@given(word=st.integers(0, SLOT_LINE // 4 - 1), value=WORDS, slot=st.integers(0, 1))
def test_any_word_of_a_slot(ring: Ring, word: int, value: int, slot: int) -> None:
    data = bytearray(ring.good)
    start = PAGE + slot * PAGE + word * 4
    data[start:start + 4] = value.to_bytes(8, 'little')[:4]
    ring.look(bytes(data))


@FUZZ
@given(encoding=st.sampled_from([b'jpeg', b'32FC1', b'mono16', b'bgra8', b'nonsense', b'\xff']),
       numbers=st.tuples(*[st.integers(0, 2**32 - 1) | st.integers(0, 300)] * 4))
def test_any_sizes_in_a_slot(
        ring: Ring, encoding: bytes, numbers: tuple[int, int, int, int]) -> None:
    data = bytearray(ring.good)
    fields = b''.join(number.to_bytes(4, 'little') for number in numbers)
    data[2 * PAGE + 24:2 * PAGE + 64] = fields + encoding.ljust(24, b'\0')
    ring.look(bytes(data))


@FUZZ
@given(changes=st.lists(st.tuples(st.integers(0, PAGE + 200), st.integers(0, 255)), max_size=30))
def test_any_bytes(ring: Ring, changes: list[tuple[int, int]]) -> None:
    data = bytearray(ring.good)
    for where, value in changes:
        data[where] = value
    ring.look(bytes(data))


@FUZZ
@given(data=st.data())
def test_any_length(ring: Ring, data: st.DataObject) -> None:
    length = data.draw(st.integers(0, len(ring.good) - 1))
    assert ring.look(ring.good[:length]) == {'RingCorrupt'}


def test_a_longer_file(ring: Ring) -> None:
    assert ring.look(ring.good + bytes(1)) == {'RingCorrupt'}


@FUZZ
@given(garbage=st.binary(max_size=9000))
def test_a_writer_clears_away_any_dead_file(ring_name: str, garbage: bytes) -> None:
    file.ring_path(ring_name).write_bytes(garbage)
    with FrameWriter(ring_name, FORM) as writer:
        writer.write(np.zeros(FORM.shape, np.uint8))
        assert FrameReader(ring_name).wait(1).number == 1


def test_rows_with_padding_are_read(ring: Ring, ring_name: str) -> None:
    data = bytearray(ring.good)
    start = 2 * PAGE
    data[start + 32:start + 40] = (20).to_bytes(4, 'little') + (80).to_bytes(4, 'little')
    data[start + 64:start + 144] = bytes(range(80))
    assert ring.look(bytes(data)) == {'frame'}
    with ring.path.open('rb+') as living:
        fcntl.lockf(living, fcntl.LOCK_EX)
        status = FrameReader(ring_name).status()
    assert status and status.newest
    assert status.newest.image[:, 0, 0].tolist() == [0, 20, 40, 60]
