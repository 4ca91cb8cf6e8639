"""What threads and signal handlers may do to a writer while it works."""

import os
import threading

from camera_mp.errors import RingClosed
from camera_mp.frame import FrameFormat
from camera_mp.ring import FrameReader, FrameWriter, futex, State, Word
import numpy as np
import pytest

SMALL = FrameFormat(2, 3, 'mono8')
LARGE = FrameFormat(200, 300, 'mono8')


def test_state_set_while_the_ring_grows(
        ring_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Growth in one thread cannot come between signal and wake of another."""
    with FrameWriter(ring_name, SMALL) as writer:
        grower = threading.Thread(target=lambda: writer.begin(LARGE))
        wake, before = futex.wake, writer._address

        def wake_late(address: int) -> None:
            monkeypatch.setattr(futex, 'wake', wake)
            grower.start()
            grower.join(0.2)
            assert writer._address == before
            wake(address)
        monkeypatch.setattr(futex, 'wake', wake_late)
        writer.set_state(State.STALLED, 'x')
        grower.join()
        status = FrameReader(ring_name).status()
    assert status
    assert (status.state, status.reason) == (State.STALLED, 'x')


def test_threads_set_states_and_count_while_frames_are_written(ring_name: str) -> None:
    with FrameWriter(ring_name, SMALL) as writer:
        def work() -> None:
            for turn in range(300):
                writer.set_state(State.STALLED, str(turn) * 50)
                writer.count(Word.STALLS)
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        reader = FrameReader(ring_name)
        for height in range(1, 300):
            writer.write(np.zeros((height, 50), np.uint8))
            assert reader.next(5).image.shape == (height, 50)
        for thread in threads:
            thread.join()
        status = reader.status()
    assert status
    assert status.stalls == 900
    assert reader.missed == 0


def test_a_closed_writer_does_not_come_back(ring_name: str) -> None:
    writer = FrameWriter(ring_name, SMALL)
    writer.close()
    with pytest.raises(RingClosed):
        writer.write(np.zeros((200, 300), np.uint8))
    writer.write(np.zeros((2, 3), np.uint8))
    assert not writer.path.exists()


def test_a_reason_that_is_no_text(ring_name: str) -> None:
    with FrameWriter(ring_name, SMALL) as writer:
        writer.set_state(State.STALLED, os.fsdecode(b'/a/\xff.mp4'))
        writer.set_state(State.RECONNECTING, os.fsdecode(b'/b/\xff.mp4'))
        status = FrameReader(ring_name).status()
    assert status
    assert status.reason == r'/b/\udcff.mp4'


def test_a_reason_half_written_is_not_shown_and_the_next_is(ring_name: str) -> None:
    with FrameWriter(ring_name, SMALL) as writer:
        writer._words[Word.REASON_LOCK] += 1  # as a signal that interrupts set_state leaves it
        status = FrameReader(ring_name).status()
        assert status
        assert status.reason == ''
        writer.set_state(State.STALLED, 'next')
        status = FrameReader(ring_name).status()
        assert status
        assert status.reason == 'next'


def test_the_signal_wraps(ring_name: str) -> None:
    with FrameWriter(ring_name, SMALL) as writer:
        writer._signal[0] = 2**32 - 1
        reader = FrameReader(ring_name)
        for value in range(3):
            writer.write(np.full((2, 3), value, np.uint8))
            assert reader.next(1).sequence == value
        assert writer._signal[0] == 2
        assert writer._words[Word.SIGNAL] == 2
