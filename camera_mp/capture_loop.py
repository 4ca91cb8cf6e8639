"""From a source into shared memory, one ring a stream: the heart of a capture process."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from queue import Empty, SimpleQueue
import time
from types import TracebackType

from camera_mp.backoff import Backoff
from camera_mp.errors import (
    CameraError,
    ControlRefused,
    SettingError,
    SourceEnded,
    SourceError,
    SourceLost,
    SourceStalled,
)
from camera_mp.outlet import Decimator, Outlet
from camera_mp.ring import remove_stale, State, Word
from camera_mp.settings import check_name
from camera_mp.sources import CaptureSettings, Source, source_class
from camera_mp.sources.source import Grabbed
import cv2

Report = Callable[[dict[str, object]], None]


class Capture:
    """
    A source and its rings, from open to close; `run` works until the source ends.

    controls: what to set on the device whenever it is opened. report: gets a dictionary for each
    event, ready, state, warning or error, from any thread.
    """

    def __init__(self, camera: str, settings: CaptureSettings, report: Report,
                 domain: int | None = None, controls: Mapping[str, int] | None = None) -> None:
        cv2.setNumThreads(1)  # one process a camera is the parallelism; more threads cost latency
        self._camera, self._settings, self._domain = camera, settings, domain
        self._report = report
        self._controls = dict(controls or {})
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._stalled = self._away = self._ended = False
        self.outlets: dict[str, Outlet] = {}
        remove_stale(domain)
        self._open()
        try:
            self._adapt()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        self._source = source_class(self._settings.source)(self._settings)
        try:
            warnings = [*self._source.warnings(), *self._apply_controls(self._source)]
        except BaseException:
            self._source.close()
            raise
        for warning in warnings:
            self._report({'event': 'warning', 'text': warning})
        own = self._source.keeps_framerate
        self._decimator = Decimator(0.0 if own else self._settings.framerate)
        self._sequence, self._last = -1, time.monotonic()

    def _apply_controls(self, source: Source) -> list[str]:
        """Set the wanted controls and give what was refused; SettingError for a wrong name."""
        kinds = {control.name: control.kind for control in source.controls()}
        for name in self._controls:
            check_name(name, kinds)
        refused = []
        # what is automatic is a boolean or a menu, and decides whether a number may be set
        for name in sorted(self._controls, key=lambda name: kinds[name] == 'integer'):
            try:
                source.set_control(name, self._controls[name])
            except ControlRefused as error:
                refused.append(str(error))
        return refused

    def _adapt(self) -> None:
        """Give each stream of the source its outlet, and say what is delivered."""
        outlets = {}
        for stream in self._source.streams:
            outlet = self.outlets.get(stream.name)
            if outlet:
                outlet.adapt(stream, self._settings)
            else:
                outlet = Outlet(self._camera, stream, self._settings, self._domain)
                self.outlets = {**self.outlets, stream.name: outlet}
            outlet.writer.set_framerate(self._source.framerate)
            outlets[stream.name] = outlet
        for name in self.outlets.keys() - outlets.keys():
            self.outlets[name].writer.close()
        self.outlets = outlets
        self._tell_ready()

    def _tell_ready(self) -> None:
        source = self._source
        self._report({
            'event': 'ready', 'framerate': source.framerate, 'hardware_id': source.hardware_id,
            'controls': [asdict(control) for control in source.controls()],
            'streams': [{
                'ring': outlet.ring, 'name': outlet.stream.name, 'topic': outlet.stream.topic,
                'height': outlet.format.height, 'width': outlet.format.width,
                'encoding': outlet.format.encoding} for outlet in self.outlets.values()]})

    def run(self) -> None:
        """Write frames until the source ends; a source that breaks is opened again and again."""
        while True:
            try:
                self._run_source()
            except SourceEnded as end:
                self._ended = True
                self._do_jobs()
                self._set_state(State.STOPPED, str(end))
                return
            except SourceLost as loss:
                self._reconnect(loss)

    def _run_source(self) -> None:
        while True:
            moment = self._source.grab()
            self._count_lost(moment)
            if self._decimator.keeps(moment.stamp_ns):
                for outlet in self.outlets.values():
                    outlet.write(self._source, moment)
            self._last = time.monotonic()
            if self._away:
                self._away = False
                self._tell_streaming('the source is back')
            self._do_jobs()

    def _count_lost(self, moment: Grabbed) -> None:
        gap = moment.sequence - self._sequence - 1
        self._sequence = moment.sequence
        if gap > 0:
            self._count(Word.LOST, gap)

    def _count(self, word: Word, amount: int = 1) -> None:
        for outlet in self.outlets.values():
            outlet.writer.count(word, amount)

    def _reconnect(self, loss: SourceLost) -> None:
        hangs = isinstance(loss, SourceStalled)
        if hangs and not self._stalled:
            self._count(Word.STALLS)
        self._away, self._stalled = True, False
        self._set_state(State.STALLED if hangs else State.RECONNECTING, str(loss))
        self._source.close()
        backoff = Backoff(first=0.25, most=self._source.longest_retry)
        while not self._reopen():
            self._wait(backoff.next_delay())
        self._count(Word.RECONNECTS)
        self._adapt()

    def _tell_streaming(self, reason: str) -> None:
        self._report({'event': 'state', 'state': 'streaming', 'reason': reason})

    def _reopen(self) -> bool:
        try:
            self._open()
        except SourceError as error:
            self._set_state(State.RECONNECTING, str(error))
            return False
        return True

    def _wait(self, delay: float) -> None:
        deadline = time.monotonic() + delay
        while (left := deadline - time.monotonic()) > 0:
            try:
                self._jobs.get(timeout=left)()
            except Empty:
                return

    def _do_jobs(self) -> None:
        while not self._jobs.empty():
            self._jobs.get()()

    def set_control(self, name: str, value: int) -> int:
        """
        Set a control of the device, now and whenever it is opened again; from any thread.

        Gives what the driver made of it; ControlRefused if it refuses, or is away.
        """
        if self._away:
            raise ControlRefused(f'{name}: {value} cannot be set; the camera is away')
        made = self._source.set_control(name, value)
        self._controls[name] = made
        return made

    def configure(self, settings: CaptureSettings, answer: Callable[[str], None]) -> None:
        """
        Open the source anew with other settings, after the frame that is under way.

        answer: called, from the thread that captures, with '' or why it was refused; then
        everything is as before.
        """
        def job() -> None:
            try:
                self._configure(settings)
            except CameraError as error:
                answer(str(error))
                if isinstance(error, SourceLost):
                    raise
            else:
                answer('')
        self._jobs.put(job)
        if self._ended:
            self._do_jobs()

    def _configure(self, settings: CaptureSettings) -> None:
        if self._away or self._ended:
            raise SettingError(
                f'the source {"has ended" if self._ended else "is away"}; it cannot be changed')
        before, self._settings = self._settings, settings
        self._source.close()
        try:
            self._open()
            self._adapt()
        except CameraError:
            self._settings = before
            self._restore()
            raise

    def _restore(self) -> None:
        self._source.close()
        try:
            self._open()
        except SourceError as error:
            raise SourceLost(str(error)) from None
        self._adapt()

    def look_for_stall(self) -> float:
        """
        Say so if no frame has come for too long; called from another thread.

        Gives the seconds after which to look again: none can begin or end before.
        """
        streams = next(iter(self.outlets.values())).writer.state == State.STREAMING
        patience = max(self._settings.stall_timeout, 2 / (self._source.framerate or 1.0))
        left = self._last + patience - time.monotonic() if streams else patience
        if left < 0:
            self._count(Word.STALLS)
            self._set_state(State.STALLED, f'no frame for {patience:g} s')
            self._stalled = True
        elif self._stalled and streams:
            self._stalled = False
            self._tell_streaming('frames come again')
        return 0.0 if self._stalled else left

    def _set_state(self, state: State, reason: str) -> None:
        for outlet in self.outlets.values():
            if state == State.STOPPED:
                outlet.writer.end(reason)
            else:
                outlet.writer.set_state(state, reason)
        self._report({'event': 'state', 'state': state.name.lower(), 'reason': reason})

    def close(self) -> None:
        """Close the rings and the source."""
        self.close_rings()
        self._source.close()

    def close_rings(self) -> None:
        """Close the rings alone; for a thread that cannot wait for a source that hangs."""
        for outlet in self.outlets.values():
            outlet.writer.close()

    def __enter__(self) -> 'Capture':
        """Give the capture itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Close it."""
        self.close()
