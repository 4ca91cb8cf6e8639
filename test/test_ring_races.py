"""What two processes may do to each other at the worst moment, made to happen."""

from collections.abc import Callable
from pathlib import Path
import threading

from camera_mp.errors import FrameTimeout, NameTaken
from camera_mp.frame import FrameFormat
from camera_mp.ring import file, FrameReader, FrameWriter, remove_stale, RingMapping
import numpy as np
import pytest

SMALL = FrameFormat(2, 3, 'mono8')


def meanwhile(monkeypatch: pytest.MonkeyPatch, where: object, name: str,
              act: Callable[[], object], *, after: bool = False) -> None:
    """Let `act` happen just before, or after, the next call of a function."""
    real = getattr(where, name)

    def call(*arguments: object, **options: object) -> object:
        monkeypatch.setattr(where, name, real)
        if not after:
            act()
        result = real(*arguments, **options)
        if after:
            act()
        return result
    monkeypatch.setattr(where, name, call)


def leave_dead(name: str) -> Path:
    """Leave a ring with one frame, as a killed writer does."""
    path = file.ring_path(name)
    with FrameWriter(name, SMALL) as writer:
        writer.write(np.full((2, 3), 66, np.uint8))
        data = writer.path.read_bytes()
    path.write_bytes(data)
    return path


def test_a_dead_ring_never_looks_alive_while_it_is_replaced(
        ring_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = leave_dead(ring_name)

    def look() -> None:
        status = FrameReader(ring_name).status()
        assert status
        assert not status.alive
        with pytest.raises(FrameTimeout):
            FrameReader(ring_name).wait(0)
    meanwhile(monkeypatch, file, '_rename_over', look)
    with FrameWriter(ring_name, SMALL):
        assert FrameReader(ring_name).status()
    path.unlink(missing_ok=True)


def test_a_name_given_up_while_another_looks_is_free(
        ring_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    old = FrameWriter(ring_name, SMALL)
    meanwhile(monkeypatch, file, 'open_existing', old.close, after=True)
    with FrameWriter(ring_name, SMALL) as new:
        assert new.path.exists()


def test_a_name_taken_while_another_links_is_taken(
        ring_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    won: list[FrameWriter] = []
    meanwhile(monkeypatch, file, '_link', lambda: won.append(FrameWriter(ring_name, SMALL)))
    with pytest.raises(NameTaken):
        FrameWriter(ring_name, SMALL)
    won[0].close()


def test_remove_stale_beside_a_starting_writer(
        ring_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It must not take the new hidden file for the one of that name that it just found dead."""
    path = leave_dead(ring_name)
    hidden = path.with_name(f'.{path.name}')
    hidden.write_bytes(path.read_bytes())
    linked, removed = threading.Event(), threading.Event()
    made: list[FrameWriter] = []
    start = threading.Thread(target=lambda: made.append(FrameWriter(ring_name, SMALL)))

    def pause() -> None:
        linked.set()
        removed.wait(5)

    def start_another() -> None:
        meanwhile(monkeypatch, file, '_link', pause, after=True)
        start.start()
        linked.wait(0.1)
    meanwhile(monkeypatch, file, 'leads_to', start_another, after=True)
    assert file._remove_if_stale(hidden)
    removed.set()
    start.join()
    made[0].close()
    assert not hidden.exists()


def test_remove_stale_while_files_vanish(
        ring_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = leave_dead(ring_name)
    meanwhile(monkeypatch, file, '_remove_if_stale', path.unlink)
    assert remove_stale() == []


@pytest.mark.parametrize('moment', ['before', 'after'])
def test_a_reader_made_while_the_ring_grows(
        ring_name: str, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """Before the name leads to the new file, or after, when the old is not yet marked."""
    with FrameWriter(ring_name, SMALL) as writer:
        writer.write(np.full((2, 3), 1, np.uint8), sequence=1)
        readers: list[FrameReader] = []
        meanwhile(monkeypatch, file, '_rename_over',
                  lambda: readers.append(FrameReader(ring_name)), after=moment == 'after')
        writer.write(np.full((200, 300), 2, np.uint8), sequence=2)
        numbers = [readers[0].next(1).number for _ in range(2 if moment == 'before' else 1)]
    assert numbers == ([1, 2] if moment == 'before' else [2])
    assert readers[0].missed == 0


def test_a_frame_committed_just_before_the_end_is_read(
        ring_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader sees no frame, then a frame and the end come, then it looks for the end."""
    with FrameWriter(ring_name, SMALL) as writer:
        reader = FrameReader(ring_name)

        def write_and_end() -> None:
            writer.write(np.zeros((2, 3), np.uint8), sequence=7)
            writer.close()
        meanwhile(monkeypatch, RingMapping, 'is_over', write_and_end)
        assert reader.next(1).sequence == 7
