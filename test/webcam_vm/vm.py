"""
Runs a command in a small virtual machine that has emulated webcams: python vm.py COMMAND...

The guest is Debian's own kernel over this machine's file system, which it sees read-only, at the
same paths and below a tmpfs: Python, its packages and the checkout are there. Plain emulation
(TCG): no KVM and no network are needed. Out of it come what the command prints and its exit code.
It needs root only to install Debian packages that lack.
"""

import argparse
import os
from pathlib import Path
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from typing import NoReturn

from debian_kernel import CACHE, call, Kernel, VirtualMachineError

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PROGRAMS = {'qemu-system-x86_64': 'qemu-system-x86', 'busybox': 'busybox-static',
            'cpio': 'cpio', 'modprobe': 'kmod'}  # and the Debian package of each

_GRACE = 60.0  # seconds to boot and to power off, beyond the command's own time


def install() -> None:
    """Install what lacks, as root with apt-get; else say what must be installed."""
    lacking = [package for program, package in PROGRAMS.items() if not shutil.which(program)
               or (program == 'busybox' and _needs_libraries(program))]
    if not lacking:
        return
    if os.geteuid() != 0 or not shutil.which('apt-get'):
        raise VirtualMachineError(f'install these first: {" ".join(lacking)}')
    call('apt-get', 'update', '-qq')
    call('apt-get', 'install', '-qq', '-y', '--no-install-recommends', *lacking)


def _needs_libraries(program: str) -> bool:
    looked = subprocess.run(['ldd', shutil.which(program) or ''], capture_output=True)
    return looked.returncode == 0


def run(command: list[str], timeout: float, folder: Path) -> int:
    """
    Run a command in the guest and give its exit code.

    timeout: in seconds. folder: empty, what host and guest share for writing.
    """
    kernel = Kernel()
    kernel.write_initrd(folder / 'initrd')
    code = folder / 'exit_code'
    guest = ['bash', HERE / 'guest.sh', kernel.folder, sys.executable, *command]
    (folder / 'start.sh').write_text(f"""\
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
cd {shlex.quote(str(ROOT))}
timeout --foreground --kill-after=10 {timeout} {shlex.join(map(str, guest))}
echo $? > {shlex.quote(str(code))}
sync
echo 0 > /proc/sys/kernel/printk  # silence
exec busybox poweroff -f
""")
    machine = _start(kernel, folder)
    try:
        machine.wait(timeout + _GRACE)
    except subprocess.TimeoutExpired:
        raise VirtualMachineError('the guest did not end in time') from None
    finally:
        machine.kill()
        machine.wait()
    if not code.exists():
        raise VirtualMachineError('the guest did not boot, or broke down')
    return int(code.read_text())


def _start(kernel: Kernel, shared: Path) -> subprocess.Popen[bytes]:
    def share(tag: str, folder: Path, *options: str) -> list[str]:
        words = ','.join(['local', f'id={tag}', f'path={folder}', 'security_model=none', *options])
        return ['-fsdev', words, '-device', f'virtio-9p-pci,fsdev={tag},mount_tag={tag}']
    return subprocess.Popen([
        # it must not outlive us, and lets others work; without la57 its page tables are cheaper
        'setpriv', '--pdeathsig', 'KILL', 'nice', '-n', '19', 'qemu-system-x86_64',
        '-accel', 'tcg,thread=multi', '-cpu', 'max,la57=off', '-smp', '2', '-m', '3G',
        '-machine', 'q35', *share('host', Path('/'), 'readonly=on', 'multidevs=remap'),
        *share('out', shared), '-nodefaults', '-no-reboot', '-nic', 'none', '-display', 'none',
        '-serial', 'stdio', '-monitor', 'none',
        '-kernel', str(kernel.folder / 'vmlinuz'), '-initrd', str(shared / 'initrd'),
        '-append', 'console=ttyS0 quiet loglevel=1 panic=-1 mitigations=off nokaslr '
        f'random.trust_cpu=on tsc=reliable WEBCAM_VM_OUT="{shared}"'], stdin=subprocess.DEVNULL)


def _end(number: int, frame: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not stop the clearing away
    raise SystemExit(1)


def main() -> int:
    """Run the command of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').strip().splitlines()[0])
    parser.add_argument('--timeout', type=float, default=900.0, help='seconds for the command')
    parser.add_argument('command', nargs=argparse.REMAINDER)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)
    os.environ['PATH'] += ':/usr/sbin:/sbin'  # where modprobe is; not every user looks there
    try:
        install()
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as name:
            return run(options.command, options.timeout, Path(name))
    except (VirtualMachineError, OSError) as error:
        print(f'webcam VM: {error}', file=sys.stderr)
        return 1


if __name__ == '__main__':
    raise SystemExit(main())
