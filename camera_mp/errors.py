"""Every error a user can meet; the text of each is one line that names the wrong value."""


class CameraError(Exception):
    """Base of all errors of this package: bad input or a broken device, never a bug."""


class SettingError(CameraError):
    """A setting has an unknown name, a wrong type or a value that is not allowed."""


class SourceError(CameraError):
    """A source cannot be opened as asked."""


class SourceLost(CameraError):
    """An open source stopped delivering and may come back: unplugged, connection lost."""


class SourceStalled(SourceLost):
    """An open source hangs: it is there, but no frame has come for too long."""


class ControlRefused(CameraError):
    """A camera's control has no such name, or the driver does not take the value now."""


class FrameBroken(CameraError):
    """One frame cannot be decoded; the next may be good."""


class SourceEnded(CameraError):
    """A source has no more frames and never will have: the end of a file."""


class DetectorError(CameraError):
    """A detector cannot be made as asked, or failed on a picture."""


class PoolClosed(CameraError):
    """A pool of detector workers was closed; it gives no more results."""


class ComponentError(CameraError):
    """A component cannot be loaded as asked, or is not there to be unloaded."""


class RecordingError(CameraError):
    """A recording cannot be made: a folder, an encoder or a picture that does not do."""


class RingError(CameraError):
    """Base of what can go wrong with a ring."""


class NameTaken(RingError):
    """A living writer already writes under this name."""


class RingCorrupt(RingError):
    """The file is no ring of this version, or its lengths contradict each other."""


class FrameTimeout(RingError, TimeoutError):
    """No new frame came in time, though the camera may well live."""


class WriterDied(RingError):
    """No new frame came in time, and the process that wrote them is gone without a word."""


class RingClosed(RingError):
    """The writer ended the stream on purpose and every frame of it was read."""
