"""A tree as udev and the kernel make it below /sys and /dev, of cameras plugged in at will."""

from pathlib import Path
import shutil

from camera_mp.v4l2 import finding
from fake_camera import FakeCamera, FakeKernel
import pytest


class FakeHost:
    """Plugs fake USB cameras in and out."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.kernel = FakeKernel(monkeypatch)
        self.dev, self.sysfs, self._devices = folder / 'dev', folder / 'class', folder / 'devices'
        (self.dev / 'v4l' / 'by-id').mkdir(parents=True)
        self.sysfs.mkdir()
        monkeypatch.setattr(finding, 'DEV', self.dev)
        monkeypatch.setattr(finding, 'SYSFS', self.sysfs)

    def path(self, number: int) -> str:
        """Give the path of a node."""
        return str(self.dev / f'video{number}')

    def plug(self, number: int, *, serial: str = '', port: str = '1-1', index: int = 0,
             name: str = 'Test Camera', interface: str = '00', link: str = '') -> FakeCamera:
        """Make a camera appear as /dev/videoN."""
        usb = self._devices / port
        device = usb / f'{port}:1.{int(interface)}'
        node = device / 'video4linux' / f'video{number}'
        node.mkdir(parents=True)
        for path, text in ((usb / 'idVendor', '046d'), (usb / 'idProduct', '0825'),
                           (usb / 'serial', serial), (device / 'bInterfaceNumber', interface),
                           (node / 'name', name), (node / 'index', str(index))):
            if text:
                path.write_text(f'{text}\n')
        (node / 'device').symlink_to(device)
        (self._devices / 'uvcvideo').mkdir(exist_ok=True)
        if not (device / 'driver').exists():
            (device / 'driver').symlink_to(self._devices / 'uvcvideo')
        (self.sysfs / f'video{number}').symlink_to(node)
        Path(self.path(number)).touch()
        if link:
            (self.dev / 'v4l' / 'by-id' / link).symlink_to(self.path(number))
        camera = self.kernel.cameras[self.path(number)] = FakeCamera(card=name)
        return camera

    def unplug(self, number: int) -> None:
        """Make it vanish, with its links."""
        self.kernel.cameras.pop(self.path(number)).unplug()
        entry = self.sysfs / f'video{number}'
        shutil.rmtree((entry / 'device').resolve().parent)
        entry.unlink()
        for link in (self.dev / 'v4l' / 'by-id').iterdir():
            if str(link.readlink()) == self.path(number):
                link.unlink()
        Path(self.path(number)).unlink()
