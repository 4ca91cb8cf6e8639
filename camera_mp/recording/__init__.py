"""
Records cameras of this host from their rings: MP4 files with a sidecar of stamps beside each.

Needs PyAV (`av`), but for the settings and for reading sidecars.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from camera_mp.errors import RecordingError
from camera_mp.recording.settings import ALL, RecordingSettings

if TYPE_CHECKING:
    from camera_mp.capture_process import Log
    from camera_mp.recording.recorder import Recorder


def make_recorder(cameras: Sequence[str], folder: Path, settings: RecordingSettings, log: 'Log',
                  name: str = '') -> 'Recorder':
    """Give a Recorder, which see, or RecordingError if PyAV is not installed."""
    try:
        from camera_mp.recording.recorder import Recorder
    except ModuleNotFoundError as error:
        if error.name != 'av':
            raise
        raise RecordingError('recording needs PyAV 16 or newer: pip install av') from None
    return Recorder(cameras, folder, settings, log, name)


__all__ = ['ALL', 'RecordingSettings', 'make_recorder']
