"""Capture processes of emulated webcams, and what can be told of the frames they write."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from camera_mp.frame import Frame
from camera_mp.ring import FrameReader, RingMapping, RingStatus, State
from camera_mp.ring.file import ring_path
import numpy as np
from pictures import COUNT
from programs import eventually, PATIENCE, Program, running


@contextmanager
def capturing(ring: str, device: str, *options: object) -> Iterator[Program]:
    """Run a capture and wait until it streams; it must end well."""
    with running('-m', 'camera_mp.capture', ring, '--source', 'v4l2', '--video-device', device,
                 *options) as program:
        eventually(lambda: state(ring) == State.STREAMING or program.process.poll() is not None)
        yield program
        assert 'Traceback' not in program.text, program.text


def status(ring: str) -> RingStatus | None:
    """Tell what a capture does, without becoming a reader of its frames."""
    mapping = RingMapping.open(ring_path(ring))
    return mapping.status() if mapping else None


def state(ring: str) -> State | None:
    """Tell the state of a capture; None if it does not run."""
    now = status(ring)
    return now.state if now and now.alive else None


def lost(ring: str) -> int:
    """Give the frames that a capture counts as lost."""
    now = status(ring)
    assert now
    return now.lost


def frames(ring: str, count: int) -> list[Frame]:
    """Read the next frames, none left out that the ring still has."""
    with FrameReader(ring) as reader:
        return [reader.next(PATIENCE) for _ in range(count)]


def assert_in_order(read: Sequence[Frame], numbers: Sequence[int]) -> None:
    """Check that no picture came twice and that each gap is one in the sequence numbers too."""
    sequences = [frame.sequence for frame in read]
    assert all(np.diff(sequences) > 0)
    assert all(np.diff([frame.stamp_ns for frame in read]) > 0)
    offsets = {(number - sequence) % COUNT
               for number, sequence in zip(numbers, sequences, strict=True)}
    assert len(offsets) == 1, list(zip(numbers, sequences, strict=True))
