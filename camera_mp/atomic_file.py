"""Files that are there whole or not at all, whatever ends the process that writes them."""

import os
from pathlib import Path
import threading


def write_atomically(path: str | Path, data: bytes) -> None:
    """
    Write a file, and its folders, in one step; until then `path` is what it was before.

    A symbolic link is followed. Raises OSError, and then leaves nothing behind.
    """
    target = Path(path).resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    # a thread's number is no other living thread's, in any process
    temporary = target.with_name(f'.{target.name}.{threading.get_native_id()}')
    try:
        with temporary.open('wb') as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync(target.parent)


def _sync(folder: Path) -> None:
    """Make the name itself stand a loss of power."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
