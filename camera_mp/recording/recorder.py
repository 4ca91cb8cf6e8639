"""Records several cameras, or all that there are on this host."""

from collections.abc import Sequence
import os
from pathlib import Path
import time

from camera_mp.capture_process import Log
from camera_mp.errors import RecordingError, RingError
from camera_mp.recording.camera_recording import CameraRecording
from camera_mp.recording.encoder import check_codec
from camera_mp.recording.settings import ALL, RecordingSettings
from camera_mp.recording.status import RecordingStatus
from camera_mp.ring import list_rings, RingMapping
from camera_mp.ring.file import domain_id, ring_path

_LOOK = 0.02


class Recorder:
    """
    Records each camera in a thread of its own; PyAV lets go of the GIL while it encodes.

    cameras: their names, or ALL. folder: made if it is not there. name: of the files, without
    ending; '' for camera and start time. Raises SettingError for a name that no camera can have
    and for a codec that this FFmpeg has not.
    """

    def __init__(self, cameras: Sequence[str], folder: Path, settings: RecordingSettings,
                 log: Log, name: str = '') -> None:
        check_codec(settings)
        self._all = ALL in cameras
        self._names = [] if self._all else list(dict.fromkeys(cameras))
        for camera in self._names:
            ring_path(camera)
        self.folder, self._settings, self._log, self._name = folder, settings, log, name
        self._recordings: dict[str, CameraRecording] = {}
        self.running = False

    def start(self) -> None:
        """
        Begin to record all cameras, or again those whose recording an error has ended.

        Raises RecordingError if nothing is to be begun, or the folder cannot be written.
        """
        failed = [status.camera for status in self.statuses() if status.error]
        if self.running and not failed:
            raise RecordingError('already recording')
        _prepare(self.folder)
        if not self.running:
            self._recordings.clear()
        for camera in failed if self.running else self._names:
            self._begin(camera)
        self.running = True
        self.look()

    def _begin(self, camera: str) -> None:
        self._recordings[camera] = CameraRecording(
            camera, self.folder, self._settings, self._log, self._name)
        self._recordings[camera].start()

    def look(self) -> None:
        """Begin to record cameras that are new; to be called now and then while it is running."""
        if not (self._all and self.running):
            return
        found = {name for _, name, path in list_rings(domain_id()) if _is_alive(path)}
        for camera in sorted(found):
            whole = camera.removesuffix('.compressed')  # its JPEGs are of the same pictures
            if camera not in self._recordings and not (whole != camera and whole in found):
                self._begin(camera)

    def wait_for_files(self, timeout: float) -> None:
        """Wait until every camera is being written or has failed, `timeout` seconds at most."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and not all(
                status.file or status.error for status in self.statuses()):
            time.sleep(_LOOK)

    def stop(self) -> list[RecordingStatus]:
        """End all recordings, wait until their files are whole and give what came of them."""
        self.running = False
        for recording in self._recordings.values():
            recording.stop()
        return self.statuses()

    def statuses(self) -> list[RecordingStatus]:
        """Give what each recording does, or did if it has ended."""
        return [recording.status() for recording in self._recordings.values()]


def _is_alive(path: Path) -> bool:
    try:
        ring = RingMapping.open(path)
    except RingError:
        return False  # no ring, whatever its name
    return ring is not None and ring.writer_lives()


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordingError(f'folder: {folder}: {error.strerror}') from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise RecordingError(f'folder: {folder} cannot be written by this user')
