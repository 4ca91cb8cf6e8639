"""The recording of one camera: a thread from its ring into files."""

from contextlib import suppress
import os
from pathlib import Path
import threading
import time

from camera_mp.capture_process import Log
from camera_mp.errors import CameraError, FrameTimeout, RingClosed, RingError, WriterDied
from camera_mp.frame import Frame
from camera_mp.recording.segment import Segment, start_name
from camera_mp.recording.settings import RecordingSettings
from camera_mp.recording.status import RecordingStatus
from camera_mp.ring import FrameReader
from camera_mp.ring.file import ring_path

_LOOK = 0.25    # seconds between looks at whether to end
_NICE = 10      # so that an encoder gives way to the cameras
_BACK = 10**9   # ns that a stamp may lie before the last one's in the same file
_PAUSE = 60 * 10**9  # ns without a frame after which a new file begins
_TELL = 5.0     # seconds between two warnings of missed frames


class CameraRecording:
    """
    Records every frame of a camera that comes, in order, from `start` to `stop`.

    It takes the camera's own JPEGs where the settings allow it and a ring `<camera>.compressed`
    gives them. A frame that is overwritten before it could be taken is counted: nothing here
    can slow the camera. One that restarts or changes size goes on in a new file, as do stamps
    that jump. A full disk ends the recording, and `status` says so.

    name: of the files, without ending; '' for camera and start time.
    Raises SettingError for a name that no camera can have.
    """

    def __init__(self, camera: str, folder: Path, settings: RecordingSettings, log: Log,
                 name: str = '') -> None:
        ring_path(camera)  # a name that passes here has no way out of the folder
        self.camera = camera
        self._folder, self._name, self._settings, self._log = folder, name, settings, log
        self._reader: FrameReader | None = None
        self._segment: Segment | None = None
        self._frames = self._missed_before = self._noted = 0
        self._finished: tuple[Path, ...] = ()
        self._error = ''
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f'record {camera}')

    def start(self) -> None:
        """Begin, without waiting for a frame."""
        try:
            self._choose_ring()
        except RingError as error:
            self._fail(str(error))
        else:
            self._thread.start()

    def stop(self) -> None:
        """End, and wait until the file is whole."""
        self._stopping.set()
        if self._thread.ident:
            self._thread.join()

    def status(self) -> RecordingStatus:
        """Give what it is doing; from any thread."""
        segment = self._segment
        return RecordingStatus(
            self.camera, self._thread.is_alive(), self._frames, self._missed(),
            segment.unfinished if segment else None, self._finished, self._error)

    def _missed(self) -> int:
        return self._missed_before + (self._reader.missed if self._reader else 0)

    def _run(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        self._told, self._tell_at = 0, time.monotonic()
        try:
            while not self._stopping.is_set():
                self._step()
            self._finish('stopped')
        except (OSError, CameraError) as error:
            self._fail(f'{self._folder}: {error.strerror}' if isinstance(error, OSError)
                       else str(error))

    def _step(self) -> None:
        reader = self._choose_ring()
        try:
            frame = reader.next(_LOOK)
        except FrameTimeout:
            return
        except (WriterDied, RingClosed) as end:
            self._finish(str(end))
            self._stopping.wait(_LOOK)
            return
        self._write(frame, reader)
        self._tell_missed()

    def _ring_to_read(self) -> str:
        compressed = f'{self.camera}.compressed'
        copies = self._settings.codec in ('auto', 'copy')
        return compressed if copies and ring_path(compressed).exists() else self.camera

    def _choose_ring(self) -> FrameReader:
        """Between two files, turn to the ring that is there now."""
        if self._segment is None or self._reader is None:
            ring = self._ring_to_read()
            if self._reader is None or ring != self._reader.name:
                self._missed_before = self._missed()
                self._reader = _read_from_now_on(ring)
        return self._reader

    def _write(self, frame: Frame, reader: FrameReader) -> None:
        if self._segment and (reason := self._why_new_file(frame, reader.generation)):
            self._finish(reason)
        if self._segment is None:
            self._begin(frame, reader)
        assert self._segment
        lost = self._newly_lost(frame, reader)
        self._segment.write(frame, missed=self._newly_missed(), lost=lost)
        self._frames += 1
        self._last_ns = frame.stamp_ns

    def _why_new_file(self, frame: Frame, generation: int | None) -> str:
        minutes, step = self._settings.segment_minutes, frame.stamp_ns - self._last_ns
        if frame.format != self._format:
            return f'now {frame.format}'
        if generation != self._generation:
            return 'the camera has restarted'
        if not -_BACK <= step <= _PAUSE:
            return f'the stamps jumped by {step / 1e9:.3f} s'
        if minutes and frame.stamp_ns - self._start_ns >= minutes * 60e9:
            return f'{minutes:g} minutes'
        return ''

    def _begin(self, frame: Frame, reader: FrameReader) -> None:
        status = reader.status()
        self._format, self._generation = frame.format, reader.generation
        self._start_ns, self._looked_ns = frame.stamp_ns, frame.stamp_ns
        self._lost = status.lost if status else 0
        self._segment = Segment(
            self._folder, self._name or start_name(self.camera, frame.stamp_ns), self.camera,
            self._settings, frame, status.framerate if status else 0.0)
        self._log.info(f'{self.camera}: {frame.format} into {self._segment.unfinished}')

    def _newly_missed(self) -> int:
        """Give how many frames were overwritten since the last one came."""
        before, self._noted = self._noted, self._missed()
        return self._noted - before

    def _newly_lost(self, frame: Frame, reader: FrameReader) -> int:
        """Give how many frames the camera lost, as its ring says; looks once a second."""
        if frame.stamp_ns - self._looked_ns < 10**9:
            return 0
        self._looked_ns = frame.stamp_ns
        status = reader.status()
        before, self._lost = self._lost, status.lost if status else self._lost
        return self._lost - before

    def _tell_missed(self) -> None:
        missed, now = self._missed(), time.monotonic()
        if missed > self._told and now >= self._tell_at:
            self._log.warning(f'{self.camera}: {missed - self._told} frames missed: disk or '
                              f'encoder are too slow ({missed} in all)')
            self._told, self._tell_at = missed, now + _TELL

    def _finish(self, reason: str) -> None:
        if self._segment:
            path = self._segment.close(reason, self._missed())
            self._log.info(f'{path}: {self._segment.frames} frames; {reason}')
            self._finished, self._segment = (*self._finished, path), None

    def _fail(self, reason: str) -> None:
        if self._segment:
            self._segment.abandon()
            reason += f' ({self._segment.unfinished.name} is not whole)'
            self._segment = None
        self._error = f'{self.camera}: {reason}'
        self._log.error(f'{self._error}; recording of it has ended')


def _read_from_now_on(ring: str) -> FrameReader:
    """Give a reader that passes over what lies in the ring already, which may be old."""
    reader = FrameReader(ring)
    with suppress(FrameTimeout, RingClosed, WriterDied), reader.borrow(0):
        pass
    return reader
