"""Ties the life of a process to that of the one that started it."""

import ctypes
import os
import signal

VARIABLE = 'CAMERA_MP_PARENT'  # holds the pid of the process to outlive by nothing
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def environment() -> dict[str, str]:
    """Give what to add to a child's environment so that its `follow_parent` follows us."""
    return {VARIABLE: str(os.getpid())}


def follow_parent() -> None:
    """
    Get SIGTERM when the parent dies, however it dies, if the environment asks for it.

    The kernel sends the signal when the parent's thread that started us ends: start children
    from a thread that stays. A node started by hand has no such variable and lives on.
    """
    wanted = os.environ.get(VARIABLE, '')
    if not wanted.isdecimal():
        return
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM):
        raise OSError(ctypes.get_errno(), 'prctl(PR_SET_PDEATHSIG)')
    if os.getppid() != int(wanted) and not _lives(int(wanted)):
        raise SystemExit(f'the process {wanted} that started this node is gone')


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
