"""
One worker of a detector pool: a program that finds things in the frames it is told of.

WorkerProcess starts it and speaks with it in lines of JSON over a socket. The first says which
detector to make and for which ring; it is answered once the detector is made. Each further one
names a frame, which is read from the ring, and is answered with what was found in it. It ends
with its socket or with the thread of the pool that started it, whichever goes first.
"""

import argparse
from collections.abc import Sequence
import contextlib
import errno
import os
from pathlib import Path
import socket
import sys
import time
import traceback
from typing import Any

from camera_mp.calibration import Calibration
from camera_mp.conversion import converted
from camera_mp.detection_json import to_json
from camera_mp.detectors import Detector, detector_class
from camera_mp.errors import CameraError
from camera_mp.heap import keep_large_blocks
from camera_mp.line_socket import LineSocket
from camera_mp.parent import follow_parent
from camera_mp.ring.finder import FrameFinder
import cv2

_MOST_SAID = 300  # characters of an error's text


def main(argv: Sequence[str] | None = None) -> int:
    """Work until the socket is closed; the exit code is 1 if there is no such detector."""
    parser = argparse.ArgumentParser('python -m camera_mp.detector_worker', allow_abbrev=False)
    parser.add_argument('--control-fd', type=int, required=True, help='socket of the pool')
    control = LineSocket(socket.socket(fileno=parser.parse_args(argv).control_fd))
    # SIGTERM is not handled, so that it ends even a detector that hangs in C code
    follow_parent()
    cv2.setNumThreads(1)  # the workers are the parallelism; more threads only compete
    keep_large_blocks()
    with contextlib.suppress(ConnectionError, EOFError):  # the pool has let go, or is gone
        return _work(control)
    return 0


def _work(control: LineSocket) -> int:
    first = control.receive() or {}
    # a detector that the pool's program finds is found here too, after all that is installed
    sys.path += [place for place in first['path'] if place and place not in sys.path]
    priority = Priority(first['nice'])
    try:
        kind = detector_class(first['detector'])
        detector = kind(kind.Settings.from_values(first['settings']))
    except Exception as error:
        if not isinstance(error, CameraError):
            traceback.print_exc()
        control.send({'refused': _one_line(error)})
        return 1
    frames = FrameFinder(first['ring'], first['domain'])
    control.send({'ready': True})
    calibration = None
    while order := control.receive():
        if 'calibration' in order:
            calibration = _calibration(order['calibration'])
        control.send(_detect(detector, frames, order, calibration))
        priority.lower()
    return 0


def _detect(detector: Detector, frames: FrameFinder, order: dict[str, Any],
            calibration: Calibration | None) -> dict[str, Any]:
    try:
        frame = frames.find(order['number'], order['stamp_ns'])
        # a copy, and that checked at once: a detector may take longer than the ring goes round
        image = converted(frame, detector.encoding) if frame else None
        if frame is None or image is None or not frame.intact:
            return {'overwritten': True}
        start = time.monotonic()
        found = detector.detect(image, calibration)
        return {'found': to_json(found), 'seconds': time.monotonic() - start}
    except Exception as error:
        return {'error': _one_line(error)}


def _calibration(values: dict[str, Any] | None) -> Calibration | None:
    if values is None:
        return None
    arrays: dict[str, Any] = {name: tuple(values[name]) for name in ('d', 'k', 'r', 'p')}
    return Calibration(**values | arrays)


def _one_line(error: Exception) -> str:
    kind = '' if isinstance(error, CameraError) else f'{type(error).__name__}: '
    return f'{kind}{" ".join(str(error).split())}'[:_MOST_SAID]


class Priority:
    """
    Lets this process wait for more important ones when the CPUs are busy.

    Where the kernel groups processes by session (sched(7), 'autogroup') a nice value alone
    counts among those of one session only, and a worker has one to itself. That of the session
    can be set ten times a second by all processes together: `lower` tries until it is done.
    """

    _SESSION = Path('/proc/self/autogroup')

    def __init__(self, nice: int) -> None:
        self._nice = nice
        os.nice(nice)
        self._done = nice == 0 or not self._SESSION.exists()
        self.lower()

    def lower(self) -> None:
        """Set it for the session too, if that has not been done."""
        if not self._done:
            try:
                self._SESSION.write_text(str(self._nice))
            except OSError as error:
                if error.errno == errno.EAGAIN:
                    return
                print(f'{self._SESSION}: {error.strerror}', file=sys.stderr)
            self._done = True


if __name__ == '__main__':
    raise SystemExit(main())
