"""
From the output of a YOLO model to boxes.

Two layouts, as Ultralytics exports them, N boxes and C classes, sizes in pixels of the input:
YOLOv5: (1, N, 5 + C), a row is centre x, y, width, height, objectness, a score for each class.
YOLOv8 and later: (1, 4 + C, N), a column is the same without objectness.
"""

from collections.abc import Sequence

from camera_mp.errors import DetectorError
from camera_mp.frame import Pixels
import cv2
import numpy as np


class YoloOutput:
    """The layout of a model's output; DetectorError if it is neither."""

    def __init__(self, shapes: Sequence[tuple[int, ...]], classes: int | None) -> None:
        """Find it out from the shapes of all outputs and, if known, the number of classes."""
        self._index = next((i for i, shape in enumerate(shapes) if len(shape) == 3), 0)
        batch, rows, columns = shapes[self._index] if len(shapes[self._index]) == 3 else (0, 0, 0)
        self.transposed = rows < columns if classes is None else rows == 4 + classes
        self.classes = rows - 4 if self.transposed else columns - 5
        if batch != 1 or self.classes < 1 or self.classes != (classes or self.classes):
            named = f' with C = {classes} named classes' if classes else ''
            raise DetectorError(
                'expected an output (1, N, 5 + C) of YOLOv5 or (1, 4 + C, N) of YOLOv8'
                f'{named}, found {", ".join(map(str, shapes))}')

    def decode(self, outputs: Sequence[Pixels], confidence: float,
               iou: float) -> tuple[Pixels, Pixels, Pixels]:
        """
        Give boxes, the best first: (N, 4) left, top, right, bottom, (N,) scores, (N,) classes.

        Of two boxes of one class that overlap by more than iou, only the better one stays.
        """
        rows = outputs[self._index][0]
        if self.transposed:
            rows = rows.T
        scores = rows[:, 4:] if self.transposed else rows[:, 5:] * rows[:, 4:5]
        kinds = scores.argmax(1)
        best = scores[np.arange(len(rows)), kinds]
        good = (best >= confidence) & np.isfinite(rows).all(1)
        return _without_doubles(rows[good, :4], best[good], kinds[good], iou)


def _without_doubles(boxes: Pixels, scores: Pixels, kinds: Pixels,
                     iou: float) -> tuple[Pixels, Pixels, Pixels]:
    edges = np.hstack([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2])
    # each class in a place of its own, so that only boxes of one class overlap
    apart = np.ptp(edges) + 1 if len(edges) else 0
    placed = np.hstack([edges[:, :2] + apart * kinds[:, None], boxes[:, 2:]]).astype(float)
    kept = np.array(cv2.dnn.NMSBoxes(placed.tolist(), scores.tolist(), 0.0, iou), int).ravel()
    return edges[kept], scores[kept], kinds[kept]
