"""What went wrong with a device, in one line that says what can be done."""

import contextlib
import errno
import grp
import os
from pathlib import Path

PROC = Path('/proc')


def explain(path: str, error: OSError) -> str:
    """Give the line for an error of a device."""
    if error.errno in (errno.EACCES, errno.EPERM):
        return f'no permission to open {path}{_advice(path)}'
    if error.errno == errno.EBUSY:
        return f'{path} is busy: {_users(path) or "another program"} uses it'
    if error.errno in (errno.ENODEV, errno.ENXIO, errno.ENOENT):
        return f'{path} is not there'
    if error.errno == errno.ENOSPC:  # what USB drivers say when they cannot reserve bandwidth
        return (f'{path}: the USB bus has no bandwidth left; try pixel_format MJPG, a smaller '
                'size or a port of another bus')
    return f'{path}: {error.strerror or error}'


def _advice(path: str) -> str:
    try:
        group = grp.getgrgid(Path(path).stat().st_gid).gr_name
    except (OSError, KeyError):
        return ''
    return f'; it belongs to group {group}: sudo usermod -aG {group} $USER, then log in again'


def _users(path: str) -> str:
    """Name the other processes that have a device open, as far as they can be seen."""
    real = os.path.realpath(path)
    found = []
    for process in PROC.glob('[0-9]*'):
        if process.name != str(os.getpid()) and _has_open(process, real):
            with contextlib.suppress(OSError):  # it has ended
                name = (process / 'comm').read_text().strip()
                found.append(f'{name} (process {process.name})')
    return ', '.join(found)


def _has_open(process: Path, path: str) -> bool:
    try:
        return any(str(entry.readlink()) == path for entry in (process / 'fd').iterdir())
    except OSError:
        return False  # it is another user's, or has ended
