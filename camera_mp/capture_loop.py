"""From a source into shared memory, one ring a stream: the heart of a capture process."""

from collections.abc import Callable
from contextlib import ExitStack
import time
from types import TracebackType

from camera_mp.backoff import Backoff
from camera_mp.errors import FrameBroken, SourceEnded, SourceError, SourceLost
from camera_mp.frame import FrameFormat
from camera_mp.ring import FrameWriter, remove_stale, State, Word
from camera_mp.sources import CaptureSettings, Source, source_class
from camera_mp.sources.source import Grabbed, Stream
from camera_mp.transforms import COLOR_ENCODINGS, Pipeline
import cv2

Report = Callable[[dict[str, object]], None]


class Decimator:
    """Thins a source's frames out to a lower rate, evenly; a rate of 0.0 keeps all."""

    def __init__(self, framerate: float) -> None:
        self._period = round(1e9 / framerate) if framerate else 0
        self._due = 0

    def keeps(self, stamp_ns: int) -> bool:
        """Tell whether the frame of this time is one to keep; a little early counts as due."""
        if stamp_ns < self._due - self._period // 4:
            return False
        late = stamp_ns - self._due > self._period
        self._due = (stamp_ns if late else self._due) + self._period
        return True


class Outlet:
    """One stream on its way out: the transforms and the ring."""

    def __init__(self, camera: str, stream: Stream, settings: CaptureSettings,
                 domain: int | None) -> None:
        self._settings = settings
        self.plan(stream)
        self.ring = f'{camera}.{stream.name}' if stream.name else camera
        self.writer = FrameWriter(self.ring, self._pipeline.result, slots=settings.slots,
                                  domain=domain, group=settings.share_with_group)

    def plan(self, stream: Stream) -> None:
        """Get ready for a stream's format."""
        self.stream, wish = stream, self._settings
        color = stream.format.encoding in COLOR_ENCODINGS
        self._pipeline = Pipeline(
            stream.format, width=wish.image_width, height=wish.image_height,
            encoding=wish.encoding if color else '', flip=wish.flip, rotate=wish.rotate)

    @property
    def format(self) -> FrameFormat:  # noqa: A003
        """Give the format of what comes out."""
        return self._pipeline.result

    def write(self, source: Source, moment: Grabbed) -> None:
        """Take the grabbed picture into the ring; a broken one is counted as lost."""
        slot = self.writer.begin(self.format)
        try:
            source.read_into(self.stream, self._pipeline.native(slot))
        except FrameBroken:
            self.writer.count(Word.LOST)
            return
        self._pipeline.run(slot)
        self.writer.commit(moment.stamp_ns + self._settings.timestamp_offset, moment.sequence)


class Capture:
    """
    A source and its rings, from open to close; `run` works until the source ends.

    report: gets a dictionary for each event, ready, state or error, from any thread.
    """

    def __init__(self, camera: str, settings: CaptureSettings, report: Report,
                 domain: int | None = None) -> None:
        cv2.setNumThreads(1)  # one process a camera is the parallelism; more threads cost latency
        self._settings, self._report = settings, report
        self._sequence = -1
        self._last = time.monotonic()
        self._stalled = False
        remove_stale(domain)
        self.outlets: list[Outlet] = []
        with ExitStack() as undo:
            self._open()
            undo.callback(lambda: self._source.close())  # the one that is open then
            for stream in self._source.streams:
                outlet = Outlet(camera, stream, settings, domain)
                undo.callback(outlet.writer.close)
                self.outlets.append(outlet)
            self._undo = undo.pop_all()
        self._tell_ready()

    def _open(self) -> None:
        self._source = source_class(self._settings.source)(self._settings)
        own = self._source.keeps_framerate
        self._decimator = Decimator(0.0 if own else self._settings.framerate)

    def _tell_ready(self) -> None:
        framerate = self._source.framerate
        for outlet in self.outlets:
            outlet.writer.set_framerate(framerate)
        self._report({'event': 'ready', 'framerate': framerate, 'streams': [
            {'ring': outlet.ring, 'name': outlet.stream.name, 'topic': outlet.stream.topic,
             'height': outlet.format.height, 'width': outlet.format.width,
             'encoding': outlet.format.encoding} for outlet in self.outlets]})

    def run(self) -> None:
        """Write frames until the source ends; a source that breaks is opened again and again."""
        while True:
            try:
                self._run_source()
            except SourceEnded as end:
                self._set_state(State.STOPPED, str(end))
                return
            except SourceLost as loss:
                self._reconnect(str(loss))

    def _run_source(self) -> None:
        while True:
            moment = self._source.grab()
            self._count_lost(moment)
            if self._decimator.keeps(moment.stamp_ns):
                for outlet in self.outlets:
                    outlet.write(self._source, moment)
            self._last = time.monotonic()

    def _count_lost(self, moment: Grabbed) -> None:
        gap = moment.sequence - self._sequence - 1
        self._sequence = moment.sequence
        if gap > 0:
            for outlet in self.outlets:
                outlet.writer.count(Word.LOST, gap)

    def _reconnect(self, reason: str) -> None:
        self._set_state(State.RECONNECTING, reason)
        self._source.close()
        backoff = Backoff(first=0.25, most=5.0)
        while not self._reopen():
            time.sleep(backoff.next_delay())
        self._sequence = -1
        for outlet, stream in zip(self.outlets, self._source.streams, strict=True):
            outlet.plan(stream)
            outlet.writer.count(Word.RECONNECTS)
        self._tell_ready()
        self._tell_streaming('the source is back')

    def _tell_streaming(self, reason: str) -> None:
        self._report({'event': 'state', 'state': 'streaming', 'reason': reason})

    def _reopen(self) -> bool:
        try:
            self._open()
        except SourceError as error:
            self._set_state(State.RECONNECTING, str(error))
            return False
        return True

    def look_for_stall(self) -> None:
        """Say so if no frame has come for too long; called from another thread."""
        writer = self.outlets[0].writer
        patience = max(self._settings.stall_timeout, 2 / (self._source.framerate or 1.0))
        if writer.state == State.STREAMING and time.monotonic() - self._last > patience:
            for outlet in self.outlets:
                outlet.writer.count(Word.STALLS)
            self._set_state(State.STALLED, f'no frame for {patience:g} s')
            self._stalled = True
        elif self._stalled and writer.state == State.STREAMING:
            self._stalled = False
            self._tell_streaming('frames come again')

    def _set_state(self, state: State, reason: str) -> None:
        for outlet in self.outlets:
            if state == State.STOPPED:
                outlet.writer.end(reason)
            else:
                outlet.writer.set_state(state, reason)
        self._report({'event': 'state', 'state': state.name.lower(), 'reason': reason})

    def close(self) -> None:
        """Close the rings and the source."""
        self._undo.close()

    def close_rings(self) -> None:
        """Close the rings alone; for a thread that cannot wait for a source that hangs."""
        for outlet in self.outlets:
            outlet.writer.close()

    def __enter__(self) -> 'Capture':
        """Give the capture itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Close it."""
        self.close()
