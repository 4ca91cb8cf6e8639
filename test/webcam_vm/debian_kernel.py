"""Debian's own kernel, unpacked in a folder of the user's cache, and how to boot it."""

import os
from pathlib import Path
import shutil
import subprocess
import tempfile

CACHE = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'camera_mp_webcam_vm'

_PACKAGE = 'linux-image-amd64'  # depends on the newest kernel of the release
_BRANCHES = ('drivers/media', 'drivers/usb', 'drivers/virtio', 'fs', 'net/9p')
_BOOT = ('virtio_pci', '9pnet_virtio', '9p', 'overlay')  # modules needed to see the host's files
_INIT = Path(__file__).parent / 'guest_init.sh'


class VirtualMachineError(Exception):
    """The machine cannot be had here, or did not come to an end; one line says why."""


def call(*command: object, folder: Path | None = None) -> str:
    """Run a program and give what it says; VirtualMachineError if it fails."""
    done = subprocess.run(list(map(str, command)), cwd=folder, text=True, capture_output=True,
                          env={**os.environ, 'DEBIAN_FRONTEND': 'noninteractive'})
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise VirtualMachineError(f'{" ".join(map(str, command))}: {" ".join(last)}')
    return done.stdout


class Kernel:
    """The newest kernel of this Debian release; folder: has vmlinuz and lib/modules."""

    def __init__(self) -> None:
        """Find it in the cache, or download and unpack it."""
        self.version = _find_version()
        self.folder = CACHE / self.version
        if not self.folder.exists():
            with tempfile.TemporaryDirectory(dir=CACHE) as name:
                folder = Path(name) / self.version
                folder.mkdir()
                self._unpack(folder)
                folder.rename(self.folder)

    def _unpack(self, folder: Path) -> None:
        call('apt-get', 'download', f'linux-image-{self.version}', folder=folder)
        package, = folder.glob('*.deb')
        modules = f'./lib/modules/{self.version}'
        wanted = [f'./boot/vmlinuz-{self.version}', f'{modules}/modules.*',
                  *(f'{modules}/kernel/{branch}/*' for branch in _BRANCHES)]
        archive = folder / 'files.tar'
        with archive.open('wb') as output:
            subprocess.run(['dpkg', '--fsys-tarfile', package], stdout=output, check=True)
        call('tar', '-x', '-f', archive, '--wildcards', *wanted, folder=folder)
        (folder / 'boot' / f'vmlinuz-{self.version}').rename(folder / 'vmlinuz')
        call('depmod', '-b', folder, self.version)
        package.unlink()
        archive.unlink()

    def write_initrd(self, path: Path) -> None:
        """Make the initial RAM disk: busybox, guest_init.sh and the modules to boot with."""
        with tempfile.TemporaryDirectory(dir=CACHE) as name:
            folder = Path(name)
            for part in ('bin', 'modules', 'proc', 'sys', 'dev'):
                (folder / part).mkdir()
            shutil.copy(shutil.which('busybox') or '', folder / 'bin' / 'busybox')
            shutil.copy(_INIT, folder / 'init')
            (folder / 'init').chmod(0o755)
            modules = self._boot_modules()
            for module in modules:
                shutil.copy(module, folder / 'modules')
            (folder / 'modules.list').write_text('\n'.join(one.name for one in modules))
            files = '\n'.join(str(one.relative_to(folder)) for one in folder.rglob('*'))
            with path.open('wb') as output:
                subprocess.run(['cpio', '--create', '--format=newc', '--quiet'], cwd=folder,
                               input=files.encode(), stdout=output, check=True)

    def _boot_modules(self) -> list[Path]:
        """Give the files of _BOOT and of what they depend on, in the order to load them."""
        lines = [line for module in _BOOT for line in call(
            'modprobe', '-d', self.folder, '-S', self.version, '--show-depends', module,
        ).splitlines()]
        paths = [line.split()[1] for line in lines if line.startswith('insmod ')]
        return [Path(path) for path in dict.fromkeys(paths)]


def _find_version() -> str:
    """Give the newest version that apt knows of, or can get to know."""
    if not shutil.which('apt-cache'):
        raise VirtualMachineError("it needs Debian's kernel, and there is no apt here")
    version = _known_version()
    if os.geteuid() == 0 and not (version and (CACHE / version).exists()):
        call('apt-get', 'update', '-qq')  # from an old list nothing can be downloaded
        version = _known_version()
    if not version:
        raise VirtualMachineError(f'apt knows no {_PACKAGE}, which Debian has; try apt-get update')
    return version


def _known_version() -> str:
    found = subprocess.run(['apt-cache', 'depends', _PACKAGE], text=True, capture_output=True)
    return next((line.partition('linux-image-')[2] for line in found.stdout.splitlines()
                 if 'Depends: linux-image-' in line), '')
