"""Which cameras there are, and which one a user means; also after it moved to another number."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
import errno
import os
from pathlib import Path
import re

from camera_mp.errors import SourceError
from camera_mp.v4l2 import abi
from camera_mp.v4l2.device import query

SYSFS = Path('/sys/class/video4linux')
DEV = Path('/dev')


@dataclass(frozen=True)
class CameraNode:
    """
    One node that a camera may be opened by.

    path: /dev/videoN, which changes when the camera is plugged in again. name: the driver's.
    port: path in /sys of what the node belongs to; stays while the camera is in the same socket.
    serial, model: of the USB device, the model as '046d:0825'; '' for others.
    interface: number of the USB interface, for cameras with several pictures.
    index: number among the nodes of its interface; 0 is the one with pictures.
    links: stable names below /dev/v4l, as far as udev made any.
    """

    path: str
    name: str
    driver: str
    port: str
    serial: str = ''
    model: str = ''
    interface: str = ''
    index: int = 0
    links: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Name it for people."""
        serial = f', serial {self.serial}' if self.serial else ''
        return f'{self.path} ({self.name}{serial})'


def list_cameras() -> tuple[CameraNode, ...]:
    """Give the cameras of this host, one node each, in the order of their numbers."""
    return _cameras(_nodes())


def _nodes() -> Iterator[CameraNode]:
    entries = SYSFS.iterdir() if SYSFS.exists() else ()
    found = [entry for entry in entries if re.fullmatch(r'video\d+', entry.name)]
    for entry in sorted(found, key=lambda entry: int(entry.name[5:])):
        yield _describe(entry)


def _cameras(nodes: Iterable[CameraNode]) -> tuple[CameraNode, ...]:
    return tuple(node for node in nodes if node.index == 0 and _captures(node.path))


def _describe(entry: Path) -> CameraNode:
    device = entry / 'device'
    port = Path(os.path.realpath(device if device.exists() else entry))
    usb = port.parent  # what a USB interface belongs to
    vendor, product = _read(usb / 'idVendor'), _read(usb / 'idProduct')
    path = str(DEV / entry.name)
    return CameraNode(
        path, _read(entry / 'name'), Path(os.path.realpath(device / 'driver')).name, str(port),
        _read(usb / 'serial') if vendor else '', f'{vendor}:{product}' if vendor else '',
        _read(port / 'bInterfaceNumber'), int(_read(entry / 'index') or 0), _links(path))


def _read(path: Path) -> str:
    try:
        return path.read_text(errors='replace').strip()
    except OSError:
        return ''  # not every device has every file, and it may be unplugged at any moment


def _links(path: str) -> tuple[str, ...]:
    found = sorted((DEV / 'v4l').glob('by-*/*'))
    return tuple(str(link) for link in found if os.path.realpath(link) == path)


def _captures(path: str) -> bool:
    try:
        return bool(query(path).flags & abi.V4L2_CAP_VIDEO_CAPTURE)
    except OSError as error:
        # whoever opens it is told why that does not work
        return error.errno in (errno.EACCES, errno.EPERM, errno.EBUSY)


def find(wanted: str) -> CameraNode:
    """
    Give the camera that a user means: /dev/videoN, a link to it, a serial number, '' the first.

    Raises SourceError, with a list of what is there, if there is none or more than one.
    """
    if wanted.startswith('/'):
        return _find_path(wanted)
    cameras = list_cameras()
    matches = [node for node in cameras if not wanted or node.serial == wanted]
    if not matches:
        raise _missing(f'no camera has the serial number {wanted!r}' if wanted else '', cameras)
    if wanted and len({Path(node.port).parent for node in matches}) > 1:
        paths = ', '.join(node.links[-1] if node.links else node.path for node in matches)
        raise SourceError(f'video_device: several cameras have the serial number {wanted!r}; '
                          f'allowed: {paths}')
    return matches[0]


def _find_path(wanted: str) -> CameraNode:
    path = Path(os.path.realpath(wanted))
    if not path.exists():
        raise _missing(f'{wanted} does not exist', list_cameras())
    entry = SYSFS / path.name
    return _describe(entry) if entry.exists() else CameraNode(str(path), '', '', '')


def _missing(what: str, cameras: Iterable[CameraNode]) -> SourceError:
    there = ', '.join(map(str, cameras))
    known = f'there is: {there}' if there else 'there is no camera on this host'
    return SourceError(f'video_device: {what}{"; " * bool(what)}{known}')


class Finder:
    """
    Finds what a user means, and from the second time on the very same camera again.

    A number, /dev/videoN, or being the first says nothing about a camera that was plugged in
    again: it is known by its serial number, or by its socket if it has none of its own. A
    serial number and a link that udev makes are looked up anew each time.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[CameraNode, bool]] = {}

    def find(self, wanted: str) -> CameraNode:
        """Give the camera; SourceError if it is not there (now)."""
        path = Path(wanted)
        if wanted and not (path.parent == DEV and re.fullmatch(r'video\d+', path.name)):
            return find(wanted)
        if wanted in self._known:
            return _find_again(*self._known[wanted])
        node = find(wanted)
        twins = [other for other in _nodes() if _is_same(node, other)]
        self._known[wanted] = node, len(twins) == 1
        return node


def _find_again(known: CameraNode, unique: bool) -> CameraNode:
    nodes = list(_nodes())
    matches = [node for node in nodes if _is_same(known, node)]
    for node in matches:
        if node.port == known.port:
            return node
    if known.serial and unique and len(matches) == 1:
        return matches[0]
    raise _missing(f'{known} is gone', _cameras(nodes))


def _is_same(one: CameraNode, other: CameraNode) -> bool:
    """Tell whether two nodes may be of the same camera, by all that it keeps."""
    def kept(node: CameraNode) -> tuple[object, ...]:
        return node.serial, node.model, node.interface, node.index, node.name
    return kept(one) == kept(other)
