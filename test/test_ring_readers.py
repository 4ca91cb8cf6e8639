"""A writer can tell whether anybody reads its ring."""

import signal

from camera_mp import FrameFormat, FrameReader, FrameWriter
from camera_mp.ring import RingMapping
import numpy as np
from programs import eventually, running

FORM = FrameFormat(48, 64, 'mono8')
READ = 'import camera_mp, signal, sys; reader = camera_mp.FrameReader(sys.argv[1]); signal.pause()'


def test_a_reader_is_seen_from_its_making_to_its_close(ring_name: str) -> None:
    with FrameWriter(ring_name, FORM) as writer:
        assert not writer.has_readers()
        first, second = FrameReader(ring_name), FrameReader(ring_name)
        assert writer.has_readers()
        first.close()
        assert writer.has_readers()
        second.close()
        assert not writer.has_readers()


def test_who_only_looks_at_the_status_is_no_reader(ring_name: str) -> None:
    with FrameWriter(ring_name, FORM) as writer:
        ring = RingMapping.open(writer.path)
        assert ring
        assert ring.status()
        assert not writer.has_readers()


def test_a_killed_reader_is_gone(ring_name: str) -> None:
    with FrameWriter(ring_name, FORM) as writer, running('-c', READ, ring_name) as reader:
        eventually(writer.has_readers)
        reader.process.send_signal(signal.SIGKILL)
        eventually(lambda: not writer.has_readers())


def test_readers_follow_into_a_larger_file(ring_name: str) -> None:
    with FrameWriter(ring_name, FORM) as writer, FrameReader(ring_name) as reader:
        writer.write(np.zeros((480, 640), np.uint8))
        assert not writer.has_readers()
        assert reader.next(1.0).image.shape == (480, 640)
        assert writer.has_readers()


def test_a_new_writer_can_take_a_dead_ones_file_that_is_still_read(ring_name: str) -> None:
    first = FrameWriter(ring_name, FORM)
    with FrameReader(ring_name) as reader:
        first.close()
        with FrameWriter(ring_name, FORM) as second:
            second.write(np.zeros((48, 64), np.uint8))
            assert reader.next(1.0).number == 1
