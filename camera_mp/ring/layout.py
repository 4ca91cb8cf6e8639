"""
The bytes of a ring: one header page, then slots of one header line and a payload each.

All words are native uint64, aligned to 8 bytes, so that one load or store reads or writes each
whole (x86-64 and aarch64). A ring is for one host; it never travels between architectures.
"""

from enum import IntEnum
from functools import lru_cache
import struct

from camera_mp.errors import RingCorrupt, SettingError
from camera_mp.frame import FrameFormat

PAGE = 4096
MAGIC = int.from_bytes(b'camera_m', 'little')
VERSION = 2
MIN_SLOTS, MAX_SLOTS = 2, 64


class Word(IntEnum):
    """Index of each uint64 of the header page."""

    MAGIC = 0
    VERSION = 1
    SIZE = 2           # of the file, bytes
    SLOTS = 3
    STRIDE = 4         # from slot to slot, bytes
    PAYLOAD = 5        # the most bytes a frame may have
    GENERATION = 6     # when the writer began, ns since the Unix epoch; kept when it grows
    PID = 7            # of the writer
    ENDED = 8          # an Ended
    STATE = 9          # a State
    FRAMERATE = 10     # what the writer aims at, millihertz; 0: unknown
    LOST = 11          # frames the source delivered broken or not at all
    STALLS = 12
    RECONNECTS = 13
    REASON_LOCK = 14   # odd while the reason is being written
    COMMITTED = 15     # number of the newest frame; 0: none yet
    SIGNAL = 16        # the futex: its low half changes with every frame and every state
    UNDRAWN = 17       # frames that came while nobody read, of a camera that draws for readers
    STAMP = 18         # time of capture of the newest frame, drawn or not, ns since the epoch


REASON = slice(512, 1024)  # bytes of the header page: UTF-8, zeros behind it


class State(IntEnum):
    """What a camera is doing."""

    STARTING = 0
    STREAMING = 1
    STALLED = 2
    RECONNECTING = 3
    STOPPED = 4


class Ended(IntEnum):
    """Whether more frames can come in this file."""

    NO = 0
    REPLACED = 1  # the name leads to a newer file of the same writer
    CLOSED = 2


SLOT_LINE = 64  # one cache line: the lock word and what SLOT packs
SLOT = struct.Struct('=qQIIII24s')  # stamp_ns, sequence, height, width, step, length, encoding


def writing(number: int) -> int:
    """Lock word of a slot while frame `number` is written into it: odd."""
    return 2 * number - 1


def committed(number: int) -> int:
    """Lock word of a slot that holds frame `number`: even, and never the same again."""
    return 2 * number


def slot_offset(number: int, slots: int, stride: int) -> int:
    """Byte offset of the slot of frame `number` (1, 2, 3, ...)."""
    return PAGE + (number - 1) % slots * stride


def new_header(payload: int, slots: int) -> dict[Word, int]:
    """Words of the header of a ring for frames of up to `payload` bytes."""
    if not MIN_SLOTS <= slots <= MAX_SLOTS:
        raise SettingError(f'slots: {slots} is not allowed; allowed: {MIN_SLOTS} to {MAX_SLOTS}')
    stride = -(-(SLOT_LINE + payload) // PAGE) * PAGE
    return {Word.MAGIC: MAGIC, Word.VERSION: VERSION, Word.SIZE: PAGE + slots * stride,
            Word.SLOTS: slots, Word.STRIDE: stride, Word.PAYLOAD: stride - SLOT_LINE}


def check_header(words: memoryview, size: int, path: str) -> None:
    """Raise RingCorrupt unless the header fits itself and a file of `size` bytes."""
    def require(what: str, found: int, wanted: int) -> None:
        if found != wanted:
            raise RingCorrupt(f'{path}: {what} is {found:#x}, expected {wanted:#x}')

    require('magic', words[Word.MAGIC], MAGIC)
    require('layout version', words[Word.VERSION], VERSION)
    slots, stride, payload = words[Word.SLOTS], words[Word.STRIDE], words[Word.PAYLOAD]
    if not MIN_SLOTS <= slots <= MAX_SLOTS:
        raise RingCorrupt(f'{path}: {slots} slots, expected {MIN_SLOTS} to {MAX_SLOTS}')
    if stride == 0 or stride % PAGE:
        raise RingCorrupt(f'{path}: slot stride {stride} is no multiple of {PAGE}')
    require('payload', payload, stride - SLOT_LINE)
    require('size in the header', words[Word.SIZE], PAGE + slots * stride)
    require('size of the file', size, PAGE + slots * stride)


@lru_cache(maxsize=64)  # the same of every frame but a jpeg
def check_slot(height: int, width: int, step: int, length: int, encoding: bytes,
               payload: int) -> FrameFormat:
    """Give the format of a slot's frame, or raise RingCorrupt if it cannot lie in the slot."""
    try:
        form = FrameFormat(height, width, encoding.rstrip(b'\0').decode('ascii'))
    except (SettingError, UnicodeDecodeError) as error:
        raise RingCorrupt(f'a slot holds no frame: {error}') from None
    if length > payload:
        raise RingCorrupt(f'a slot says {length} bytes and has room for {payload}')
    if form.encoding != 'jpeg' and (
            step < form.step or step % form.dtype.itemsize or length != step * height):
        raise RingCorrupt(f'a slot says {form}, {step} bytes a row and {length} in all')
    return form
