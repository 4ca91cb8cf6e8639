"""A screen grabber three ways: one loop, two threads, two processes."""

from collections.abc import Callable
import os
import queue
import threading
import time

from camera_mp import FrameReader
from camera_mp.frame import Pixels
from camera_mp.sources.screen import ScreenSettings, ScreenSource
import cv2
import numpy as np
from options import Row
from processes import capture, cpu_seconds

FASTEST = 1000.0  # Hz: as fast as it goes
QUEUED = 2  # pictures between the threads
Process = Callable[[Pixels], Pixels]
Result = tuple[int, int, float]  # pictures taken and processed, seconds of CPU


def halve(picture: Pixels) -> Pixels:
    """Make a picture gray and half as wide."""
    return cv2.resize(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), None, fx=0.5, fy=0.5,
                      interpolation=cv2.INTER_AREA)


def find_edges(picture: Pixels) -> Pixels:
    """Do more: find the edges in it."""
    return cv2.Canny(halve(picture), 50, 100)


class Grabber:
    """Takes pictures of the screen."""

    def __init__(self) -> None:
        self._source = ScreenSource(ScreenSettings(source='screen', framerate=FASTEST))
        self.format = self._source.streams[0].format
        self.taken = 0

    def take(self) -> Pixels:
        """Give a new picture."""
        picture = np.empty(self.format.shape, np.uint8)
        self._source.grab()
        self._source.read_into(self._source.streams[0], picture)
        self.taken += 1
        return picture


def one_loop(process: Process, seconds: float) -> Result:
    """Take a picture, process it, take the next."""
    grabber, used, end = Grabber(), time.process_time(), time.monotonic() + seconds
    while time.monotonic() < end:
        process(grabber.take())
    return grabber.taken, grabber.taken, time.process_time() - used


def two_threads(process: Process, seconds: float) -> Result:
    """Take in one thread, process in another, a short queue between them."""
    grabber, pictures = Grabber(), queue.Queue[Pixels | None](QUEUED)
    used, end, processed = time.process_time(), time.monotonic() + seconds, 0

    def grab() -> None:
        while time.monotonic() < end:
            pictures.put(grabber.take())
        pictures.put(None)
    thread = threading.Thread(target=grab)
    thread.start()
    while (picture := pictures.get()) is not None:
        process(picture)
        processed += 1
    thread.join()
    return grabber.taken, processed, time.process_time() - used


def two_processes(process: Process, seconds: float) -> Result:
    """Take in a capture process, process here the newest that its ring lends."""
    name = f'benchmark_{os.getpid()}'
    with (capture(name, '--source', 'screen', '--framerate', FASTEST) as pid,
          FrameReader(name) as reader):
        first, processed = reader.wait(seconds).number, 0
        used, end = time.process_time() + cpu_seconds(pid), time.monotonic() + seconds
        while time.monotonic() < end:
            with reader.borrow(seconds) as frame:
                process(frame.image)
                processed += frame.intact
        return frame.number - first, processed, time.process_time() + cpu_seconds(pid) - used


def grabbers(seconds: float) -> list[Row]:
    """Compare the three, in turns."""
    cv2.setNumThreads(1)  # as in the capture process; the source keeps large blocks
    rows: list[Row] = []
    form = Grabber().format
    for work, process in (('gray, half as wide', halve), ('that, and edges', find_edges)):
        for name, run in (('one loop', one_loop), ('two threads', two_threads),
                          ('two processes, ring', two_processes)):
            taken, processed, used = run(process, seconds)
            rows.append({'screen': f'{form.width}x{form.height}', 'processing': work,
                         'arrangement': name, 'taken FPS': taken / seconds,
                         'processed FPS': processed / seconds, 'CPU %': 100 * used / seconds})
    return rows
