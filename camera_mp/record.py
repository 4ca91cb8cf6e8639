"""
Records cameras of this host without ROS, until Ctrl-C.

    python -m camera_mp.record front -o front.mp4
    python -m camera_mp.record front left -o recordings --segment-minutes 10
"""

import argparse
from collections.abc import Sequence
import logging
from pathlib import Path
import sys
import time
from typing import TYPE_CHECKING

from camera_mp.errors import CameraError, SettingError
from camera_mp.recording import ALL, make_recorder, RecordingSettings
from camera_mp.recording.sidecar import sidecar_path, UNFINISHED
from camera_mp.settings_parser import add_options, read_options
from camera_mp.signals import ignore, StopFlag

if TYPE_CHECKING:
    from camera_mp.recording.recorder import Recorder

_LOOK = 0.1  # seconds between looks at the signals and for new cameras


def main(argv: Sequence[str] | None = None) -> int:
    """Run `record`; the exit code is 1 if a camera was not recorded, or not to the end."""
    options = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format='%(message)s', stream=sys.stderr)
    stop = StopFlag()
    try:
        recorder = _make_recorder(options)
        recorder.start()
    except CameraError as error:
        print(f'record: {error}', file=sys.stderr)
        return 1
    try:
        _work(recorder, stop, options.seconds)
    finally:
        results = recorder.stop()
        ignore()
    for status in results:
        if not status.frames and not status.error:
            print(f'{status.camera}: no frame came', file=sys.stderr)
    if not results:
        print('record: no camera came', file=sys.stderr)
    return int(not results or any(status.error or not status.frames for status in results))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        'record', description='Record cameras of this host, each into an MP4 file with a sidecar '
        'of stamps (.jsonl) beside it, until Ctrl-C.', allow_abbrev=False)
    parser.add_argument('cameras', nargs='*', metavar='CAMERA',
                        help='names of cameras (default: all, those that come later too)')
    parser.add_argument('-o', '--output', type=Path, default=Path(), metavar='FOLDER|FILE.mp4',
                        help='folder for files named camera and start time (default: this one), '
                        'or, for one camera, the file')
    parser.add_argument('--seconds', type=float, help='seconds after which to end')
    add_options(parser, RecordingSettings)
    return parser


def _make_recorder(options: argparse.Namespace) -> 'Recorder':
    if options.seconds is not None and not options.seconds > 0:
        raise SettingError(f'seconds: {options.seconds} is not allowed; allowed: more than 0')
    settings = read_options(options, RecordingSettings)
    folder, name = options.output.expanduser(), ''
    if folder.suffix == '.mp4':
        if len(options.cameras) != 1:
            raise SettingError(f'output: {folder} is one file; for several cameras give a folder')
        for path in (folder, Path(f'{folder}{UNFINISHED}'), sidecar_path(folder)):
            if path.exists():
                raise SettingError(f'output: {path} is there already; give another name')
        folder, name = folder.parent, folder.stem
    return make_recorder(options.cameras or [ALL], folder, settings, logging.getLogger(), name)


def _work(recorder: 'Recorder', stop: StopFlag, seconds: float | None) -> None:
    """Record until a signal, the end of the time, or an error in every camera."""
    deadline = None if seconds is None else time.monotonic() + seconds
    while not stop.is_set and (deadline is None or time.monotonic() < deadline):
        time.sleep(_LOOK)
        recorder.look()
        statuses = recorder.statuses()
        if statuses and not any(status.running for status in statuses):
            return


if __name__ == '__main__':
    raise SystemExit(main())
