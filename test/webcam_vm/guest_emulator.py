"""The emulated webcam itself, with OpenCV's V4L2 reader as an independent judge."""

from collections.abc import Iterator
from contextlib import contextmanager
import time

import cv2
import numpy as np
from pictures import COUNT, jpeg, number_in, numbers_of
from plugged import plug, plugged, unplug, video_nodes
from webcam_daemon import WebcamHandle


@contextmanager
def opened(webcam: WebcamHandle, pixel_format: str) -> Iterator[cv2.VideoCapture]:
    """Open a webcam so that OpenCV gives what the camera sends, without decoding it."""
    capture = cv2.VideoCapture(video_nodes(webcam.serial)[0], cv2.CAP_V4L2)
    try:
        assert capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*pixel_format))
        assert capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
        yield capture
    finally:
        capture.release()


def test_yuyv_arrives_in_order() -> None:
    with plugged(1) as webcam, opened(webcam, 'YUYV') as capture:
        numbers = [number_in(capture.read()[1]) for _ in range(10)]
    assert set(numbers) <= set(numbers_of(1))
    assert min(np.diff(numbers) % COUNT) > 0, numbers


def test_jpegs_arrive_as_sent() -> None:
    sent = {jpeg(640, 480, number) for number in numbers_of(0)}
    with plugged(0) as webcam, opened(webcam, 'MJPG') as capture:
        read = [capture.read()[1].tobytes().rstrip(b'\0') for _ in range(COUNT)]
    assert set(read) <= sent


def test_a_webcam_hangs_goes_on_and_is_pulled_out() -> None:
    with plugged(0) as webcam, opened(webcam, 'YUYV') as capture:
        assert capture.read()[0]
        webcam.freeze()
        sent = webcam.sent()
        time.sleep(0.3)
        assert webcam.sent() == sent
        webcam.thaw()
        assert all(capture.read()[0] for _ in range(8))
        webcam.unplug()
        while capture.read()[0]:  # those that were on their way
            pass


def test_webcams_change_their_device_numbers() -> None:
    with plugged(0) as first, plugged(1) as second:
        devices = [video_nodes(one.serial)[0] for one in (first, second)]
        unplug(first)
        unplug(second)
        assert plug(second) == devices[0]
        assert plug(first) == devices[1]
