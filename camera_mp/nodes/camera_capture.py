"""A camera node's capture process: on, off, or on only while somebody looks."""

from collections.abc import Callable
from dataclasses import replace
import time
from typing import Any

from camera_mp.capture_process import CaptureProcess, Log, Ready
from camera_mp.errors import CameraError
from camera_mp.ring import RingMapping
from camera_mp.ring.file import ring_path
from camera_mp.sources import CaptureSettings

_PATIENCE = 20.0  # seconds for a source to open
_SWITCHED_OFF = 'switched off by set_capture'
_REST = 2.0  # seconds: without a looker until the device is closed; after a failed opening


class CameraCapture:
    """
    Starts and stops the capture process of a node; for the executor's thread alone.

    on_demand: run only while `is_wanted`, or a program reads the ring; the first start, which
    shows what the camera delivers, is always made. on_change: called from any thread.
    `off` says why there is no process, '' if there is one; `error` what was wrong last.
    """

    def __init__(self, camera: str, settings: CaptureSettings, controls: dict[str, int],
                 log: Log, on_change: Callable[[], None], on_demand: bool) -> None:
        self.camera, self.settings = camera, settings
        self.ready: Ready | None = None
        self.error = self.off = ''
        self._controls, self._log, self._on_change = controls, log, on_change
        self._on_demand = on_demand
        self._restarts = 0
        self._wanted_at = time.monotonic()
        self._process: CaptureProcess | None = None
        self._start()

    @property
    def restarts(self) -> int:
        """How often the process died and was started again."""
        return self._restarts + (self._process.restarts if self._process else 0)

    @property
    def is_switched_off(self) -> bool:
        """Whether set_capture has turned it off."""
        return self.off == _SWITCHED_OFF

    def _start(self) -> None:
        self.off = ''
        self._process = CaptureProcess(
            self.camera, vars(self.settings), self._log, self._on_change, self._controls)
        self._process.start()

    def _stop(self, why: str) -> None:
        self.off = why
        if self._process:
            self._process.stop()
            self._restarts += self._process.restarts
            self._process = None

    def look(self) -> bool:
        """Take over what the process said; True if it is a change, CameraError if it failed."""
        process = self._process
        if process and process.ready and process.ready is not self.ready:
            self.ready, self.error = process.ready, ''
            return True
        if process and process.error and not process.ready:
            self.error = process.error
            self._stop(self.error)
            self._wanted_at = time.monotonic()
            raise CameraError(self.error)
        return False

    def look_for_demand(self, is_wanted: bool) -> None:
        """Start or stop the process by whether anybody looks, if that is what it depends on."""
        if not self._on_demand or self.is_switched_off:
            return
        now = time.monotonic()
        if self._process is None:
            if is_wanted and not (self.error and now < self._wanted_at + _REST):
                self._wanted_at = now
                self._start()
        elif is_wanted or not self.ready or self._is_read():
            self._wanted_at = now
        elif now > self._wanted_at + _REST:
            self._stop('nobody looks')

    def _is_read(self) -> bool:
        ring = RingMapping.open(ring_path(self.camera))
        return ring is not None and ring.has_readers()

    def switch(self, on: bool) -> None:
        """Turn it on or off, whoever looks; CameraError if it does not come up."""
        if on:
            self.ensure()
        else:
            self._stop(_SWITCHED_OFF)

    def ensure(self) -> None:
        """Have the process running, from now on; CameraError if it does not come up."""
        self._wanted_at = time.monotonic()
        if self._process is None:
            self._start()
        process = self._process
        if process and not process.wait_ready(_PATIENCE):
            self.error = process.error or f'the source did not open within {_PATIENCE:g} s'
            self._stop(self.error)
            raise CameraError(self.error)

    def configure(self, changes: dict[str, Any]) -> None:
        """Go on with changed settings; CameraError if the camera refuses them."""
        settings = replace(self.settings, **changes)
        if self._process:
            self._process.configure(vars(settings))
        self.settings = settings

    def set_control(self, name: str, value: int) -> int:
        """Set a control and give what the driver made of it; ControlRefused if it was not set."""
        if self._process:
            value = self._process.set_control(name, value)
        self._controls[name] = value
        return value

    def close(self) -> None:
        """End it."""
        self._stop('closed')
