"""
Ask Linux to run a thread on time: SCHED_FIFO, locked memory, chosen CPUs, no garbage collector.

Each wish that the machine refuses is one warning that says how to allow it; the rest holds.
"""

from collections.abc import Sequence
import ctypes
from dataclasses import dataclass
import gc
import os
from pathlib import Path
import platform
import resource
import struct
import sys

from camera_mp.errors import SettingError

# asm-generic/mman.h; without ONFAULT every thread's whole stack, 8 MB, becomes resident at once
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
_PR_SET_TIMERSLACK = 29            # linux/prctl.h
_CAP_IPC_LOCK = 14                 # linux/capability.h
_SYS_SCHED_SETATTR = {'x86_64': 314, 'aarch64': 274}.get(platform.machine())  # unistd.h
_SCHED_ATTR = struct.Struct('=IIQiIQQQ')  # struct sched_attr of linux/sched/types.h, version 0
_SLICE = 100_000                   # ns, the least that kernel/sched/syscalls.c takes
_MAX_PRIORITY = 99                 # sched(7)
_MIN_SWITCH = 0.00001             # seconds: about what handing over the GIL takes
_LIMITS = '/etc/security/limits.conf'
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class RealtimeWishes:
    """
    What to ask for.

    rt_priority: of SCHED_FIFO, 1 to 99; 0: ordinary scheduling.
    lock_memory: keep every page of the process in RAM from its first use on, those mapped
    later too.
    cpu_affinity: the CPUs to run on; none: any.
    disable_gc: stop the cyclic garbage collector. Reference cycles made later are never freed
    unless gc.collect is called where there is time.
    switch_interval: seconds after which a Python thread must give way to one that waits for the
    GIL, 0.00001 to 1; Python's own 0.005 is two periods of a 500 Hz loop. 0: leave it.
    Raises SettingError for a value out of range or a CPU that is not there.
    """

    rt_priority: int = 80
    lock_memory: bool = True
    cpu_affinity: Sequence[int] = ()
    disable_gc: bool = True
    switch_interval: float = 0.00005

    def __post_init__(self) -> None:
        """Check the values."""
        if not 0 <= self.rt_priority <= _MAX_PRIORITY:
            raise SettingError(f'rt_priority: {self.rt_priority} is not allowed; '
                               f'allowed: 0 (off) to {_MAX_PRIORITY}')
        if self.switch_interval and not _MIN_SWITCH <= self.switch_interval <= 1:
            raise SettingError(f'switch_interval: {self.switch_interval} s is not allowed; '
                               f'allowed: 0 (leave it), {_MIN_SWITCH:g} to 1')
        online = _online_cpus()
        for cpu in self.cpu_affinity:
            if cpu not in online:
                raise SettingError(f'cpu_affinity: {cpu} is not allowed; '
                                   f'allowed: {", ".join(map(str, online))}')


@dataclass(frozen=True)
class Realtime:
    """What is in force, such as 'SCHED_FIFO 80', and one warning for each refused wish."""

    in_force: Sequence[str]
    warnings: Sequence[str]


class _Refused(Exception):
    """The machine does not grant a wish; the text says how to allow it."""


def enter_realtime(wishes: RealtimeWishes, beside: Sequence[int] = ()) -> Realtime:
    """
    Grant the calling thread what the machine allows of the wishes.

    Memory, collector and switch interval are the whole process's. Threads started later inherit
    the rest from the one that starts them.
    beside: native ids of the process's other Python threads. One of them that is kept off the
    CPU while it holds the GIL stops the loop, so they are scheduled alike, a priority lower.

    Always granted is the least timer slack, 1 ns instead of 50 us (PR_SET_TIMERSLACK, prctl(2)),
    and without SCHED_FIFO, from Linux 6.12 on, the shortest slice (sched_setattr(2)): a thread
    that asks for little at a time is let in sooner. Both count for ordinary scheduling.
    """
    in_force, warnings = [], []
    threads = (0, *beside)  # 0: this one
    for grant in (_disable_gc, _lock_memory, _set_switch_interval, _set_affinity,
                  _set_timer_slack, _set_slice, _set_fifo):
        try:
            feature = grant(wishes, threads)
        except _Refused as refusal:
            warnings.append(str(refusal))
        else:
            in_force += [feature] if feature else []
    return Realtime(tuple(in_force), tuple(warnings))


def _disable_gc(wishes: RealtimeWishes, threads: Sequence[int]) -> str | None:
    if not wishes.disable_gc:
        return None
    gc.collect()
    gc.freeze()  # what lives now need not be looked at by a later gc.collect
    gc.disable()
    return 'gc off'


def _lock_memory(wishes: RealtimeWishes, threads: Sequence[int]) -> str | None:
    """Lock only without a limit: under one MCL_FUTURE makes later mmaps fail, in any library."""
    if not wishes.lock_memory:
        return None
    if not _may_lock_all():
        raise _Refused(f'lock_memory: refused, ulimit -l is not unlimited; allow it with the '
                       f"line '{_user()} - memlock unlimited' in {_LIMITS} and a new login")
    if _libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) != 0:
        raise _Refused(f'lock_memory: mlockall refused: {os.strerror(ctypes.get_errno())}; it '
                       f'needs as much free RAM as the process has mapped')
    return 'memory locked'


def _may_lock_all() -> bool:
    """Tell whether there is no limit, where need be by raising the soft one, or none for us."""
    _, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if hard == resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (hard, hard))
        return True
    status = Path('/proc/self/status').read_text()
    capabilities = int(status.partition('CapEff:')[2].split()[0], 16)
    return bool(capabilities >> _CAP_IPC_LOCK & 1)


def _set_switch_interval(wishes: RealtimeWishes, threads: Sequence[int]) -> str | None:
    if not wishes.switch_interval:
        return None
    sys.setswitchinterval(wishes.switch_interval)
    return f'GIL switch {wishes.switch_interval * 1e6:g} us'


def _set_affinity(wishes: RealtimeWishes, threads: Sequence[int]) -> str | None:
    if not wishes.cpu_affinity:
        return None
    wanted = set(wishes.cpu_affinity)
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, wanted)
    except OSError as error:
        raise _Refused(f'cpu_affinity: {_cpus(wanted)} refused: {error.strerror}; this process '
                       f'is confined to CPU {_cpus(before)} (cpuset of its container?)') from None
    granted = os.sched_getaffinity(0)
    if granted != wanted:
        raise _Refused(f'cpu_affinity: of {_cpus(wanted)} only CPU {_cpus(granted)} granted; '
                       f'allow the others in the cpuset of the container or service')
    return f'CPU {_cpus(granted)}'


def _set_timer_slack(wishes: RealtimeWishes, threads: Sequence[int]) -> str | None:
    if _libc.prctl(_PR_SET_TIMERSLACK, ctypes.c_ulong(1), *[ctypes.c_ulong(0)] * 3) != 0:
        raise _Refused(f'timer slack: refused: {os.strerror(ctypes.get_errno())}')
    return 'timer slack 1 ns'


def _set_slice(wishes: RealtimeWishes, threads: Sequence[int]) -> str | None:
    if wishes.rt_priority or _SYS_SCHED_SETATTR is None:
        return None
    for thread in threads:
        nice = os.getpriority(os.PRIO_PROCESS, thread)
        attributes = _SCHED_ATTR.pack(_SCHED_ATTR.size, os.SCHED_OTHER, 0, nice, 0, _SLICE, 0, 0)
        if _libc.syscall(_SYS_SCHED_SETATTR, thread, attributes, 0) != 0:
            raise _Refused(f'slice: refused: {os.strerror(ctypes.get_errno())}')
    return None  # older kernels take it and do nothing: it is no feature to promise


def _set_fifo(wishes: RealtimeWishes, threads: Sequence[int]) -> str | None:
    priority = wishes.rt_priority
    if not priority:
        return None
    try:
        for thread in threads:
            lower = priority if thread == 0 else max(priority - 1, 1)
            os.sched_setscheduler(thread, os.SCHED_FIFO, os.sched_param(lower))
    except OSError as error:
        raise _Refused(
            f'rt_priority: SCHED_FIFO {priority} refused: {error.strerror}; allow it with the '
            f"line '{_user()} - rtprio {priority}' in {_LIMITS} and a new login, or without ROS "
            f'(LD_LIBRARY_PATH is ignored then): sudo setcap cap_sys_nice+ep '
            f'{os.path.realpath(sys.executable)}') from None
    return f'SCHED_FIFO {priority}'


def _online_cpus() -> list[int]:
    """Give the CPUs in use; the numbers may have gaps (the kernel's cputopology.rst)."""
    online: list[int] = []
    for part in Path('/sys/devices/system/cpu/online').read_text().split(','):
        first, _, last = part.strip().partition('-')
        online += range(int(first), int(last or first) + 1)
    return online


def _cpus(cpus: set[int]) -> str:
    return ', '.join(map(str, sorted(cpus)))


def _user() -> str:
    return os.environ.get('USER') or '*'
