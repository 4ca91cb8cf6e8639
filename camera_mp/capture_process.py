"""The parent's handle of a capture process: start, ready, restart when it dies, stop."""

from collections.abc import Callable, Mapping
import contextlib
from dataclasses import dataclass
import itertools
import socket
import subprocess
import sys
import threading
from typing import Any, Protocol

from camera_mp.backoff import Backoff
from camera_mp.controls import Control
from camera_mp.errors import CameraError, ControlRefused, SettingError
from camera_mp.frame import FrameFormat
from camera_mp.line_socket import LineSocket
from camera_mp.module_environment import module_environment
from camera_mp.process_end import how_it_ended
from camera_mp.ring import remove_stale

_ANSWER_PATIENCE = 5.0  # seconds; a source that changes is closed and opened again
# seconds without a word; it says once a second that it lives, as soon as it is loaded
_SILENCE, _START_PATIENCE = 10.0, 60.0
_STOP_PATIENCE = 1.0  # seconds; the capture itself gives its source half of it


@dataclass(frozen=True)
class ReadyStream:
    """A stream as the capture delivers it: its ring's name, its topic and its format."""

    ring: str
    name: str
    topic: str
    format: FrameFormat  # noqa: A003


@dataclass(frozen=True)
class Ready:
    """
    What a capture that has opened its source delivers; framerate in Hz, 0.0 if unknown.

    controls: what can be set on the device; hardware_id: its serial number or path.
    """

    framerate: float
    streams: tuple[ReadyStream, ...]
    controls: tuple[Control, ...] = ()
    hardware_id: str = ''

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> 'Ready':
        """Make it from what the capture has said."""
        streams = tuple(
            ReadyStream(one['ring'], one['name'], one['topic'],
                        FrameFormat(one['height'], one['width'], one['encoding']))
            for one in event['streams'])
        controls = tuple(
            Control(**{**one, 'menu': {int(key): text for key, text in one['menu'].items()}})
            for one in event['controls'])
        return cls(event['framerate'], streams, controls, event['hardware_id'])


class Log(Protocol):
    """The part of a logger that is needed."""

    def info(self, text: str, /) -> object:
        """Say that something is as it should be again."""

    def warning(self, text: str, /) -> object:
        """Say that something is not as it should be."""

    def error(self, text: str, /) -> object:
        """Say that something failed."""


class CaptureProcess:
    """
    Runs `python -m camera_mp.capture` for one camera and keeps it running.

    The first start must succeed: if it does not, `wait_ready` tells why. Later a process that
    dies, or hangs as a whole, is started again, with a delay that grows to 5 s. The child ends by
    itself when this process does, however it dies, because its socket then reads end-of-file.

    camera: name of its main ring. settings: names and values of its source's Settings.
    controls: what to set on the device whenever it is opened.
    log: takes what a user should know; a logging.Logger or a node's logger.
    on_change: called, from a thread, when `ready` or `error` has changed.
    """

    def __init__(self, camera: str, settings: Mapping[str, Any], log: Log,
                 on_change: Callable[[], None] = lambda: None,
                 controls: Mapping[str, int] | None = None) -> None:
        self.camera = camera
        self.restarts = 0
        self.ready: Ready | None = None
        self.error = ''
        self._settings, self._controls = dict(settings), dict(controls or {})
        self._log, self._on_change = log, on_change
        self._asked = itertools.count()
        self._answers: dict[int, dict[str, Any] | None] = {}  # None: still to come
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._control: LineSocket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name=f'capture {camera}', daemon=True)

    def start(self) -> None:
        """Start it, without waiting."""
        self._thread.start()

    def wait_ready(self, timeout: float) -> Ready | None:
        """
        Give what it delivers once it is ready, None if `timeout` seconds were too short.

        After a failed first start there is nothing to wait for: None, and `error` says why.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.ready or self.error, timeout)
            return self.ready

    def set_control(self, name: str, value: int) -> int:
        """
        Set a control of the device, now and whenever it is opened again.

        Gives what the driver made of it; ControlRefused with the reason if it was not set.
        """
        made: int = self._ask(ControlRefused, command='set_control', name=name, value=value)
        self._controls[name] = made
        return made

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Go on with other settings of the same source; SettingError if it cannot."""
        self._ask(SettingError, command='configure', settings=dict(settings))
        self._settings = dict(settings)

    def _ask(self, refusal: type[CameraError], **question: Any) -> Any:
        number = next(self._asked)
        with self._changed:
            if not self._control:
                raise refusal('the capture process is not running')
            asked = self._control
            self._answers[number] = None
        try:
            with contextlib.suppress(ConnectionError):  # it is dying: the wait below ends
                asked.send({'id': number, **question})
            with self._changed:
                self._changed.wait_for(
                    lambda: self._answers[number] or self._control is not asked, _ANSWER_PATIENCE)
                answer = self._answers[number]
        finally:
            with self._changed:
                del self._answers[number]
        if answer is None:
            raise refusal('the capture process did not answer')
        if answer['error']:
            raise refusal(answer['error'])
        return answer['value']

    def stop(self) -> None:
        """End it and wait until it is gone; kill it if it does not go."""
        self._stopping.set()
        with self._changed:
            if self._control:
                self._control.let_go()
        self._thread.join(_STOP_PATIENCE)
        if self._thread.is_alive() and self._process:
            self._log.error(f'capture of {self.camera!r} did not end and is killed')
            self._process.kill()
        self._thread.join()

    def _run(self) -> None:
        backoff = Backoff(first=0.1, most=5.0)
        while not self._stopping.is_set():
            self._start()
            self._listen()
            self._reap()
            if self._stopping.is_set() or not self.ready:
                break
            delay = backoff.next_delay()
            self._log.error(f'capture of {self.camera!r} {self._how_it_ended()}; '
                            f'starting it again in {delay:g} s')
            self._stopping.wait(delay)
            self.restarts += 1

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        command = [sys.executable, '-m', 'camera_mp.capture', self.camera,
                   '--control-fd', str(theirs.fileno())]
        with theirs:
            # a session of its own: a signal to our process group is for us to act on
            self._process = subprocess.Popen(
                command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
                start_new_session=True, env=module_environment())
        control = LineSocket(ours)
        with self._changed:
            self._control = control
        # over the socket, not as arguments: anyone can read those, and a URL has passwords
        with contextlib.suppress(ConnectionError):  # it died at once: _reap tells how
            control.send({'settings': self._settings, 'controls': self._controls})
        if self._stopping.is_set():
            control.let_go()

    def _listen(self) -> None:
        """Handle what the capture says, until it ends."""
        control = self._control
        assert control
        patience = _START_PATIENCE
        with contextlib.suppress(EOFError):
            while event := control.receive(patience):
                patience = _SILENCE
                self._handle(event)
            self._kill_hanging(patience)
        with self._changed:
            self._control = None
            self._changed.notify_all()
        control.close()

    def _kill_hanging(self, patience: float) -> None:
        assert self._process
        self._log.error(f'capture of {self.camera!r} hangs, nothing was heard of it for '
                        f'{patience:g} s; it is killed')
        self._process.kill()

    def _handle(self, event: dict[str, Any]) -> None:
        if event['event'] == 'ready':
            with self._changed:
                self.error = ''
                self.ready = Ready.from_event(event)
                self._changed.notify_all()
            self._on_change()
        elif event['event'] == 'answer':
            with self._changed:
                if event['id'] in self._answers:
                    self._answers[event['id']] = event
                    self._changed.notify_all()
        elif event['event'] == 'warning':
            self._log.warning(event['text'])
        elif event['event'] == 'state':
            if event['state'] == 'streaming':
                self._log.info(f'streaming: {event["reason"]}')
            else:
                self._log.warning(f'{event["state"]}: {event["reason"]}')
        elif event['event'] == 'error':
            self.error = event['text']

    def _reap(self) -> None:
        assert self._process
        if self._process.wait():
            remove_stale()
        with self._changed:
            if not self.ready and not self.error:
                self.error = f'capture of {self.camera!r} {self._how_it_ended()}'
            self._changed.notify_all()
        if not self._stopping.is_set():
            self._on_change()

    def _how_it_ended(self) -> str:
        assert self._process
        code = self._process.returncode
        return how_it_ended(code) + (f' ({self.error})' if code >= 0 and self.error else '')
