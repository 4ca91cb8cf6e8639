"""
The capture program: frames of one source into shared memory.

`python -m camera_mp.capture front --source synthetic` runs by itself until Ctrl-C; a node starts
it through CaptureProcess, which tells it what to do over a socket. It needs no ROS.
"""

import argparse
from collections.abc import Sequence
import contextlib
import os
import signal
import socket
import sys
import threading
import time
from typing import Any

from camera_mp.capture_commands import carry_out
from camera_mp.capture_loop import Capture, Report
from camera_mp.errors import CameraError, SettingError
from camera_mp.line_socket import LineSocket
from camera_mp.settings_parser import add_options, read_options, whole_parser
from camera_mp.signals import exit_on
from camera_mp.sources import CaptureSettings, source_class, SOURCES

_GRACE = 0.5  # seconds that a source which hangs gets before the process ends without it
# seconds between looks for a stall; settings may change meanwhile, and the parent listens
_LOOK = (0.1, 1.0)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one capture; the exit code is 1 after an error, which is one line."""
    options, _ = _first_parser().parse_known_args(argv)
    control = LineSocket(socket.socket(fileno=options.control_fd)) \
        if options.control_fd >= 0 else None
    if control:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to act on
        exit_on([signal.SIGTERM])
    else:
        exit_on()
    try:
        if control:
            order = _receive_order(control)
            values, controls = order['settings'], order['controls']
            settings = source_class(values['source']).Settings.from_values(values)
        else:
            settings = _parse_settings(options.source, argv)
            controls = dict(map(_parse_control, options.control))
        report = _reporter(options.camera, control)
        watcher = _Watcher(control, report)
        watcher.start()  # first: a source may take seconds to open
        with Capture(options.camera, settings, report, controls=controls) as capture:
            watcher.capture = capture
            capture.run()
            if control:
                signal.pause()  # the last frames and the reason stay to be read until told
    except CameraError as error:
        _reporter(options.camera, control)({'event': 'error', 'text': str(error)})
        return 1
    return 0


class _Watcher(threading.Thread):
    """Looks for stalls, obeys the parent, and ends the process when that lets go or is gone."""

    def __init__(self, control: LineSocket | None, report: Report) -> None:
        super().__init__(name='watcher', daemon=True)
        self.capture: Capture | None = None
        self._control, self._report = control, report
        self._held: list[dict[str, Any]] = []

    def run(self) -> None:
        least, most = _LOOK
        pause = least
        while self._parent_holds_on(pause):
            pause = most
            if self._control:
                self._report({'event': 'alive'})
            if self.capture:
                pause = min(max(self.capture.look_for_stall(), least), most)
        # to the main thread itself, so that it wakes from a sleep
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        time.sleep(_GRACE)
        if self.capture:
            self.capture.close_rings()
        os._exit(0)

    def _parent_holds_on(self, pause: float) -> bool:
        if self._control is None:
            time.sleep(pause)
            return True
        try:
            message = self._control.receive(pause)
        except EOFError:
            return False
        if message:
            self._held.append(message)
        while self._held and self.capture:  # while the source is being opened they wait
            carry_out(self._held.pop(0), self.capture, self._report)
        return True


def _receive_order(control: LineSocket) -> dict[str, Any]:
    try:
        return control.receive() or {}
    except EOFError:
        raise SystemExit(0) from None  # the parent died before it said what to do


def _parse_control(text: str) -> tuple[str, int]:
    name, _, value = text.partition('=')
    try:
        return name, int(value)
    except ValueError:
        raise SettingError(f'control: {text!r} is not allowed; allowed: name=number') from None


def _reporter(camera: str, control: LineSocket | None) -> Report:
    def send(event: dict[str, object]) -> None:
        assert control
        with contextlib.suppress(BrokenPipeError):  # the watcher sees that the parent is gone
            control.send(event)

    def show(event: dict[str, object]) -> None:
        if event['event'] == 'ready':
            for stream in event['streams']:  # type: ignore[attr-defined]
                print('{ring}: {width}x{height} {encoding}'.format(**stream), file=sys.stderr)
        else:
            print(f'{camera}:', *list(event.values())[1:], file=sys.stderr)
    return send if control else show


def _first_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        'python -m camera_mp.capture', description='Write the frames of one source into shared '
        'memory, for FrameReader(CAMERA), until Ctrl-C.', add_help=False, allow_abbrev=False)
    parser.add_argument('camera', help='name of the camera and its ring')
    parser.add_argument('--source', default='synthetic', choices=list(SOURCES),
                        help='where the frames come from; --help shows the options of each')
    parser.add_argument('--control', action='append', default=[], metavar='NAME=NUMBER',
                        help='set a control of the device; list_cameras shows them')
    parser.add_argument('--control-fd', type=int, default=-1, help=argparse.SUPPRESS)
    return parser


def _parse_settings(source: str, argv: Sequence[str] | None) -> CaptureSettings:
    kind = source_class(source).Settings
    parser = whole_parser(_first_parser())
    add_options(parser, kind, leave_out=['source'])
    return read_options(parser.parse_args(argv), kind)


if __name__ == '__main__':
    raise SystemExit(main())
