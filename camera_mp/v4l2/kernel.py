"""Every call into the kernel that a camera needs; all may raise OSError."""

from collections.abc import Callable
import ctypes
import fcntl
import mmap
import os
import select

Argument = ctypes.Structure | ctypes.c_int32


def open_device(path: str) -> int:
    """Open a device so that nothing on it waits, and give its file descriptor."""
    return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)


def close(fd: int) -> None:
    """Close a device."""
    os.close(fd)


def ioctl(fd: int, request: int, argument: Argument) -> None:
    """Ask or tell the driver something; the answer is written into `argument`."""
    while True:
        try:
            fcntl.ioctl(fd, request, argument)
            return
        except InterruptedError:
            pass  # a signal came whose handler raised nothing; Python repeats other calls itself


def map_memory(fd: int, length: int, offset: int) -> mmap.mmap:
    """Map one of the driver's buffers; it keeps the device open, too, until it is closed."""
    return mmap.mmap(fd, length, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE,
                     offset=offset)


def poller(fd: int) -> Callable[[float], int]:
    """
    Give what sleeps until a frame is there, for some seconds at the most.

    It gives the events that poll found, 0 if the time is over.
    """
    waiting = select.poll()
    waiting.register(fd, select.POLLIN)

    def poll(seconds: float) -> int:
        ready = waiting.poll(max(seconds, 0.0) * 1000)
        return ready[0][1] if ready else 0
    return poll
