"""Memory that runs out is an error, and what was taken is given back."""

from collections.abc import Iterator
import os
from pathlib import Path
import subprocess

from camera_mp.errors import RingError
from camera_mp.frame import FrameFormat
from camera_mp.ring import file, FrameReader, FrameWriter
import numpy as np
import pytest

SMALL = FrameFormat(2, 3, 'mono8')
LARGE = FrameFormat(1000, 1000, 'mono8')


@pytest.fixture
def tiny_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a file system of 1 MB and 3 files in place of /dev/shm."""
    command = ['mount', '-t', 'tmpfs', '-o', 'size=1m,nr_inodes=4', 'none', str(tmp_path)]
    if os.geteuid() or subprocess.run(command, capture_output=True).returncode:
        pytest.skip('may not mount a file system here')
    monkeypatch.setattr(file, 'DIRECTORY', tmp_path)
    yield tmp_path
    # lazily: what a test still maps keeps it busy
    subprocess.run(['umount', '--lazy', str(tmp_path)], check=True)


def test_a_full_memory_is_an_error(ring_name: str, tiny_memory: Path) -> None:
    with pytest.raises(RingError, match=r'6\.0 MB.*No space'):
        FrameWriter(ring_name, LARGE)
    assert list(tiny_memory.iterdir()) == []


def test_no_room_to_grow_leaves_the_ring_as_it_was(ring_name: str, tiny_memory: Path) -> None:
    with FrameWriter(ring_name, SMALL) as writer:
        reader = FrameReader(ring_name)
        writer.write(np.full((2, 3), 1, np.uint8))
        with pytest.raises(RingError, match='No space'):
            writer.write(np.zeros(LARGE.shape, np.uint8))
        writer.write(np.full((2, 3), 2, np.uint8))
        assert [reader.next(0).number for _ in range(2)] == [1, 2]
        assert list(tiny_memory.iterdir()) == [writer.path]


def test_no_room_for_one_more_file_is_an_error(ring_name: str, tiny_memory: Path) -> None:
    for number in range(3):
        (tiny_memory / str(number)).touch()
    with pytest.raises(RingError, match='No space'):
        FrameWriter(ring_name, SMALL)


def test_a_missing_file_system_is_an_error(
        ring_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, 'DIRECTORY', tmp_path / 'nowhere')
    with pytest.raises(RingError, match='No such file'):
        FrameWriter(ring_name, SMALL)


def taken() -> tuple[int, int]:
    """Count the open files of this process and its mappings of rings."""
    maps = Path('/proc/self/maps').read_text()
    return len(list(Path('/proc/self/fd').iterdir())), maps.count('camera_mp')


def test_ten_thousand_openings_leave_nothing_open(ring_name: str) -> None:
    before = taken()
    for turn in range(2500):
        with FrameWriter(ring_name, SMALL) as writer:
            writer.write(np.zeros((2, 3), np.uint8))
            for _ in range(3):
                with FrameReader(ring_name) as reader:
                    assert reader.wait(1).number == 1
            if turn % 10 == 0:
                writer.write(np.zeros((100, 100), np.uint8))
    del writer, reader
    assert taken() == before


def test_failed_openings_leave_nothing_open(ring_name: str) -> None:
    path = file.ring_path(ring_name)
    path.write_bytes(bytes(8192))
    before = taken()
    for _ in range(100):
        with pytest.raises(RingError):
            FrameReader(ring_name)
    path.unlink()
    with FrameWriter(ring_name, SMALL) as writer:
        held = taken()
        for _ in range(2):
            with pytest.raises(RingError):
                FrameWriter(ring_name, SMALL)
        assert taken() == held
    del writer
    assert taken() == before
