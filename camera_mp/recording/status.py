"""What a recording of one camera is doing."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RecordingStatus:
    """
    One moment of it: frames in its files, and those it came too late for.

    file: what is being written, None while no frames come. finished: files that are whole.
    error: why it has ended, if it has.
    """

    camera: str
    running: bool
    frames: int
    missed: int
    file: Path | None  # noqa: A003
    finished: tuple[Path, ...]
    error: str

    def __str__(self) -> str:
        """Give one line for people."""
        if self.error:
            return self.error
        if not self.file and not self.finished:
            return f'{self.camera}: no frame yet'
        files = map(str, [*self.finished, *([self.file] if self.file else [])])
        return f'{self.camera}: {self.frames} frames, {self.missed} missed: {", ".join(files)}'
