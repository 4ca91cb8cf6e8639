"""
Sleep on a word of shared memory until another process changes it (futex(2)), and fences.

A futex, not a semaphore or a condition: it works on a read-only mapping, wakes every sleeper,
and holds no lock that a killed process could leave taken.
"""

from collections.abc import Callable
import ctypes
import errno
import os
import platform
import threading

# syscall numbers: arch/x86/entry/syscalls/syscall_64.tbl and asm-generic/unistd.h
_SYS_FUTEX = {'x86_64': 202, 'aarch64': 98}.get(platform.machine())
_FUTEX_WAIT, _FUTEX_WAKE = 0, 1  # linux/futex.h; without FUTEX_PRIVATE_FLAG: across processes
_EVERYBODY = 2**31 - 1
_SEQ_CST = 5  # memory_order_seq_cst of <stdatomic.h>

if _SYS_FUTEX is None:
    raise ImportError(f'camera_mp runs on Linux x86_64 and aarch64, not {platform.machine()}')


class _Timespec(ctypes.Structure):
    _fields_ = [('tv_sec', ctypes.c_long), ('tv_nsec', ctypes.c_long)]


_syscall = ctypes.CDLL(None, use_errno=True).syscall  # ctypes lets go of the GIL in a call
_syscall.restype = ctypes.c_long
_syscall.argtypes = [ctypes.c_long, ctypes.c_void_p, ctypes.c_int, ctypes.c_uint32,
                     ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32]


def wait(address: int, expected: int, timeout: float) -> None:
    """
    Sleep while the uint32 at `address` is `expected`, for `timeout` seconds at the most.

    It may also return early, at a signal: look again at what you wait for, as with a condition.
    """
    limit = _Timespec(int(timeout), int(timeout % 1 * 1e9))
    if _syscall(_SYS_FUTEX, address, _FUTEX_WAIT, expected, ctypes.addressof(limit), None, 0) < 0:
        code = ctypes.get_errno()
        if code not in (errno.EAGAIN, errno.EINTR, errno.ETIMEDOUT):
            raise OSError(code, os.strerror(code))


def wake(address: int) -> None:
    """Wake every process and thread that sleeps on the uint32 at `address`."""
    if _syscall(_SYS_FUTEX, address, _FUTEX_WAKE, _EVERYBODY, None, None, 0) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


_thread_fence: Callable[[int], None] | None = None
try:
    # PyDLL keeps the GIL: to let go of it for nanoseconds could cost a switch to another thread
    _thread_fence = ctypes.PyDLL('libatomic.so.1').atomic_thread_fence
except OSError:
    if platform.machine() != 'x86_64':
        raise ImportError(
            'libatomic.so.1 is needed on this architecture: apt install libatomic1') from None

_lock = threading.Lock()


def fence() -> None:
    """
    Let no load or store of this thread pass this point, in either direction.

    x86-64 needs it for the writer alone: plain loads and stores keep their order there, but
    the streaming stores of memcpy and OpenCV do not. Without libatomic an uncontended lock
    serves: its LOCK-prefixed instruction drains them (Intel SDM 3A, 13.3). ARM needs the real one.
    """
    if _thread_fence is not None:
        _thread_fence(_SEQ_CST)
    else:
        with _lock:
            pass
