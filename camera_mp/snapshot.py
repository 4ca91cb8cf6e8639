"""One frame as a file, whole or not at all."""

from datetime import datetime, timezone
from pathlib import Path

from camera_mp.atomic_file import write_atomically
from camera_mp.compression import compress
from camera_mp.errors import CameraError
from camera_mp.frame import Frame

KINDS = ('png', 'jpeg')


def save(frame: Frame, camera: str, directory: Path, kind: str, quality: int) -> Path:
    """
    Write the frame to `directory`, under the camera's name and the stamp, and give the path.

    kind: one of KINDS. quality: of JPEG, 1 to 100. CameraError if it cannot be written.
    """
    seconds, nanoseconds = divmod(frame.stamp_ns, 10**9)
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    path = directory / f'{camera}_{moment:%Y-%m-%dT%H-%M-%S}.{nanoseconds:09}Z.{kind}'
    try:
        write_atomically(path, compress(frame, quality, kind).tobytes())
    except OSError as error:
        raise CameraError(f'{path}: {error.strerror}') from None
    return path
