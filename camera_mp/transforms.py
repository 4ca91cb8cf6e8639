"""
From a source's picture to the wanted one: size, encoding, flip, rotation.

Each step is one OpenCV call; the last one writes into the ring's slot, those before it into
memory that is kept, so that no frame costs an allocation.
"""

from collections.abc import Callable, Sequence

from camera_mp.errors import SettingError
from camera_mp.frame import FrameFormat, Pixels
import cv2
import numpy as np

Step = Callable[[Pixels, Pixels], object]  # (source, destination)

_COLOR_CODES = {
    ('bgr8', 'rgb8'): cv2.COLOR_BGR2RGB, ('bgr8', 'mono8'): cv2.COLOR_BGR2GRAY,
    ('rgb8', 'bgr8'): cv2.COLOR_RGB2BGR, ('rgb8', 'mono8'): cv2.COLOR_RGB2GRAY,
    ('mono8', 'bgr8'): cv2.COLOR_GRAY2BGR, ('mono8', 'rgb8'): cv2.COLOR_GRAY2RGB,
}
_FLIP_CODES = {'horizontal': 1, 'vertical': 0, 'both': -1}
_ROTATE_CODES = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180,
                 270: cv2.ROTATE_90_COUNTERCLOCKWISE}

COLOR_ENCODINGS = ('bgr8', 'rgb8', 'mono8')
FLIPS = ('', *_FLIP_CODES)
ROTATIONS = (0, *_ROTATE_CODES)


class Pipeline:
    """The steps from one format to another; `result` is the format that comes out."""

    def __init__(self, source: FrameFormat, *, width: int = 0, height: int = 0,
                 encoding: str = '', flip: str = '', rotate: int = 0) -> None:
        """
        Plan the steps.

        width, height: before the rotation, in pixels; 0: as the source has it, or in its
        proportion if only the other is given. encoding: '' or that of the source: unchanged.
        Raises SettingError for a conversion that does not exist.
        """
        self._steps: list[tuple[Step, FrameFormat]] = []
        self.result = self._source = source
        self._resize(width, height)
        self._convert(encoding)
        if flip:
            code = _FLIP_CODES[flip]
            self._add(lambda src, dst: cv2.flip(src, code, dst=dst), self.result)
        if rotate:
            self._rotate(rotate)
        self._between = [np.empty(form.shape, form.dtype) for _, form in self._steps[:-1]]
        self._native = np.empty(source.shape, source.dtype) if self._steps else None

    def _add(self, step: Step, result: FrameFormat) -> None:
        self._steps.append((step, result))
        self.result = result

    def _resize(self, width: int, height: int) -> None:
        now = self.result
        width = width or (round(now.width * height / now.height) if height else now.width)
        height = height or round(now.height * width / now.width)
        if (width, height) == (now.width, now.height):
            return
        # a mean of two depths is the depth of nothing
        smooth = cv2.INTER_AREA if width < now.width else cv2.INTER_LINEAR
        how = smooth if now.encoding in COLOR_ENCODINGS else cv2.INTER_NEAREST
        self._add(lambda src, dst: cv2.resize(src, (width, height), dst=dst, interpolation=how),
                  FrameFormat(height, width, now.encoding))

    def _convert(self, encoding: str) -> None:
        now = self.result
        if encoding in ('', now.encoding):
            return
        code = _COLOR_CODES.get((now.encoding, encoding))
        if code is None:
            raise SettingError(f'encoding: {encoding!r} cannot be made of {now.encoding}; '
                               f'allowed: {", ".join(COLOR_ENCODINGS)}')
        self._add(lambda src, dst: cv2.cvtColor(src, code, dst=dst),
                  FrameFormat(now.height, now.width, encoding))

    def _rotate(self, degrees: int) -> None:
        now, code = self.result, _ROTATE_CODES[degrees]
        height, width = (now.height, now.width) if degrees == 180 else (now.width, now.height)
        self._add(lambda src, dst: cv2.rotate(src, code, dst=dst),
                  FrameFormat(height, width, now.encoding))

    def native(self, out: Pixels) -> Pixels:
        """Give the array that the source shall draw in: `out` itself if no step is needed."""
        return out if self._native is None else self._native

    def run(self, out: Pixels) -> None:
        """Take what the source drew in `native(out)` through all steps into `out`."""
        if not self._steps:
            return
        targets: Sequence[Pixels] = [*self._between, out]
        picture = self.native(out)
        for (step, _), target in zip(self._steps, targets, strict=True):
            step(picture, target)
            picture = target
