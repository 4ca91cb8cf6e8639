"""What comes out of a detector pool."""

from dataclasses import dataclass

from camera_mp.detectors import Detection


@dataclass(frozen=True)
class Result:
    """
    What was found in one frame.

    sequence, stamp_ns, number: of the frame, see Frame. width, height: its size in pixels.
    latency: seconds from the stamp until the result was here; seconds: the detector's part.
    """

    sequence: int
    stamp_ns: int
    number: int
    width: int
    height: int
    detections: tuple[Detection, ...]
    latency: float
    seconds: float


@dataclass
class Counts:
    """
    What became of the frames: each taken one is processed, lost or an error.

    lost: its worker died or hung, or it was overwritten before its worker had read it.
    errors: the detector raised, or gave what is no result. missed: overwritten before any
    worker was free; with 'newest' frames are left out on purpose and none is missed.
    restarts: workers replaced.
    """

    processed: int = 0
    lost: int = 0
    errors: int = 0
    missed: int = 0
    restarts: int = 0
