"""The one writer of a ring."""

import mmap
import os
from pathlib import Path
import threading
import time
from types import TracebackType
import weakref

from camera_mp.errors import RingClosed, SettingError
from camera_mp.frame import FrameFormat, Pixels
from camera_mp.ring import file, futex, layout
from camera_mp.ring.layout import Ended, State, Word
import numpy as np

_KEPT = (Word.GENERATION, Word.COMMITTED, Word.STATE, Word.FRAMERATE, Word.LOST, Word.STALLS,
         Word.RECONNECTS, Word.UNDRAWN, Word.STAMP)  # when the ring grows


def _abandon(owner: int, path: Path, fd: int) -> None:
    if os.getpid() == owner:
        file.remove(path, fd)
    os.close(fd)


class FrameWriter:
    """
    Writes frames into shared memory, where any number of FrameReaders see them.

    One thread writes frames, by `write` or, without a copy, by `begin` and `commit`; any thread
    may set the state and the counters or close. A frame costs some stores and fences and one
    futex wake (some microseconds, a few more for each reader that sleeps) beyond its pixels.
    Readers cannot slow it down: it never waits for anything.

    name: of the ring, /dev/shm/camera_mp.<ROS domain>.<name>.
    frame_format: size and encoding to make room for; if larger ones come readers follow.
    slots: frames that are kept, 2 to 64; a reader may fall behind by that many less one.
    group: let the user's group read (mode 0640 instead of 0600).

    Raises NameTaken if a living writer has the name, and RingError if memory runs out.
    """

    def __init__(self, name: str, frame_format: FrameFormat, *, slots: int = 6,
                 domain: int | None = None, group: bool = False) -> None:
        self.name = name
        self.path = file.ring_path(name, domain)
        self._mode = 0o640 if group else 0o600
        self._slots = slots
        self._lock = threading.Lock()  # of the words that are not the frame's
        self._form = frame_format
        self._closed = False
        header = layout.new_header(frame_format.nbytes, slots)
        self._map(file.create(self.path, header, self._mode))

    def _map(self, fd: int) -> None:
        self._fd = fd
        # a program that ends without close leaves no file; one that forked leaves its parent's
        self._on_exit = weakref.finalize(self, _abandon, os.getpid(), self.path, fd)
        self._memory = mmap.mmap(fd, os.fstat(fd).st_size)
        self._words = memoryview(self._memory).cast('Q')
        self._signal = memoryview(self._memory)[Word.SIGNAL * 8:Word.SIGNAL * 8 + 4].cast('I')
        self._address = np.frombuffer(self._memory, np.uint8).ctypes.data + Word.SIGNAL * 8
        self._stride, self._payload = self._words[Word.STRIDE], self._words[Word.PAYLOAD]
        self._number = self._words[Word.COMMITTED]

    def begin(self, frame_format: FrameFormat | None = None, length: int | None = None) -> Pixels:
        """
        Give the next slot to draw in: writable, of the format's shape; then call `commit`.

        For a jpeg `length` is its size in bytes. What the slot held is gone from now on; if
        something goes wrong, just do not commit.
        """
        form = frame_format or self._form
        nbytes = form.nbytes if length is None else length
        if nbytes > self._payload:
            self._grow(nbytes)
        self._form, self._length = form, nbytes
        self._offset = layout.slot_offset(self._number + 1, self._slots, self._stride)
        self._words[self._offset // 8] = layout.writing(self._number + 1)
        futex.fence()
        shape = (nbytes,) if form.encoding == 'jpeg' else form.shape
        slot: Pixels = np.ndarray(
            shape, form.dtype, self._memory, self._offset + layout.SLOT_LINE)
        return slot

    def commit(self, stamp_ns: int, sequence: int) -> None:
        """Hand the slot of the last `begin` to the readers and wake them."""
        form = self._form
        layout.SLOT.pack_into(self._memory, self._offset + 8, stamp_ns, sequence, form.height,
                              form.width, form.step, self._length, form.encoding.encode())
        futex.fence()
        self._number += 1
        self._words[self._offset // 8] = layout.committed(self._number)
        futex.fence()
        self._words[Word.COMMITTED] = self._number
        self._words[Word.STAMP] = max(stamp_ns, 0)
        if self._words[Word.STATE] != State.STREAMING:
            self.set_state(State.STREAMING)
        else:
            with self._lock:
                self._wake()

    def pass_over(self, stamp_ns: int) -> None:
        """Say that a frame came that is not drawn, because nobody reads."""
        self.count(Word.UNDRAWN)
        self._words[Word.STAMP] = max(stamp_ns, 0)
        if self._words[Word.STATE] != State.STREAMING:
            self.set_state(State.STREAMING)

    def write(self, image: Pixels, stamp_ns: int | None = None,
              sequence: int | None = None) -> None:
        """
        Copy one frame in: an array of the writer's encoding, of any size.

        stamp_ns: time of capture since the Unix epoch, default now. sequence: default counts.
        Raises SettingError if the array's type or number of channels does not fit.
        """
        stamp_ns = time.time_ns() if stamp_ns is None else stamp_ns
        sequence = self._number if sequence is None else sequence
        target = self.begin(self._format_of(image), image.nbytes)
        np.copyto(target, image, casting='no')
        self.commit(stamp_ns, sequence)

    def _format_of(self, image: Pixels) -> FrameFormat:
        form = self._form
        if image.ndim > 1 and form.encoding != 'jpeg':
            form = FrameFormat(image.shape[0], image.shape[1], form.encoding)
        allowed = (image.size,) if form.encoding == 'jpeg' else form.shape
        if image.shape != allowed or image.dtype != form.dtype:
            raise SettingError(f'image: {image.dtype} {image.shape} is no {form.encoding}; '
                               f'allowed: {form.dtype} {allowed}')
        return form

    def _grow(self, nbytes: int) -> None:
        """Go on in a new, larger file: the live one is never resized under its readers."""
        header = layout.new_header(nbytes, self._slots)
        with self._lock:
            if self._closed:
                raise RingClosed(f'camera {self.name!r} was closed by its writer')
            header |= {word: self._words[word] for word in _KEPT}
            reason = self._memory[layout.REASON]
            old, fd = self._fd, file.replace(self.path, header, self._mode)
            self._end(Ended.REPLACED)
            self._on_exit.detach()
            self._map(fd)
            self._say(header[Word.STATE], reason)
            os.close(old)

    def has_readers(self) -> bool:
        """Tell whether any FrameReader is at this ring; costs one system call."""
        return file.is_read(self._fd)

    @property
    def state(self) -> State:
        """Give what the camera is doing, as said last."""
        return State(self._words[Word.STATE])

    def set_state(self, state: State, reason: str = '') -> None:
        """Say what the camera is doing, and in one line why; wakes the readers."""
        text = reason.encode(errors='backslashreplace')  # a path may hold bytes that are no text
        with self._lock:
            self._say(state, text)
            self._wake()

    def _say(self, state: int, text: bytes) -> None:
        odd = self._words[Word.REASON_LOCK] | 1  # or an interrupted one would be odd for ever
        self._words[Word.REASON_LOCK] = odd
        futex.fence()
        room = layout.REASON.stop - layout.REASON.start
        self._memory[layout.REASON] = text[:room].ljust(room, b'\0')
        self._words[Word.STATE] = state
        futex.fence()
        self._words[Word.REASON_LOCK] = odd + 1

    def count(self, word: Word, amount: int = 1) -> None:
        """Add to one of the counters LOST, STALLS, RECONNECTS, UNDRAWN."""
        with self._lock:
            self._words[word] += amount

    def set_framerate(self, framerate: float) -> None:
        """Say at which rate frames are to be expected, in Hz; 0.0: unknown."""
        with self._lock:
            self._words[Word.FRAMERATE] = round(framerate * 1000)

    def _wake(self) -> None:
        """Wake the readers, under the lock: the memory must not go away meanwhile."""
        futex.fence()
        self._signal[0] = (self._signal[0] + 1) & 0xFFFFFFFF
        futex.wake(self._address)

    def end(self, reason: str) -> None:
        """Say that no more frames come; the ring stays, to be read and looked at, until close."""
        text = reason.encode(errors='backslashreplace')
        with self._lock:
            self._say(State.STOPPED, text)
            self._end(Ended.CLOSED)

    def _end(self, ended: Ended) -> None:
        self._words[Word.ENDED] = ended
        self._wake()

    def close(self) -> None:
        """End the stream: readers get what is left, then RingClosed. The name is free again."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._on_exit.detach()
            if self.state != State.STOPPED:
                self._say(State.STOPPED, b'closed')
            self._end(Ended.CLOSED)
            file.remove(self.path, self._fd)
            os.close(self._fd)
            # not unmapped: another thread may still be drawing in a slot

    def __enter__(self) -> 'FrameWriter':
        """Give the writer itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Close it."""
        self.close()
