"""
Emulated webcams in a process of their own, and the handle by which a test moves them.

    python webcam_daemon.py NUMBER_OF_CAMERAS

They are of one model, and told apart by their serial numbers 0000, 0001, ...
"""

from multiprocessing.connection import Client, Listener
from pathlib import Path
import sys
from typing import Any

from pictures import pictures_of
from programs import eventually
from uvc_descriptors import Identity
from uvc_webcam import Webcam

PRODUCT = 'Emulated Camera'
ADDRESS = '/run/webcams'


class WebcamHandle:
    """What a test can do to webcam `index`; each call has happened when it returns."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.serial = f'{index:04d}'

    def _do(self, *command: object) -> Any:
        eventually(Path(ADDRESS).exists, 'the daemon')
        with Client(ADDRESS, 'AF_UNIX') as connection:
            connection.send((self.index, *command))
            return connection.recv()

    def plug(self) -> None:
        """Plug it in, unless it is."""
        self._do('plug')

    def unplug(self) -> float:
        """Pull it out, if it is in; give the moment of that, by the monotonic clock."""
        return float(self._do('unplug'))

    def freeze(self) -> None:
        """Let it hang: plugged in, but without another frame."""
        self._do('freeze')

    def thaw(self) -> None:
        """Let it go on."""
        self._do('thaw')

    def spoil(self, *faults: str) -> None:
        """Spoil the next frames, each in its way: see Webcam.faults."""
        self._do('spoil', *faults)

    def set_controls(self) -> list[tuple[str, int]]:
        """Give names and values of the controls that the host has set, in order."""
        return list(self._do('set_controls'))

    def sent(self) -> int:
        """Give the number of frames it has sent since the daemon began."""
        return int(self._do('sent'))


class _Owner:
    """Carries commands out."""

    def __init__(self, index: int) -> None:
        self._webcam = Webcam(pictures_of(index), Identity(PRODUCT, f'{index:04d}'), index)
        self._is_plugged = False

    def plug(self) -> None:
        if not self._is_plugged:
            self._webcam.plug()
        self._is_plugged = True

    def unplug(self) -> float:
        moment = self._webcam.unplug() if self._is_plugged else 0.0
        self._is_plugged = False
        return moment

    def freeze(self) -> None:
        self._webcam.frozen = True

    def thaw(self) -> None:
        self._webcam.frozen = False

    def spoil(self, *faults: str) -> None:
        self._webcam.faults.extend(faults)

    def set_controls(self) -> list[tuple[str, int]]:
        return self._webcam.set_controls

    def sent(self) -> int:
        return self._webcam.sent


def main(count: int) -> None:
    """Obey until killed."""
    with Listener(ADDRESS, 'AF_UNIX') as listener:
        owners = [_Owner(index) for index in range(count)]
        while True:
            with listener.accept() as connection:
                index, verb, *arguments = connection.recv()
                connection.send(getattr(owners[index], verb)(*arguments))


if __name__ == '__main__':
    main(int(sys.argv[1]))
