"""Keeps OpenCV and its FFmpeg from writing to stderr: what fails is an error of ours."""

import os
from typing import Any

import cv2

_SILENT = 0


def quieten_opencv() -> None:
    """Let them write nothing more, but for a codec's own library now and then."""
    old: Any = cv2  # 4.6 has no cv2.utils.logging, 4.14 no cv2.setLogLevel
    set_level = old.setLogLevel if hasattr(old, 'setLogLevel') else cv2.utils.logging.setLogLevel
    set_level(_SILENT)
    os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')  # AV_LOG_QUIET, libavutil/log.h
