"""SIGKILL at any moment: the others go on, and nothing stays behind after the next start."""

import json
import os
import random
import signal

from camera_mp.frame import FrameFormat
from camera_mp.ring import file, FrameWriter
import numpy as np
from ring_processes import running

KILLS = 25
SMALL = FrameFormat(2, 3, 'mono8')


def left_behind(name: str) -> list[str]:
    return [path.name for path in file.DIRECTORY.iterdir() if name in path.name]


def test_writers_killed_at_random_moments(ring_name: str) -> None:
    """Writers that start, grow and close all the time are killed under two readers' eyes."""
    moments = random.Random(1)
    with running('follow', ring_name, 'wait') as one, running('follow', ring_name, 'next') as two:
        for turn in range(KILLS):
            with running('churn', ring_name, turn * 10**6 + 1) as churn:
                # to be killed at any moment is the very point: there is no event to await
                churn.lives_for(moments.uniform(0.001, 0.06))
            assert len(left_behind(ring_name)) <= 2
        with FrameWriter(ring_name, SMALL) as writer:
            assert left_behind(ring_name) == [writer.path.name]
            writer.write(np.zeros(SMALL.shape, np.uint8), sequence=0)
            seen = [json.loads(reader.hear()) for reader in (one, two)]
    assert left_behind(ring_name) == []
    assert [one['torn'] for one in seen] == [0, 0]
    assert all(one['read'] > 0 for one in seen)


def test_a_writer_killed_between_link_and_rename(ring_name: str) -> None:
    path = file.ring_path(ring_name)
    with running('write', ring_name, 2, 3) as child:
        path.with_name(f'.{path.name}').write_bytes(path.read_bytes())
        child.kill()
    assert len(left_behind(ring_name)) == 2
    with FrameWriter(ring_name, SMALL):
        assert left_behind(ring_name) == [path.name]


def test_a_program_that_a_writer_started_does_not_keep_its_name(ring_name: str) -> None:
    with running('write', ring_name, 2, 3) as child:
        grandchild = int(child.ask('spawn'))
        child.kill()
        try:
            with FrameWriter(ring_name, SMALL) as writer:
                assert left_behind(ring_name) == [writer.path.name]
        finally:
            os.kill(grandchild, signal.SIGKILL)


def test_a_killed_writers_name_is_taken_over(ring_name: str) -> None:
    with running('write', ring_name, 2, 3) as child:
        child.kill()
        with FrameWriter(ring_name, SMALL) as writer:
            assert left_behind(ring_name) == [writer.path.name]
    assert left_behind(ring_name) == []
