"""The recorder node: cameras of this host into files, on request."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from camera_mp.errors import RecordingError, SettingError
from camera_mp.nodes import parameters
from camera_mp.nodes.diagnostic_status import diagnostic_status, DiagnosticsPublisher
from camera_mp.nodes.run import ProcessNode, run
from camera_mp.recording import make_recorder, RecordingSettings
from camera_mp.recording.status import RecordingStatus
from camera_mp.settings import ALL, setting, Settings
from diagnostic_msgs.msg import DiagnosticStatus
from std_srvs.srv import Trigger

_PATIENCE = 1.0  # seconds that the answer to a start waits for first frames, to name the files


@dataclass(frozen=True)
class RecorderSettings(Settings):
    """Settings of the node itself."""

    cameras: tuple[str, ...] = setting(
        (ALL,), "Names of the cameras; ['*']: all on this host, those that come later too.")
    folder: str = setting('~/recordings', 'Where the files go; made if it is not there.')
    record_on_start: bool = setting(False, 'Record from the start of the node on.')


SETTINGS: tuple[type[Settings], ...] = (RecorderSettings, RecordingSettings)


class RecorderNode(ProcessNode):
    """
    Records from `~/start` to `~/stop`, both std_srvs/Trigger, and says so on /diagnostics.

    An error, as of a full disk, ends the recording of that camera; `~/start` begins it again.
    Raises CameraError for bad parameters and where PyAV is missing.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__('recorder', **options)
        self._error = ''
        self._missed: dict[str, int] = {}  # of each camera, as said last
        try:
            parameters.check_names(self, *SETTINGS)
            self._settings = own = parameters.declare(self, RecorderSettings)
            self._recorder = make_recorder(
                own.cameras, Path(own.folder).expanduser(),
                parameters.declare(self, RecordingSettings), self.get_logger())
        except SettingError as error:
            raise parameters.located(self, error) from None
        self._diagnostics = DiagnosticsPublisher(self)
        self.create_service(Trigger, '~/start', self._on_start)
        self.create_service(Trigger, '~/stop', self._on_stop)
        self.create_wall_timer(1.0, self._on_second)
        if own.record_on_start:
            with suppress(RecordingError):  # said, and shown in the diagnostics
                self._start()

    def _start(self) -> None:
        try:
            self._recorder.start()
        except RecordingError as error:
            if not self._recorder.running:
                self._error = str(error)
                self.get_logger().error(self._error)
            raise
        self._error = ''

    def _on_start(self, request: Any, response: Any) -> Any:
        try:
            self._start()
        except RecordingError as error:
            response.message = str(error)
            return response
        self._recorder.wait_for_files(_PATIENCE)
        return _answer(response, self._recorder.statuses())

    def _on_stop(self, request: Any, response: Any) -> Any:
        if not self._recorder.running:
            response.message = 'not recording'
            return response
        return _answer(response, self._recorder.stop())

    def _on_second(self) -> None:
        self._recorder.look()
        name = self.get_fully_qualified_name()[1:]
        self._diagnostics.publish([
            self._own_status(f'{name}: recorder'),
            *(self._camera_status(f'{name}: {status.camera}', status)
              for status in self._recorder.statuses())])

    def _own_status(self, name: str) -> Any:
        level = DiagnosticStatus.ERROR if self._error else DiagnosticStatus.OK
        text = 'recording' if self._recorder.running else 'not recording'
        return diagnostic_status(level, name, self._error or text,
                                 {'folder': self._recorder.folder})

    def _camera_status(self, name: str, status: RecordingStatus) -> Any:
        before = self._missed.get(status.camera, 0)
        self._missed[status.camera] = status.missed
        level, text = DiagnosticStatus.OK, 'recording' if status.running else 'not recording'
        if status.error:
            level, text = DiagnosticStatus.ERROR, status.error
        elif status.missed > before:
            level, text = DiagnosticStatus.WARN, f'{status.missed - before} frames missed'
        elif status.running and not status.file:
            level, text = DiagnosticStatus.WARN, 'no frames come'
        return diagnostic_status(level, name, text, {
            'recorded': status.frames, 'missed': status.missed, 'file': status.file or '',
            'files finished': len(status.finished), 'error': status.error})

    def close(self) -> None:
        """End all recordings; their files are whole then."""
        self._recorder.stop()


def _answer(response: Any, statuses: Sequence[RecordingStatus]) -> Any:
    response.success = not any(status.error for status in statuses)
    response.message = '; '.join(map(str, statuses)) or 'no cameras yet'
    return response


def main() -> int:
    """Run `recorder`."""
    return run(RecorderNode)


if __name__ == '__main__':
    raise SystemExit(main())
