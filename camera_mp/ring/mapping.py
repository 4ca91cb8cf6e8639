"""One ring file as a reader sees it: mapped read-only, nothing in it trusted."""

from dataclasses import dataclass
import mmap
import os
from pathlib import Path
import weakref

from camera_mp.errors import RingCorrupt
from camera_mp.frame import Frame, Pixels
from camera_mp.ring import file, futex, layout
from camera_mp.ring.layout import Ended, State, Word
import numpy as np


@dataclass(frozen=True)
class RingStatus:
    """
    What a ring's header says: counters since its writer started, and its newest frame.

    undrawn: frames that came while nobody read, of a camera that draws for readers alone.
    stamp_ns: time of capture of the last frame that came, drawn or not; 0: none yet.
    """

    state: State
    reason: str
    pid: int
    alive: bool
    committed: int
    lost: int
    stalls: int
    reconnects: int
    framerate: float
    generation: int
    undrawn: int
    stamp_ns: int
    newest: Frame | None

    @property
    def frames(self) -> int:
        """Frames that the camera has given, drawn or not."""
        return self.committed + self.undrawn


class RingMapping:
    """
    A ring file, opened read-only and checked: every length against the file's size.

    The memory stays mapped as long as a frame borrowed from it lives. Whoever of the same user
    shrinks the file by force makes its readers die of SIGBUS; nothing else does.
    """

    def __init__(self, path: Path, fd: int) -> None:
        self._path, self._fd = path, fd
        size = os.fstat(fd).st_size
        if size < layout.PAGE:
            raise RingCorrupt(f'{path}: {size} bytes, expected {layout.PAGE} or more')
        self._memory = mmap.mmap(fd, size, access=mmap.ACCESS_READ)
        words = memoryview(self._memory)[:size // 8 * 8].cast('Q')
        layout.check_header(words, size, str(path))
        self._words = words
        self._signal = memoryview(self._memory)[Word.SIGNAL * 8:Word.SIGNAL * 8 + 4].cast('I')
        self._address = np.frombuffer(self._memory, np.uint8).ctypes.data + Word.SIGNAL * 8
        # read once: what is checked must not change afterwards
        self.slots, self._stride, self._payload = (
            words[Word.SLOTS], words[Word.STRIDE], words[Word.PAYLOAD])
        weakref.finalize(self, os.close, fd)  # the memory goes with the last array that shows it

    @classmethod
    def open(cls, path: Path) -> 'RingMapping | None':  # noqa: A003
        """Map the ring that lies at `path`, or give None if none does."""
        fd = file.open_existing(path, os.O_RDONLY)
        if fd is None:
            return None
        try:
            return cls(path, fd)
        except OSError as error:
            os.close(fd)
            raise RingCorrupt(f'{path}: {error.strerror}') from None
        except BaseException:
            os.close(fd)
            raise

    @property
    def signal(self) -> int:
        """Give a number that changes with every frame and every change of state."""
        signal = int(self._signal[0])
        futex.fence()  # what is looked at next must not be older than the signal
        return signal

    def sleep(self, signal: int, timeout: float) -> None:
        """Sleep until the signal is no longer this one, `timeout` seconds at the most."""
        futex.wait(self._address, signal, timeout)

    @property
    def newest(self) -> int:
        """Give the number of the newest frame, 0 if there is none yet."""
        return self._words[Word.COMMITTED]

    @property
    def generation(self) -> int:
        """When the writer began; a larger file that it went on in has the same."""
        return self._words[Word.GENERATION]

    @property
    def is_closed(self) -> bool:
        """Whether the writer ended the stream on purpose, here or in a file that came and went."""
        ended = self._words[Word.ENDED]
        return ended == Ended.CLOSED or (ended == Ended.REPLACED and not self._path.exists())

    def is_over(self) -> bool:
        """Tell whether no more frames come in this file: ended, replaced or its writer dead."""
        return bool(self._words[Word.ENDED]) or not self.writer_lives() or not self.is_current()

    @property
    def state(self) -> State:
        """Give what the camera says it is doing."""
        word = self._words[Word.STATE]
        return State(word) if word <= State.STOPPED else State.STOPPED

    def has_readers(self) -> bool:
        """Tell whether any FrameReader is at this ring."""
        return file.is_read(self._fd)

    def begin_reading(self) -> None:
        """Let the writer know that somebody reads, as long as this mapping lives."""
        file.begin_reading(self._fd)

    def writer_lives(self) -> bool:
        """Tell whether a process still holds the writer's lock."""
        return file.is_locked(self._fd)

    def is_current(self) -> bool:
        """Tell whether the ring's name still leads here."""
        return file.leads_to(self._path, self._fd)

    def holds(self, number: int) -> bool:
        """Tell whether frame `number` lies in its slot, whole."""
        futex.fence()
        offset = layout.slot_offset(number, self.slots, self._stride)
        return number > 0 and self._words[offset // 8] == layout.committed(number)

    def stamp_ns(self, number: int) -> int | None:
        """Give when a frame up to the newest was taken, or None if it is overwritten."""
        offset = layout.slot_offset(number, self.slots, self._stride)
        stamp_ns: int = layout.SLOT.unpack_from(self._memory, offset + 8)[0]
        return stamp_ns if self.holds(number) else None

    def borrow(self, number: int) -> Frame | None:
        """Give frame `number` where it lies, or None if it is already, or not yet, there."""
        if not self.holds(number):
            return None
        offset = layout.slot_offset(number, self.slots, self._stride)
        stamp_ns, sequence, height, width, step, length, encoding = layout.SLOT.unpack_from(
            self._memory, offset + 8)
        if not self.holds(number):
            return None
        form = layout.check_slot(height, width, step, length, encoding, self._payload)
        shape, strides = form.shape, None
        if form.encoding == 'jpeg':
            shape = (length,)
        elif step != form.step:
            pixel = form.step // width
            strides = (step, pixel, form.dtype.itemsize)[:len(shape)]
        image: Pixels = np.ndarray(
            shape, form.dtype, self._memory, offset + layout.SLOT_LINE, strides)
        return Frame(image, form, stamp_ns, sequence, number, lambda: self.holds(number))

    def copy(self, number: int) -> Frame | None:
        """Give a private copy of frame `number`, or None if it was not whole to the end."""
        frame = self.borrow(number)
        if frame is None:
            return None
        image = frame.image.copy()
        if not frame.intact:
            return None
        return Frame(image, frame.format, frame.stamp_ns, frame.sequence, number)

    def status(self) -> RingStatus:
        """Give what the header says now."""
        words = self._words
        return RingStatus(
            self.state, self._reason(), words[Word.PID], self.writer_lives(), self.newest,
            words[Word.LOST], words[Word.STALLS], words[Word.RECONNECTS],
            words[Word.FRAMERATE] / 1000, self.generation, words[Word.UNDRAWN], words[Word.STAMP],
            self.borrow(self.newest))

    def _reason(self) -> str:
        for _ in range(100):  # a writer that died half-way leaves the lock odd for ever
            before = self._words[Word.REASON_LOCK]
            futex.fence()
            text = self._memory[layout.REASON]
            futex.fence()
            if before % 2 == 0 and self._words[Word.REASON_LOCK] == before:
                return text.rstrip(b'\0').decode(errors='replace')
        return ''


def ring_status(name: str, domain: int | None = None) -> RingStatus | None:
    """Tell what a camera is doing now, without becoming its reader; None if there is no ring."""
    ring = RingMapping.open(file.ring_path(name, domain))
    return ring.status() if ring else None
