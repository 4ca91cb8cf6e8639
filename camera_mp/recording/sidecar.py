r"""
The stamps of a recording, in JSON lines beside its video: front.mp4 has front.jsonl.

    {"camera_mp": 1, "camera": "front", "encoding": "bgr8", "codec": "libx264", ...}
    {"frame": 0, "stamp_ns": 1795190712345678901, "sequence": 41}
    {"event": "missed", "count": 2}
    {"frame": 1, "stamp_ns": 1795190712445678901, "sequence": 44}
    {"event": "end", "reason": "stopped", "frames": 2, "missed": 2}

Frame n is the n-th picture of the video, from 0. missed: frames that the recorder came too late
for; lost: frames that the source lost. A line is written before its picture, so that a video
that ends in the middle, after a kill, never has a picture without a line.
"""

from collections.abc import Iterator
import json
from pathlib import Path
from typing import Any, IO

_VERSION = 1
UNFINISHED = '.part'  # what the name of a video that is not whole ends with


def sidecar_path(video: Path) -> Path:
    """Give the name of a video's sidecar, of one that is not whole too."""
    return Path(str(video).removesuffix(UNFINISHED)).with_suffix('.jsonl')


class Sidecar:
    """Writes one; makes the file, which must not exist yet: FileExistsError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # each line goes out at once
        self._file: IO[str] = open(path, 'x', buffering=1)  # noqa: SIM115

    def begin(self, **about: object) -> None:
        """Write the first line: what is recorded, and how."""
        self._write({'camera_mp': _VERSION, **about})

    def frame(self, number: int, stamp_ns: int, sequence: int) -> None:
        """Write the line of a frame."""
        self._write({'frame': number, 'stamp_ns': stamp_ns, 'sequence': sequence})

    def event(self, name: str, **about: object) -> None:
        """Write what else happened, before the next frame."""
        self._write({'event': name, **about})

    def _write(self, line: dict[str, object]) -> None:
        self._file.write(json.dumps(line) + '\n')

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_stamps(video: Path) -> list[int]:
    """Give the stamps of a video's frames, in ns; none if no sidecar of ours lies beside it."""
    try:
        with open(sidecar_path(video), encoding='utf-8', errors='replace') as file:
            lines = _parse(file)
            if next(lines, {}).get('camera_mp') != _VERSION:
                return []
            return [line['stamp_ns'] for line in lines if isinstance(line.get('stamp_ns'), int)]
    except OSError:
        return []


def _parse(file: IO[str]) -> Iterator[dict[str, Any]]:
    """Give the lines up to one that a full disk cut off."""
    for text in file:
        try:
            line = json.loads(text)
        except ValueError:
            return
        if not isinstance(line, dict):
            return
        yield line
