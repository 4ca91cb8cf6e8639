"""Cameras in processes of their own, their frames in shared memory and on ROS 2 topics."""

from camera_mp.errors import (
    CameraError,
    FrameTimeout,
    NameTaken,
    RingClosed,
    RingCorrupt,
    RingError,
    SettingError,
    WriterDied,
)
from camera_mp.fast_dds import tune_for_images
from camera_mp.frame import Frame, FrameFormat
from camera_mp.frame_set import FrameSet
from camera_mp.ring import FrameReader, FrameWriter

__all__ = ['CameraError', 'Frame', 'FrameFormat', 'FrameReader', 'FrameSet', 'FrameTimeout',
           'FrameWriter', 'NameTaken', 'RingClosed', 'RingCorrupt', 'RingError', 'SettingError',
           'WriterDied', 'tune_for_images']
