"""A picture in the middle of a gray one of another shape, as YOLO models were trained with."""

from dataclasses import dataclass

from camera_mp.frame import Pixels
import cv2
import numpy as np

_GRAY = 114  # as Ultralytics' LetterBox


@dataclass(frozen=True)
class Letterbox:
    """
    Where a picture lies in its letterbox, and how large: all in pixels of the letterbox.

    Made for pictures of one size: picture_width x picture_height into width x height.
    """

    picture_width: int
    picture_height: int
    width: int
    height: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture in it."""
        ratio = min(self.width / self.picture_width, self.height / self.picture_height)
        return (max(round(self.picture_width * ratio), 1),
                max(round(self.picture_height * ratio), 1))

    @property
    def corner(self) -> tuple[int, int]:
        """Left and top of the picture in it."""
        return (self.width - self.size[0]) // 2, (self.height - self.size[1]) // 2

    def draw(self, picture: Pixels) -> Pixels:
        """Give the letterbox, (height, width, 3) uint8, with the picture in its middle."""
        (left, top), (width, height) = self.corner, self.size
        drawn = np.full((self.height, self.width, 3), _GRAY, np.uint8)
        drawn[top:top + height, left:left + width] = cv2.resize(picture, self.size)
        return drawn

    def to_picture(self, edges: Pixels) -> Pixels:
        """Give (N, 4) left, top, right, bottom in the letterbox as those in the picture."""
        ratio = np.array([self.picture_width, self.picture_height]) / self.size
        limits = (self.picture_width, self.picture_height)
        points = (edges.reshape(-1, 2, 2) - self.corner) * ratio
        clipped: Pixels = points.clip(0, limits).reshape(-1, 4)
        return clipped
