"""Shows the cameras of this host, from their rings, with the newest frame of each."""

from collections.abc import Iterable
from dataclasses import dataclass
import os
from pathlib import Path
import time
from typing import TYPE_CHECKING

from camera_mp.detectors import Detection
from camera_mp.errors import CameraError, RingError, SettingError
from camera_mp.ring import FrameReader
from camera_mp.ring.file import domain_id, ring_path
from camera_mp.settings import ALL, setting, Settings
from camera_mp.signals import StopFlag
from camera_mp.sources.source import Pacer
from camera_mp.top import CameraRow, Monitor
import cv2

if TYPE_CHECKING:
    from camera_mp.rerun_log import RerunLog

_STALE = 1_000_000_000  # nanoseconds after which boxes that are not renewed are taken away
_JPEGS = '.compressed'  # what the ring of a camera's own JPEGs ends with
_NICE = 10  # setpriority(2): whoever has something better to do goes first


@dataclass(frozen=True)
class ViewSettings(Settings):
    """Settings of the viewer."""

    cameras: tuple[str, ...] = setting(
        (ALL,), "Names of the cameras; ['*']: all on this host, those that come later too.")
    max_rate: float = setting(15.0, 'Most pictures of a camera a second.', low=1.0, high=120.0)
    mode: str = setting('auto', 'Where to show it; auto: a window if there is a display, else '
                        'serve.', choices=('auto', 'window', 'serve', 'save'))
    web_port: int = setting(9090, 'serve: port of the page.', low=1, high=65535)
    grpc_port: int = setting(9876, 'serve and window: port of the data.', low=1, high=65535)
    save_file: str = setting('', 'save: file to write, .rrd.')
    jpeg_quality: int = setting(75, 'Of the pictures on their way to the viewer.',
                                low=1, high=100)
    memory_limit: str = setting('256MB', 'serve: of what is kept for a browser that comes later.')


def step_back() -> None:
    """Let this process go behind all that have something better to do."""
    os.nice(_NICE)
    cv2.setNumThreads(1)


class Viewing:
    """
    Looks at rings a few times a second and shows what is new.

    It never sleeps on a ring, so that a camera does not even have to wake it. All cameras of the
    domain (default: this process's) are shown as they come and go, or those that are named.
    Raises SettingError for what cannot be shown as asked and CameraError without rerun-sdk.
    """

    def __init__(self, settings: ViewSettings, domain: int | None = None) -> None:
        self._domain = domain_id() if domain is None else domain
        self._named = [] if ALL in settings.cameras else list(settings.cameras)
        for name in self._named:
            ring_path(name)
        self._log = _rerun_log(settings.jpeg_quality)
        self.place = _open(self._log, settings)
        self._monitor = Monitor(self._domain, processes=False)
        self._pacer = Pacer(settings.max_rate)
        self._look_at = 0.0
        self._readers: dict[str, FrameReader] = {}
        self._boxes: dict[str, int] = {}  # camera: time at which its last boxes came
        self._arranged: object = None
        self._lateness = False

    def run(self, stop: StopFlag) -> None:
        """Show the cameras until the flag is set or the window is closed."""
        while not stop.is_set:
            if time.monotonic() >= self._look_at:
                self._look_at = time.monotonic() + 1.0
                if self._log.window_is_closed():
                    return
                self._look()
            for name, reader in self._readers.items():
                self._show(name, reader)
            self._pacer.wait()

    def close(self) -> None:
        """Write out what is left; a server ends, a window stays. Nobody may log any more."""
        self._log.close()

    def camera_at(self, place: str) -> str:
        """Give the shown camera of a dotted namespace, or of the nearest one above it."""
        name = place
        while name and name not in self._readers:
            name = name.rpartition('.')[0]
        return name or place

    def log_detections(self, camera: str, stamp_ns: int, found: Iterable[Detection]) -> None:
        """Draw boxes over a camera, until others come or none for a second; from any thread."""
        self._boxes[camera] = time.time_ns()
        self._log.log_detections(camera, stamp_ns, found)

    def log_lateness(self, loop: str, stamp_ns: int, milliseconds: dict[str, float]) -> None:
        """Add to the curves of a command loop's lateness, by name; from any thread."""
        self._lateness = True
        for name, value in milliseconds.items():
            self._log.log_value('lateness', f'{loop}/{name}', stamp_ns, value)

    def _show(self, name: str, reader: FrameReader) -> None:
        try:
            with reader.borrow(0.0) as frame:
                self._log.log_picture(name, frame)
        except RingError:
            pass  # nothing new; the curves tell what is wrong

    def _look(self) -> None:
        now = time.time_ns()
        rows = {row.camera: row for row in self._monitor.look() if row.state != 'dead'}
        rings = self._rings(rows)
        for camera, ring in rings.items():
            if camera not in self._readers or self._readers[camera].name != ring:
                self._readers[camera] = FrameReader(ring, self._domain)
            if ring in rows:
                self._log_curves(camera, rows[ring], now)
        for camera in [camera for camera, reader in self._readers.items()
                       if reader.name not in rows]:
            self._log.clear(camera, now)
            del self._readers[camera]
        for name in [name for name, came in list(self._boxes.items())
                     if now - came > _STALE]:
            self._log.log_detections(name, now, [])
            del self._boxes[name]
        self._arrange(list(rings))

    def _rings(self, rows: dict[str, CameraRow]) -> dict[str, str]:
        """Give the ring to read for each camera: that of its own JPEGs, if it delivers them."""
        # one without frames may be drawn only for those who read it: it is not woken up for us
        rings = {name.removesuffix(_JPEGS): name for name, row in sorted(rows.items()) if row.size}
        return {name: rings.get(name, name) for name in self._named} or rings

    def _log_curves(self, camera: str, row: CameraRow, now: int) -> None:
        if row.framerate is not None:
            self._log.log_value('rate', camera, now, row.framerate)
        if row.age is not None:
            self._log.log_value('age', camera, now, row.age * 1e3)

    def _arrange(self, cameras: list[str]) -> None:
        """Lay out anew what has changed; otherwise the user's own arrangement stays."""
        arranged = (cameras, ['rate', 'age'] + ['lateness'] * self._lateness)
        if arranged != self._arranged:
            self._arranged = arranged
            self._log.arrange(*arranged)


def _rerun_log(jpeg_quality: int) -> 'RerunLog':
    try:
        from camera_mp.rerun_log import RerunLog
    except ModuleNotFoundError as error:
        if error.name != 'rerun':
            raise
        raise CameraError('the viewer needs Rerun: pip install rerun-sdk') from None
    return RerunLog(jpeg_quality)


def _open(log: 'RerunLog', settings: ViewSettings) -> str:
    """Open what the mode says; give where it is to be seen."""
    display = bool(os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY'))
    mode = settings.mode
    if mode == 'auto':
        mode = 'window' if display else 'serve'
    if mode == 'serve':
        return log.serve(settings.web_port, settings.grpc_port, settings.memory_limit)
    if mode == 'window':
        if not display:
            raise SettingError("mode: 'window' needs a display (DISPLAY or WAYLAND_DISPLAY); "
                               "allowed without: 'serve', 'save'")
        log.open_window(settings.grpc_port)
        return 'the window of Rerun'
    if not settings.save_file:
        raise SettingError("save_file: '' names no file; mode 'save' needs one, as cameras.rrd")
    log.save(Path(settings.save_file).expanduser())
    return settings.save_file
