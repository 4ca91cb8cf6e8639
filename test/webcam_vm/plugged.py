"""Emulated webcams as the kernel shows them: /dev/videoN by serial number, while plugged in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from programs import eventually
from webcam_daemon import WebcamHandle

_CLASS = Path('/sys/class/video4linux')


def video_nodes(serial: str) -> list[str]:
    """Give the /dev/videoN of a webcam, the one with pictures first, then that of metadata."""
    found = []
    for entry in _CLASS.glob('video*'):
        try:
            own = ((entry / 'device').resolve().parent / 'serial').read_text().strip()
            index = int((entry / 'index').read_text())
        except OSError:
            continue  # it is going at this moment
        if own == serial:
            found.append((index, f'/dev/{entry.name}'))
    return [device for _, device in sorted(found)]


def is_there(webcam: WebcamHandle) -> bool:
    """Tell whether the kernel has made all that belongs to a webcam."""
    nodes = video_nodes(webcam.serial)
    return len(nodes) == 2 and all(Path(node).exists() for node in nodes)


def plug(webcam: WebcamHandle) -> str:
    """Plug it in and give its /dev/videoN."""
    webcam.plug()
    eventually(lambda: is_there(webcam), f'/dev/videoN of webcam {webcam.serial}')
    return video_nodes(webcam.serial)[0]


def unplug(webcam: WebcamHandle) -> float:
    """Pull it out and wait until the kernel knows; give the moment by the monotonic clock."""
    moment = webcam.unplug()
    eventually(lambda: not video_nodes(webcam.serial), f'the end of webcam {webcam.serial}')
    return moment


@contextmanager
def plugged(index: int) -> Iterator[WebcamHandle]:
    """Plug a webcam in for the time of the block."""
    webcam = WebcamHandle(index)
    plug(webcam)
    try:
        yield webcam
    finally:
        webcam.thaw()
        webcam.unplug()
        eventually(lambda: not video_nodes(webcam.serial))
