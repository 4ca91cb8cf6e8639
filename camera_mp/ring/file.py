"""
The file of a ring in /dev/shm: its name, who owns it, how it appears and how it goes.

Ownership is an open-file-description write lock (fcntl F_OFD_SETLK) that the writer holds for
life: the kernel drops it on SIGKILL, so that anyone can tell a dead writer from a slow one.
Readers only ask (F_OFD_GETLK): one that took a lock to find out would make a new writer fail.
Who clears a dead file away locks another byte of it, or readers would take it for alive again.
A reader shares a lock on a third byte, so that a writer can ask whether anybody reads.
A file gets its lock and its whole header before it gets its name, so a file that can be seen
and is not locked is always what a dead writer left. A process that forks without exec while
it writes shares the lock with its child.
"""

from collections.abc import Iterator
from contextlib import contextmanager
import errno
import fcntl
import mmap
import os
from pathlib import Path
import re
import struct
import time

from camera_mp.errors import NameTaken, RingError, SettingError
from camera_mp.ring.layout import Word

DIRECTORY = Path('/dev/shm')
PREFIX = 'camera_mp'
_NAME = re.compile(r'[A-Za-z0-9_]+([.-][A-Za-z0-9_]+)*')
_FLOCK = struct.Struct('hhqqi4x')  # struct flock of <fcntl.h> where off_t has 64 bits
# the bytes to lock: by a file's writer; by who clears a dead one away; by its readers together
_LIFE, _CLAIM, _READ = 0, 1, 2
_OPEN = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a link or a FIFO of this name is no ring


def domain_id() -> int:
    """Give this process's ROS_DOMAIN_ID, 0 if unset; rings of other domains are not seen."""
    text = os.environ.get('ROS_DOMAIN_ID') or '0'
    if not text.isdecimal() or int(text) > 232:
        raise SettingError(f'ROS_DOMAIN_ID: {text!r} is not allowed; allowed: 0 to 232')
    return int(text)


def ring_path(name: str, domain: int | None = None) -> Path:
    """Give the path of the ring called `name`, which must be free of slashes and leading dots."""
    if len(name) > 200 or not _NAME.fullmatch(name):
        raise SettingError(
            f'camera name: {name!r} is not allowed; allowed: letters, digits, _ and single . or -')
    return DIRECTORY / f'{PREFIX}.{domain_id() if domain is None else domain}.{name}'


def list_rings(domain: int | None = None) -> Iterator[tuple[int, str, Path]]:
    """Give (domain, name, path) of each ring on this host, or of one domain, by name."""
    for path in sorted(DIRECTORY.glob(f'{PREFIX}.*')):
        number, _, name = path.name[len(PREFIX) + 1:].partition('.')
        if number.isdecimal() and _NAME.fullmatch(name) and domain in (None, int(number)):
            yield int(number), name, path


def _lock(fd: int, byte: int, kind: int = fcntl.F_WRLCK) -> bool:
    """Lock a byte of an open file; False if somebody holds it."""
    try:
        fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _FLOCK.pack(kind, os.SEEK_SET, byte, 1, 0))
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def _is_held(fd: int, byte: int) -> bool:
    """Tell whether another open file holds a lock on a byte, without taking anything."""
    question = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0)
    answer = fcntl.fcntl(fd, fcntl.F_OFD_GETLK, question)
    return bool(_FLOCK.unpack(answer)[0] != fcntl.F_UNLCK)


def is_locked(fd: int) -> bool:
    """Tell whether a writer lives."""
    return _is_held(fd, _LIFE)


def begin_reading(fd: int) -> None:
    """Let the writer know of a reader, until this open file is closed."""
    _lock(fd, _READ, fcntl.F_RDLCK)


def is_read(fd: int) -> bool:
    """Tell a writer whether any reader has the file open."""
    return _is_held(fd, _READ)


def leads_to(path: Path, fd: int) -> bool:
    """Tell whether the name still leads to this open file."""
    try:
        return os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(fd))
    except FileNotFoundError:
        return False


def open_existing(path: Path, flags: int) -> int | None:
    """Open a ring's file, or give None if there is none."""
    try:
        return os.open(path, flags | _OPEN)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RingError(f'{path}: {error.strerror}') from None


def create(path: Path, header: dict[Word, int], mode: int) -> int:
    """
    Make the ring's file under our lock and give its descriptor.

    A file that a dead writer left is replaced. Raises NameTaken if the writer lives, and
    RingError with the reason if the memory cannot be had.
    """
    with _new_file(path, header, mode) as fd:
        while not _publish(fd, path):
            pass  # the name changed hands meanwhile: look again
    return fd


def replace(path: Path, header: dict[Word, int], mode: int) -> int:
    """Make a new file and put it in place of `path`, which the caller must own."""
    with _new_file(path, header, mode) as fd:
        _rename_over(fd, path)
    return fd


@contextmanager
def _new_file(path: Path, header: dict[Word, int], mode: int) -> Iterator[int]:
    """Make a locked, complete file that has no name yet, so that a kill leaves nothing."""
    try:
        fd = os.open(path.parent, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            _fill(fd, header)
            os.fchmod(fd, mode)
            _lock(fd, _LIFE)
            yield fd
        except BaseException:
            os.close(fd)
            raise
    except OSError as error:
        needed = f'{header[Word.SIZE] / 1e6:.1f} MB of shared memory'
        raise RingError(f'{path}: cannot have {needed}: {error.strerror}') from None


def _fill(fd: int, header: dict[Word, int]) -> None:
    size = header[Word.SIZE]
    # not ftruncate: on a full tmpfs that succeeds and the first write is a SIGBUS
    os.posix_fallocate(fd, 0, size)
    born = {Word.PID: os.getpid(), Word.GENERATION: time.time_ns()}
    with mmap.mmap(fd, size) as memory, memoryview(memory).cast('Q') as words:
        for word, value in (born | header).items():
            words[word] = value


def _publish(fd: int, path: Path) -> bool:
    old = open_existing(path, os.O_RDWR)
    if old is None:
        try:
            _link(fd, path)
        except FileExistsError:
            return False
        return True
    try:
        if not _claim(old, path):
            return False
        _rename_over(fd, path)
        return True
    finally:
        os.close(old)


def _claim(old: int, path: Path) -> bool:
    """Take the file that lies there from its dead writer; False if it lies there no longer."""
    deadline = time.monotonic() + 0.2  # its writer may be ending, another may clear it away
    while leads_to(path, old):
        if not is_locked(old) and _lock(old, _CLAIM):
            return leads_to(path, old)
        if time.monotonic() > deadline:
            raise NameTaken(f'camera name: {path.name.split(".", 2)[2]!r} is taken by a living '
                            f'camera{_holder(old)}; choose another camera_name')
        time.sleep(0.01)
    return False


def _holder(fd: int) -> str:
    pid = os.pread(fd, 8, Word.PID * 8)
    return f' (process {int.from_bytes(pid, "little")})' if len(pid) == 8 else ''


def _link(fd: int, path: Path) -> None:
    # src_dir_fd makes Python use linkat(AT_SYMLINK_FOLLOW), which names an O_TMPFILE (open(2))
    os.link(f'/proc/self/fd/{fd}', path, src_dir_fd=fd, follow_symlinks=True)


def _rename_over(fd: int, path: Path) -> None:
    """Replace what lies at `path` in one step; the caller holds the lock of what lies there."""
    temporary = path.with_name(f'.{path.name}')
    _clear(temporary)  # a writer of this name was killed between the next two lines
    _link(fd, temporary)
    temporary.rename(path)


def _clear(path: Path) -> None:
    """Remove a dead file, but not while remove_stale does: it would remove our next one."""
    fd = open_existing(path, os.O_RDWR)
    if fd is not None:
        try:
            if _claim(fd, path):
                path.unlink()
        finally:
            os.close(fd)


def remove(path: Path, fd: int) -> None:
    """Take away the name of our own file, and of no other."""
    if leads_to(path, fd):
        path.unlink(missing_ok=True)


def remove_stale(domain: int | None = None) -> list[Path]:
    """Remove what dead writers of this user left in a domain (default: this process's)."""
    number = domain_id() if domain is None else domain
    removed = []
    for hidden in ('', '.'):
        for path in DIRECTORY.glob(f'{hidden}{PREFIX}.{number}.*'):
            if _remove_if_stale(path):
                removed.append(path)
    return removed


def _remove_if_stale(path: Path) -> bool:
    try:
        fd = open_existing(path, os.O_RDWR)
    except RingError:
        return False  # a link, a folder or another user's: nothing a writer of ours left
    if fd is None:
        return False
    try:
        if (os.fstat(fd).st_uid != os.geteuid() or is_locked(fd) or not _lock(fd, _CLAIM)
                or not leads_to(path, fd)):
            return False
        path.unlink(missing_ok=True)
        return True
    finally:
        os.close(fd)
