"""The name of a ring: what it may be, who has it and what lies under it."""

from collections.abc import Callable
import os
from pathlib import Path
import stat

from camera_mp.errors import NameTaken, RingError, SettingError
from camera_mp.frame import FrameFormat
from camera_mp.ring import file, FrameReader, FrameWriter, list_rings, remove_stale
import numpy as np
import pytest
from ring_processes import running

SMALL = FrameFormat(2, 3, 'mono8')


@pytest.mark.parametrize('name', [
    '', '.', '..', '../x', 'a/b', '/a', '.a', 'a.', 'a..b', 'a\n', 'a b', 'ä', 'x' * 201, 'a\0b'])
@pytest.mark.parametrize('use', [lambda name: FrameWriter(name, SMALL), FrameReader])
def test_bad_names(name: str, use: type[FrameReader]) -> None:
    with pytest.raises(SettingError, match='camera name'):
        use(name)


@pytest.mark.parametrize('domain', ['-1', '233', 'x', '1.5', ' 1', '1 ', '0x1', '²'])
def test_bad_domains(domain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('ROS_DOMAIN_ID', domain)
    with pytest.raises(SettingError, match=r'ROS_DOMAIN_ID.*0 to 232'):
        FrameReader('a')


@pytest.mark.parametrize(('domain', 'number'), [('', 0), ('0', 0), ('232', 232)])
def test_good_domains(domain: str, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('ROS_DOMAIN_ID', domain)
    assert file.ring_path('a.b-c').name == f'camera_mp.{number}.a.b-c'


def test_domains_are_apart(ring_name: str) -> None:
    with FrameWriter(ring_name, SMALL, domain=1), FrameWriter(ring_name, SMALL, domain=2):
        found = [(domain, name) for domain, name, _ in list_rings() if name == ring_name]
        assert found == [(1, ring_name), (2, ring_name)]
        assert [domain for domain, name, _ in list_rings(2) if name == ring_name] == [2]


@pytest.mark.parametrize('slots', [1, 65, 0, -1])
def test_bad_slots(ring_name: str, slots: int) -> None:
    with pytest.raises(SettingError, match=r'slots.*2 to 64'):
        FrameWriter(ring_name, SMALL, slots=slots)


@pytest.mark.parametrize(('group', 'mode'), [(False, 0o600), (True, 0o640)])
def test_who_may_read(ring_name: str, group: bool, mode: int) -> None:
    old = os.umask(0o077)
    try:
        with FrameWriter(ring_name, SMALL, group=group) as writer:
            assert stat.S_IMODE(writer.path.stat().st_mode) == mode
            writer.write(np.zeros((200, 300), np.uint8))
            assert stat.S_IMODE(writer.path.stat().st_mode) == mode
    finally:
        os.umask(old)


def test_a_living_writer_keeps_its_name(ring_name: str) -> None:
    with running('write', ring_name, 2, 3) as other:
        with pytest.raises(NameTaken, match=rf"'{ring_name}' .*process {other.pid}\)"):
            FrameWriter(ring_name, SMALL)
        assert other.ask('write 5 2 3') == 'done'
        assert FrameReader(ring_name).wait(1).sequence == 5


def test_a_closed_name_is_free(ring_name: str) -> None:
    for _ in range(2):
        with FrameWriter(ring_name, SMALL) as writer:
            assert writer.path.exists()
        assert not writer.path.exists()
        writer.close()


def test_exactly_one_of_two_wins(ring_name: str) -> None:
    with running('race', ring_name) as one, running('race', ring_name) as two:
        for turn in range(12):
            if turn % 3 == 0:
                file.ring_path(ring_name).write_bytes(b'left by a dead writer')
            for racer in (one, two):
                racer.tell('go')
            assert sorted((one.hear(), two.hear())) == ['NameTaken', 'won']
            assert [racer.ask('stop') for racer in (one, two)] == ['stopped'] * 2
    assert not file.ring_path(ring_name).exists()


def test_remove_stale_takes_only_the_dead(ring_name: str) -> None:
    dead = [file.ring_path(f'{ring_name}.{which}') for which in ('killed', 'hidden')]
    dead[1] = dead[1].with_name(f'.{dead[1].name}')
    with running('write', f'{ring_name}.killed', 2, 3) as child:
        child.kill()
    dead[1].write_bytes(b'')
    other_domain = file.ring_path(ring_name, 0)
    other_domain.write_bytes(b'')
    with FrameWriter(f'{ring_name}.living', SMALL) as living:
        assert set(remove_stale()) == set(dead)
        assert living.path.exists()
        assert other_domain.exists()
        assert not any(path.exists() for path in dead)


def make_empty(path: Path) -> None:
    path.touch()


def make_link(path: Path) -> None:
    path.symlink_to('/dev/null')


@pytest.mark.parametrize(('make', 'is_cleared'), [
    (make_empty, True), (os.mkfifo, True), (make_link, False), (Path.mkdir, False)])
def test_what_is_no_ring(
        ring_name: str, make: Callable[[Path], None], is_cleared: bool) -> None:
    path = file.ring_path(ring_name)
    make(path)
    try:
        with pytest.raises(RingError, match=ring_name):
            FrameReader(ring_name)
        assert remove_stale() == ([path] if is_cleared else [])
        if not is_cleared:
            with pytest.raises(RingError, match=ring_name):
                FrameWriter(ring_name, SMALL)
            return
        make(path)
        with FrameWriter(ring_name, SMALL) as writer:
            writer.write(np.zeros((2, 3), np.uint8))
            assert FrameReader(ring_name).wait(1).number == 1
    finally:
        if path.is_dir():
            path.rmdir()
