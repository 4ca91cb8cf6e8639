"""One frame as a file, whole or not at all."""

from datetime import datetime, timezone
import os
from pathlib import Path

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
    temporary = path.with_name(f'.{path.name}.{os.getpid()}')
    try:
        directory.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open('xb') as file:
                file.write(compress(frame, quality, kind).data)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CameraError(f'{path}: {error.strerror}') from None
    return path
