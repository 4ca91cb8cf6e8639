"""The one writer of a ring."""

import mmap
import os
import threading
import time
from types import TracebackType

import numpy as np

from camera_mp.errors import SettingError
from camera_mp.frame import FrameFormat, Pixels
from camera_mp.ring import file, futex, layout
from camera_mp.ring.layout import Ended, State, Word


class FrameWriter:
    """
    Writes frames into shared memory, where any number of FrameReaders see them.

    One thread writes frames, by `write` or, without a copy, by `begin` and `commit`; any thread
    may set the state and the counters or close. A frame costs two stores, two fences and one
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
        self._memory = mmap.mmap(fd, os.fstat(fd).st_size)
        self._words = memoryview(self._memory).cast('Q')
        self._signal = memoryview(self._memory)[Word.SIGNAL * 8:Word.SIGNAL * 8 + 4].cast('I')
        self._address = np.frombuffer(self._memory, np.uint8).ctypes.data + Word.SIGNAL * 8
        self._stride, self._payload = self._words[Word.STRIDE], self._words[Word.PAYLOAD]
        self._number = 0

    def begin(self, frame_format: FrameFormat | None = None, length: int | None = None) -> Pixels:
        """
        Give the next slot to draw in: writable, of the format's shape; then call `commit`.

        For a jpeg `length` is its size in bytes. What the slot held is gone from now on; if
        something goes wrong, just do not commit.
        """
        form = frame_format or self._form
        nbytes = form.nbytes if length is None else length
        if nbytes > self._payload:
            self._grow(form, nbytes)
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
        self._words[Word.COMMITTED] = self._number
        if self._words[Word.STATE] != State.STREAMING:
            self.set_state(State.STREAMING)
        else:
            self._wake()

    def write(self, image: Pixels, stamp_ns: int | None = None,
              sequence: int | None = None) -> None:
        """
        Copy one frame in: an array of the writer's encoding, of any size.

        stamp_ns: time of capture since the Unix epoch, default now. sequence: default counts.
        Raises SettingError if the array's type or number of channels does not fit.
        """
        stamp_ns = time.time_ns() if stamp_ns is None else stamp_ns
        sequence = self._number if sequence is None else sequence
        if self._form.encoding == 'jpeg':
            target = self.begin(self._form, image.size)
        else:
            target = self.begin(self._format_of(image))
        np.copyto(target, image, casting='no')
        self.commit(stamp_ns, sequence)

    def _format_of(self, image: Pixels) -> FrameFormat:
        height, width = image.shape[:2]
        form = FrameFormat(height, width, self._form.encoding)
        if image.shape != form.shape or image.dtype != form.dtype:
            raise SettingError(f'image: {image.dtype} {image.shape} is no {form.encoding}; '
                               f'allowed: {form.dtype} {form.shape}')
        return form

    def _grow(self, form: FrameFormat, nbytes: int) -> None:
        """Go on in a new, larger file: the live one is never resized under its readers."""
        header = layout.new_header(nbytes, self._slots)
        for word in (Word.STATE, Word.FRAMERATE, Word.LOST, Word.STALLS, Word.RECONNECTS):
            header[word] = self._words[word]
        with self._lock:
            old = self._fd
            fd = file.replace(self.path, header, self._mode)
            self._end(Ended.REPLACED)
            self._map(fd)
        os.close(old)

    def set_state(self, state: State, reason: str = '') -> None:
        """Say what the camera is doing, and in one line why; wakes the readers."""
        with self._lock:
            lock = self._words[Word.REASON_LOCK]
            self._words[Word.REASON_LOCK] = lock + 1
            futex.fence()
            text = reason.encode()[:layout.REASON_BYTES].ljust(layout.REASON_BYTES, b'\0')
            self._memory[layout.REASON_OFFSET:layout.REASON_OFFSET + layout.REASON_BYTES] = text
            self._words[Word.STATE] = state
            futex.fence()
            self._words[Word.REASON_LOCK] = lock + 2
        self._wake()

    def count(self, word: Word, amount: int = 1) -> None:
        """Add to one of the counters LOST, STALLS, RECONNECTS."""
        with self._lock:
            self._words[word] += amount

    def set_framerate(self, framerate: float) -> None:
        """Say at which rate frames are to be expected, in Hz; 0.0: unknown."""
        with self._lock:
            self._words[Word.FRAMERATE] = round(framerate * 1000)

    def _wake(self) -> None:
        with self._lock:
            self._signal[0] = (self._signal[0] + 1) & 0xFFFFFFFF
        futex.wake(self._address)

    def end(self, reason: str) -> None:
        """Say that no more frames come; the ring stays, to be read and looked at, until close."""
        self.set_state(State.STOPPED, reason)
        with self._lock:
            self._end(Ended.CLOSED)

    def _end(self, ended: Ended) -> None:
        self._words[Word.ENDED] = ended
        futex.fence()
        self._signal[0] = (self._signal[0] + 1) & 0xFFFFFFFF
        futex.wake(self._address)

    def close(self) -> None:
        """End the stream: readers get what is left, then RingClosed. The name is free again."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
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
