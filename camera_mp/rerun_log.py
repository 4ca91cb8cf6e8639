"""Pictures, boxes and curves for the Rerun viewer: a window, a browser or a file."""

from collections.abc import Collection, Iterable
from importlib.util import find_spec
from pathlib import Path
import socket

from camera_mp.conversion import compressible
from camera_mp.detectors import Detection
from camera_mp.errors import CameraError, SettingError
from camera_mp.frame import Frame, Pixels
import cv2
import numpy as np
import rerun as rr
import rerun.blueprint as rrb

TIMELINE = 'stamp'
CURVES = {'rate': 'rate (Hz)', 'age': 'age (ms)', 'lateness': 'lateness of commands (ms)'}
_SHOWN = 60.0  # seconds of the curves
# RGBA; for colour-blind people too: Okabe and Ito, Color Universal Design, 2008
_COLORS = (0x0072B2FF, 0xE69F00FF, 0x009E73FF, 0xCC79A7FF, 0x56B4E9FF, 0xD55E00FF)
_METRE = {'16UC1': 1000.0, '32FC1': 1.0}  # units of depth in a metre (REP 118)


class RerunLog:
    """
    What there is to see, on one timeline by stamp; any thread may log.

    Call one of `open_window`, `serve` and `save` first; CameraError says why it cannot be.
    jpeg_quality: 1 to 100, of the pictures on their way; those that are JPEG already stay so.
    """

    def __init__(self, jpeg_quality: int) -> None:
        rr.set_strict_mode(True)  # an error is an error
        self._stream = rr.RecordingStream('camera_mp')
        self._stream.set_log_time_enabled(False)
        self._stream.set_log_tick_enabled(False)
        self._window_port: int | None = None
        self._series: set[str] = set()
        self._colors: dict[str, int] = {}
        self._quality = [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality]

    def open_window(self, port: int) -> None:
        """Open the viewer's window, or use the one that listens on this port."""
        self._window_port = port
        try:
            rr.spawn(port=port, connect=False, memory_limit='25%', hide_welcome_screen=True,
                     executable_path=_executable(), recording=self._stream)
            self._stream.connect_grpc(f'rerun+http://127.0.0.1:{port}/proxy')
        except RuntimeError as error:
            raise CameraError(f'no window: {_one_line(error)}') from None

    def window_is_closed(self) -> bool:
        """Tell whether there was a window and is none any more."""
        if self._window_port is None:
            return False
        with socket.socket() as probe:
            return probe.connect_ex(('127.0.0.1', self._window_port)) != 0

    def serve(self, web_port: int, grpc_port: int, memory_limit: str) -> str:
        """
        Serve page and data on all interfaces of this host; give the address of the page.

        memory_limit: of what is kept for a browser that comes later, as '256MB'.
        """
        for name, port in (('web_port', web_port), ('grpc_port', grpc_port)):
            _check_free(name, port)
        # a browser elsewhere has the page from this host's name: that page may have the data too
        host = socket.gethostname()
        origins = [f'http://{name}:{web_port}' for name in (host, f'{host}.local')]
        try:
            data = self._stream.serve_grpc(grpc_port=grpc_port, server_memory_limit=memory_limit,
                                           cors_allow_origin=origins)
            rr.serve_web_viewer(web_port=web_port, open_browser=False, connect_to=data)
        except (RuntimeError, ValueError) as error:
            raise CameraError(f'cannot serve: {_one_line(error)}') from None
        return f'http://localhost:{web_port}/?url=rerun%2Bhttp://localhost:{grpc_port}/proxy'

    def save(self, path: Path) -> None:
        """Write to a file that `rerun FILE` shows."""
        try:
            self._stream.save(path)
        except RuntimeError as error:
            raise SettingError(f'save_file: {path} cannot be written: '
                               f'{_one_line(error)}') from None

    def arrange(self, cameras: Collection[str], curves: Collection[str]) -> None:
        """Lay out a grid of cameras and, below them, curves with keys of CURVES."""
        views = [rrb.Spatial2DView(origin=f'/cameras/{name}', name=name) for name in cameras]
        shown = rrb.VisibleTimeRange(
            TIMELINE, start=rrb.TimeRangeBoundary.cursor_relative(seconds=-_SHOWN),
            end=rrb.TimeRangeBoundary.cursor_relative(seconds=0.0))
        below = [rrb.TimeSeriesView(origin=f'/{key}', name=CURVES[key], time_ranges=shown)
                 for key in curves]
        self._stream.send_blueprint(rrb.Blueprint(
            rrb.Vertical(rrb.Grid(*views), rrb.Horizontal(*below), row_shares=[2, 1]),
            rrb.TimePanel(state='collapsed', timeline=TIMELINE, play_state='following'),
            rrb.BlueprintPanel(state='collapsed'), rrb.SelectionPanel(state='collapsed')))

    def log_picture(self, camera: str, frame: Frame) -> None:
        """Show a frame, borrowed or not; one that is overwritten meanwhile is left out."""
        picture = self._picture(frame)
        if frame.intact:
            self._log(f'cameras/{camera}', frame.stamp_ns, picture)

    def log_detections(self, camera: str, stamp_ns: int, found: Iterable[Detection]) -> None:
        """Draw boxes over a camera's picture, in place of those before."""
        found = list(found)
        self._log(f'cameras/{camera}/detections', stamp_ns, rr.Boxes2D(
            array=np.array([one.box for one in found]).reshape(-1, 4),
            array_format=rr.Box2DFormat.XYWH,
            labels=[one.class_id if one.score == 1.0 else f'{one.class_id} {one.score:.2f}'
                    for one in found]))

    def log_value(self, curve: str, name: str, stamp_ns: int, value: float) -> None:
        """Add a point to a curve; `curve` is a key of CURVES, a name has one colour in all."""
        entity = f'{curve}/{name}'
        if entity not in self._series:
            self._series.add(entity)
            color = self._colors.setdefault(name, _COLORS[len(self._colors) % len(_COLORS)])
            self._stream.log(entity, rr.SeriesLines(colors=color), static=True)
        self._log(entity, stamp_ns, rr.Scalars(value))

    def clear(self, camera: str, stamp_ns: int) -> None:
        """Take a camera's picture away."""
        self._log(f'cameras/{camera}', stamp_ns, rr.Clear(recursive=True))

    def close(self) -> None:
        """Write out what is left; a server ends, a window stays."""
        self._stream.disconnect()

    def _log(self, entity: str, stamp_ns: int, what: rr.AsComponents) -> None:
        self._stream.set_time(TIMELINE, timestamp=np.datetime64(stamp_ns, 'ns'))
        self._stream.log(entity, what)

    def _picture(self, frame: Frame) -> rr.AsComponents:
        encoding, image = frame.encoding, frame.image
        if encoding == 'jpeg':
            return rr.EncodedImage(contents=image.tobytes(), media_type='image/jpeg')
        if encoding in _METRE:
            return rr.DepthImage(image.copy(), meter=_METRE[encoding])
        if encoding == 'mono16':  # JPEG has 8 bits
            return rr.Image(image.copy(), rr.ColorModel.L)
        return rr.EncodedImage(contents=self._jpeg(encoding, image), media_type='image/jpeg')

    def _jpeg(self, encoding: str, image: Pixels) -> bytes:
        return cv2.imencode('.jpg', compressible(image, encoding), self._quality)[1].tobytes()


def _check_free(name: str, port: int) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(('', port))
        except OSError as error:
            raise SettingError(f'{name}: {port} cannot be used: {error.strerror}; '
                               'choose another') from None


def _executable() -> str | None:
    """Give the viewer that rerun-sdk brings, which need not be on the PATH; None: the PATH's."""
    package = find_spec('rerun_cli')
    bundled = Path(package.origin or '').parent / 'rerun' if package else Path()
    return str(bundled) if bundled.is_file() else None


def _one_line(error: Exception) -> str:
    return ' '.join(str(error).split())
