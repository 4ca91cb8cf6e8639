"""What the tests of recordings share: frames of our own, and what a player and the sidecar say."""

from collections.abc import Sequence
import json
from pathlib import Path
from types import ModuleType
from typing import Any

from camera_mp.frame import Pixels
from camera_mp.recording.sidecar import sidecar_path
from camera_mp.ring import FrameWriter
import numpy as np
import pytest

START = 1_795_190_712_345_678_901  # ns; 2026-11-20T16:05:12.345Z
STEPS = (33_366_700, 33_366_667, 40_000_001, 20_000_000, 33_000_003)  # ns between frames


def need_av() -> ModuleType:
    """Give PyAV, or skip the test."""
    module: ModuleType = pytest.importorskip('av', reason='recording needs PyAV')
    return module


def stamps(count: int, start: int = START) -> list[int]:
    """Give stamps of a camera whose rate is not quite constant."""
    return [start + number // 5 * sum(STEPS) + sum(STEPS[:number % 5]) for number in range(count)]


def picture(number: int, shape: tuple[int, ...], dtype: str = 'uint8') -> Pixels:
    """Give a picture that is like no other."""
    image: Pixels = np.random.default_rng(number).integers(0, 255, shape).astype(dtype)
    return image


def send(writer: FrameWriter, moments: Sequence[int], image: Pixels) -> None:
    """Write frames of these stamps; the sequence counts from 100."""
    for number, stamp in enumerate(moments):
        writer.write(image, stamp, 100 + number)


def lines(video: Path) -> list[dict[str, Any]]:
    """Give the lines of a video's sidecar."""
    return [json.loads(line) for line in sidecar_path(video).read_text().splitlines()]


def frame_lines(video: Path) -> list[dict[str, Any]]:
    """Give the lines of frames alone; each must say its own place."""
    found = [line for line in lines(video) if 'frame' in line]
    assert [line['frame'] for line in found] == list(range(len(found)))
    return found


def events(video: Path, name: str) -> list[dict[str, Any]]:
    """Give the lines of one kind of event."""
    return [line for line in lines(video) if line.get('event') == name]


def play(video: Path) -> list[tuple[int, Pixels]]:
    """Give the time, in ns, and the picture of each frame as a player gets them."""
    with need_av().open(str(video)) as container:
        return [(round(frame.pts * frame.time_base * 10**9), frame.to_ndarray(
                 format=None if frame.format.name.startswith('gray') else 'bgr24'))
                for frame in container.decode(video=0)]


def assert_plays_by_its_stamps(video: Path) -> list[Pixels]:
    """Compare playback times with the sidecar, to 1 ms; give the pictures."""
    played, written = play(video), frame_lines(video)
    assert len(played) == len(written)
    for (moment, _), line in zip(played, written, strict=True):
        assert abs(moment - (line['stamp_ns'] - written[0]['stamp_ns'])) < 10**6
    return [image for _, image in played]
