"""
A camera for recorder.py: python benchmark/recorder_camera.py NAME bgr8|jpeg.

Writes 1280x720 pictures that move, with a sensor's noise, in turns at 30 Hz until SIGTERM: into
the ring NAME as bgr8, or into NAME.compressed as the JPEGs of a camera that gives those.
"""

import sys

from camera_mp import FrameFormat, FrameWriter
from camera_mp.frame import Pixels
from camera_mp.signals import StopFlag
from camera_mp.sources.source import Pacer
from camera_mp.sources.synthetic import SyntheticSettings, SyntheticSource
import cv2
import numpy as np

WIDTH, HEIGHT, RATE = 1280, 720, 30.0
_PICTURES = 16
_QUALITY = 80  # of the JPEGs, about what webcams have
_NOISE = 3.0  # standard deviation, of 255


def pictures() -> list[Pixels]:
    """Draw pictures of the synthetic source and add noise."""
    source = SyntheticSource(SyntheticSettings(
        image_width=WIDTH, image_height=HEIGHT, framerate=1000.0))
    noise, drawn = np.random.default_rng(1), []
    for _ in range(_PICTURES):
        source.grab()
        picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        source.read_into(source.streams[0], picture)
        noisy = picture + noise.normal(0, _NOISE, picture.shape)
        drawn.append(noisy.clip(0, 255).astype(np.uint8))
    return drawn


def main(name: str, encoding: str) -> None:
    """Write until told to end."""
    stop, frames = StopFlag(), pictures()
    if encoding == 'jpeg':
        quality = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
        name = f'{name}.compressed'
        frames = [cv2.imencode('.jpg', picture, quality)[1] for picture in frames]
    with FrameWriter(name, FrameFormat(HEIGHT, WIDTH, encoding)) as writer:
        pacer, number = Pacer(RATE), 0
        while not stop.is_set:
            stamp_ns = pacer.wait()
            writer.write(frames[number % _PICTURES], stamp_ns, number)
            number += 1


if __name__ == '__main__':
    main(*sys.argv[1:])
