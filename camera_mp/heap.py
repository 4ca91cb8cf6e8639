"""Keeps glibc from giving the memory of every image back to the kernel and fetching it again."""

import ctypes

# malloc.h; values above 2**31-1 would wrap to 0 in mallopt's C int
_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD, _M_TOP_PAD = -3, -1, -2
_OPTIONS = ((_M_MMAP_THRESHOLD, 1 << 30), (_M_TRIM_THRESHOLD, 2**31 - 1), (_M_TOP_PAD, 64 << 20))


def keep_large_blocks() -> bool:
    """
    Tell malloc to keep freed blocks of any size for the next image; for the whole process.

    Without it each 1920x1080 image costs a subscriber 4500 page faults (benchmark/image_topic.py):
    most of what it spends. False where the C library has no mallopt (musl).
    """
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    return mallopt is not None and all(mallopt(option, value) for option, value in _OPTIONS)
