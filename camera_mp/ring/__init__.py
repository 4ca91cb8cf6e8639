"""
Frames in shared memory: one writer, any number of readers that never slow it down.

Needs numpy and the standard library only.
"""

from camera_mp.ring.file import list_rings, remove_stale
from camera_mp.ring.layout import State, Word
from camera_mp.ring.mapping import ring_status, RingMapping, RingStatus
from camera_mp.ring.reader import FrameReader
from camera_mp.ring.writer import FrameWriter

__all__ = ['FrameReader', 'FrameWriter', 'RingMapping', 'RingStatus', 'State', 'Word',
           'list_rings', 'remove_stale', 'ring_status']
