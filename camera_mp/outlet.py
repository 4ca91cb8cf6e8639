"""One stream on its way out of a capture: the transforms and the ring."""

from camera_mp.errors import FrameBroken
from camera_mp.frame import FrameFormat
from camera_mp.ring import FrameWriter, Word
from camera_mp.sources import CaptureSettings, Source
from camera_mp.sources.source import Grabbed, Stream
from camera_mp.transforms import COLOR_ENCODINGS, Pipeline


class Decimator:
    """Thins a source's frames out to a lower rate, evenly; a rate of 0.0 keeps all."""

    def __init__(self, framerate: float) -> None:
        self._period = round(1e9 / framerate) if framerate else 0
        self._due = 0

    def keeps(self, stamp_ns: int) -> bool:
        """Tell whether the frame of this time is one to keep; a little early counts as due."""
        if stamp_ns < self._due - self._period // 4:
            return False
        late = stamp_ns - self._due > self._period
        self._due = (stamp_ns if late else self._due) + self._period
        return True


def plan(stream: Stream, wish: CaptureSettings) -> Pipeline:
    """Give the steps from a stream's format to the wanted one; a jpeg stays as it is."""
    if stream.format.encoding == 'jpeg':
        return Pipeline(stream.format)
    color = stream.format.encoding in COLOR_ENCODINGS
    return Pipeline(stream.format, width=wish.image_width, height=wish.image_height,
                    encoding=wish.encoding if color else '', flip=wish.flip, rotate=wish.rotate)


class Outlet:
    """Takes the grabbed pictures of one stream into its ring; format: of what comes out."""

    def __init__(self, camera: str, stream: Stream, settings: CaptureSettings,
                 domain: int | None) -> None:
        self.ring = f'{camera}.{stream.name}' if stream.name else camera
        self.adapt(stream, settings)
        self.writer = FrameWriter(self.ring, self.format, slots=settings.slots,
                                  domain=domain, group=settings.share_with_group)

    def adapt(self, stream: Stream, settings: CaptureSettings) -> None:
        """Get ready for a stream's format and for what is wanted of it."""
        self._pipeline = plan(stream, settings)
        self.format: FrameFormat = self._pipeline.result  # noqa: A003
        self.stream, self._offset = stream, settings.timestamp_offset

    def write(self, source: Source, moment: Grabbed) -> None:
        """Take the grabbed picture into the ring; a broken one is counted as lost."""
        stamp_ns = moment.stamp_ns + self._offset
        if self.stream.lazy and not self.writer.has_readers():
            self.writer.pass_over(stamp_ns)
            return
        try:
            slot = self.writer.begin(self.format, source.length(self.stream))
            source.read_into(self.stream, self._pipeline.native(slot))
        except FrameBroken:
            self.writer.count(Word.LOST)
            return
        self._pipeline.run(slot)
        self.writer.commit(stamp_ns, moment.sequence)
