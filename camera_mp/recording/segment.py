"""One file of a recording: a fragmented MP4 and its sidecar."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from datetime import datetime, timezone
from itertools import count
from pathlib import Path

import av
from camera_mp.errors import RecordingError
from camera_mp.frame import Frame
from camera_mp.recording.encoder import choose_codec, Encoder, Packet, TIME_BASE
from camera_mp.recording.settings import RecordingSettings
from camera_mp.recording.sidecar import Sidecar, sidecar_path, UNFINISHED

# movenc.c: a fragment a key picture, of half a second to a second, each written at once; what
# a kill leaves can be played up to its last whole fragment
_MUXER = {'movflags': 'frag_keyframe+empty_moov+default_base_moof', 'flush_packets': '1',
          'min_frag_duration': '500000', 'frag_duration': '1000000'}  # microseconds


def start_name(camera: str, stamp_ns: int) -> str:
    """Give camera and start time as names of files have them: front_2026-11-20T16-05-12.345Z."""
    seconds, rest = divmod(stamp_ns, 10**9)
    start = datetime.fromtimestamp(seconds, timezone.utc)
    return f'{camera}_{start:%Y-%m-%dT%H-%M-%S}.{rest // 10**6:03}Z'


class Segment:
    """
    Writes frames of one format under a temporary name, until it is whole.

    The first frame says size, encoding and time zero. Playback times are the stamps' distance
    from that, to 10 microseconds; a stamp that is not later than the one before gets the next
    moment. Raises OSError for the disk, RecordingError for frames that cannot be recorded.
    """

    def __init__(self, folder: Path, name: str, camera: str, settings: RecordingSettings,
                 first: Frame, framerate: float) -> None:
        codec = choose_codec(settings, first.encoding)
        self.frames = 0
        self._form, self._start_ns, self._pts = first.format, first.stamp_ns, -1
        self._sidecar, self.path = _claim(folder, name)
        with ExitStack() as undo:
            undo.callback(self._remove)
            self._file = undo.enter_context(open(self.unfinished, 'xb'))
            self._container = av.open(self._file, 'w', format='mp4', options=_MUXER)
            self._encoder = Encoder(self._container, codec, first.format, framerate)
            undo.pop_all()
        width, height = self._encoder.size
        self._about = {'camera': camera, 'encoding': first.encoding, 'codec': codec.name,
                       'width': width, 'height': height}

    @property
    def unfinished(self) -> Path:
        """Give the name as long as the file is not whole."""
        return self.path.with_name(self.path.name + UNFINISHED)

    def write(self, frame: Frame, **losses: int) -> None:
        """Write one frame of the first one's format; losses: how many are missing before it."""
        if not self.frames:
            self._sidecar.begin(**self._about)
        for kind, number in losses.items():
            if number:
                self._sidecar.event(kind, count=number)
        self._sidecar.frame(self.frames, frame.stamp_ns, frame.sequence)
        due = round((frame.stamp_ns - self._start_ns) * TIME_BASE.denominator / 10**9)
        self._pts = max(due, self._pts + 1)
        self._mux(lambda: self._encoder.pack(frame, self._pts))
        self.frames += 1

    def _mux(self, packets: Callable[[], Iterable[Packet]]) -> None:
        try:
            for packet in packets():
                self._container.mux(packet)
        except (av.FFmpegError, ValueError) as error:
            raise RecordingError(f'{self._form} cannot be recorded: {error}') from None
        self._file.flush()

    def close(self, reason: str, missed: int) -> Path:
        """End the file and give it its name; missed: frames since the recording began."""
        self._mux(self._encoder.flush)
        self._container.close()
        self._file.close()
        self._sidecar.event('end', reason=reason, frames=self.frames, missed=missed)
        self._sidecar.close()
        self.unfinished.rename(self.path)
        return self.path

    def abandon(self) -> None:
        """Let go of a file that cannot be gone on with; what can be played of it stays."""
        for close in (self._container.close, self._file.close, self._sidecar.close):
            with suppress(OSError, av.FFmpegError):  # it is why we are here
                close()
        if not self.frames:
            self._remove()

    def _remove(self) -> None:
        self._sidecar.close()
        self._sidecar.path.unlink(missing_ok=True)
        self.unfinished.unlink(missing_ok=True)


def _claim(folder: Path, name: str) -> tuple[Sidecar, Path]:
    """Find a name that is free, and take it by making the sidecar."""
    for number in count(1):
        video = folder / f'{name}{f"_{number}" * (number > 1)}.mp4'
        if not video.exists() and not video.with_name(video.name + UNFINISHED).exists():
            with suppress(FileExistsError):
                return Sidecar(sidecar_path(video)), video
    raise AssertionError('numbers do not end')
